package usage

import (
	"context"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// How many indices one question to the store brings at first, and at most.
const (
	fewIndices  = 64
	manyIndices = 1024
)

// shown returns the index that the reader stands at, as a reading without a
// length.
func (r *reader) shown(ctx context.Context) (Reading, bool, error) {
	x, ok, err := r.index(ctx)
	if err != nil || !ok {
		return Reading{}, false, err
	}
	at := x.At.Unix()
	return Reading{
		Series: r.Series, Start: at, End: at, Value: x.Value,
		Quality: outward(x.Quality), Present: 1, Expected: 1, Revision: x.Revision, recorded: x.RecordedAt.UnixMicro(),
	}, true, nil
}

// index takes the next index; ok is false at the end.
func (r *reader) index(ctx context.Context) (x domain.Index, ok bool, err error) {
	for len(r.indices) == 0 {
		if r.from >= r.to {
			return x, false, nil
		}
		if err := r.fetchIndices(ctx); err != nil {
			return x, false, err
		}
	}
	x, r.indices = r.indices[0], r.indices[1:]
	return x, true, nil
}

// fetchIndices asks the store for the next few. Registers are read at whole
// seconds, so that the second after the last one is where the next may be.
func (r *reader) fetchIndices(ctx context.Context) error {
	r.indices = make([]domain.Index, 0, r.ask)
	asked := domain.IndexRange{From: time.Unix(r.from, 0), To: time.Unix(r.to, 0), Reverse: r.reverse, AsOf: r.asOf, Limit: r.ask}
	err := r.store.Indices(ctx, r.Channel.ID, asked, func(x domain.Index) error {
		r.indices = append(r.indices, x)
		return nil
	})
	switch n := len(r.indices); {
	case err != nil:
		return err
	case n < r.ask:
		r.from = r.to
	case r.reverse:
		r.to = r.indices[n-1].At.Unix()
	default:
		r.from = r.indices[n-1].At.Unix() + 1
	}
	if r.Series.open != nil {
		r.indices = slices.DeleteFunc(r.indices, func(x domain.Index) bool { return !r.Series.open.has(x.At.Unix()) })
	}
	r.ask = min(2*r.ask, manyIndices)
	return nil
}

// limitIndices cuts a series of indices down to what is allowed. Two of them
// tell what flowed between, however close they are, so that they are open only
// to whom the intervals are open as they were measured.
func (s *Series) limitIndices(allowed []allowance) {
	asked := s.from < s.to
	var open []allowance
	for _, a := range allowed {
		if a.finest == 0 {
			open = append(open, a)
		}
	}
	s.leave(union(open, 0).clip(s.from, s.to))
	s.outside = asked && s.from >= s.to
}

// firstIndex returns when the register was read first, in Unix seconds.
func (s *Series) firstIndex(ctx context.Context, store Store) (at int64, found bool, err error) {
	if s.bounded {
		x, found, err := s.seen(store, beginning, end, false).index(ctx)
		return x.At.Unix(), found, err
	}
	asked := domain.IndexRange{From: time.Unix(beginning, 0), To: time.Unix(end, 0), Limit: 1}
	err = store.Indices(ctx, s.Channel.ID, asked, func(x domain.Index) error {
		at, found = x.At.Unix(), true
		return nil
	})
	return at, found, err
}

// look goes through the indices of a series that is to be exported, and makes
// the moment of the latest that of the export: nothing else of a channel tells
// when one was recorded.
func (s *Series) look(ctx context.Context, store Store) (found bool, err error) {
	r := newReader(store, s, window{}, false)
	r.ask = manyIndices
	var latest time.Time
	for {
		x, ok, err := r.index(ctx)
		if err != nil || !ok {
			s.asOf = latest
			return !latest.IsZero(), err
		}
		if x.RecordedAt.After(latest) {
			latest = x.RecordedAt
		}
	}
}

// indices gives one index after the other.
func indices(ctx context.Context, r *reader, b *meterfile.Block, f func(*meterfile.Block) error) error {
	value, quality := make([]int64, 1), make([]domain.Quality, 1)
	b.Minutes, b.Values, b.Quality = meterfile.Index, value, quality
	for {
		x, ok, err := r.index(ctx)
		if err != nil || !ok {
			return err
		}
		b.Start, b.Scale = x.At.In(r.home), x.Value.Scale
		value[0], quality[0] = x.Value.Coefficient, x.Quality
		if err := f(b); err != nil {
			return err
		}
	}
}
