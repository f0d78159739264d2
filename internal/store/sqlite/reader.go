package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/domain"
)

// read runs f with a connection that reads. One statement is one picture of
// the database; where f asks several, it uses readAt.
func (s *Store) read(ctx context.Context, doing string, f func(*sqlite.Conn) error) error {
	conn, err := s.readers.Take(ctx)
	if err == nil {
		err = func() error {
			defer s.readers.Put(conn) // also where f panics
			return f(conn)
		}()
	} else if ctx.Err() == nil {
		err = unavailable(err) // the pool is closed
	}
	return failure(ctx, doing, err)
}

// readAt is read with one picture of the database for all statements of f.
func (s *Store) readAt(ctx context.Context, doing string, f func(*sqlite.Conn) error) error {
	return s.read(ctx, doing, func(conn *sqlite.Conn) (err error) {
		if err := run(conn, "BEGIN"); err != nil {
			return err
		}
		defer func() {
			err2 := run(conn, "ROLLBACK")
			if err2 != nil && !conn.AutocommitEnabled() {
				conn.SetInterrupt(nil) // the end must not be interrupted
				err2 = run(conn, "ROLLBACK")
			}
			if err == nil {
				err = err2
			}
		}()
		return f(conn)
	})
}

// run executes a statement and ignores its rows.
func run(conn *sqlite.Conn, sql string, args ...any) error {
	return sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{Args: args})
}

// all collects what row makes of each row.
func all[T any](conn *sqlite.Conn, row func(*sqlite.Stmt) (T, error), sql string, args ...any) ([]T, error) {
	list := []T{}
	err := sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{Args: args, ResultFunc: func(stmt *sqlite.Stmt) error {
		v, err := row(stmt)
		list = append(list, v)
		return err
	}})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// one returns what row makes of the only row; without one, what is not found.
func one[T any](conn *sqlite.Conn, what string, row func(*sqlite.Stmt) (T, error), sql string, args ...any) (T, error) {
	var zero T
	list, err := all(conn, row, sql, args...)
	if err != nil {
		return zero, err
	}
	if len(list) == 0 {
		return zero, notFound(what)
	}
	return list[0], nil
}

// exists fails with what is not found where the statement has no row.
func exists(conn *sqlite.Conn, what, sql string, args ...any) error {
	_, err := one(conn, what, func(*sqlite.Stmt) (struct{}, error) { return struct{}{}, nil }, sql, args...)
	return err
}

// changed executes a statement that must change a row.
func changed(conn *sqlite.Conn, what, sql string, args ...any) error {
	if err := run(conn, sql, args...); err != nil {
		return err
	}
	if conn.Changes() == 0 {
		return notFound(what)
	}
	return nil
}

// insert executes an INSERT, and says in public what clashes: the sentence
// where something unique is taken, or that what it refers to is missing.
func insert(conn *sqlite.Conn, clash, sql string, args ...any) error {
	err := run(conn, sql, args...)
	switch sqlite.ErrCode(err) {
	case sqlite.ResultConstraintUnique:
		return &domain.Error{Kind: domain.Conflict, Public: clash, Err: err}
	case sqlite.ResultConstraintPrimaryKey:
		return &domain.Error{Kind: domain.Conflict, Public: "this identifier is taken", Err: err}
	case sqlite.ResultConstraintForeignKey:
		return &domain.Error{Kind: domain.NotFound, Public: "what this belongs to does not exist", Err: err}
	}
	return err
}
