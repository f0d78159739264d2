package meter

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/store"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

// file is a database of SQLite.
type file struct{ folder string }

func (f *file) name() string { return "SQLite" }
func (f *file) pid() int     { return 0 }
func (f *file) path() string { return filepath.Join(f.folder, "wattgate.db") }

func (f *file) create(context.Context) error {
	if err := os.Remove(f.path()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (f *file) open(ctx context.Context, c *night) (store.Engine, error) {
	s, err := sqlite.Open(ctx, f.path(), sqlite.Options{Now: c.now})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// weight is that of the whole file.
func (f *file) weight(context.Context) (int64, error) {
	info, err := os.Stat(f.path())
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// fileRows are rows in the same file, as durable as the engine's. They are told
// apart by the pages that were in use before them.
type fileRows struct {
	conn   *zombie.Conn
	before int64
}

func (f *file) rows(ctx context.Context) (rows, error) {
	conn, err := zombie.OpenConn(f.path(), zombie.OpenReadWrite|zombie.OpenWAL)
	if err != nil {
		return nil, err
	}
	conn.SetInterrupt(ctx.Done())
	r := &fileRows{conn: conn}
	err = sqlitex.ExecuteScript(conn, `CREATE TABLE narrow (ch INTEGER NOT NULL, at INTEGER NOT NULL, value INTEGER NOT NULL, quality INTEGER NOT NULL,
		PRIMARY KEY (ch, at)) STRICT, WITHOUT ROWID`, nil)
	for _, pragma := range []string{"PRAGMA synchronous = FULL", "PRAGMA cache_size = -65536", "PRAGMA mmap_size = 1073741824"} {
		if err == nil {
			err = sqlitex.ExecuteTransient(conn, pragma, nil)
		}
	}
	if err == nil {
		r.before, err = r.used()
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return r, nil
}

func (r *fileRows) close() error { return r.conn.Close() }

func (r *fileRows) put(_ context.Context, s *street, points, n int) (err error) {
	end, err := sqlitex.ImmediateTransaction(r.conn)
	if err != nil {
		return err
	}
	defer end(&err)
	row := r.conn.Prep(`INSERT INTO narrow (ch, at, value, quality) VALUES (?1, ?2, ?3, ?4)`)
	for point := range points {
		d := s.day(point, n)
		for i, v := range d.Values {
			row.BindInt64(1, int64(point))
			row.BindInt64(2, d.At(i))
			row.BindInt64(3, v)
			row.BindInt64(4, int64(d.Quality[i]))
			if _, err := row.Step(); err != nil {
				return err
			}
			if err := row.Reset(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *fileRows) read(_ context.Context, point int, from, to int64) (n int, err error) {
	err = sqlitex.Execute(r.conn, `SELECT at, value, quality FROM narrow WHERE ch = ?1 AND at >= ?2 AND at < ?3 ORDER BY at`, &sqlitex.ExecOptions{
		Args: []any{point, from, to},
		ResultFunc: func(row *zombie.Stmt) error {
			_, _, _ = row.ColumnInt64(0), row.ColumnInt64(1), row.ColumnInt64(2)
			n++
			return nil
		},
	})
	return n, err
}

func (r *fileRows) weight(context.Context) (int64, error) {
	now, err := r.used()
	return now - r.before, err
}

// used is the bytes of all pages that hold something.
func (r *fileRows) used() (int64, error) {
	row, err := r.conn.Prepare(`SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size`)
	if err != nil {
		return 0, err
	}
	return sqlitex.ResultInt64(row)
}
