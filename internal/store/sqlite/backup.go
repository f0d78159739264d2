package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/store"
	"github.com/wattgate/wattgate/internal/token"
)

// Backup writes a copy of the database in the file from into the new file to: one
// picture of it, complete and durable when Backup returns. A server may go on
// reading and writing meanwhile; what it writes after the beginning is not in
// the copy.
func Backup(ctx context.Context, from, to string) error {
	const doing = "copy the database"
	if _, err := os.Stat(to); !errors.Is(err, os.ErrNotExist) {
		return &domain.Error{Kind: domain.Conflict, Public: to + " is there already", Err: err}
	}
	conn, err := sqlite.OpenConn(from, sqlite.OpenReadOnly)
	if err != nil {
		return failure(ctx, doing, err)
	}
	conn.SetInterrupt(ctx.Done())
	conn.SetBusyTimeout(defaultBusy)
	if err = ours(conn); err == nil {
		err = run(conn, "VACUUM INTO ?1", to)
	}
	if err = errors.Join(err, conn.Close()); err != nil {
		_ = os.Remove(to) // half a copy is none
		return failure(ctx, doing, err)
	}
	return errors.Join(os.Chmod(to, 0o600), syncFile(to))
}

// syncFile makes a file durable: SQLite leaves that to the system for a copy.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Health is what a check of a whole database has found.
type Health struct {
	Version int
	Days    int64 // packed days that were opened, sealed ones too
}

// Verify reads all of a database: its structure, its references, and every packed
// day and sealed month. It changes nothing. A server of its own must not be at it,
// so that it is for copies.
func Verify(ctx context.Context, path string) (h Health, err error) {
	const doing = "check the database"
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return h, failure(ctx, doing, err)
	}
	conn.SetInterrupt(ctx.Done())
	h, err = verify(conn)
	return h, failure(ctx, doing, errors.Join(err, conn.Close()))
}

func verify(conn *sqlite.Conn) (h Health, err error) {
	texts, err := store.Scripts(migrations)
	if err != nil {
		return h, err
	}
	if h.Version, err = version(conn, len(texts)); err != nil {
		return h, err
	}
	if h.Version < len(texts) {
		return h, &domain.Error{Kind: domain.Conflict, Public: fmt.Sprintf("the copy has version %d, and this program checks version %d only", h.Version, len(texts))}
	}
	complaints, err := all(conn, scanText, "PRAGMA integrity_check(5)")
	if err != nil {
		return h, err
	}
	if len(complaints) != 1 || complaints[0] != "ok" {
		return h, damaged(fmt.Errorf("%v", complaints))
	}
	lost, err := all(conn, scanText, "PRAGMA foreign_key_check")
	if err != nil {
		return h, err
	}
	if len(lost) > 0 {
		return h, damaged(fmt.Errorf("%d rows refer to what is not there, first of %s", len(lost), lost[0]))
	}
	return h, h.chunks(conn)
}

// SealedKeys lists the signing keys of a copied database that have a private half,
// which is sealed. It changes nothing.
func SealedKeys(ctx context.Context, path string) ([]token.StoredKey, error) {
	const doing = "list the signing keys of the copy"
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return nil, failure(ctx, doing, err)
	}
	conn.SetInterrupt(ctx.Done())
	list, err := signingKeys(conn)
	if err = errors.Join(err, conn.Close()); err != nil {
		return nil, failure(ctx, doing, err)
	}
	return slices.DeleteFunc(list, func(k token.StoredKey) bool { return k.Sealed == nil }), nil
}

const selectSeals = "SELECT ch, data FROM seal"

// chunks opens everything that is packed: its checksums are its own.
func (h *Health) chunks(conn *sqlite.Conn) error {
	for _, sql := range []string{"SELECT ch, data FROM hot", "SELECT ch, data FROM history", selectSeals} {
		stmt, _, err := conn.PrepareTransient(sql)
		if err != nil {
			return err
		}
		err = h.each(stmt, sql == selectSeals)
		if err = errors.Join(err, stmt.Finalize()); err != nil {
			return err
		}
	}
	return nil
}

func (h *Health) each(stmt *sqlite.Stmt, sealed bool) error {
	var (
		data  []byte
		day   interval.Day
		month interval.SealedMonth
	)
	for {
		ok, err := stmt.Step()
		if err != nil || !ok {
			return err
		}
		n := stmt.ColumnLen(1)
		if n > cap(data) {
			data = make([]byte, n, 2*n)
		}
		data = data[:n]
		stmt.ColumnBytes(1, data)
		if !sealed {
			h.Days++
			err = day.Decode(data)
		} else if err = month.Open(data); err == nil {
			for i := 0; i < month.Len() && err == nil; i++ {
				h.Days++
				err = day.Decode(month.AppendDay(nil, i))
			}
		}
		if err != nil {
			return damaged(fmt.Errorf("channel %d: %w", stmt.ColumnInt64(0), err))
		}
	}
}

func damaged(err error) error {
	return &domain.Error{Kind: domain.Conflict, Public: "the database is damaged", Err: err}
}
