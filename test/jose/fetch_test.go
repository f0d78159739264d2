package jose

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/test/demo"
)

// fetch returns a token of the demo's partner application.
func fetch(t *testing.T, s *demo.Server, path string) string {
	t.Helper()
	return access(t, post(t, s.Env["WATTGATE_AUTH_URL"]+path, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {s.Env["PARTNER_CLIENT_ID"]}, "client_secret": {s.Env["PARTNER_CLIENT_SECRET"]},
	}))
}

// consent lets the demo's customer log in and agree to an application, and
// returns its client_id, the access token and the ID token.
func consent(t *testing.T, s *demo.Server) (client, accessToken, identity string) {
	t.Helper()
	const callback = "https://client.example.com/callback"
	id, secret := s.Application(t, "--name", "Web", "--role", "THIRD_PARTY_UTILITY_USAGE_DATA_VIEWER", "--uri", callback, "--grant", "authorization_code")
	verifier := rand.Text() + rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	back := s.Customer(t).Visit(t, s.Env["WATTGATE_AUTH_URL"]+"/oauth2/authorize?"+url.Values{
		"response_type": {"code"}, "client_id": {id}, "redirect_uri": {callback}, "scope": {"openid"}, "state": {"some"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}.Encode(), callback)
	body := post(t, s.Env["WATTGATE_AUTH_URL"]+"/oauth2/token", url.Values{
		"grant_type": {"authorization_code"}, "client_id": {id}, "client_secret": {secret}, "redirect_uri": {callback},
		"code": {back.Query().Get("code")}, "code_verifier": {verifier},
	})
	var token struct {
		Identity string `json:"id_token"`
	}
	if err := json.Unmarshal(body, &token); err != nil {
		t.Fatal(err)
	}
	return id, access(t, body), token.Identity
}

func post(t *testing.T, address string, form url.Values) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return do(t, r)
}

// impersonate returns a token that speaks for the demo's customer.
func impersonate(t *testing.T, s *demo.Server, own string) string {
	t.Helper()
	return access(t, get(t, s.Env["WATTGATE_AUTH_URL"]+"/v1/auth/impersonate?user_id="+s.Env["CUSTOMER_USER_ID"], own))
}

func get(t *testing.T, address, bearer string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	return do(t, r)
}

func do(t *testing.T, r *http.Request) []byte {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s, %v\n%s", r.Method, r.URL.Path, answer.Status, err, body)
	}
	return body
}

func access(t *testing.T, body []byte) string {
	t.Helper()
	var token struct {
		Access string `json:"access_token"`
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&token); err != nil || strings.Count(token.Access, ".") != 2 {
		t.Fatalf("no token in %s: %v", body, err)
	}
	return token.Access
}
