package usage

import (
	"context"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// Stream calls f with the readings, channel after channel and each in the order
// of time, until f fails. As they are stored they come with a day's missing ones;
// each group comes alone. A block is valid until f returns. No connection to the
// store is held meanwhile, so that f may take its time.
func (e *Export) Stream(ctx context.Context, f func(*meterfile.Block) error) error {
	for i := range e.series {
		s := &e.series[i]
		if s.from >= s.to || s.asOf.IsZero() {
			continue
		}
		c := &s.Channel
		block := meterfile.Block{Channel: meterfile.Channel{
			Market: c.SupplyPoint.Market, Identifier: c.SupplyPoint.Identifier, Register: c.Register,
			Direction: c.Direction, Unit: c.Unit, Zone: c.Zone,
		}}
		r, each := newReader(e.store, s, window{}, false), stored
		r.ask = allDays
		switch {
		case s.Index:
			r.ask, each = manyIndices, indices
		case s.Group != interval.Raw:
			each = grouped
		}
		if err := each(ctx, r, &block, f); err != nil {
			return err
		}
	}
	return nil
}

// stored gives the days as they are.
func stored(ctx context.Context, r *reader, b *meterfile.Block, f func(*meterfile.Block) error) error {
	for {
		ok, err := r.open(ctx)
		if err != nil || !ok {
			return err
		}
		first, last := 0, len(r.day.Values)
		for first < last && r.day.At(first) < r.low {
			first++
		}
		for last > first && r.day.At(last-1) >= r.high {
			last--
		}
		if first == last {
			continue
		}
		b.Start, b.Minutes, b.Scale = time.Unix(r.day.At(first), 0).In(r.home), r.day.Minutes, r.day.Scale
		b.Values, b.Quality = r.day.Values[first:last], r.day.Quality[first:last]
		if err := f(b); err != nil {
			return err
		}
	}
}

// grouped gives one group after the other. A file has no room to say that a
// group lacks intervals, so that such a sum is an estimate.
func grouped(ctx context.Context, r *reader, b *meterfile.Block, f func(*meterfile.Block) error) error {
	value, quality := make([]int64, 1), make([]domain.Quality, 1)
	b.Values, b.Quality = value, quality
	for {
		reading, ok, err := r.next(ctx)
		if err != nil || !ok {
			return err
		}
		b.Start, b.Minutes = time.Unix(reading.Start, 0).In(r.home), int(reading.End-reading.Start)/60
		value[0], b.Scale, quality[0] = reading.Value.Coefficient, reading.Value.Scale, reading.Quality
		if reading.Present < reading.Expected {
			quality[0] = domain.Estimate
		}
		if err := f(b); err != nil {
			return err
		}
	}
}
