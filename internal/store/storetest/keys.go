package storetest

import (
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

func signingKey(id string, at time.Time) token.StoredKey {
	return token.StoredKey{
		ID: id, Algorithm: token.ES256, CreatedAt: at, State: token.Published, ActiveFrom: at.Add(time.Hour),
		Sealed: []byte{0, 1, 2}, Public: []byte{4, 5},
	}
}

// setKeys stores the list, with an entry for each of the actions.
func (w *world) setKeys(t *testing.T, list []token.StoredKey, actions ...string) error {
	t.Helper()
	return w.ChangeSigningKeys(t.Context(), func([]token.StoredKey) ([]token.StoredKey, []domain.Entry, error) {
		var entries []domain.Entry
		for _, action := range actions {
			entries = append(entries, w.entry(action))
		}
		return list, entries, nil
	})
}

func (w *world) hasKeys(t *testing.T, want ...token.StoredKey) {
	t.Helper()
	got, err := w.SigningKeys(t.Context())
	must(t, err)
	equal(t, "keys", got, append([]token.StoredKey{}, want...))
}

var keys = []promise{
	{"keys come back as they were added, oldest first, and belong to no partner", func(t *testing.T, w *world) {
		w.hasKeys(t)
		young, old := signingKey("young", past.Add(time.Hour)), signingKey("old", past)
		young.Algorithm, young.Public = token.EdDSA, []byte{6}
		must(t, w.setKeys(t, []token.StoredKey{young, old}))
		w.hasKeys(t, old, young)
	}},
	{"changed ones are updated, none is deleted, and the entries come along", func(t *testing.T, w *world) {
		one, two := signingKey("one", past), signingKey("two", past.Add(time.Hour))
		must(t, w.setKeys(t, []token.StoredKey{one, two}))
		before := len(w.all(t))
		one.State, one.RetiredAt, one.RemovedAt = token.Retired, past.Add(2*time.Hour), future
		must(t, w.ChangeSigningKeys(t.Context(), func(old []token.StoredKey) ([]token.StoredKey, []domain.Entry, error) {
			equal(t, "the old ones", len(old), 2)
			old[0] = one
			return old[:1], []domain.Entry{w.entry("key.retire"), w.entry("key.drop")}, nil // leaving two out is not deleting
		}))
		w.hasKeys(t, one, two)
		all := w.all(t)
		if len(all) != before+2 || all[before].Action != "key.retire" || all[before+1].Action != "key.drop" {
			t.Errorf("entries: got %d more of %d, want key.retire and key.drop", len(all)-before, len(all))
		}
	}},
	{"a removed key stays without its private half", func(t *testing.T, w *world) {
		k := signingKey("gone", past)
		must(t, w.setKeys(t, []token.StoredKey{k}))
		k.State, k.Sealed, k.RemovedAt = token.Removed, nil, future
		must(t, w.setKeys(t, []token.StoredKey{k}))
		w.hasKeys(t, k)
	}},
	{"a change that fails changes nothing, and its error comes back", func(t *testing.T, w *world) {
		k := signingKey("one", past)
		before := len(w.all(t))
		err := w.ChangeSigningKeys(t.Context(), func([]token.StoredKey) ([]token.StoredKey, []domain.Entry, error) {
			return []token.StoredKey{k}, []domain.Entry{w.entry("key.publish")}, errNo
		})
		if err != errNo { //nolint:errorlint // it must be the very same
			t.Errorf("got the error %v, want %v", err, errNo)
		}
		refused(t, "a key twice", w.setKeys(t, []token.StoredKey{k, k}, "key.publish"), domain.Conflict)
		if err := w.ChangeSigningKeys(t.Context(), func([]token.StoredKey) ([]token.StoredKey, []domain.Entry, error) {
			return []token.StoredKey{k}, []domain.Entry{{Action: "key.publish"}}, nil
		}); err == nil {
			t.Error("an entry without an identifier: got no error")
		}
		w.hasKeys(t)
		w.unchanged(t, before)
	}},
	{"a rule about the number of keys holds at the same time", func(t *testing.T, w *world) {
		names := "abcdefghijklmnopqrstuvwxyz"
		w.together(t, len(names), func(i int) error {
			return w.ChangeSigningKeys(t.Context(), func(old []token.StoredKey) ([]token.StoredKey, []domain.Entry, error) {
				if len(old) > 0 {
					return old, nil, nil
				}
				return append(old, signingKey(names[i:i+1], past)), nil, nil
			})
		})
		got, err := w.SigningKeys(t.Context())
		must(t, err)
		equal(t, "number of keys", len(got), 1)
	}},
}
