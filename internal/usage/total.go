package usage

import (
	"context"
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// total counts the readings of all series.
func total(ctx context.Context, store Store, chosen []Series) (int, error) {
	sum := 0
	for i := range chosen {
		n, err := chosen[i].count(ctx, store)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// count counts the readings of one series. Where every stored interval is one
// and its quality does not matter, the heads of the days suffice, and only the
// days at the borders of the span are decoded.
func (s *Series) count(ctx context.Context, store Store) (int, error) {
	if s.from >= s.to {
		return 0, nil
	}
	if s.Index || s.Group != interval.Raw || s.limited || s.open != nil || !s.actual || !s.estimate {
		return s.countEach(ctx, newReader(store, s, window{}, false))
	}
	var (
		n     int
		day   interval.Day
		first = interval.DateAt(time.Unix(s.from, 0), s.home)
		last  = interval.DateAt(time.Unix(s.to-1, 0), s.home)
	)
	err := store.Days(ctx, s.Channel.ID, domain.DayRange{First: first, Last: last, AsOf: s.asOf}, func(d domain.Day) error {
		if d.Date != first && d.Date != last {
			h, err := interval.ReadHeader(d.Data)
			n += h.Present
			return err
		}
		if err := day.Decode(d.Data); err != nil {
			return fmt.Errorf("usage: channel %d, %s: %w", s.Channel.ID, d.Date, err)
		}
		for i, q := range day.Quality {
			if at := day.At(i); q != domain.Missing && at >= s.from && at < s.to {
				n++
			}
		}
		return nil
	})
	return n, err
}

func (s *Series) countEach(ctx context.Context, r *reader) (int, error) {
	for n := 0; ; n++ {
		_, ok, err := r.next(ctx)
		if err != nil || !ok {
			return n, err
		}
	}
}
