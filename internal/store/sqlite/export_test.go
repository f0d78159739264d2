package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// Migrations are the embedded ones.
var Migrations = migrations

// Exec runs a statement on the connection that writes, within a change.
func (s *Store) Exec(ctx context.Context, sql string) error {
	return s.change(ctx, "test", func(conn *sqlite.Conn) error { return run(conn, sql) })
}

// Change runs a change.
func (s *Store) Change(ctx context.Context, f func(*sqlite.Conn) error) error {
	return s.change(ctx, "test", f)
}

// Values returns the first column of a query.
func (s *Store) Values(ctx context.Context, sql string) (list []string, err error) {
	err = s.read(ctx, "test", func(conn *sqlite.Conn) error {
		list, err = all(conn, func(row *sqlite.Stmt) (string, error) { return row.ColumnText(0), nil }, sql)
		return err
	})
	return list, err
}

// Hold takes a picture of the database, which somebody reads until release.
func (s *Store) Hold(ctx context.Context) (release func(), err error) {
	conn, err := s.readers.Take(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	release = func() {
		_ = run(conn, "ROLLBACK") // also one that has not begun
		s.readers.Put(conn)
	}
	if err = run(conn, "BEGIN"); err == nil {
		_, err = number(conn, "SELECT count(*) FROM role")
	}
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// Log returns how many pages the log has, and how many count as written back,
// once what the changes before made due is done.
func (s *Store) Log(ctx context.Context) (pages, back uint32, err error) {
	err = s.Change(ctx, func(*sqlite.Conn) error {
		pages, back = s.writer.log.index.frames(), s.writer.log.index.back()
		return nil
	})
	return pages, back, err
}

// WriteBackAgain is what follows a failure.
func (s *Store) WriteBackAgain(ctx context.Context) error {
	return s.Change(ctx, func(*sqlite.Conn) error { return s.writer.log.again() })
}

// Waiting returns how many changes wait for the writer.
func (s *Store) Waiting() int {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	return len(s.writer.queue)
}

// CustomersRead waits until all customers are in memory.
func (s *Store) CustomersRead() { s.reading.Wait() }

// Known reports what the memory says of a customer, and whether it is asked.
func (s *Store) Known(p domain.PartnerID, id domain.UserID) (found, known bool) {
	return s.customers.has(p, id)
}
