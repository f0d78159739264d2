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
	// OutsideSupplyPeriod: the span ends before the first reading there is.
	OutsideSupplyPeriod
	// UnsupportedFrequency: what is stored cannot be given as finely.
	UnsupportedFrequency
	// OutsideConsent: there is something, and the customer has not agreed to it.
	OutsideConsent
)

// why finds the reason for an empty answer. The series have been read.
func why(ctx context.Context, store Store, q Query, chosen []Series) (EmptyReason, error) {
	switch {
	case slices.ContainsFunc(chosen, func(s Series) bool { return s.outside }):
		return OutsideConsent, nil
	case slices.ContainsFunc(chosen, func(s Series) bool { return s.coarse }),
		len(chosen) == 0 && slices.ContainsFunc(q.Filters, func(f Filter) bool { return f.PointInTime }):
		return UnsupportedFrequency, nil
	case len(chosen) == 0:
		return NoReadingsYet, nil
	}
	for i := range chosen {
		s := &chosen[i]
		known, err := store.Extent(ctx, s.Channel.ID)
		if err != nil {
			return NotEmpty, err
		}
		first, _ := interval.Span(known.First, s.home)
		if known.RecordedAt.IsZero() || s.to > first.Unix() {
			return NoReadingsYet, nil
		}
	}
	return OutsideSupplyPeriod, nil
}

// until returns the earliest of the series' watermarks, or zero where one of
// them has none, or may not be read at all.
func until(ctx context.Context, store Store, chosen []Series) (earliest time.Time, err error) {
	for i := range chosen {
		s := &chosen[i]
		known, err := store.Extent(ctx, s.Channel.ID)
		if err != nil || known.RecordedAt.IsZero() || s.limited && s.from >= s.to {
			return time.Time{}, err
		}
		_, end := interval.Span(known.Complete, s.home)
		if earliest.IsZero() || end.Before(earliest) {
			earliest = end.In(s.Zone)
		}
	}
	return earliest, nil
}
