package sqlite

import (
	"context"
	"reflect"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

// SigningKeys lists all keys, oldest first, removed ones too.
func (s *Store) SigningKeys(ctx context.Context) (list []token.StoredKey, err error) {
	err = s.read(ctx, "list the signing keys", func(conn *sqlite.Conn) error {
		list, err = signingKeys(conn)
		return err
	})
	return list, err
}

func signingKeys(conn *sqlite.Conn) ([]token.StoredKey, error) {
	const sql = `
		SELECT id, algorithm, created_at, state, active_from, retired_at, removed_at, sealed, public
		FROM signing_key ORDER BY created_at, rowid`
	return all(conn, scanKey, sql)
}

// ChangeSigningKeys stores what change makes of all keys: new ones are added,
// changed ones updated, none is deleted. Of a key that is there its name,
// algorithm, birth and public half never change.
func (s *Store) ChangeSigningKeys(ctx context.Context, change func([]token.StoredKey) ([]token.StoredKey, []domain.Entry, error)) error {
	return s.change(ctx, "change the signing keys", func(conn *sqlite.Conn) error {
		old, err := signingKeys(conn)
		if err != nil {
			return err
		}
		list, entries, err := change(slices.Clone(old))
		if err != nil {
			return callers(err)
		}
		for _, k := range list {
			if err := putSigningKey(conn, old, k); err != nil {
				return err
			}
		}
		for _, e := range entries {
			if err := s.record(conn, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// putSigningKey adds a key, or updates it where it is among the old ones.
func putSigningKey(conn *sqlite.Conn, old []token.StoredKey, k token.StoredKey) error {
	const add = `
		INSERT INTO signing_key (id, state, active_from, retired_at, removed_at, sealed, algorithm, created_at, public)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`
	const update = `
		UPDATE signing_key SET state = ?2, active_from = ?3, retired_at = ?4, removed_at = ?5, sealed = ?6
		WHERE id = ?1`
	sealed := append([]byte{}, k.Sealed...) // none at all is an empty one, never NULL
	values := []any{k.ID, k.State, micros(k.ActiveFrom), micros(k.RetiredAt), micros(k.RemovedAt), sealed}
	i := slices.IndexFunc(old, func(o token.StoredKey) bool { return o.ID == k.ID })
	switch {
	case i < 0:
		return insert(conn, "a key with this identifier exists", add, append(values, string(k.Algorithm), micros(k.CreatedAt), k.Public)...)
	case reflect.DeepEqual(old[i], k):
		return nil
	}
	return run(conn, update, values...)
}

func scanKey(row *sqlite.Stmt) (token.StoredKey, error) {
	k := token.StoredKey{
		ID:         row.ColumnText(0),
		Algorithm:  token.Algorithm(row.ColumnText(1)),
		CreatedAt:  instant(row.ColumnInt64(2)),
		State:      row.ColumnText(3),
		ActiveFrom: instant(row.ColumnInt64(4)),
		RetiredAt:  instant(row.ColumnInt64(5)),
		RemovedAt:  instant(row.ColumnInt64(6)),
		Public:     make([]byte, row.ColumnLen(8)),
	}
	if n := row.ColumnLen(7); n > 0 {
		k.Sealed = make([]byte, n)
		row.ColumnBytes(7, k.Sealed)
	}
	row.ColumnBytes(8, k.Public)
	return k, nil
}
