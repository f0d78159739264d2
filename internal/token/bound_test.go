package token_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

const thumb = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

// RFC 7800 §3, RFC 9449 §6.1 and RFC 8705 §3.1: the claim is there for everybody
// to read, last, in one spelling.
func TestABoundTokenSaysWhatItIsBoundTo(t *testing.T) {
	ring := openRing(t, token.EdDSA)
	for method, want := range map[domain.ConfirmationMethod]string{
		domain.ConfirmKey:         `,"cnf":{"jkt":"` + thumb + `"}}`,
		domain.ConfirmCertificate: `,"cnf":{"x5t#S256":"` + thumb + `"}}`,
	} {
		for name, c := range map[string]token.Claims{"an application's": partnerClaims(), "a customer's": userClaims()} {
			c.Bound = domain.Confirmation{Method: method, Thumbprint: thumb}
			raw := sign(t, ring, c)
			payload := string(decoded(strings.Split(raw, ".")[1]))
			if !strings.HasSuffix(payload, want) || !json.Valid([]byte(payload)) {
				t.Errorf("%s: %s, want it to end with %s", name, payload, want)
			}
			got, err := ring.Verify(raw, noon, token.Expect{Issuer: c.Issuer})
			if err != nil || got != c {
				t.Errorf("%s: got %+v, %v, want %+v", name, got, err, c)
			}
		}
	}
}

func TestBindingsThatCannotBeSigned(t *testing.T) {
	ring := openRing(t, token.EdDSA)
	for name, bound := range map[string]domain.Confirmation{
		"no thumbprint":              {Method: domain.ConfirmKey},
		"no method":                  {Thumbprint: thumb},
		"another method":             {Method: "kid", Thumbprint: thumb},
		"too short":                  {Method: domain.ConfirmKey, Thumbprint: thumb[1:]},
		"too long":                   {Method: domain.ConfirmKey, Thumbprint: thumb + "A"},
		"spare bits":                 {Method: domain.ConfirmKey, Thumbprint: thumb[:42] + "J"},
		"another alphabet":           {Method: domain.ConfirmCertificate, Thumbprint: "+" + thumb[1:]},
		"a line break within":        {Method: domain.ConfirmKey, Thumbprint: thumb[:42] + "\n"},
		"a quote within":             {Method: domain.ConfirmKey, Thumbprint: thumb[:42] + `"`},
		"beyond ASCII":               {Method: domain.ConfirmKey, Thumbprint: thumb[:41] + "é"},
		"a thumbprint with a bypass": {Method: domain.ConfirmKey, Thumbprint: `x"},"perm":["CAN_IMPERSONATE"],"cnf":{"jkt":"`},
	} {
		c := partnerClaims()
		c.Bound = bound
		if got, err := ring.Sign(nil, &c); !errors.Is(err, token.ErrClaims) || len(got) != 0 {
			t.Errorf("%s: got %s, %v, want ErrClaims", name, got, err)
		}
	}
}

// What another of our own spellings would say is read by nobody: neither two
// confirmations, nor one elsewhere, nor none where one stands.
func TestBindingsThatAreNotSpelledAsOurs(t *testing.T) {
	ring := openRing(t, token.EdDSA)
	c := partnerClaims()
	c.Bound = domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: thumb}
	parts := strings.Split(sign(t, ring, c), ".")
	good := string(decoded(parts[1]))
	cnf := `,"cnf":{"jkt":"` + thumb + `"}`
	for name, payload := range map[string]string{
		"two":               strings.Replace(good, cnf, cnf+cnf, 1),
		"two in one":        strings.Replace(good, cnf, `,"cnf":{"jkt":"`+thumb+`","x5t#S256":"`+thumb+`"}`, 1),
		"empty":             strings.Replace(good, cnf, `,"cnf":{}`, 1),
		"null":              strings.Replace(good, cnf, `,"cnf":null`, 1),
		"of nothing":        strings.Replace(good, cnf, `,"cnf":{"jkt":""}`, 1),
		"a space":           strings.Replace(good, cnf, `,"cnf": {"jkt":"`+thumb+`"}`, 1),
		"an escape":         strings.Replace(good, cnf, `,"cnf":{"jkt":"\u0030`+thumb[1:]+`"}`, 1),
		"a key by itself":   strings.Replace(good, cnf, `,"cnf":{"jwk":{}}`, 1),
		"before the others": `{"cnf":{"jkt":"` + thumb + `"},` + strings.Replace(good, cnf, "", 1)[1:],
	} {
		if payload == good {
			t.Fatalf("%s: nothing was changed", name)
		}
		raw := forge(token.EdDSA, header(token.EdDSA), payload)
		if got, err := ring.Verify(raw, noon, token.Expect{Issuer: c.Issuer}); err == nil || got != (token.Claims{}) {
			t.Errorf("%s: got %+v, %v, want a refusal", name, got, err)
		}
	}
	if _, err := ring.Verify(forge(token.EdDSA, header(token.EdDSA), good), noon, token.Expect{Issuer: c.Issuer}); err != nil {
		t.Errorf("the forger signs what nobody takes: %v", err)
	}
}
