package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// signer signs assertions by another's library.
type signer struct {
	alg jose.SignatureAlgorithm
	key any
}

func (s signer) sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	made, err := jose.NewSigner(jose.SigningKey{Algorithm: s.alg, Key: jose.JSONWebKey{Key: s.key, KeyID: "k"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := made.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func newECKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// keyed adds an application that signs assertions with a key.
func (w *world) keyed(t *testing.T, name string, public jose.JSONWebKey) domain.ClientID {
	t.Helper()
	public.KeyID = "k"
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
	if err != nil {
		t.Fatal(err)
	}
	id, _ := w.application(t, registry.NewApplication{Name: name, Role: domain.RoleThirdPartyViewer, Keys: set})
	return id
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// TestRFC7523 goes through what RFC 7523 §2.2 and §3 demand of an assertion with
// which a client authenticates, and what of the answer. Each refusal is two
// minutes later than the last, or the throttle would answer them all.
func TestRFC7523(t *testing.T) {
	w := newWorld(t)
	key, rsaKey := newECKey(t), newRSAKey(t)
	mine := signer{jose.ES256, key}
	id := w.keyed(t, "Keyed", jose.JSONWebKey{Key: key.Public()})
	rsaID := w.keyed(t, "Keyed by RSA", jose.JSONWebKey{Key: rsaKey.Public(), Algorithm: "RS256"})
	endpoint := w.urls.Auth + "/oauth2/token"
	claims := func(change map[string]any) map[string]any {
		now := w.clock.now().Unix()
		c := map[string]any{"iss": id, "sub": id, "aud": endpoint, "jti": rand.Text(), "iat": now, "exp": now + 60}
		for name, value := range change {
			if c[name] = value; value == nil {
				delete(c, name)
			}
		}
		return c
	}
	by := func(change map[string]any) func() []string {
		return func() []string { return []string{"client_assertion", mine.sign(t, claims(change))} }
	}
	now := func() int64 { return w.clock.now().Unix() }
	const good, client, invalid = "", "invalid_client", "invalid_request"
	for name, c := range map[string]struct {
		fields func() []string // besides the grant and the type
		want   string
	}{
		"RFC 7523 §2.2: an assertion instead of a secret": {by(nil), good},
		"RFC 7523 §2.2: another client_assertion_type":    {func() []string { return append(by(nil)(), "client_assertion_type", "x") }, invalid},
		"RFC 7523 §2.2: more than one JWT":                {func() []string { return append(by(nil)(), by(nil)()...) }, invalid},
		"RFC 7523 §2.2: more than one JWT in one parameter": {func() []string {
			return []string{"client_assertion", mine.sign(t, claims(nil)) + " " + mine.sign(t, claims(nil))}
		}, client},
		"RFC 7523 §2.2: no JWT":                                     {func() []string { return nil }, invalid},
		"RFC 7523 §2.2, RFC 6749 §2.3: a secret besides":            {func() []string { return append(by(nil)(), "client_secret", "x", "client_id", string(id)) }, invalid},
		"RFC 7523 §2.2, RFC 7521 §4.2: a client_id that is another": {func() []string { return append(by(nil)(), "client_id", string(rsaID)) }, client},
		"RFC 7523 §3, 1.: no iss":                                   {by(map[string]any{"iss": nil}), client},
		"RFC 7523 §3, 1.: another iss":                              {by(map[string]any{"iss": "https://idp.test"}), client},
		"RFC 7523 §3, 1.: iss in another case":                      {by(map[string]any{"iss": strings.ToUpper(string(id))}), client},
		"RFC 7523 §3, 2.: no sub":                                   {by(map[string]any{"sub": nil}), client},
		"RFC 7523 §3, 2.: another sub":                              {by(map[string]any{"sub": rsaID}), client},
		"RFC 7523 §3, 3.: no aud":                                   {by(map[string]any{"aud": nil}), client},
		"RFC 7523 §3, 3.: aud is the issuer":                        {by(map[string]any{"aud": w.urls.Auth}), good},
		"RFC 7523 §3, 3.: aud is a list with us in it":              {by(map[string]any{"aud": []string{endpoint}}), good},
		"RFC 7523 §3, 3.: another server's aud":                     {by(map[string]any{"aud": "https://auth.example.com/oauth2/token"}), client},
		"RFC 7523 §3, 3.: aud compared as a string, not as a URL":   {by(map[string]any{"aud": strings.Replace(endpoint, "http:", "HTTP:", 1)}), client},
		"RFC 7523 §3, 4.: no exp":                                   {by(map[string]any{"exp": nil}), client},
		"RFC 7523 §3, 4.: expired":                                  {func() []string { return by(map[string]any{"exp": now()})() }, client},
		"RFC 7523 §3, 4.: unreasonably far ahead":                   {func() []string { return by(map[string]any{"exp": now() + 86400})() }, client},
		"RFC 7523 §3, 5.: not yet":                                  {func() []string { return by(map[string]any{"nbf": now() + 120})() }, client},
		"RFC 7523 §3, 6.: made in the future":                       {func() []string { return by(map[string]any{"iat": now() + 120})() }, client},
		"RFC 7523 §3, 7.: no jti":                                   {by(map[string]any{"jti": nil}), client},
		"RFC 7523 §3, 8.: claims that nobody asked for":             {by(map[string]any{"department": "meters"}), good},
		"RFC 7523 §3, 9.: another key": {func() []string {
			return []string{"client_assertion", signer{jose.ES256, newECKey(t)}.sign(t, claims(nil))}
		}, client},
		"RFC 7523 §3, 9.: not signed": {func() []string { return []string{"client_assertion", unsigned(t, claims(nil))} }, client},
		"RFC 7523 §3, 9.: signed by HMAC with what is public": {func() []string {
			return []string{"client_assertion", signer{jose.HS256, []byte(strings.Repeat("k", 32))}.sign(t, claims(nil))}
		}, client},
		"RFC 7523 §3, 10.: no JWT at all": {func() []string { return []string{"client_assertion", "opensesame"} }, client},
		"RFC 7523 §5: RS256, which everybody must know": {func() []string {
			return []string{"client_assertion", signer{jose.RS256, rsaKey}.sign(t, claims(map[string]any{"iss": rsaID, "sub": rsaID}))}
		}, good},
	} {
		w.clock.move(2 * time.Minute)
		fields := with(grant, []string{"client_assertion_type", assertionType}, c.fields())
		a := w.ask(t, post("/oauth2/token", urlencoded, form(fields...)))
		var said struct{ Error string }
		if err := json.Unmarshal([]byte(a.body), &said); err != nil {
			t.Fatal(err)
		}
		// RFC 7523 §3.2: whatever is wrong with the JWT is invalid_client.
		status := map[string]int{good: 200, client: 401, invalid: 400}[c.want]
		if a.status != status || said.Error != c.want {
			t.Errorf("%s: got %d %s, want %d %s", name, a.status, a.body, status, c.want)
		}
	}
	once := with(grant, []string{"client_assertion_type", assertionType}, by(nil)())
	for i, want := range []int{200, 401} { // RFC 7523 §3, 7.: jti is good once
		if a := w.ask(t, post("/oauth2/token", urlencoded, form(once...))); a.status != want {
			t.Errorf("RFC 7523 §3, 7.: use %d of an assertion: got %d %s, want %d", i+1, a.status, a.body, want)
		}
	}
}

// unsigned writes a JWT of the algorithm none.
func unsigned(t *testing.T, claims map[string]any) string {
	t.Helper()
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return encode(`{"alg":"none"}`) + "." + encode(string(text)) + "."
}

func newRSAKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
