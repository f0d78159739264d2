package usage

import (
	"context"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/interval"
)

// EmptyReason says why a question has no readings. The zero EmptyReason says
// that there are some, or that nobody asked.
type EmptyReason uint8

// The reasons. Where several hold, the one that stands last here is given.
const (
	NotEmpty EmptyReason = iota
	// NoReadingsYet: nothing of what was asked for has arrived.
	NoReadingsYet
	// OutsideSupplyPeriod: the span ends before the first reading there is, or the
	// customer does not have the property in it.
	OutsideSupplyPeriod
	// UnsupportedFrequency: what is stored cannot be given as finely.
	UnsupportedFrequency
	// OutsideConsent: there is something, and the customer has not agreed to it.
	OutsideConsent
)

// why finds the reason for an empty answer. The series have been read.
func why(ctx context.Context, store Store, chosen []Series) (EmptyReason, error) {
	switch {
	case slices.ContainsFunc(chosen, func(s Series) bool { return s.outside }):
		return OutsideConsent, nil
	case slices.ContainsFunc(chosen, func(s Series) bool { return s.coarse }):
		return UnsupportedFrequency, nil
	case len(chosen) == 0:
		return NoReadingsYet, nil
	}
	owed := false // something that is known to be there
	for i := range chosen {
		s := &chosen[i]
		first, found, err := s.first(ctx, store)
		if err != nil {
			return NotEmpty, err
		}
		switch {
		case s.away:
			owed = true
		case s.bounded && !found:
			// Others may use what is measured here: it is as if it did not exist.
		case !found || s.to > first:
			return NoReadingsYet, nil
		default:
			owed = true
		}
	}
	if !owed {
		return NoReadingsYet, nil
	}
	return OutsideSupplyPeriod, nil
}

// first returns when what is stored of a series begins, in Unix seconds.
func (s *Series) first(ctx context.Context, store Store) (at int64, found bool, err error) {
	if s.Index {
		return s.firstIndex(ctx, store)
	}
	if s.bounded {
		reading, found, err := s.seen(store, beginning, end, false).next(ctx)
		return reading.Start, found, err
	}
	known, err := store.Extent(ctx, s.Channel.ID)
	start, _ := interval.Span(known.First, s.home)
	return start.Unix(), !known.RecordedAt.IsZero(), err
}

// until returns the earliest of the series' watermarks, or zero where one of
// them has none, or may not be read at all. Indices have none that counts.
func until(ctx context.Context, store Store, chosen []Series) (earliest time.Time, err error) {
	for i := range chosen {
		s := &chosen[i]
		if s.Index {
			continue // nobody knows when a register is read
		}
		known, err := store.Extent(ctx, s.Channel.ID)
		if err != nil || s.limited && s.from >= s.to {
			return time.Time{}, err
		}
		if s.bounded {
			at, found, err := s.watermark(ctx, store, known)
			if err != nil {
				return time.Time{}, err
			}
			if !found {
				continue // nothing of it is the customer's
			}
			if end := time.Unix(at, 0); earliest.IsZero() || end.Before(earliest) {
				earliest = end.In(s.Zone)
			}
			continue
		}
		if known.RecordedAt.IsZero() {
			// A register that is only read at times owes nobody intervals.
			if _, found, err := s.firstIndex(ctx, store); err != nil || !found {
				return time.Time{}, err
			}
			continue
		}
		_, end := interval.Span(known.Complete, s.home)
		if earliest.IsZero() || end.Before(earliest) {
			earliest = end.In(s.Zone)
		}
	}
	return earliest, nil
}
