package meter

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/store"
	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

// server is databases of a PostgreSQL of our own, with the settings that it comes
// with.
type server struct {
	cluster *postgrestest.Cluster
	url     string // of the newest
}

func (s *server) name() string { return "PostgreSQL" }
func (s *server) pid() int     { return s.cluster.PID() }

// create has the server write back what it owes to the databases before.
func (s *server) create(ctx context.Context) (err error) {
	if s.url, err = s.cluster.Create(); err != nil {
		return err
	}
	return s.ask(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `CHECKPOINT`)
		return err
	})
}

func (s *server) open(ctx context.Context, c *night) (store.Engine, error) {
	e, err := postgres.Open(ctx, s.url, postgres.Options{Now: c.now})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// weight is that of all tables that measure, with their indexes. They are
// vacuumed before, as the server does by itself after a while: sealed days leave
// room behind.
func (s *server) weight(ctx context.Context) (bytes int64, err error) {
	const sql = `
		SELECT sum(pg_total_relation_size(c.oid))::bigint
		FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
		WHERE c.relkind = 'r' AND coalesce(i.inhparent, c.oid)::regclass::text IN
			('channel', 'source', 'hot', 'seal', 'history', 'extent', 'register_read', 'ingest_batch')`
	err = s.ask(ctx, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, `VACUUM ANALYZE`); err != nil {
			return err
		}
		return conn.QueryRow(ctx, sql).Scan(&bytes)
	})
	return bytes, err
}

func (s *server) ask(ctx context.Context, f func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	return errors.Join(f(conn), conn.Close(ctx))
}

// serverRows are rows in the same database.
type serverRows struct{ conn *pgx.Conn }

func (s *server) rows(ctx context.Context) (rows, error) {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, `CREATE TABLE narrow (ch BIGINT NOT NULL, at BIGINT NOT NULL, value INTEGER NOT NULL, quality SMALLINT NOT NULL, PRIMARY KEY (ch, at))`)
	if err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return &serverRows{conn}, nil
}

func (r *serverRows) close() error { return r.conn.Close(context.Background()) }

// put copies, which is the fastest that the server knows.
func (r *serverRows) put(ctx context.Context, s *street, points, n int) error {
	at := 0
	each := len(s.days[0][n].Values)
	_, err := r.conn.CopyFrom(ctx, pgx.Identifier{"narrow"}, []string{"ch", "at", "value", "quality"}, pgx.CopyFromFunc(func() ([]any, error) {
		if at == points*each {
			return nil, nil
		}
		point, i := at/each, at%each
		at++
		d := s.day(point, n)
		return []any{int64(point), d.At(i), int32(d.Values[i]), int16(d.Quality[i])}, nil
	}))
	return err
}

func (r *serverRows) read(ctx context.Context, point int, from, to int64) (n int, err error) {
	const sql = `SELECT at, value, quality FROM narrow WHERE ch = $1 AND at >= $2 AND at < $3 ORDER BY at`
	found, err := r.conn.Query(ctx, sql, int64(point), from, to)
	if err != nil {
		return 0, err
	}
	var (
		at      int64
		value   int32
		quality int16
	)
	_, err = pgx.ForEachRow(found, []any{&at, &value, &quality}, func() error {
		n++
		return nil
	})
	return n, err
}

func (r *serverRows) weight(ctx context.Context) (bytes int64, err error) {
	if _, err := r.conn.Exec(ctx, `VACUUM ANALYZE narrow`); err != nil {
		return 0, err
	}
	err = r.conn.QueryRow(ctx, `SELECT pg_total_relation_size('narrow')`).Scan(&bytes)
	return bytes, err
}
