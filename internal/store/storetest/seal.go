package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
)

// may is a month with the whole of its days before firstDay.
const may = domain.Date(19844) // 2024-05-01

// whenever closes every month: whatever was recorded whenever, and however much
// of it is missing.
var whenever = domain.SealRule{Quiet: future, Late: 1 << 20}

// halfHours packs a day in Europe/Amsterdam of which each interval has the value,
// and the first so many are missing.
func halfHours(t *testing.T, date domain.Date, value int64, missing int) []byte {
	t.Helper()
	zone, err := interval.Zone("Europe/Amsterdam")
	must(t, err)
	data, err := halfHoursIn(zone, date, value, missing)
	must(t, err)
	return data
}

func halfHoursIn(zone *time.Location, date domain.Date, value int64, missing int) ([]byte, error) {
	start, end := interval.Span(date, zone)
	var d interval.Day
	d.Reset(start, 30, 3, interval.Count(start, end, 30))
	for i := missing; i < len(d.Values); i++ {
		d.Values[i], d.Quality[i] = value+int64(i%7), domain.Actual
	}
	return d.Append(nil)
}

// fillMonth stores all days of May with a value.
func (w *world) fillMonth(t *testing.T, c domain.ChannelID, value int64) {
	t.Helper()
	must(t, w.TakeIn(t.Context(), func(tx intake.Tx) error {
		for date := may; date < may+31; date++ {
			if err := tx.PutDay(c, domain.Day{Date: date, Data: halfHours(t, date, value, 0)}, domain.Provenance{Source: "month"}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// putHalfHours stores one day.
func (w *world) putHalfHours(t *testing.T, c domain.ChannelID, date domain.Date, value int64, missing int) {
	t.Helper()
	must(t, w.TakeIn(t.Context(), func(tx intake.Tx) error {
		return tx.PutDay(c, domain.Day{Date: date, Data: halfHours(t, date, value, missing)}, domain.Provenance{Source: "day", Reason: "meter"})
	}))
}

// told is what is read of the days of a range, in words.
func (w *world) told(t *testing.T, c domain.ChannelID, asked domain.DayRange) (got []string) {
	t.Helper()
	must(t, w.Days(t.Context(), c, asked, func(d domain.Day) error {
		var day interval.Day
		if err := day.Decode(d.Data); err != nil {
			return err
		}
		got = append(got, fmt.Sprintf("%s/%d %d of %d×%d at %d recorded %s", d.Date, d.Revision, day.Present(), len(day.Values), day.Values[len(day.Values)-1], day.Start, d.RecordedAt))
		return nil
	}))
	return got
}

// seals seals, and checks how much was.
func (w *world) seals(t *testing.T, rule domain.SealRule, limit, want int) {
	t.Helper()
	got, err := w.Seal(t.Context(), rule, limit)
	must(t, err)
	equal(t, "months sealed", got, want)
}

// ranges are ways to ask for days in and around May.
func ranges() map[string]domain.DayRange {
	return map[string]domain.DayRange{
		"all":               {First: 0, Last: 1 << 20},
		"all in reverse":    {First: 0, Last: 1 << 20, Reverse: true},
		"the month":         {First: may, Last: may + 30},
		"one day":           {First: may + 17, Last: may + 17},
		"a part in reverse": {First: may + 5, Last: may + 8, Reverse: true},
		"its end and more":  {First: may + 29, Last: may + 40},
		"the day before":    {First: may - 1, Last: may - 1},
	}
}

// tales are what is read of all ranges.
func (w *world) tales(t *testing.T, c domain.ChannelID) map[string][]string {
	t.Helper()
	got := map[string][]string{}
	for name, r := range ranges() {
		got[name] = w.told(t, c, r)
	}
	return got
}

var seals = []promise{
	{"another channel's months stay as they are", func(t *testing.T, w *world) {
		w.fillMonth(t, w.alpha.channel.ID, 100)
		w.putHalfHours(t, w.beta.channel.ID, may+3, 5, 0)
		before := w.tales(t, w.beta.channel.ID)
		w.seals(t, domain.SealRule{Quiet: future}, 10, 1)
		equal(t, "beta's days", w.tales(t, w.beta.channel.ID), before)
		equal(t, "number of alpha's days", len(w.told(t, w.alpha.channel.ID, domain.DayRange{Last: 1 << 20})), 31)
		equal(t, "number of nobody's days", len(w.told(t, 1<<40, domain.DayRange{Last: 1 << 20})), 0)
	}},
	{"sealed days read as they did before", func(t *testing.T, w *world) {
		w.putHalfHours(t, w.alpha.channel.ID, may-1, 1, 7)
		w.fillMonth(t, w.alpha.channel.ID, 100)
		w.putHalfHours(t, w.alpha.channel.ID, may+31, 1, 0)
		before := w.tales(t, w.alpha.channel.ID)
		extent, err := w.Extent(t.Context(), w.alpha.channel.ID)
		must(t, err)
		w.seals(t, whenever, 10, 3)
		equal(t, "days", w.tales(t, w.alpha.channel.ID), before)
		after, err := w.Extent(t.Context(), w.alpha.channel.ID)
		must(t, err)
		equal(t, "extent", after, extent)
		w.seals(t, whenever, 10, 0)
	}},
	{"a month is sealed when it is complete and quiet, or late and quiet", func(t *testing.T, w *world) {
		w.fillMonth(t, w.alpha.channel.ID, 100)
		extent, err := w.Extent(t.Context(), w.alpha.channel.ID)
		must(t, err)
		w.putHalfHours(t, w.beta.channel.ID, may+3, 5, 0)
		w.seals(t, domain.SealRule{Quiet: extent.RecordedAt.Add(-time.Microsecond)}, 10, 0)
		w.seals(t, domain.SealRule{Quiet: extent.RecordedAt}, 10, 1)
		w.seals(t, domain.SealRule{Quiet: future, Late: may + 30}, 10, 0)
		w.seals(t, domain.SealRule{Quiet: past, Late: may + 31}, 10, 0)
		w.seals(t, domain.SealRule{Quiet: future, Late: may + 31}, 10, 1)
		w.putHalfHours(t, w.beta.channel.ID, may+33, 5, 0)
		for date := may + 31; date < may+61; date++ {
			w.putHalfHours(t, w.alpha.channel.ID, date, 5, 0)
		}
		extent, err = w.Extent(t.Context(), w.alpha.channel.ID)
		must(t, err)
		w.putHalfHours(t, w.beta.channel.ID, may+63, 5, 0)
		w.putHalfHours(t, w.beta.channel.ID, may+93, 5, 0)
		w.seals(t, domain.SealRule{Quiet: extent.RecordedAt, Late: 1 << 20}, 10, 2)
		w.seals(t, domain.SealRule{Quiet: extent.RecordedAt, Late: 1 << 20}, 10, 0)
		w.seals(t, whenever, 10, 2)
	}},
	{"days that come between sealed months are in their place", func(t *testing.T, w *world) {
		c := w.alpha.channel.ID
		for _, date := range []domain.Date{may - 90, may + 3, may + 90} {
			w.putHalfHours(t, c, date, 5, 0)
		}
		w.seals(t, whenever, 10, 3)
		for _, date := range []domain.Date{may - 30, may + 50, may + 5, may - 120} {
			w.putHalfHours(t, c, date, 5, 0)
		}
		for range 2 {
			var got []domain.Date
			for _, reverse := range []bool{false, true} {
				must(t, w.Days(t.Context(), c, domain.DayRange{Last: 1 << 20, Reverse: reverse}, func(d domain.Day) error {
					got = append(got, d.Date-may)
					return nil
				}))
			}
			equal(t, "days", got, []domain.Date{-120, -90, -30, 3, 5, 50, 90, 90, 50, 5, 3, -30, -90, -120})
			_, err := w.Seal(t.Context(), whenever, 10)
			must(t, err)
		}
	}},
	{"no more are sealed than asked for, and in the end all", func(t *testing.T, w *world) {
		for _, h := range []house{w.alpha, w.beta} {
			for i := range domain.Date(5) {
				w.putHalfHours(t, h.channel.ID, may+31*i, 5, 0)
			}
		}
		before := [2]map[string][]string{w.tales(t, w.alpha.channel.ID), w.tales(t, w.beta.channel.ID)}
		for _, step := range []struct{ limit, want int }{{0, 0}, {1, 1}, {3, 3}, {2, 2}} {
			w.seals(t, whenever, step.limit, step.want)
			equal(t, "days", [2]map[string][]string{w.tales(t, w.alpha.channel.ID), w.tales(t, w.beta.channel.ID)}, before)
		}
		w.putHalfHours(t, w.alpha.channel.ID, may+31*5, 5, 0) // of the one that was done
		w.seals(t, whenever, 100, 5)
		w.seals(t, whenever, 100, 0)
	}},
	{"a correction of a sealed day is its next revision, and is sealed as well", func(t *testing.T, w *world) {
		c := w.alpha.channel.ID
		w.fillMonth(t, c, 100)
		w.seals(t, whenever, 10, 1)
		sealed := w.told(t, c, domain.DayRange{Last: 1 << 20})
		must(t, w.TakeIn(t.Context(), func(tx intake.Tx) error {
			was, err := tx.Day(c, may+9)
			if err != nil {
				return err
			}
			equal(t, "stored day", []any{was.Date, was.Revision, string(was.Data)}, []any{may + 9, int32(1), string(halfHours(t, may+9, 100, 0))})
			if err := tx.PutDay(c, domain.Day{Date: may + 9, Data: halfHours(t, may+9, 200, 0)}, domain.Provenance{Source: "c"}); err != nil {
				return err
			}
			is, err := tx.Day(c, may+9)
			equal(t, "day after PutDay", []any{is.Revision, string(is.Data)}, []any{int32(2), string(halfHours(t, may+9, 200, 0))})
			return err
		}))
		first := w.tales(t, c)
		equal(t, "other days", append(first["all"][:9:9], first["all"][10:]...), append(sealed[:9:9], sealed[10:]...))
		equal(t, "the day", first["all"][9][:12], "2024-05-10/2")
		w.seals(t, domain.SealRule{Quiet: past, Late: 1 << 20}, 10, 0)
		w.seals(t, whenever, 10, 1)
		equal(t, "days sealed again", w.tales(t, c), first)
		w.putHalfHours(t, c, may+9, 300, 0)
		w.putHalfHours(t, c, may+9, 400, 0)
		second := w.tales(t, c)
		equal(t, "the day again", second["all"][9][:12], "2024-05-10/4")
		w.seals(t, whenever, 10, 1)
		w.seals(t, whenever, 10, 0)
		equal(t, "days sealed a third time", w.tales(t, c), second)
	}},
	{"what was known at a time stays known, hot or sealed", func(t *testing.T, w *world) {
		c := w.alpha.channel.ID
		var known []map[string][]string
		var at []time.Time
		look := func() {
			e, err := w.Extent(t.Context(), c)
			must(t, err)
			known, at = append(known, w.tales(t, c)), append(at, e.RecordedAt)
		}
		check := func(when string) {
			t.Helper()
			for i, moment := range at {
				for name, r := range ranges() {
					r.AsOf = moment
					equal(t, fmt.Sprintf("%s, as of %s, %s", when, moment, name), w.told(t, c, r), known[i][name])
				}
			}
			early := domain.DayRange{Last: 1 << 20, AsOf: at[0].Add(-time.Microsecond)}
			equal(t, when+", before all", len(w.told(t, c, early)), 0)
		}
		w.fillMonth(t, c, 100)
		look()
		w.putHalfHours(t, c, may+4, 200, 0)
		look()
		check("hot")
		w.seals(t, whenever, 10, 1)
		check("sealed")
		w.putHalfHours(t, c, may+4, 300, 0)
		w.putHalfHours(t, c, may+5, 300, 0)
		w.putHalfHours(t, c, may-40, 300, 0)
		look()
		check("corrected")
		w.seals(t, whenever, 10, 2)
		check("sealed again")
	}},
	{"every revision is listed once, in the order in which they came", func(t *testing.T, w *world) {
		c := w.alpha.channel.ID
		var want []string
		putting := func(date domain.Date, revision int32, value int64) {
			w.putHalfHours(t, c, date, value, 0)
			want = append(want, fmt.Sprintf("%s/%d", date, revision))
		}
		w.fillMonth(t, c, 100)
		for date := may; date < may+31; date++ {
			want = append(want, fmt.Sprintf("%s/1", date))
		}
		w.checkChanges(t, c, want)
		putting(may+4, 2, 200)
		w.seals(t, whenever, 10, 1)
		w.checkChanges(t, c, want)
		putting(may+9, 2, 200)
		putting(may+4, 3, 300)
		putting(may+60, 1, 100)
		putting(may-60, 1, 100)
		w.checkChanges(t, c, want)
		w.seals(t, whenever, 10, 3)
		w.checkChanges(t, c, want)
		list, err := w.Changes(t.Context(), w.beta.channel.ID, domain.Change{}, 10)
		must(t, err)
		equal(t, "number of beta's changes", len(list), 0)
	}},
	{"the error of the caller ends the reading, and a caller who gives up does", func(t *testing.T, w *world) {
		for i := range domain.Date(3) {
			w.putHalfHours(t, w.alpha.channel.ID, may+31*i, 5, 0)
		}
		w.seals(t, whenever, 10, 3)
		calls := 0
		err := w.Days(t.Context(), w.alpha.channel.ID, domain.DayRange{Last: 1 << 20}, func(domain.Day) error {
			calls++
			return errNo
		})
		if err != errNo || calls != 1 { //nolint:errorlint // it must be the very same
			t.Errorf("got %d calls and the error %v, want one call and its own error", calls, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err = w.Days(ctx, w.alpha.channel.ID, domain.DayRange{Last: 1 << 20}, func(domain.Day) error {
			cancel()
			return nil
		})
		refused(t, "a reading that was given up", err, domain.Unavailable)
		equal(t, "days afterwards", len(w.told(t, w.alpha.channel.ID, domain.DayRange{Last: 1 << 20})), 3)
		_, err = w.Seal(ctx, whenever, 10)
		refused(t, "sealing that was given up", err, domain.Unavailable)
	}},
	{"what cannot be packed stays as it is, and keeps nothing else from being sealed", func(t *testing.T, w *world) {
		w.put(t, w.alpha.channel.ID, "no packed day", may+2)
		w.fillMonth(t, w.beta.channel.ID, 100)
		for range 2 {
			_, err := w.Seal(t.Context(), whenever, 10)
			refused(t, "sealing a text", err, domain.Internal)
		}
		var got []string
		must(t, w.Days(t.Context(), w.alpha.channel.ID, domain.DayRange{Last: 1 << 20}, func(d domain.Day) error {
			got = append(got, string(d.Data))
			return nil
		}))
		equal(t, "alpha's days", got, []string{"no packed day"})
		w.putHalfHours(t, w.alpha.channel.ID, may+2, 7, 0)
		w.seals(t, whenever, 10, 1)
	}},
	{"a reading is one picture, while its month is sealed", func(t *testing.T, w *world) {
		w.fillMonth(t, w.alpha.channel.ID, 100)
		want := w.told(t, w.alpha.channel.ID, domain.DayRange{Last: 1 << 20})
		n := 0
		must(t, w.Days(t.Context(), w.alpha.channel.ID, domain.DayRange{Last: 1 << 20}, func(d domain.Day) error {
			if n++; n == 5 {
				w.seals(t, whenever, 10, 1)
				w.putHalfHours(t, w.alpha.channel.ID, may+20, 200, 0)
			}
			equal(t, "revision", d.Revision, int32(1))
			return nil
		}))
		equal(t, "number of days", n, len(want))
	}},
	{"random imports, corrections, seals and readings are those of a plain list", func(t *testing.T, w *world) {
		Readings(t, w.Engine, w.alpha.property, 60)
	}},
}

// checkChanges lists the changes in pages of several sizes.
func (w *world) checkChanges(t *testing.T, c domain.ChannelID, want []string) {
	t.Helper()
	for _, limit := range []int{1, 7, 1000} {
		var got []string
		var after domain.Change
		for {
			page, err := w.Changes(t.Context(), c, after, limit)
			must(t, err)
			if len(page) > limit {
				t.Fatalf("got %d changes, want at most %d", len(page), limit)
			}
			if len(page) == 0 {
				break
			}
			for _, change := range page {
				got = append(got, fmt.Sprintf("%s/%d", change.Day, change.Revision))
			}
			after = page[len(page)-1]
		}
		equal(t, fmt.Sprintf("changes, %d at a time", limit), got, want)
	}
}
