package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

// period is a calendar month: months since January 1970.
type period int32

func periodOf(d domain.Date) period {
	year, month, _ := d.Civil()
	return period((year-1970)*12 + int(month) - 1)
}

// first returns the first day of the period; that of the next one follows its
// last.
func (p period) first() domain.Date { return domain.NewDate(1970, time.January+time.Month(p), 1) }

// table is the partition of hot that holds the period.
func (p period) table() string {
	year, month, _ := p.first().Civil()
	if year < 0 {
		return fmt.Sprintf("hot_b%04d_%02d", -year, month)
	}
	return fmt.Sprintf("hot_%04d_%02d", year, month)
}

// missingPeriods asks for partitions before the transaction can be run again.
type missingPeriods struct{ periods []period }

func (e missingPeriods) Error() string { return "days of a month that has no partition" }

// makePeriods makes partitions, each in a transaction of its own. A table that is
// attached once it is there does not hold up those who read, as one does that is
// made in its place.
func (s *Store) makePeriods(ctx context.Context, periods []period) error {
	for _, p := range periods {
		sql := fmt.Sprintf(`CREATE TABLE %[1]s (LIKE hot INCLUDING ALL);
			ALTER TABLE hot ATTACH PARTITION %[1]s FOR VALUES FROM (%[2]d) TO (%[3]d)`, p.table(), p.first(), (p + 1).first())
		err := s.alone(ctx, func(ctx context.Context, c conn) error { return script(ctx, c, sql) })
		if cause := code(err); cause == codeDuplicateTable || cause == codeDuplicateType || cause == codeUnique {
			err = nil // it was there, or another node was quicker
		}
		if err != nil {
			return err
		}
		s.periods.Store(p, true)
	}
	return nil
}

// script runs several statements in one message.
func script(ctx context.Context, c conn, sql string) error {
	return run(ctx, c, sql, pgx.QueryExecModeSimpleProtocol)
}

// havePeriod makes sure that a day has a partition, or asks for the whole year's.
func (t *transfer) havePeriod(date domain.Date) error {
	p := periodOf(date)
	if _, ok := t.store.periods.Load(p); ok {
		return nil
	}
	if !t.askedPeriods {
		t.askedPeriods = true
		if _, err := t.store.knownPeriods(t.ctx, t.conn); err != nil {
			return err
		}
		return t.havePeriod(date)
	}
	january := p - period(((int(p)%12)+12)%12)
	e := missingPeriods{}
	for month := range period(12) {
		if _, ok := t.store.periods.Load(january + month); !ok {
			e.periods = append(e.periods, january+month)
		}
	}
	t.stuck = e
	return e
}

// knownPeriods reads which partitions there are.
func (s *Store) knownPeriods(ctx context.Context, c conn) ([]period, error) {
	const sql = `
		SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'hot'::regclass ORDER BY 1`
	names, err := all(ctx, c, pgx.RowTo[string], sql)
	if err != nil {
		return nil, err
	}
	var list []period
	for _, name := range names {
		var year, month int
		sign := 1
		if n, _ := fmt.Sscanf(name, "hot_b%d_%d", &year, &month); n == 2 {
			sign = -1
		} else if n, _ := fmt.Sscanf(name, "hot_%d_%d", &year, &month); n != 2 {
			continue
		}
		p := period((sign*year-1970)*12 + month - 1)
		s.periods.Store(p, true)
		list = append(list, p)
	}
	return list, nil
}
