package app_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
)

// bearer is a client with a key of its own.
type bearer struct {
	key   *ecdsa.PrivateKey
	nonce string
}

// proof returns the header DPoP of a request (RFC 9449 §4.2).
func (b *bearer) proof(t *testing.T, method, url, token string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: b.key}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{"jti": rand.Text(), "htm": method, "htu": url, "iat": noon.Unix(), "nonce": b.nonce}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return "DPoP: " + compact
}

// TestGoldenBound holds the answers about bound tokens, whole, against files.
func TestGoldenBound(t *testing.T) {
	w := newWorld(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := &bearer{key: key}
	sum, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	m := append(w.masksOf(), mask{base64.RawURLEncoding.EncodeToString(sum), "<jkt>"})
	g := newGolden(t, "bound")
	record := func(name, request string) answer {
		t.Helper()
		a := w.ask(t, request)
		text := m.record(request, a)
		if nonce := a.header.Get("DPoP-Nonce"); nonce != "" {
			text = strings.ReplaceAll(text, nonce, "<nonce>")
			b.nonce = nonce
		}
		g.check(t, name+".http", text)
		return a
	}
	mine := form(with(grant, credentials(w.demo.PartnerClientID, w.demo.PartnerClientSecret))...)
	endpoint, api, act := w.urls.Auth+"/oauth2/token", w.urls.Customer+"/v1/graphql/", "/v1/auth/impersonate"
	body := `{"query":"{ __typename }"}`
	query := func(headers ...string) string { return post("/v1/graphql/", "application/json", body, headers...) }

	record("token-no-nonce", post("/oauth2/token", urlencoded, mine, b.proof(t, "POST", endpoint, "")))
	first := b.proof(t, "POST", endpoint, "")
	token := access(t, record("token", post("/oauth2/token", urlencoded, mine, first)))
	record("token-used-proof", post("/oauth2/token", urlencoded, mine, first))
	record("token-two-proofs", post("/oauth2/token", urlencoded, mine, b.proof(t, "POST", endpoint, ""), b.proof(t, "POST", endpoint, "")))
	record("token-kraken", post("/token/", urlencoded, mine, b.proof(t, "POST", w.urls.Auth+"/token/", "")))
	record("graphql", query("Authorization: DPoP "+token, b.proof(t, "POST", api, token)))
	record("graphql-stolen", query("Authorization: Bearer "+token))
	record("graphql-no-proof", query("Authorization: DPoP "+token))
	record("consents-stolen", request("GET", "/v1/consents", "Authorization: "+token))
	record("userinfo-stolen", request("GET", "/userinfo", "Authorization: "+token))
	record("impersonate-stolen", request("GET", act+"?user_id="+string(w.demo.CustomerUserID), "Authorization: Bearer "+token))
	record("impersonate", request("GET", act+"?user_id="+string(w.demo.CustomerUserID), "Authorization: DPoP "+token, b.proof(t, "GET", w.urls.Auth+act, token)))
	record("introspect", post("/oauth2/introspect", urlencoded, form("token", token), basic(w.demo.PartnerClientID, w.demo.PartnerClientSecret)))
	g.check(t, "claims.json", m.claims(t, token))

	// RFC 9449 §10.1: a pushed request names its key, proves it, or both alike
	app, secret := w.application(t, registry.NewApplication{
		Name: "code", Role: domain.RoleThirdPartyViewer, Grants: []string{oauth.GrantAuthorizationCode}, URIs: []string{"https://app.example.com/cb"},
	})
	asked := with(credentials(app, secret), []string{
		"response_type", "code", "redirect_uri", "https://app.example.com/cb", "code_challenge", strings.Repeat("A", 43), "code_challenge_method", "S256",
	})
	jkt := base64.RawURLEncoding.EncodeToString(sum)
	par := w.urls.Auth + "/oauth2/par"
	for name, c := range map[string]struct {
		named  string
		status int
	}{"its key": {jkt, 201}, "another key": {strings.Repeat("A", 43), 400}, "no key": {"", 201}} {
		a := w.ask(t, post("/oauth2/par", urlencoded, form(with(asked, []string{"dpop_jkt", c.named})...), b.proof(t, "POST", par, "")))
		if a.status != c.status {
			t.Errorf("a pushed request that proves a key and names %s: got %d %s, want %d", name, a.status, a.body, c.status)
		}
	}
	b.nonce = ""
	record("graphql-no-nonce", query("Authorization: DPoP "+token, b.proof(t, "POST", api, token)))
	if !t.Failed() {
		g.done(t)
	}
}
