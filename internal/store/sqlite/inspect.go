package sqlite

import (
	"context"
	"errors"
	"os"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/store"
)

// State is what a database says about itself.
type State struct {
	Version, Known int   // migrations it has seen, and those of this program
	Bytes          int64 // on disk
}

// Inspect looks at a database file and changes nothing.
func Inspect(ctx context.Context, path string) (st State, err error) {
	const doing = "inspect the database"
	texts, err := store.Scripts(migrations)
	if err != nil {
		return st, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return st, err
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return st, failure(ctx, doing, err)
	}
	st.Known, st.Bytes = len(texts), info.Size()
	if log, err := os.Stat(path + "-wal"); err == nil {
		st.Bytes += log.Size() // what is not in the file yet
	}
	st.Version, err = version(conn, len(texts))
	return st, failure(ctx, doing, errors.Join(err, conn.Close()))
}

// Pending returns the names of the migrations that a database of a version has
// not seen.
func Pending(version int) ([]string, error) { return store.Pending(migrations, version) }
