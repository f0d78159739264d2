package postgres

import (
	"context"
)

// Conn is what a change gets.
type Conn = conn

// Migrations are the embedded ones.
var Migrations = migrations

// Exec runs a statement within a change.
func (s *Store) Exec(ctx context.Context, sql string) error {
	return s.change(ctx, "test", func(ctx context.Context, c conn) error { return run(ctx, c, sql) })
}

// Change runs a change.
func (s *Store) Change(ctx context.Context, f func(context.Context, Conn) error) error {
	return s.change(ctx, "test", f)
}

// ChangeAlone runs a change in a transaction of its own.
func (s *Store) ChangeAlone(ctx context.Context, f func(context.Context, Conn) error) error {
	return s.changeAlone(ctx, "test", f)
}

// Read runs f with a connection that reads.
func (s *Store) Read(ctx context.Context, f func(context.Context, Conn) error) error {
	return s.read(ctx, "test", f)
}

// Values returns the first column of a query, as text.
func (s *Store) Values(ctx context.Context, sql string) (list []string, err error) {
	err = s.read(ctx, "test", func(ctx context.Context, c conn) error {
		list, err = all(ctx, c, scanText, sql)
		return err
	})
	return list, err
}

// Waiting returns how many changes wait for the writer.
func (s *Store) Waiting() int {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	return len(s.writer.queue)
}
