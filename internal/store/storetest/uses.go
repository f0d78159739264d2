package storetest

import (
	"testing"
	"time"

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

// in is so many tokens in an hour, the last time in that hour too.
func in(hour, tokens int64) domain.SecretUse {
	return domain.SecretUse{LastUsed: time.Unix(hour*3600, 0).UTC(), Tokens: tokens, Hours: []domain.HourUse{{Hour: hour, Tokens: tokens}}}
}

var hoursOfUse = []promise{
	{"hours are counted for one secret, and add up, also in one batch and in any order", func(t *testing.T, w *world) {
		one, two := secret(w, "one"), secret(w, "two")
		w.setSecrets(t, one, two)
		must(t, w.CountUses(t.Context(), map[domain.SecretID]domain.SecretUse{one.ID: in(500000, 3), two.ID: in(500001, 1)}))
		both := in(500001, 4)
		both.Tokens, both.Hours = 9, append(both.Hours, domain.HourUse{Hour: 500000, Tokens: 5})
		must(t, w.CountUses(t.Context(), map[domain.SecretID]domain.SecretUse{one.ID: both}))
		got, err := w.SecretUses(t.Context(), w.alpha.app.ID)
		must(t, err)
		both.Tokens, both.Hours = 12, []domain.HourUse{{Hour: 500000, Tokens: 8}, {Hour: 500001, Tokens: 4}}
		equal(t, "uses", got, map[domain.SecretID]domain.SecretUse{one.ID: both, two.ID: in(500001, 1)})
	}},
	{"the hours of one application's key are not another's", func(t *testing.T, w *world) {
		a, b := w.alpha.app.ID, w.beta.app.ID
		must(t, w.CountOwnUses(t.Context(), map[domain.ClientID]domain.SecretUse{a: in(500000, 2)}))
		must(t, w.CountOwnUses(t.Context(), map[domain.ClientID]domain.SecretUse{a: in(500000, 1), b: in(500000, 7)}))
		equal(t, "one", w.ownUse(t, a), in(500000, 3))
		equal(t, "another", w.ownUse(t, b), in(500000, 7))
	}},
	{"the hours of two days are kept, whoever brings the latest; the totals stay", func(t *testing.T, w *world) {
		one, two := secret(w, "one"), secret(w, "two")
		w.setSecrets(t, one, two)
		const latest = 500000 + domain.UseHours
		for hour := int64(500000); hour < latest; hour++ {
			must(t, w.CountUses(t.Context(), map[domain.SecretID]domain.SecretUse{one.ID: in(hour, 1)}))
			must(t, w.CountOwnUses(t.Context(), map[domain.ClientID]domain.SecretUse{w.alpha.app.ID: in(hour, 1)}))
		}
		got, err := w.SecretUses(t.Context(), w.alpha.app.ID)
		must(t, err)
		equal(t, "number of hours", len(got[one.ID].Hours), domain.UseHours)
		must(t, w.CountUses(t.Context(), map[domain.SecretID]domain.SecretUse{two.ID: in(latest, 1)}))
		must(t, w.CountOwnUses(t.Context(), map[domain.ClientID]domain.SecretUse{w.beta.app.ID: in(latest, 1)}))
		got, err = w.SecretUses(t.Context(), w.alpha.app.ID)
		must(t, err)
		for what, use := range map[string]domain.SecretUse{"of the secret": got[one.ID], "of the key": w.ownUse(t, w.alpha.app.ID)} {
			equal(t, "number of hours "+what, len(use.Hours), domain.UseHours-1)
			equal(t, "the oldest "+what, use.Hours[0].Hour, int64(500001))
			equal(t, "the total "+what, use.Tokens, int64(domain.UseHours))
		}
	}},
	{"hours of what is unknown are refused with the whole batch", func(t *testing.T, w *world) {
		one := secret(w, "one")
		w.setSecrets(t, one)
		err := w.CountUses(t.Context(), map[domain.SecretID]domain.SecretUse{one.ID: in(500000, 1), "sec_unknown": in(500000, 1)})
		refused(t, "to count them", err, domain.NotFound)
		got, err := w.SecretUses(t.Context(), w.alpha.app.ID)
		must(t, err)
		equal(t, "uses", got, map[domain.SecretID]domain.SecretUse{})
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
