package auth_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/auth"
)

const issuer = "https://auth.example.com"

// described is the auth host behind an issuer.
func described(t *testing.T) (*server.Host, http.Handler) {
	t.Helper()
	r := &rooms{}
	table := (&auth.Host{
		Clients: r, Tokens: r, Issuer: r, Keys: r, URL: issuer, MaxAge: 5 * time.Minute,
		EnergyZero: dialect.EnergyZero{}, Kraken: dialect.Kraken{},
	}).Table()
	h, err := (&server.Serving{Log: slog.New(slog.DiscardHandler), Now: time.Now}).OneOrigin(table)
	if err != nil {
		t.Fatal(err)
	}
	return table, h
}

func document(t *testing.T, h http.Handler, path string) map[string]any {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", path, nil)
	r.Host = "attacker.example" // nothing in the answer comes from here
	h.ServeHTTP(w, r)
	var doc map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != 200 {
		t.Fatalf("%s: got %d %s", path, w.Code, w.Body)
	}
	if got := w.Header(); got.Get("Cache-Control") != "public, max-age=300" || got.Get("ETag") == "" || got.Get("Content-Type") != "application/json" {
		t.Errorf("%s: got the headers %v", path, got)
	}
	if strings.Contains(w.Body.String(), "attacker") {
		t.Errorf("%s quotes the request: %s", path, w.Body)
	}
	return doc
}

const (
	asRFC8414 = "/.well-known/oauth-authorization-server"
	asOpenID  = "/.well-known/openid-configuration"
)

// TestRFC8414Section2RequiredMembers, those of OpenID Connect Discovery §3, RFC
// 7636 §6.2, RFC 9126 §5, RFC 8628 §4 and RFC 9207 §3.
func TestRFC8414Section2RequiredMembers(t *testing.T) {
	_, h := described(t)
	for path, names := range map[string][]string{
		asRFC8414: {
			"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported", "code_challenge_methods_supported",
			"pushed_authorization_request_endpoint", "device_authorization_endpoint", "authorization_response_iss_parameter_supported",
		},
		asOpenID: {
			"issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "response_types_supported",
			"subject_types_supported", "id_token_signing_alg_values_supported",
		},
	} {
		for _, twin := range []string{path, path + "/"} {
			doc := document(t, h, twin)
			for _, name := range names {
				if _, there := doc[name]; !there {
					t.Errorf("%s has no %s: %v", twin, name, doc)
				}
			}
			if doc["issuer"] != issuer { // RFC 8414 §3.3: exactly what the URL was made of
				t.Errorf("%s: the issuer is %v, want %s", twin, doc["issuer"], issuer)
			}
		}
	}
}

// TestMetadataFollowsTheRoutes: what carries a name is listed, nothing else, and
// every name stands once.
func TestMetadataFollowsTheRoutes(t *testing.T) {
	table, h := described(t)
	want := map[string]string{}
	for _, r := range table.Routes {
		if r.Metadata == "" {
			continue
		}
		_, path, _ := strings.Cut(r.Pattern, " ")
		if want[r.Metadata] != "" {
			t.Errorf("%s is the name of two routes", r.Metadata)
		}
		want[r.Metadata] = issuer + strings.TrimSuffix(path, "{$}")
	}
	doc := document(t, h, asRFC8414)
	for name, url := range want {
		if doc[name] != url {
			t.Errorf("%s is %v, want %s", name, doc[name], url)
		}
	}
	for name, value := range doc {
		if (strings.HasSuffix(name, "_endpoint") || strings.HasSuffix(name, "_uri")) && want[name] == "" {
			t.Errorf("%s: %v, and no route carries that name", name, value)
		}
		if endpoint, ok := strings.CutSuffix(name, "_auth_methods_supported"); ok && want[endpoint] == "" {
			t.Errorf("%s, and there is no %s", name, endpoint)
		}
	}
}

// TestMetadataListsTheGrantsThatWork asks for a token by every grant type that
// has ever been: those that are listed are known, and no other is.
func TestMetadataListsTheGrantsThatWork(t *testing.T) {
	_, h := described(t)
	listed := texts(document(t, h, asRFC8414)["grant_types_supported"])
	all := append([]string{
		"authorization_code", "implicit", "password", "refresh_token",
		"urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:openid:params:grant-type:ciba", "x",
	}, listed...)
	for _, grant := range all {
		r := httptest.NewRequest("POST", "/oauth2/token", strings.NewReader("client_id=app_a&client_secret=s&grant_type="+grant))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if unknown := strings.Contains(w.Body.String(), "unsupported_grant_type"); unknown == slices.Contains(listed, grant) {
			t.Errorf("%s: listed is %v, and the answer %d %s", grant, slices.Contains(listed, grant), w.Code, w.Body)
		}
	}
	if len(listed) == 0 {
		t.Error("no grant is listed")
	}
}

func texts(list any) (out []string) {
	all, _ := list.([]any)
	for _, x := range all {
		text, _ := x.(string)
		out = append(out, text)
	}
	return out
}
