package meter

import (
	"context"
	"errors"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/store"
)

// batch is how many supply points share a transaction where a day has several.
const batch = 1000

// database is where an engine keeps its town.
type database interface {
	name() string
	pid() int // of the server's first process; 0: it works within us
	// create makes an empty database in place of the former one.
	create(ctx context.Context) error
	open(ctx context.Context, c *night) (store.Engine, error)
	// weight is the bytes on disk of what measures, while no engine is open.
	weight(ctx context.Context) (int64, error)
	// rows makes a table beside the engine's.
	rows(ctx context.Context) (rows, error)
}

// timed is the rate of an f that handles so many readings, with a server beside
// us unless its number is 0.
func timed(server, readings int, f func() error) (Rate, error) {
	before := spent(server)
	err := f()
	return before.rate(readings, server), err
}

// packed measures the engine.
func packed(ctx context.Context, p Plan, s *street, db database, step func(string)) (k Keeping, err error) {
	k = Keeping{Name: db.name(), SupplyPoints: p.SupplyPoints, Durable: true}
	step(k.Name + ": intake in batches")
	if k.Batches, _, err = intakeOf(ctx, p, s, db, batch); err != nil {
		return k, err
	}
	step(k.Name + ": intake of days, sealing")
	var t *town
	if k.Daily, t, err = intakeOf(ctx, p, s, db, p.SupplyPoints); err != nil {
		return k, err
	}
	if k.Seal, err = sealed(ctx, db, t); err != nil {
		return k, err
	}
	bytes, err := db.weight(ctx)
	if err != nil {
		return k, err
	}
	k.Weight = float64(bytes) / float64(s.readings(p.SupplyPoints, p.Days))
	step(k.Name + ": reads, files")
	if t.engine, err = db.open(ctx, t.clock); err != nil {
		return k, err
	}
	return k, errors.Join(k.reads(ctx, p, t), k.files(ctx, p, db, t), t.engine.Close())
}

// intakeOf fills a new database and closes it.
func intakeOf(ctx context.Context, p Plan, s *street, db database, batch int) (Rate, *town, error) {
	if err := db.create(ctx); err != nil {
		return Rate{}, nil, err
	}
	c := new(night)
	e, err := db.open(ctx, c)
	if err != nil {
		return Rate{}, nil, err
	}
	t, err := newTown(ctx, e, c, s, "town", p.SupplyPoints)
	if err != nil {
		return Rate{}, nil, errors.Join(err, e.Close())
	}
	r, err := timed(db.pid(), s.readings(p.SupplyPoints, p.Days), func() error { return t.fill(ctx, p.Days, batch) })
	return r, t, errors.Join(err, e.Close())
}

// sealed seals the town with its engine open, and closes it.
func sealed(ctx context.Context, db database, t *town) (r Rate, err error) {
	if t.engine, err = db.open(ctx, t.clock); err != nil {
		return r, err
	}
	days := int(t.clock.day.Load()) + 1
	r, err = timed(db.pid(), t.street.readings(len(t.channels), days), func() error { return t.seal(ctx) })
	return r, errors.Join(err, t.engine.Close())
}

// reads measures what is asked most, warm.
func (k *Keeping) reads(ctx context.Context, p Plan, t *town) (err error) {
	for _, read := range []struct {
		of   *Latency
		span int
		open bool
	}{
		{&k.Day, 1, false},
		{&k.DayValues, 1, true},
		{&k.Year, p.Days, false},
		{&k.YearValues, p.Days, true},
	} {
		if *read.of, err = t.reads(ctx, p, p.Reads, read.span, read.open); err != nil {
			return err
		}
	}
	return nil
}

// reads measures reads of span days, after some that warm, with their values where
// these are opened too.
func (t *town) reads(ctx context.Context, p Plan, warm, span int, open bool) (Latency, error) {
	var day interval.Day
	return latency(p.Reads, warm, func(i int) error {
		point, begin := spread(i, len(t.channels), p.Days, span)
		got := 0
		asked := domain.DayRange{First: first + domain.Date(begin), Last: first + domain.Date(begin+span-1)}
		err := t.engine.Days(ctx, t.channels[point], asked, func(d domain.Day) error {
			got++
			if open {
				return day.Decode(d.Data)
			}
			return nil
		})
		return want("days", got, span, err)
	})
}
