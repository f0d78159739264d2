package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
)

var days = []promise{
	{"a channel has its own days only", func(t *testing.T, w *world) {
		w.put(t, w.alpha.channel.ID, "alpha", firstDay, firstDay+1)
		w.put(t, w.beta.channel.ID, "beta", firstDay+1, firstDay+2)
		equal(t, "alpha's days", w.read(t, w.alpha.channel.ID, 0, 1<<20, false), []string{"0/1/alpha", "1/1/alpha"})
		equal(t, "beta's days", w.read(t, w.beta.channel.ID, 0, 1<<20, false), []string{"1/1/beta", "2/1/beta"})
		equal(t, "nobody's days", len(w.read(t, 1<<40, 0, 1<<20, false)), 0)
	}},
	{"they come in order, forward and in reverse, within the bounds", func(t *testing.T, w *world) {
		w.put(t, w.alpha.channel.ID, "x", firstDay+5, firstDay, firstDay+2, firstDay+1) // none on 3 and 4
		for sentence, c := range map[string]struct {
			first, last domain.Date
			reverse     bool
			want        []string
		}{
			"all":               {0, 1 << 20, false, []string{"0/1/x", "1/1/x", "2/1/x", "5/1/x"}},
			"all in reverse":    {0, 1 << 20, true, []string{"5/1/x", "2/1/x", "1/1/x", "0/1/x"}},
			"bounds included":   {firstDay + 1, firstDay + 5, false, []string{"1/1/x", "2/1/x", "5/1/x"}},
			"reverse bounds":    {firstDay + 1, firstDay + 4, true, []string{"2/1/x", "1/1/x"}},
			"one day":           {firstDay + 2, firstDay + 2, false, []string{"2/1/x"}},
			"a gap":             {firstDay + 3, firstDay + 4, false, nil},
			"before":            {0, firstDay - 1, false, nil},
			"after":             {firstDay + 6, 1 << 20, true, nil},
			"last before first": {firstDay + 5, firstDay, false, nil},
			"the widest bounds": {-1 << 31, 1<<31 - 1, true, []string{"5/1/x", "2/1/x", "1/1/x", "0/1/x"}},
		} {
			equal(t, sentence, w.read(t, w.alpha.channel.ID, c.first, c.last, c.reverse), c.want)
		}
	}},
	{"the extent is where they begin and end", func(t *testing.T, w *world) {
		got, err := w.Extent(t.Context(), w.alpha.channel.ID)
		must(t, err)
		equal(t, "the extent of an empty channel", got, domain.Extent{})
		for _, step := range []struct{ put, first, last domain.Date }{
			{firstDay, firstDay, firstDay},
			{firstDay + 9, firstDay, firstDay + 9},
			{firstDay - 9, firstDay - 9, firstDay + 9},
			{firstDay, firstDay - 9, firstDay + 9},
		} {
			before := got.RecordedAt
			w.put(t, w.alpha.channel.ID, "x", step.put)
			got, err = w.Extent(t.Context(), w.alpha.channel.ID)
			must(t, err)
			if !got.RecordedAt.After(before) {
				t.Errorf("recorded at %v after %v", got.RecordedAt, before)
			}
			want := domain.Extent{First: step.first, Last: step.last, Complete: step.first - 1, RecordedAt: got.RecordedAt}
			equal(t, "extent", got, want)
		}
		got, err = w.Extent(t.Context(), w.beta.channel.ID)
		must(t, err)
		equal(t, "the extent of the other channel", got, domain.Extent{})
	}},
	{"the error of the caller ends the reading and comes back", func(t *testing.T, w *world) {
		w.put(t, w.alpha.channel.ID, "x", firstDay, firstDay+1)
		calls := 0
		err := w.Days(t.Context(), w.alpha.channel.ID, domain.DayRange{First: 0, Last: 1 << 20}, func(domain.Day) error {
			calls++
			return errNo
		})
		if err != errNo || calls != 1 { //nolint:errorlint // it must be the very same
			t.Errorf("got %d calls and the error %v, want one call and its own error", calls, err)
		}
	}},
	{"a caller who gives up ends the reading", func(t *testing.T, w *world) {
		w.put(t, w.alpha.channel.ID, "x", firstDay, firstDay+1)
		ctx, cancel := context.WithCancel(t.Context())
		err := w.Days(ctx, w.alpha.channel.ID, domain.DayRange{First: 0, Last: 1 << 20}, func(domain.Day) error {
			cancel()
			return nil
		})
		refused(t, "a reading that was given up", err, domain.Unavailable)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got the error %v, want one of the context", err)
		}
		equal(t, "days afterwards", len(w.read(t, w.alpha.channel.ID, 0, 1<<20, false)), 2)
	}},
	{"each change of a day is its next revision", func(t *testing.T, w *world) {
		for i, text := range []string{"one", "two", "three"} {
			w.put(t, w.alpha.channel.ID, text, firstDay)
			got := w.read(t, w.alpha.channel.ID, firstDay, firstDay, false)
			equal(t, "day", got, []string{"0/" + string(rune('1'+i)) + "/" + text})
		}
	}},
	{"a transaction reads what it has written", func(t *testing.T, w *world) {
		w.put(t, w.alpha.channel.ID, "old", firstDay)
		must(t, w.TakeIn(t.Context(), func(tx intake.Tx) error {
			for _, step := range []struct {
				day      domain.Date
				revision int32
				data     string
			}{{firstDay, 1, "old"}, {firstDay + 1, 0, ""}} {
				got, err := tx.Day(w.alpha.channel.ID, step.day)
				if err != nil {
					return err
				}
				equal(t, "stored day", []any{got.Date, got.Revision, string(got.Data)}, []any{step.day, step.revision, step.data})
				err = tx.PutDay(w.alpha.channel.ID, domain.Day{Date: step.day, Revision: 77, Data: []byte("a longer text than before")}, domain.Provenance{Source: "s"})
				if err != nil {
					return err
				}
				got, err = tx.Day(w.alpha.channel.ID, step.day)
				if err != nil {
					return err
				}
				equal(t, "day after PutDay", []any{got.Revision, string(got.Data)}, []any{step.revision + 1, "a longer text than before"})
			}
			return nil
		}))
	}},
	{"a day that is amended stays the revision that it is", func(t *testing.T, w *world) {
		w.put(t, w.alpha.channel.ID, "old", firstDay)
		w.put(t, w.beta.channel.ID, "beta", firstDay)
		must(t, w.TakeIn(t.Context(), func(tx intake.Tx) error {
			for _, day := range []domain.Date{firstDay, firstDay + 1} {
				if err := tx.PutDay(w.alpha.channel.ID, domain.Day{Date: day, Data: []byte("half")}, domain.Provenance{Source: "s"}); err != nil {
					return err
				}
				for _, text := range []string{"most of it", "all of it, which is longer"} {
					if err := tx.AmendDay(w.alpha.channel.ID, domain.Day{Date: day, Revision: 77, Data: []byte(text)}); err != nil {
						return err
					}
				}
			}
			got, err := tx.Day(w.alpha.channel.ID, firstDay)
			equal(t, "day after AmendDay", []any{got.Revision, string(got.Data)}, []any{int32(2), "all of it, which is longer"})
			return err
		}))
		equal(t, "alpha's days", w.read(t, w.alpha.channel.ID, 0, 1<<20, false), []string{"0/2/all of it, which is longer", "1/1/all of it, which is longer"})
		equal(t, "beta's days", w.read(t, w.beta.channel.ID, 0, 1<<20, false), []string{"0/1/beta"})
		w.put(t, w.alpha.channel.ID, "next", firstDay)
		equal(t, "alpha's day", w.read(t, w.alpha.channel.ID, firstDay, firstDay, false), []string{"0/3/next"})
	}},
	{"what was not put cannot be amended", func(t *testing.T, w *world) {
		must(t, w.TakeIn(t.Context(), func(tx intake.Tx) error {
			err := tx.AmendDay(w.alpha.channel.ID, domain.Day{Date: firstDay, Data: []byte("x")})
			refused(t, "an amendment of no day", err, domain.NotFound)
			return nil
		}))
		equal(t, "days", len(w.read(t, w.alpha.channel.ID, 0, 1<<20, false)), 0)
	}},
	{"a reading is one picture, while others write", func(t *testing.T, w *world) {
		w.put(t, w.alpha.channel.ID, "old", firstDay, firstDay+1)
		var got []string
		must(t, w.Days(t.Context(), w.alpha.channel.ID, domain.DayRange{First: 0, Last: 1 << 20}, func(d domain.Day) error {
			got = append(got, string(d.Data))
			if len(got) == 1 {
				w.put(t, w.alpha.channel.ID, "new", firstDay, firstDay+1)
			}
			return nil
		}))
		equal(t, "days", got, []string{"old", "old"})
		equal(t, "days afterwards", w.read(t, w.alpha.channel.ID, 0, 1<<20, false), []string{"0/2/new", "1/2/new"})
	}},
}
