package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store"
)

// distributed are the tables that Citus spreads over its workers, all of them by
// their channel and in the same way, so that what belongs to a channel lies at one
// worker. Who may do what stays with the coordinator.
var distributed = []string{"extent", "hot", "seal", "history", "register_read"}

// Distribute spreads the measurements over the workers of Citus, where the server
// has that extension. What is there already moves along; doing it again does
// nothing. It returns the names of the tables that were not spread before.
func (s *Store) Distribute(ctx context.Context) (spread []string, err error) {
	const doing = "distribute the measurements"
	err = s.changeAlone(ctx, doing, func(ctx context.Context, c conn) error {
		spread = nil
		available, err := one(ctx, c, "the extension", pgx.RowTo[bool], `SELECT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'citus')`)
		if err != nil {
			return err
		}
		if !available {
			return &domain.Error{Kind: domain.Conflict, Public: "this PostgreSQL server does not have the extension citus, which spreads tables over several machines"}
		}
		if err := run(ctx, c, `CREATE EXTENSION IF NOT EXISTS citus`); err != nil {
			return err
		}
		// The triggers of history keep it append-only; they touch nothing else, which
		// is what makes them safe at a worker.
		if err := run(ctx, c, `SET LOCAL citus.enable_unsafe_triggers = on`); err != nil {
			return err
		}
		for i, table := range distributed {
			done, err := isDistributed(ctx, c, table)
			if err != nil {
				return err
			}
			if done {
				continue
			}
			with := ""
			if i > 0 {
				with = fmt.Sprintf(", colocate_with => '%s'", distributed[0])
			}
			if err := run(ctx, c, fmt.Sprintf(`SELECT create_distributed_table('%s', 'ch'%s)`, table, with)); err != nil {
				return err
			}
			spread = append(spread, table)
		}
		return nil
	})
	return spread, err
}

func isDistributed(ctx context.Context, c conn, table string) (bool, error) {
	return one(ctx, c, "the table", pgx.RowTo[bool], `SELECT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = $1::text::regclass)`, table)
}

// State is what a database says about itself.
type State struct {
	Version, Known int   // migrations it has seen, and those of this program
	Bytes          int64 // on disk
	Server         string
	Distributed    bool // over the workers of Citus
}

// Inspect looks at a database and changes nothing. One that is empty has the
// version 0.
func Inspect(ctx context.Context, url string) (st State, err error) {
	const doing = "inspect the database"
	texts, err := store.Scripts(migrations)
	if err != nil {
		return st, err
	}
	pool, err := connect(ctx, url, 1, reading)
	if err != nil {
		return st, failure(ctx, doing, err)
	}
	defer pool.Close()
	c, err := pool.Acquire(ctx)
	if err != nil {
		return st, failure(ctx, doing, reach(err))
	}
	defer c.Release()
	st.Known = len(texts)
	version, err := version(ctx, c, len(texts))
	st.Version = version
	if err != nil {
		return st, failure(ctx, doing, err)
	}
	const about = `SELECT current_setting('server_version'), pg_database_size(current_database()),
		EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')`
	var citus bool
	err = c.QueryRow(ctx, about).Scan(&st.Server, &st.Bytes, &citus)
	if err == nil && citus && version > 0 {
		st.Distributed, err = isDistributed(ctx, c, distributed[0])
	}
	return st, failure(ctx, doing, err)
}

// Pending returns the names of the migrations that a database of a version has
// not seen.
func Pending(version int) ([]string, error) { return store.Pending(migrations, version) }
