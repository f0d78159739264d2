package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A partition whose days are all sealed is empty, and its indexes are not: they
// keep their pages for rows that will not come. Truncating it gives them back, but
// takes the rows away also from who looks at an older picture of the database, and
// waits for everybody who is at the partition. So it is done where it has been
// empty for longer than any picture lives, and given up rather than waited for.
const (
	emptyFor    = 2 * time.Minute // pictures live for a minute at most
	truncateFor = 200 * time.Millisecond
)

// giveBack gives back what emptied partitions still take. Failing at it is no
// matter: the next time comes.
func (s *Store) giveBack(ctx context.Context, periods []period) {
	for _, p := range periods {
		if ctx.Err() != nil {
			return
		}
		empty, err := s.emptied(ctx, p)
		if err != nil || !empty {
			s.emptySince.Delete(p)
			continue
		}
		since, known := s.emptySince.LoadOrStore(p, s.now())
		if known && s.now().Sub(since.(time.Time)) >= emptyFor {
			s.emptySince.Delete(p)
			_ = s.truncate(ctx, p)
		}
	}
}

// emptied reports whether a partition has pages and no rows.
func (s *Store) emptied(ctx context.Context, p period) (empty bool, err error) {
	sql := fmt.Sprintf(`SELECT pg_total_relation_size('%[1]s') > 64 * 1024 AND NOT EXISTS (SELECT 1 FROM %[1]s)`, p.table())
	err = s.changeAlone(ctx, "look for empty partitions", func(ctx context.Context, c conn) error {
		empty, err = one(ctx, c, "the partition", pgx.RowTo[bool], sql)
		return err
	})
	return empty, err
}

// truncate empties a partition in which nothing is, whatever came meanwhile.
func (s *Store) truncate(ctx context.Context, p period) error {
	return s.changeAlone(ctx, "give back an empty partition", func(ctx context.Context, c conn) error {
		lock := fmt.Sprintf(`SET LOCAL lock_timeout = '%dms'; LOCK TABLE %s IN ACCESS EXCLUSIVE MODE`, truncateFor.Milliseconds(), p.table())
		if err := script(ctx, c, lock); err != nil {
			return err
		}
		rows, err := one(ctx, c, "the partition", pgx.RowTo[bool], fmt.Sprintf(`SELECT EXISTS (SELECT 1 FROM %s)`, p.table()))
		if err != nil || rows {
			return err
		}
		return run(ctx, c, "TRUNCATE "+p.table())
	})
}
