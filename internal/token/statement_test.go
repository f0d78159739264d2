package token_test

import (
	"errors"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"

	"github.com/wattgate/wattgate/internal/token"
)

// TestRFC9701Section5Statement: others read a statement with our published
// keys, and nobody takes it for a token.
func TestRFC9701Section5Statement(t *testing.T) {
	const said = `{"iss":"https://auth.example.nl","token_introspection":{"active":false}}`
	for _, a := range algorithms {
		ring := openRing(t, a)
		raw, err := ring.SignStatement("token-introspection+jwt", []byte(said))
		if err != nil {
			t.Fatal(err)
		}
		var set jose.JSONWebKeySet
		body, _ := ring.JWKS()
		if err := json.Unmarshal(body, &set); err != nil {
			t.Fatal(err)
		}
		signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(a)})
		if err != nil {
			t.Fatalf("%s: %s: %v", a, raw, err)
		}
		head := signed.Signatures[0].Header
		payload, err := signed.Verify(set.Keys[0])
		if err != nil || string(payload) != said || head.KeyID != set.Keys[0].KeyID || head.ExtraHeaders[jose.HeaderType] != "token-introspection+jwt" {
			t.Errorf("%s: another library reads %+v, %s, %v; want %s", a, head, payload, err, said)
		}
		if _, err := ring.Verify(raw, noon, expect); !errors.Is(err, token.ErrUnknownKey) {
			t.Errorf("%s: Verify takes a statement for a token: %v, want %v", a, err, token.ErrUnknownKey)
		}
		if _, err := ring.Authentic(raw); err == nil {
			t.Errorf("%s: Authentic takes a statement for a token", a)
		}
		if got := ring.Algorithms(); len(got) != 1 || got[0] != string(a) {
			t.Errorf("the algorithms are %v, want %s", got, a)
		}
	}
}

// TestAStatementIsNoToken: whoever asks for one that could be is refused.
func TestAStatementIsNoToken(t *testing.T) {
	ring := openRing(t, token.EdDSA)
	for name, c := range map[string]struct{ typ, claims string }{
		"the type of a token": {token.Type, `{}`},
		"the type of a JWT":   {"JWT", `{}`},
		"no type":             {"", `{}`},
		"no object":           {"x+jwt", `[]`},
		"half an object":      {"x+jwt", `{"a":`},
		"nothing":             {"x+jwt", ``},
	} {
		if raw, err := ring.SignStatement(c.typ, []byte(c.claims)); !errors.Is(err, token.ErrClaims) || raw != "" {
			t.Errorf("%s: SignStatement(%q, %s) = %q, %v; want %v", name, c.typ, c.claims, raw, err, token.ErrClaims)
		}
	}
}
