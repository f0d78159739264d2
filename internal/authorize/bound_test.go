package authorize_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/url"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// RFC 9449 §5: a refresh token that is bound to a key is renewed by who proves it,
// and by nobody else; who has the token alone cannot even end the family.
func TestRFC9449Section5TheRefreshToken(t *testing.T) {
	w := newWorld(t)
	g, err := w.Redeem(t.Context(), w.listing(), w.code(t), callback, verifier, w.origin())
	must(t, err)
	mine := domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}
	theirs := domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}
	g.Bound = mine
	refresh, err := w.Remember(t.Context(), g, authorize.RefreshLifetime)
	must(t, err)
	renew := func(proven domain.Confirmation) error {
		from := w.origin()
		from.Proven = proven
		got, next, err := w.Renew(t.Context(), w.listing(), refresh, "", nil, from)
		if err == nil {
			refresh = next
			if got.Bound != mine {
				t.Errorf("the next is bound to %+v, want %+v", got.Bound, mine)
			}
		}
		return err
	}
	for range 2 {
		for name, proven := range map[string]domain.Confirmation{
			"nothing": {}, "another key": theirs, "a certificate": {Method: domain.ConfirmCertificate, Thumbprint: mine.Thumbprint},
		} {
			if err := renew(proven); codeOf(err) != "invalid_grant" {
				t.Errorf("%s: got %v, want invalid_grant", name, err)
			}
		}
		if err := renew(mine); err != nil {
			t.Fatalf("the key itself: %v", err)
		}
	}
}

// FAPI 2.0 Security Profile §5.3.2.2: what a browser brings is refused, and the
// same from the application itself is not.
func TestFAPIRequestsArePushed(t *testing.T) {
	w := newWorld(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "a"}}})
	must(t, err)
	strict := w.add(t, registry.NewApplication{Name: "strict", FAPI: true, Keys: set})
	for name, c := range map[string]struct {
		app     domain.ClientID
		browser bool
		good    bool
	}{
		"pushed":                         {strict, false, true},
		"by a browser":                   {strict, true, false},
		"by a browser, without the mode": {w.app, true, true},
	} {
		p := w.params()
		p.ClientID, p.Browser = string(c.app), c.browser
		_, err := w.Check(p)
		if (err == nil) != c.good || err != nil && codeOf(err) != "invalid_request" {
			t.Errorf("%s: got %v, want accepted: %v", name, err, c.good)
		}
	}
}

// RFC 9449 §10: a code that was asked for a key is changed by who proves that key.
func TestRFC9449Section10TheCode(t *testing.T) {
	w := newWorld(t)
	const jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
	for name, c := range map[string]struct {
		proven domain.Confirmation
		good   bool
	}{
		"the key":       {domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: jkt}, true},
		"nothing":       {},
		"another":       {proven: domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}},
		"a certificate": {proven: domain.Confirmation{Method: domain.ConfirmCertificate, Thumbprint: jkt}},
	} {
		p := w.params()
		p.DPoPKey = jkt
		answer, err := w.Allow(t.Context(), w.challenge(t, p), w.user, w.decision(), w.origin())
		must(t, err)
		to, err := url.Parse(answer)
		must(t, err)
		from := w.origin()
		from.Proven = c.proven
		_, err = w.Redeem(t.Context(), w.listing(), to.Query().Get("code"), callback, verifier, from)
		if (err == nil) != c.good || err != nil && codeOf(err) != "invalid_grant" {
			t.Errorf("%s: got %v, want accepted: %v", name, err, c.good)
		}
	}
	p := w.params()
	p.DPoPKey = "key"
	if _, err := w.Check(p); codeOf(err) != "invalid_request" {
		t.Errorf("a thumbprint that is none: got %v", err)
	}
}
