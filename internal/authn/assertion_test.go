package authn_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// jtis remembers what was used.
type jtis map[string]bool

func (j jtis) RememberJTI(_ context.Context, client domain.ClientID, jti string, _ time.Time) (bool, error) {
	fresh := !j[string(client)+jti]
	j[string(client)+jti] = true
	return fresh, nil
}

// desk is the clients with one application that signs assertions, app_signs.
type desk struct {
	*authn.Clients
	app  *domain.Listing
	own  *ecdsa.PrivateKey
	used map[domain.ClientID]int
	last int
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	c, _ := clients(t)
	d := &desk{Clients: c, own: newKey(t), used: map[domain.ClientID]int{}}
	d.app = &domain.Listing{Application: domain.Application{
		ID: "app_signs", Partner: "prt_a", Type: domain.Confidential, AuthMethod: domain.PrivateKeyJWT, Keys: jwks(t, d.own),
	}}
	c.Directory.Directory().Applications["app_signs"] = d.app
	c.Audiences, c.Replays = []string{"https://auth"}, jtis{}
	c.UsedOwn = func(id domain.ClientID, _ time.Time, _ bool) { d.used[id]++ }
	return d
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func jwks(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k"}}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// assertion signs one of its own each time.
func (d *desk) assertion(t *testing.T, id string, key *ecdsa.PrivateKey) string {
	t.Helper()
	d.last++
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign(fmt.Appendf(nil, `{"iss":%q,"sub":%q,"aud":"https://auth","exp":%d.5,"jti":"%d"}`, id, id, d.Now().Unix()+60, d.last))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// ask authenticates, and returns in, no or again.
func (d *desk) ask(t *testing.T, raw string) string {
	t.Helper()
	app, err := d.Assertion(t.Context(), "", raw, domain.Origin{Address: office})
	switch e, ok := errors.AsType[*oauth.Error](err); {
	case err == nil && app != nil:
		return "in"
	case ok && e.Code == oauth.InvalidClient:
		return "no"
	}
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.Unavailable {
		return "again"
	}
	return fmt.Sprint(err)
}

// TestAnAssertionWhileItsApplicationChanges: only who signed it learns that, and
// the assertion is good afterwards.
func TestAnAssertionWhileItsApplicationChanges(t *testing.T) {
	d := newDesk(t)
	d.app.Held = true
	mine, theirs := d.assertion(t, "app_signs", d.own), d.assertion(t, "app_signs", newKey(t))
	for range 3 {
		if got := d.ask(t, mine) + d.ask(t, theirs); got != "againno" {
			t.Fatalf("while it is held: got %q, want again for the right one, no for the wrong one", got)
		}
	}
	d.app.Held = false
	if got := d.ask(t, mine) + d.ask(t, mine); got != "inno" {
		t.Errorf("afterwards: got %q, want in, once", got)
	}
	d.app.Closed = true
	if got := d.ask(t, d.assertion(t, "app_signs", d.own)); got != "no" {
		t.Errorf("disabled: got %q, want no", got)
	}
	if d.used["app_signs"] != 1 || len(d.used) != 1 {
		t.Errorf("uses: got %v, want one", d.used)
	}
}

// TestReplacedKeys: what was read of old keys is not taken for the new ones.
func TestReplacedKeys(t *testing.T) {
	d := newDesk(t)
	fresh := newKey(t)
	for _, c := range []struct {
		keys       []byte
		old, young string
	}{{jwks(t, d.own), "in", "no"}, {jwks(t, fresh), "no", "in"}, {jwks(t, d.own), "in", "no"}} {
		d.app.Keys = c.keys
		for range 2 {
			if got := d.ask(t, d.assertion(t, "app_signs", d.own)); got != c.old {
				t.Errorf("by the old key: got %q, want %q", got, c.old)
			}
			if got := d.ask(t, d.assertion(t, "app_signs", fresh)); got != c.young {
				t.Errorf("by the new key: got %q, want %q", got, c.young)
			}
		}
	}
}

// TestAssertionsOfNobodyCostTheSame: a signature is checked for an unknown client,
// for one that has a secret and for one that is disabled, as for a wrong
// signature. The quickest of many tries are compared.
func TestAssertionsOfNobodyCostTheSame(t *testing.T) {
	d := newDesk(t)
	theirs := newKey(t)
	quickest := func(id string) time.Duration {
		raw, best := d.assertion(t, id, theirs), time.Hour
		for range 200 {
			begin := time.Now()
			if got := d.ask(t, raw); got != "no" {
				t.Fatalf("%s: got %q, want no", id, got)
			}
			best = min(best, time.Since(begin))
		}
		return best
	}
	wrong := quickest("app_signs")
	for _, id := range []string{"app_nobody", "app_good", "app_closed"} {
		if got := quickest(id); got < wrong*6/10 || got > wrong*16/10 {
			t.Errorf("%s costs %v, a wrong signature %v", id, got, wrong)
		}
	}
	d.app.Keys = jwks(t, d.own)
	d.app.Closed = true
	if got := quickest("app_signs"); got < wrong*6/10 || got > wrong*16/10 {
		t.Errorf("a disabled one costs %v, a wrong signature %v", got, wrong)
	}
}
