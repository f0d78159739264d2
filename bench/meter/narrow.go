package meter

import (
	"context"
	"errors"
)

// rows is a table of one row per reading.
type rows interface {
	// put stores day n of so many supply points in one durable transaction.
	put(ctx context.Context, s *street, points, n int) error
	// read reads the rows of [from, to), in Unix seconds, and counts them.
	read(ctx context.Context, point int, from, to int64) (int, error)
	weight(ctx context.Context) (int64, error)
	close() error
}

// One of so many reads of rows is enough, of a day and of a year: they take
// longer.
const (
	few   = 4
	fewer = 20
)

// narrow measures one row per reading, in the database that the engine has left.
func narrow(ctx context.Context, p Plan, s *street, db database, step func(string)) (k Keeping, err error) {
	name := db.name() + ", one row per reading"
	step(name)
	table, err := db.rows(ctx)
	if err != nil {
		return Keeping{Name: name}, err
	}
	k, err = s.keep(ctx, p, name, table, db.pid())
	k.Durable = true
	return k, errors.Join(err, table.close())
}

// keep measures rows. pid is of the server that keeps them.
func (s *street) keep(ctx context.Context, p Plan, name string, table rows, pid int) (k Keeping, err error) {
	k = Keeping{Name: name, SupplyPoints: p.Narrow}
	readings := s.readings(p.Narrow, p.Days)
	k.Daily, err = timed(pid, readings, func() error {
		for n := range p.Days {
			if err := table.put(ctx, s, p.Narrow, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return k, err
	}
	bytes, err := table.weight(ctx)
	if err != nil {
		return k, err
	}
	k.Weight = float64(bytes) / float64(readings)
	if k.Day, err = s.reads(ctx, p, 1, max(1, p.Reads/few), table.read); err != nil {
		return k, err
	}
	k.Year, err = s.reads(ctx, p, p.Days, max(1, p.Reads/fewer), table.read)
	return k, err
}

// reads measures n reads of span days of single readings.
func (s *street) reads(ctx context.Context, p Plan, span, n int, read func(ctx context.Context, point int, from, to int64) (int, error)) (Latency, error) {
	return latency(n, n/10, func(i int) error {
		point, begin := spread(i, p.Narrow, p.Days, span)
		days := s.days[point%households][begin : begin+span]
		count := 0
		for _, d := range days {
			count += len(d.Values)
		}
		end := &days[span-1]
		got, err := read(ctx, point, days[0].Start, end.At(len(end.Values)))
		return want("readings", got, count, err)
	})
}
