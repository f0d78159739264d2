package usage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// Reading is one interval of a channel as it is stored, or one group of them, or
// what the register showed at an instant.
type Reading struct {
	Series *Series
	// Start and End are Unix seconds, [Start, End). Those of a group are the
	// group's own, also where the question's span cuts it. Those of an index are
	// the instant at which it was read.
	Start, End int64
	// Value is in the channel's unit; of a group, the sum of what is there; of an
	// index, what the register showed.
	Value domain.Decimal
	// Quality is Actual, or Estimate where a part is not.
	Quality domain.Quality
	// Present of Expected intervals are in it; both are 1 for a stored one.
	Present, Expected int
	// Revision is that of the day that it is from, from 1; of a group, the
	// greatest of its days; of an index, its own.
	Revision int32
	recorded int64         // when that day was recorded, in microseconds since 1970; of a group, the latest
	measured *interval.Sum // of a group, what was measured of it, where the series keeps that apart
}

// StartAt returns the start, shown in the series' zone.
func (r *Reading) StartAt() time.Time { return time.Unix(r.Start, 0).In(r.Series.Zone) }

// EndAt returns the end, shown in the series' zone.
func (r *Reading) EndAt() time.Time { return time.Unix(r.End, 0).In(r.Series.Zone) }

// UpdatedAt returns when what it is made of was recorded last, shown in the
// series' zone.
func (r *Reading) UpdatedAt() time.Time { return time.UnixMicro(r.recorded).In(r.Series.Zone) }

// How many days one question to the store brings at first, and at most: a page
// of half-hours needs a few, a page of months needs years, and an export all.
const (
	fewDays  = 4
	manyDays = 64
	allDays  = 256
)

// reader walks through the readings of one series, in either direction. It
// keeps no connection between two steps, and decodes no day that it does not
// come to.
type reader struct {
	*Series
	store   Store
	reverse bool
	from    int64 // the intervals to read start in [from, to)
	to      int64
	ruler   interval.Ruler

	first, last domain.Date // the days not yet asked for
	days        []domain.Day
	bytes       []byte // what the days' data points into
	ask         int

	indices []domain.Index // of a series of indices, instead of days

	low, high int64 // of the day that is open, within from and to
	parts     spans // of these, where several are left; nil: all

	date     domain.Date // of the day that is open
	revision int32
	recorded int64
	day      interval.Day
	at       int // index of the next interval; outside when the day is done
}

// part is one stored interval on its way into a reading.
type part struct {
	start, end int64
	value      domain.Decimal
	quality    domain.Quality
}

func newReader(store Store, s *Series, w window, reverse bool) *reader {
	r := &reader{Series: s, store: store, reverse: reverse, ruler: s.Group.Ruler(s.grid), ask: fewDays, at: -1}
	r.from, r.to = w.narrow(s, &r.ruler)
	switch {
	case s.Index:
		r.ask = fewIndices
		return r
	case s.Group >= interval.Month:
		r.ask = manyDays
	}
	r.first, r.last = 0, -1
	if r.from < r.to {
		r.first = interval.DateAt(time.Unix(r.from, 0), s.home)
		r.last = interval.DateAt(time.Unix(r.to-1, 0), s.home)
	}
	return r
}

// next returns the next reading that the series wants; ok is false at the end.
func (r *reader) next(ctx context.Context) (reading Reading, ok bool, err error) {
	for {
		switch {
		case r.Index:
			reading, ok, err = r.shown(ctx)
		case r.Group == interval.Raw:
			reading, ok, err = r.single(ctx)
		default:
			reading, ok, err = r.sum(ctx)
		}
		if err != nil || !ok || r.wants(reading.Quality) {
			return reading, ok, err
		}
	}
}

func (r *reader) single(ctx context.Context) (Reading, bool, error) {
	p, ok, err := r.peek(ctx)
	if err != nil || !ok {
		return Reading{}, false, err
	}
	r.step()
	return Reading{
		Series: r.Series, Start: p.start, End: p.end, Value: p.value,
		Quality: outward(p.quality), Present: 1, Expected: 1, Revision: r.revision, recorded: r.recorded,
	}, true, nil
}

// sum adds up the parts of the group that the next one falls in.
func (r *reader) sum(ctx context.Context) (Reading, bool, error) {
	p, ok, err := r.peek(ctx)
	if err != nil || !ok {
		return Reading{}, false, err
	}
	start, end := r.ruler.Bounds(p.start)
	var (
		sum      interval.Sum
		size     int64
		revision int32
		recorded = r.recorded
		measured *interval.Sum
	)
	if r.apart {
		measured = new(interval.Sum)
	}
	for ok && p.start >= start && p.start < end {
		size, revision, recorded = p.end-p.start, max(revision, r.revision), max(recorded, r.recorded)
		if err := sum.Add(p.value, p.quality, int(size/60)); err != nil {
			return Reading{}, false, err
		}
		if err := r.split(measured, p); err != nil {
			return Reading{}, false, err
		}
		r.step()
		if p, ok, err = r.peek(ctx); err != nil {
			return Reading{}, false, err
		}
	}
	missing := max(0, end-start-int64(sum.Minutes)*60)
	return Reading{
		Series: r.Series, Start: start, End: end, Value: sum.Total, Quality: outward(sum.Quality),
		Present: sum.Present, Expected: sum.Present + int((missing+size-1)/size), Revision: revision, recorded: recorded, measured: measured,
	}, true, nil
}

// outward is a quality as an API shows it: what was not measured is estimated.
func outward(q domain.Quality) domain.Quality {
	if q == domain.Actual {
		return q
	}
	return domain.Estimate
}

// peek returns the interval that the reader stands at and has a value.
func (r *reader) peek(ctx context.Context) (part, bool, error) {
	for {
		for ; r.at >= 0 && r.at < len(r.day.Values); r.step() {
			start := r.day.At(r.at)
			if r.day.Quality[r.at] == domain.Missing || start < r.low || start >= r.high {
				continue
			}
			return part{start, r.ends(start), r.day.Value(r.at), r.day.Quality[r.at]}, true, nil
		}
		if ok, err := r.open(ctx); err != nil || !ok {
			return part{}, false, err
		}
	}
}

func (r *reader) step() {
	if r.reverse {
		r.at--
	} else {
		r.at++
	}
}

func (r *reader) ends(start int64) int64 {
	if r.day.Minutes == interval.WholeDay {
		_, next := interval.Span(r.date, r.home)
		return next.Unix()
	}
	return start + int64(r.day.Minutes)*60
}

// open decodes the next day that can be added up to the series' group.
func (r *reader) open(ctx context.Context) (bool, error) {
	for {
		if len(r.days) == 0 {
			if err := r.fetch(ctx); err != nil || len(r.days) == 0 {
				return false, err
			}
		}
		d := r.days[0]
		r.days = r.days[1:]
		if !r.meets(d.Date) {
			continue
		}
		if err := r.day.Decode(d.Data); err != nil {
			return false, fmt.Errorf("usage: channel %d, %s: %w", r.Channel.ID, d.Date, err)
		}
		r.date, r.revision, r.recorded, r.at = d.Date, d.Revision, d.RecordedAt.UnixMicro(), 0
		if r.reverse {
			r.at = len(r.day.Values) - 1
		}
		if r.bounded && !r.touches() {
			r.at = -1
			continue // nothing of it is the customer's, also not how fine it is
		}
		if !fits(r.Group, r.day.Minutes) {
			r.coarse = true
		} else if r.opens() && (r.parts == nil || hide(&r.day, r.parts)) {
			return true, nil
		}
		r.at = -1
	}
}

// opens sets the part of the open day that may be read; it reports whether
// there can be any.
func (r *reader) opens() bool {
	r.low, r.high, r.parts = r.from, r.to, r.Series.open
	if !r.limited || r.Group != interval.Raw {
		return true
	}
	open := union(r.allowed, time.Duration(r.day.Minutes)*time.Minute)
	if len(open) == 0 {
		r.outside = true
	}
	open = open.clip(r.low, r.high)
	if r.low, r.high = open.bounds(); len(open) > 1 {
		r.parts = open
	} else {
		r.parts = nil
	}
	return r.low < r.high
}

// touches reports whether the open day has an interval in the spans that the
// question and the customer's own periods leave.
func (r *reader) touches() bool {
	for i, q := range r.day.Quality {
		if at := r.day.At(i); q != domain.Missing && at >= r.Series.from && at < r.Series.to && (r.Series.open == nil || r.Series.open.has(at)) {
			return true
		}
	}
	return false
}

// fits reports whether intervals of so many minutes can be added up to groups.
func fits(g interval.Group, minutes int) bool {
	return g == interval.Raw || g.Minutes()%minutes == 0
}

var errEnough = errors.New("enough days")

// fetch asks the store for the next few days.
func (r *reader) fetch(ctx context.Context) error {
	if r.first > r.last {
		return nil
	}
	r.days, r.bytes = r.days[:0], r.bytes[:0]
	err := r.store.Days(ctx, r.Channel.ID, domain.DayRange{First: r.first, Last: r.last, Reverse: r.reverse, AsOf: r.asOf}, func(d domain.Day) error {
		// The data is the store's until this returns.
		begin := len(r.bytes)
		r.bytes = append(r.bytes, d.Data...)
		d.Data = r.bytes[begin:len(r.bytes):len(r.bytes)]
		r.days = append(r.days, d)
		if len(r.days) == r.ask {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	enough := err != nil
	switch {
	case !enough:
		r.first, r.last = 0, -1
	case r.reverse:
		r.last = r.days[len(r.days)-1].Date - 1
	default:
		r.first = r.days[len(r.days)-1].Date + 1
	}
	r.ask = max(r.ask, min(2*r.ask, manyDays))
	return nil
}
