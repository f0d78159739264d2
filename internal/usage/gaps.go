package usage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// MaxGaps is how many gaps one answer lists.
const MaxGaps = 500

// Gap is a span in which readings are absent: Unix seconds, [Start, End).
type Gap struct {
	Start, End int64
	zone       *time.Location
}

// StartAt returns the start, shown in the zone of the question.
func (g Gap) StartAt() time.Time { return time.Unix(g.Start, 0).In(g.zone) }

// EndAt returns the end, shown in the zone of the question.
func (g Gap) EndAt() time.Time { return time.Unix(g.End, 0).In(g.zone) }

// gaps lists the spans in which any of the series lacks readings, in the order
// of time and merged; more says that there are others behind them.
//
// What lies before the first day of a series, behind its last, or ahead of the
// clock is no gap: it is not there yet, or never will be.
func (s *Service) gaps(ctx context.Context, chosen []Series) (list []Gap, more bool, err error) {
	now := int64(math.MaxInt64)
	if s.Now != nil {
		now = s.Now().Unix()
	}
	seen := int64(math.MaxInt64) // nothing is known of what begins here or later
	for i := range chosen {
		if chosen[i].Index {
			continue // nobody knows when a register is read
		}
		f := finder{Series: &chosen[i], now: now}
		if err := f.find(ctx, s.Store); err != nil {
			return nil, false, err
		}
		if len(f.list) > MaxGaps {
			seen = min(seen, f.list[MaxGaps].Start)
		}
		list = append(list, f.list...)
	}
	slices.SortFunc(list, func(a, b Gap) int { return cmp.Compare(a.Start, b.Start) })
	merged := list[:0]
	for _, g := range list {
		if last := len(merged) - 1; last >= 0 && g.Start <= merged[last].End {
			merged[last].End = max(merged[last].End, g.End)
			continue
		}
		if g.Start >= seen || len(merged) == MaxGaps {
			return merged, true, nil
		}
		merged = append(merged, g)
	}
	return merged, seen != math.MaxInt64, nil
}

// finder looks for the gaps of one series, and stops at one more than an answer
// lists.
type finder struct {
	*Series
	now  int64
	list []Gap
	at   int64 // all before it has been looked at
	any  bool  // a day has been met, or is known to precede the span
	day  interval.Day
}

func (f *finder) find(ctx context.Context, store Store) error {
	to := min(f.to, f.now)
	if f.from >= to {
		return nil
	}
	first := interval.DateAt(time.Unix(f.from, 0), f.home)
	last := interval.DateAt(time.Unix(to-1, 0), f.home)
	var err error
	if f.bounded {
		f.any, err = f.sees(ctx, store, beginning, f.from)
	} else {
		f.any, err = f.stored(ctx, store, domain.DayRange{First: math.MinInt32, Last: first - 1, Reverse: true})
	}
	if err != nil {
		return err
	}
	f.at = f.from
	err = store.Days(ctx, f.Channel.ID, domain.DayRange{First: first, Last: last, AsOf: f.asOf}, f.meet)
	if errors.Is(err, errEnough) {
		return nil
	}
	if err != nil || !f.any || f.at >= to {
		return err
	}
	behind := false
	if f.bounded {
		behind, err = f.sees(ctx, store, to, end)
	} else {
		behind, err = f.stored(ctx, store, domain.DayRange{First: last + 1, Last: math.MaxInt32})
	}
	if err == nil && behind {
		f.add(f.at, to)
	}
	return err
}

// stored reports whether there is any day in the range.
func (f *finder) stored(ctx context.Context, store Store, asked domain.DayRange) (bool, error) {
	if f.asOf.IsZero() { // then one look does it
		known, err := store.Extent(ctx, f.Channel.ID)
		return err == nil && !known.RecordedAt.IsZero() && known.First <= asked.Last && known.Last >= asked.First, err
	}
	asked.AsOf = f.asOf
	err := store.Days(ctx, f.Channel.ID, asked, func(domain.Day) error { return errEnough })
	if errors.Is(err, errEnough) {
		return true, nil
	}
	return false, err
}

// meet takes the next day that is stored. Only one that lacks something is
// decoded.
func (f *finder) meet(d domain.Day) error {
	start, next := interval.Span(d.Date, f.home)
	if !f.meets(d.Date) {
		return nil
	}
	h, err := interval.ReadHeader(d.Data)
	cut := f.bounded && !f.own.holds(start.Unix(), next.Unix())
	if err == nil && (h.Present < h.Count || cut) {
		err = f.day.Decode(d.Data)
	}
	if err != nil {
		return fmt.Errorf("usage: channel %d, %s: %w", f.Channel.ID, d.Date, err)
	}
	if cut && !hide(&f.day, f.own) {
		return nil // it is others'
	}
	if f.any {
		f.add(f.at, start.Unix())
	}
	f.any, f.at = true, next.Unix()
	if cut {
		h.Present = h.Count - 1 // what was hidden is outside what is added
	}
	if h.Present < h.Count {
		f.lacks(next.Unix())
	}
	if len(f.list) > MaxGaps {
		return errEnough
	}
	return nil
}

// lacks adds what the open day, which ends at next, does not have.
func (f *finder) lacks(next int64) {
	open := f.readable()
	if f.limited && f.Group == interval.Raw { // the day's own resolution decides
		open = union(f.allowed, time.Duration(f.day.Minutes)*time.Minute).clip(f.from, f.to)
	}
	for i, q := range f.day.Quality {
		if q != domain.Missing {
			continue
		}
		end := next
		if f.day.Minutes != interval.WholeDay {
			end = f.day.At(i + 1)
		}
		for _, p := range open.clip(f.day.At(i), end) {
			f.add(p.from, p.to)
		}
	}
}

// add adds the part of a span that is asked for and over, if there is any, to
// the gap that it continues.
func (f *finder) add(start, end int64) {
	for _, p := range f.readable().clip(start, min(end, f.now)) {
		f.put(p.from, p.to)
	}
}

func (f *finder) put(start, end int64) {
	if f.limited && f.Group != interval.Raw { // no finer than what was agreed to
		ruler := f.Group.Ruler(f.grid)
		low, _ := ruler.Bounds(start)
		_, high := ruler.Bounds(end - 1)
		for _, p := range f.own {
			if f.bounded && p.from <= start && start < p.to { // and nothing of others' time
				low, high = max(low, p.from), min(high, p.to)
			}
		}
		start, end = low, high
	}
	if last := len(f.list) - 1; last >= 0 && start <= f.list[last].End {
		f.list[last].End = max(f.list[last].End, end)
		return
	}
	f.list = append(f.list, Gap{start, end, f.Zone})
}
