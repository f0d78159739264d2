package storetest

import (
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
)

// ownUse is how often an application came with a key of its own.
func (w *world) ownUse(t *testing.T, id domain.ClientID) domain.SecretUse {
	t.Helper()
	use, err := w.OwnUse(t.Context(), id)
	must(t, err)
	return use
}

var ownUses = []promise{
	{"uses are counted for one application, and add up; the last is the latest", func(t *testing.T, w *world) {
		a, b := w.alpha.app.ID, w.beta.app.ID
		equal(t, "before the first", w.ownUse(t, a), domain.SecretUse{})
		must(t, w.CountOwnUses(t.Context(), map[domain.ClientID]domain.SecretUse{a: {LastUsed: future, Tokens: 3}}))
		must(t, w.CountOwnUses(t.Context(), map[domain.ClientID]domain.SecretUse{a: {LastUsed: past, Tokens: 4}, b: {LastUsed: past, Tokens: 1}}))
		equal(t, "one", w.ownUse(t, a), domain.SecretUse{LastUsed: future, Tokens: 7})
		equal(t, "another", w.ownUse(t, b), domain.SecretUse{LastUsed: past, Tokens: 1})
	}},
	{"whom nobody knows has no uses, and counts nothing of the others", func(t *testing.T, w *world) {
		_, err := w.OwnUse(t.Context(), "app_unknown")
		refused(t, "to read them", err, domain.NotFound)
		err = w.CountOwnUses(t.Context(), map[domain.ClientID]domain.SecretUse{w.alpha.app.ID: {LastUsed: past, Tokens: 1}, "app_unknown": {LastUsed: past, Tokens: 1}})
		refused(t, "to count them", err, domain.NotFound)
		equal(t, "the other's", w.ownUse(t, w.alpha.app.ID), domain.SecretUse{})
	}},
}

// known is a range of addresses in which an application was right.
func known(name byte, hour int64) domain.KnownRange {
	return domain.KnownRange{Digest: [16]byte{name}, Hour: hour}
}

var knownRanges = []promise{
	{"ranges are kept with their last hour, the newest first, as many as are asked for", func(t *testing.T, w *world) {
		must(t, w.KeepRanges(t.Context(), []domain.KnownRange{known(1, 5), known(2, 7)}, 0, 10))
		must(t, w.KeepRanges(t.Context(), []domain.KnownRange{known(1, 9), known(2, 6), known(3, 8)}, 0, 10))
		list, err := w.KnownRanges(t.Context(), 10)
		must(t, err)
		equal(t, "ranges", list, []domain.KnownRange{known(1, 9), known(3, 8), known(2, 7)})
		list, err = w.KnownRanges(t.Context(), 1)
		must(t, err)
		equal(t, "the newest", list, []domain.KnownRange{known(1, 9)})
	}},
	{"what is too old is forgotten, and the oldest where there are too many", func(t *testing.T, w *world) {
		must(t, w.KeepRanges(t.Context(), []domain.KnownRange{known(1, 1), known(2, 2), known(3, 3), known(4, 4)}, 2, 2))
		list, err := w.KnownRanges(t.Context(), 10)
		must(t, err)
		equal(t, "ranges", list, []domain.KnownRange{known(4, 4), known(3, 3)})
	}},
	{"a closed engine keeps none", func(t *testing.T, w *world) {
		must(t, w.Close())
		refused(t, "to keep one", w.KeepRanges(t.Context(), []domain.KnownRange{known(1, 1)}, 0, 10), domain.Unavailable)
	}},
}
