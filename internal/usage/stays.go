package usage

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// stays are the periods in which customers have a property.
type stays []domain.Occupancy

// stays lists the periods that bound what is read in the scope. A partner itself
// reads all that it has, so that nothing is looked up then: all is true.
func (s *Service) stays(ctx context.Context, scope domain.Scope, property domain.PropertyID) (list stays, all bool, err error) {
	if scope.User == "" && scope.Application == "" {
		return nil, true, nil
	}
	list, err = s.Store.Occupancies(ctx, scope, domain.OccupancyFilter{Property: property})
	return list, false, err
}

// of returns the periods of one customer, or of one account of theirs.
func (l stays) of(user domain.UserID, account domain.AccountNumber) spans {
	var own spans
	for _, o := range l {
		if o.User != user || account != "" && o.Account != account {
			continue
		}
		s := span{math.MinInt64, math.MaxInt64}
		if !o.From.IsZero() {
			s.from = ceil(o.From)
		}
		if !o.Until.IsZero() {
			s.to = ceil(o.Until)
		}
		own = append(own, s)
	}
	return join(own)
}

// bound cuts every series down to what the scope may read of it: of a customer,
// or of whoever speaks for one, what was measured while they had the property;
// of an application that reaches who has agreed, what was agreed to by who had
// it then. Whoever reads readings has to come by here.
func (s *Service) bound(ctx context.Context, scope domain.Scope, property domain.PropertyID, chosen []Series) error {
	had, all, err := s.stays(ctx, scope, property)
	if err != nil || all {
		return err
	}
	if scope.Application == "" {
		own := had.of(scope.User, "")
		for i := range chosen {
			chosen[i].stay(own)
		}
		return nil
	}
	return s.limit(ctx, scope, property, had, chosen)
}

// stay cuts the series down to the customer's own periods.
func (s *Series) stay(own spans) {
	if own.whole() {
		return
	}
	asked := s.from < s.to
	s.bounded, s.own = true, own
	s.leave(own.clip(s.from, s.to))
	s.away = asked && s.from >= s.to
}

// leave makes what is open all that the series has.
func (s *Series) leave(open spans) {
	s.from, s.to = open.bounds()
	s.open = nil
	if len(open) > 1 {
		s.open = open
	}
}

// readable returns the spans of the question that may be read.
func (s *Series) readable() spans {
	if s.open != nil {
		return s.open
	}
	return spans{{s.from, s.to}}.clip(s.from, s.to)
}

// meets reports whether a day has anything that may be read.
func (s *Series) meets(d domain.Date) bool {
	if s.open == nil {
		return true
	}
	start, next := interval.Span(d, s.home)
	return s.open.meets(start.Unix(), next.Unix())
}

// hide takes out of a day what is outside the spans; it reports whether
// anything is left.
func hide(day *interval.Day, open spans) (left bool) {
	for i, q := range day.Quality {
		if q == domain.Missing {
			continue
		}
		if open.has(day.At(i)) {
			left = true
		} else {
			day.Quality[i] = domain.Missing
		}
	}
	return left
}

// seen is a reader of all that is in the customer's own periods within [from,
// to), as it is stored, whatever was asked for.
func (s *Series) seen(store Store, from, to int64, reverse bool) *reader {
	whole := *s
	whole.Group, whole.actual, whole.estimate = interval.Raw, true, true
	whole.limited, whole.allowed = false, nil
	whole.leave(s.own.clip(max(from, beginning), min(to, end)))
	return newReader(store, &whole, window{}, reverse)
}

// sees reports whether there is anything in the customer's own periods within
// [from, to).
func (s *Series) sees(ctx context.Context, store Store, from, to int64) (bool, error) {
	_, ok, err := s.seen(store, from, to, false).next(ctx)
	return ok, err
}

// watermark returns the end of the last day of the customer's own up to which
// all of their intervals are there, from the first that is; found is false where
// there is none. What others used before, and what of theirs is lacking, does
// not count.
func (s *Series) watermark(ctx context.Context, store Store, known domain.Extent) (at int64, found bool, err error) {
	own := s.own.clip(beginning, end)
	if known.RecordedAt.IsZero() || len(own) == 0 {
		return 0, false, nil
	}
	first := max(known.First, interval.DateAt(time.Unix(own[0].from, 0), s.home))
	last := min(known.Last, interval.DateAt(time.Unix(own[len(own)-1].to-1, 0), s.home))
	if first > last {
		return 0, false, nil
	}
	if known.Complete >= first && len(own) == 1 && s.aligned(own[0]) {
		_, next := interval.Span(min(known.Complete, last), s.home)
		return min(next.Unix(), own[0].to), true, nil
	}
	var (
		day    interval.Day
		behind = first // the day that comes next
	)
	err = store.Days(ctx, s.Channel.ID, domain.DayRange{First: first, Last: last}, func(d domain.Day) error {
		start, next := interval.Span(d.Date, s.home)
		if !own.meets(start.Unix(), next.Unix()) {
			return nil
		}
		if found && s.misses(behind, d.Date, own) {
			return errEnough
		}
		h, err := interval.ReadHeader(d.Data)
		if err != nil {
			return fmt.Errorf("usage: channel %d, %s: %w", s.Channel.ID, d.Date, err)
		}
		complete := h.Present == h.Count && own.holds(start.Unix(), next.Unix())
		if !complete {
			if err := day.Decode(d.Data); err != nil {
				return fmt.Errorf("usage: channel %d, %s: %w", s.Channel.ID, d.Date, err)
			}
			any, all := false, true
			for i, q := range day.Quality {
				if own.has(day.At(i)) {
					any, all = any || q != domain.Missing, all && q != domain.Missing
				}
			}
			if !any && !found {
				return nil // it is others'
			}
			complete = all
		}
		if !found {
			found, at = true, start.Unix()
		}
		if !complete {
			return errEnough
		}
		at, behind = next.Unix(), d.Date+1
		return nil
	})
	if err == errEnough {
		err = nil
	}
	return clamp(at, own), found, err
}

// misses reports whether a day from behind up to date, which is not there, has
// anything of the customer's own.
func (s *Series) misses(behind, date domain.Date, own spans) bool {
	if behind >= date {
		return false
	}
	start, _ := interval.Span(behind, s.home)
	next, _ := interval.Span(date, s.home)
	return own.meets(start.Unix(), next.Unix())
}

// aligned reports whether a span begins and ends with days of the channel.
func (s *Series) aligned(p span) bool {
	for _, t := range []int64{p.from, p.to} {
		start, _ := interval.Span(interval.DateAt(time.Unix(t, 0), s.home), s.home)
		if t > beginning && t < end && start.Unix() != t {
			return false
		}
	}
	return true
}

// clamp moves an instant into the spans: one between two of them to the end of
// the earlier, one before all to the beginning.
func clamp(at int64, own spans) int64 {
	within := own[0].from
	for _, s := range own {
		if s.from < at {
			within = min(at, s.to)
		}
	}
	return max(within, own[0].from)
}

// latest returns when something of what the series gives was recorded last.
func (s *Series) latest(ctx context.Context, store Store) (at time.Time, err error) {
	open := s.readable()
	if len(open) == 0 {
		return at, nil
	}
	first, last := interval.DateAt(time.Unix(s.from, 0), s.home), interval.DateAt(time.Unix(s.to-1, 0), s.home)
	err = store.Days(ctx, s.Channel.ID, domain.DayRange{First: first, Last: last, AsOf: s.asOf}, func(d domain.Day) error {
		start, next := interval.Span(d.Date, s.home)
		if open.meets(start.Unix(), next.Unix()) && d.RecordedAt.After(at) {
			at = d.RecordedAt
		}
		return nil
	})
	return at, err
}
