package token_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

// states lists the keys as state@minutes since noon when it signs, is removed.
func states(keys []token.StoredKey) string {
	var list []string
	for _, k := range keys {
		text := k.State + " " + k.ActiveFrom.Sub(noon).Round(time.Second).String()
		if !k.RemovedAt.IsZero() {
			text += "-" + k.RemovedAt.Sub(noon).Round(time.Second).String()
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

func actions(changes []token.Change) string {
	var list []string
	for _, c := range changes {
		list = append(list, strings.TrimPrefix(c.Action, "key."))
	}
	return strings.Join(list, " ")
}

// TestTheLifeOfKeys is one story, a line for each thing that happens.
func TestTheLifeOfKeys(t *testing.T) {
	store, now := &keyring{}, noon
	s := settings(store, token.EdDSA)
	s.Now = func() time.Time { return now }
	s.Policy.Rotation, s.Policy.Publish, s.Policy.MaxAge = 10*time.Hour, 20*time.Minute, 15*time.Minute // publish is too short: twice max-age counts
	ring, err := token.OpenRing(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	step := func(as domain.Entry) ([]token.Change, error) { return ring.Step(t.Context(), as) }
	rotate := func(as domain.Entry) ([]token.Change, error) { return ring.Rotate(t.Context(), as) }
	rotateNow := func(as domain.Entry) ([]token.Change, error) { return ring.RotateNow(t.Context(), as) }
	reopen := func(domain.Entry) ([]token.Change, error) {
		ring, err = token.OpenRing(t.Context(), s)
		return nil, err
	}
	for _, line := range []struct {
		at      time.Duration
		do      func(domain.Entry) ([]token.Change, error)
		actions string
		states  string
	}{
		{0, step, "", "active 0s"},
		{9*time.Hour + 29*time.Minute, step, "", "active 0s"},
		{9*time.Hour + 30*time.Minute, step, "publish", "active 0s, published 10h0m0s"},
		{9*time.Hour + 31*time.Minute, rotate, "", "active 0s, published 10h0m0s"}, // one waits already
		{10*time.Hour - time.Second, step, "", "active 0s, published 10h0m0s"},
		{10 * time.Hour, step, "retire activate", "retired 0s-11h1m0s, active 10h0m0s"},
		{10 * time.Hour, reopen, "", "retired 0s-11h1m0s, active 10h0m0s"}, // a restart keeps all that
		{10*time.Hour + time.Minute, rotate, "publish", "retired 0s-11h1m0s, active 10h0m0s, published 10h31m0s"},
		{11*time.Hour + time.Minute, step, "drop retire activate", "removed 0s-11h1m0s, retired 10h0m0s-12h2m0s, active 11h1m0s"}, // a late step
		{11*time.Hour + 2*time.Minute, rotateNow, "drop drop publish activate", "removed 0s-11h1m0s, removed 10h0m0s-11h2m0s, removed 11h1m0s-11h2m0s, active 11h2m0s"},
	} {
		now = noon.Add(line.at)
		before, generation := len(store.entries), ring.Generation()
		changes, err := line.do(domain.Entry{By: "test", Address: "here"})
		if err != nil || actions(changes) != line.actions || states(store.keys) != line.states {
			t.Fatalf("at %v: got %q, %q, %v\nwant %q, %q", line.at, actions(changes), states(store.keys), err, line.actions, line.states)
		}
		for i, e := range store.entries[before:] {
			if e.Action != changes[i].Action || e.Object != changes[i].Key.ID || e.By != "test" || e.Address != "here" || e.ID == "" || !e.At.Equal(now) || e.Detail == "" {
				t.Errorf("at %v: entry %+v for %+v", line.at, e, changes[i])
			}
		}
		if dropped := strings.Contains(line.actions, "drop"); dropped != (ring.Generation() > generation) {
			t.Errorf("at %v: the generation went from %d to %d after %q", line.at, generation, ring.Generation(), line.actions)
		}
		body, _ := ring.JWKS()
		for _, k := range store.keys {
			if got := strings.Contains(string(body), k.ID); got != (k.State != token.Removed) || (k.Sealed == nil) != (k.State == token.Removed) {
				t.Errorf("at %v: a %s key: in JWKS %v, private half %v", line.at, k.State, got, k.Sealed != nil)
			}
		}
	}
}

func TestEmergencyEndsEveryToken(t *testing.T) {
	store := &keyring{}
	ring, err := token.OpenRing(t.Context(), settings(store, token.ES256))
	if err != nil {
		t.Fatal(err)
	}
	old := sign(t, ring, partnerClaims())
	if _, err := ring.RotateNow(t.Context(), domain.Entry{}); err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Verify(old, noon, expect); !errors.Is(err, token.ErrUnknownKey) {
		t.Errorf("a token from before: %v, want ErrUnknownKey", err)
	}
	if _, err := ring.Verify(sign(t, ring, partnerClaims()), noon, expect); err != nil {
		t.Errorf("a token from after: %v", err)
	}
}

func TestAChangeThatIsNotStoredIsNotUsed(t *testing.T) {
	store := &keyring{}
	ring, err := token.OpenRing(t.Context(), settings(store, token.EdDSA))
	if err != nil {
		t.Fatal(err)
	}
	before, _ := ring.JWKS()
	old := sign(t, ring, partnerClaims())
	store.fail = errors.New("disk full")
	if changes, err := ring.RotateNow(t.Context(), domain.Entry{}); !errors.Is(err, store.fail) || changes != nil {
		t.Errorf("RotateNow = %v, %v, want the store's error", changes, err)
	}
	if after, _ := ring.JWKS(); string(after) != string(before) || sign(t, ring, partnerClaims()) != old {
		t.Error("the ring uses keys that were not stored")
	}
}

// TestTwoActiveKeys: earlier versions left one of each algorithm.
func TestTwoActiveKeys(t *testing.T) {
	es, ed := stored[token.ES256](), stored[token.EdDSA]()
	store := &keyring{keys: []token.StoredKey{es, ed}}
	ring, err := token.OpenRing(t.Context(), settings(store, token.ES256))
	if err != nil {
		t.Fatal(err)
	}
	if store.keys[0].State != token.Active || store.keys[1].State != token.Retired || ring.Algorithm() != token.ES256 {
		t.Errorf("got %s, want the wanted one active and the other retired", states(store.keys))
	}
}
