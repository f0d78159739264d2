package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/wattgate/wattgate/internal/domain"
)

// conn is what runs statements: a transaction, or a connection that reads.
//
// Unlike SQLite, PostgreSQL gives a transaction up with its first failed
// statement. Whoever expects that something is there already says ON CONFLICT;
// nobody goes on after an error.
type conn interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
}

// read runs f with a connection that reads. One statement is one picture of
// the database; where f asks several, it uses readAt.
func (s *Store) read(ctx context.Context, doing string, f func(context.Context, conn) error) error {
	return readFrom(ctx, s.readers, doing, f)
}

// readNews is read for what a node must know of the others in time, however long
// all other reads take: it has connections of its own.
func (s *Store) readNews(ctx context.Context, doing string, f func(context.Context, conn) error) error {
	return readFrom(ctx, s.news, doing, f)
}

func readFrom(ctx context.Context, pool *pgxpool.Pool, doing string, f func(context.Context, conn) error) error {
	c, err := pool.Acquire(ctx)
	if err != nil {
		if ctx.Err() == nil {
			err = reach(err) // the pool is closed, or the server away
		}
		return failure(ctx, doing, err)
	}
	defer c.Release()
	return failure(ctx, doing, closing(c.Conn(), f(ctx, c.Conn())))
}

// reach is the error of whoever got no connection.
func reach(err error) error {
	if _, ok := errors.AsType[*domain.Error](err); ok {
		return err
	}
	return unavailable(err)
}

// readAt is read with one picture of the database for all statements of f.
func (s *Store) readAt(ctx context.Context, doing string, f func(context.Context, conn) error) error {
	return s.read(ctx, doing, atOnce(f))
}

func atOnce(f func(context.Context, conn) error) func(context.Context, conn) error {
	return func(ctx context.Context, c conn) error {
		if err := run(ctx, c, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
			return err
		}
		// Where the end fails, or f panics, the pool throws the connection away.
		err := f(ctx, c)
		if err2 := run(ctx, c, "ROLLBACK"); err == nil {
			err = err2
		}
		return err
	}
}

// run executes a statement and ignores its rows.
func run(ctx context.Context, c conn, sql string, args ...any) error {
	_, err := c.Exec(ctx, sql, args...)
	return err
}

// all collects what row makes of each row.
func all[T any](ctx context.Context, c conn, row func(pgx.CollectableRow) (T, error), sql string, args ...any) ([]T, error) {
	rows, err := c.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, row)
	if err != nil {
		return nil, err
	}
	return list, nil
}

// one returns what row makes of the only row; without one, what is not found.
func one[T any](ctx context.Context, c conn, what string, row func(pgx.CollectableRow) (T, error), sql string, args ...any) (T, error) {
	var zero T
	list, err := all(ctx, c, row, sql, args...)
	if err != nil {
		return zero, err
	}
	if len(list) == 0 {
		return zero, notFound(what)
	}
	return list[0], nil
}

// exists fails with what is not found where the statement has no row.
func exists(ctx context.Context, c conn, what, sql string, args ...any) error {
	_, err := one(ctx, c, what, func(pgx.CollectableRow) (struct{}, error) { return struct{}{}, nil }, sql, args...)
	return err
}

// changed executes a statement that must change a row.
func changed(ctx context.Context, c conn, what, sql string, args ...any) error {
	tag, err := c.Exec(ctx, sql, args...)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return notFound(what)
	}
	return nil
}

// insert executes an INSERT, and says in public what clashes: the sentence
// where something unique is taken, or that what it refers to is missing.
func insert(ctx context.Context, c conn, clash, sql string, args ...any) error {
	_, err := c.Exec(ctx, sql, args...)
	return clashes(clash, err)
}

// insertNumbered is insert for a table that numbers its rows. The statement ends
// with RETURNING and the column of the number.
func insertNumbered(ctx context.Context, c conn, clash, sql string, args ...any) (number int64, err error) {
	err = c.QueryRow(ctx, sql, args...).Scan(&number)
	return number, clashes(clash, err)
}

// clashes says in public what an INSERT ran into. A primary key keeps the name
// that PostgreSQL gives it, which ends in _pkey.
func clashes(clash string, err error) error {
	e, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok:
		return err
	case e.Code == codeUnique && strings.HasSuffix(e.ConstraintName, "_pkey"):
		return &domain.Error{Kind: domain.Conflict, Public: "this identifier is taken", Err: err}
	case e.Code == codeUnique:
		return &domain.Error{Kind: domain.Conflict, Public: clash, Err: err}
	case e.Code == codeForeignKey:
		return &domain.Error{Kind: domain.NotFound, Public: "what this belongs to does not exist", Err: err}
	}
	return err
}
