package registry_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// keySet makes the public keys of an application.
func keySet(t *testing.T, names ...string) []byte {
	t.Helper()
	var set jose.JSONWebKeySet
	for _, name := range names {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: name})
	}
	text, err := json.Marshal(set)
	must(t, err)
	return text
}

// TestReplacedKeysEndTokens: the new keys are there, the tokens of the old ones
// are dead, and those that come afterwards are not.
func TestReplacedKeysEndTokens(t *testing.T) {
	w := newWorld(t)
	app, _ := w.app(t, registry.NewApplication{Keys: keySet(t, "a")})
	other, _ := w.app(t, registry.NewApplication{Name: "other", Keys: keySet(t, "a")})
	old, others := w.token(t, app.ID, ""), w.token(t, other.ID, "")
	w.now = w.now.Add(time.Second)
	fresh := keySet(t, "b", "c")
	must(t, w.SetKeys(t.Context(), by, app.ID, fresh))
	if got := w.Directory().Application(app.ID); string(got.Keys) != string(fresh) {
		t.Errorf("the keys are %s, want %s", got.Keys, fresh)
	}
	if _, counts := w.counts(old); counts {
		t.Error("a token of the old key counts")
	}
	if _, counts := w.counts(others); !counts {
		t.Error("another application's token ended with it")
	}
	w.now = w.now.Add(time.Second)
	if _, counts := w.counts(w.token(t, app.ID, "")); !counts {
		t.Error("a token of the new key does not count")
	}
	entries, err := w.store.Entries(t.Context(), "", 1000)
	must(t, err)
	if last := entries[len(entries)-1]; last.Action != "application.keys" || last.Object != string(app.ID) || last.Detail != "number of keys 2" {
		t.Errorf("the entry is %+v", last)
	}
}

// TestKeysThatCannotBe change nothing.
func TestKeysThatCannotBe(t *testing.T) {
	w := newWorld(t)
	before := keySet(t, "a")
	signs, _ := w.app(t, registry.NewApplication{Keys: before})
	secret, _ := w.app(t, registry.NewApplication{Name: "with a secret"})
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	leaked, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private, KeyID: "a"}}})
	must(t, err)
	entries := len(w.actions(t))
	for name, c := range map[string]struct {
		id   domain.ClientID
		keys []byte
		want domain.Kind
	}{
		"no text":                 {signs.ID, nil, domain.Invalid},
		"no keys":                 {signs.ID, []byte(`{"keys":[]}`), domain.Invalid},
		"no JSON":                 {signs.ID, []byte(`{`), domain.Invalid},
		"a private key":           {signs.ID, leaked, domain.Invalid},
		"two of one name":         {signs.ID, keySet(t, "a", "a"), domain.Invalid},
		"an application's secret": {secret.ID, keySet(t, "a"), domain.Invalid},
		"nobody's":                {"app_2222222222222222", keySet(t, "a"), domain.NotFound},
	} {
		if got := kind(w.SetKeys(t.Context(), by, c.id, c.keys)); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if got := w.Directory().Application(signs.ID); string(got.Keys) != string(before) || !got.DeadUntil.IsZero() {
		t.Errorf("after refusals: the keys are %s, tokens dead until %v", got.Keys, got.DeadUntil)
	}
	if got := len(w.actions(t)); got != entries {
		t.Errorf("refusals left %d entries", got-entries)
	}
}

// TestOwnUsesAreCounted as those of secrets are, off the path of requests.
func TestOwnUsesAreCounted(t *testing.T) {
	w := newWorld(t)
	app, _ := w.app(t, registry.NewApplication{Keys: keySet(t, "a")})
	for range 3 {
		w.now = w.now.Add(time.Second)
		w.UsedOwn(app.ID, w.now, true)
	}
	must(t, w.Flush(t.Context()))
	w.UsedOwn(app.ID, w.now, true)
	must(t, w.Flush(t.Context()))
	must(t, w.Flush(t.Context()))
	use, err := w.store.OwnUse(t.Context(), app.ID)
	if err != nil || use.Tokens != 4 || !use.LastUsed.Equal(w.now) {
		t.Errorf("got %+v, %v; want four, the last at %v", use, err, w.now)
	}
}
