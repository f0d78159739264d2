package usage

import (
	"context"
	"fmt"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// weigh finds out how much of the export is there, by the heads of its days or
// by its indices.
func (e *Export) weigh(ctx context.Context) error {
	var present, whole int64
	for i := range e.series {
		s := &e.series[i]
		if s.Index {
			found, err := s.look(ctx, e.store)
			if err != nil {
				return err
			}
			if found {
				e.Present = 1
			}
			continue
		}
		whole += s.readable().size()
		n, err := s.seconds(ctx, e.store)
		if err != nil {
			return err
		}
		present += n
	}
	if whole > 0 {
		e.Present = float64(present) / float64(whole)
	}
	return nil
}

// seconds returns how much of the series' span has readings. Only a day that
// lacks some, or lies across a border of the span, is decoded.
func (s *Series) seconds(ctx context.Context, store Store) (sum int64, err error) {
	if s.from >= s.to || s.asOf.IsZero() {
		return 0, nil
	}
	var day interval.Day
	r := newReader(store, s, window{}, false)
	err = store.Days(ctx, s.Channel.ID, domain.DayRange{First: r.first, Last: r.last, AsOf: s.asOf}, func(d domain.Day) error {
		if !s.meets(d.Date) {
			return nil
		}
		h, err := interval.ReadHeader(d.Data)
		if err != nil {
			return fmt.Errorf("usage: channel %d, %s: %w", s.Channel.ID, d.Date, err)
		}
		if r.day.Minutes = h.Minutes; !fits(s.Group, h.Minutes) {
			s.coarse = true
			return nil
		}
		if !r.opens() {
			return nil
		}
		start, next := interval.Span(d.Date, s.home)
		if h.Present == h.Count && r.parts == nil && start.Unix() >= r.low && next.Unix() <= r.high {
			sum += next.Unix() - start.Unix()
			return nil
		}
		if err := day.Decode(d.Data); err != nil {
			return fmt.Errorf("usage: channel %d, %s: %w", s.Channel.ID, d.Date, err)
		}
		r.date = d.Date
		for i, q := range day.Quality {
			if at := day.At(i); q != domain.Missing && at >= r.low && at < r.high && (r.parts == nil || r.parts.has(at)) {
				sum += r.ends(at) - at
			}
		}
		return nil
	})
	return sum, err
}
