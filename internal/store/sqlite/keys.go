package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/token"
)

// SigningKeys lists all keys, oldest first.
func (s *Store) SigningKeys(ctx context.Context) (list []token.StoredKey, err error) {
	const sql = `
		SELECT id, algorithm, created_at, state, sealed, public
		FROM signing_key ORDER BY created_at, rowid`
	err = s.read(ctx, "list the signing keys", func(conn *sqlite.Conn) error {
		list, err = all(conn, scanKey, sql)
		return err
	})
	return list, err
}

// AddSigningKey adds a key.
func (s *Store) AddSigningKey(ctx context.Context, k token.StoredKey) error {
	const sql = `
		INSERT INTO signing_key (id, algorithm, created_at, state, sealed, public)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6)`
	return s.change(ctx, "add a signing key", func(conn *sqlite.Conn) error {
		return insert(conn, "a key with this identifier exists", sql,
			k.ID, string(k.Algorithm), micros(k.CreatedAt), k.State, k.Sealed, k.Public)
	})
}

func scanKey(row *sqlite.Stmt) (token.StoredKey, error) {
	k := token.StoredKey{
		ID:        row.ColumnText(0),
		Algorithm: token.Algorithm(row.ColumnText(1)),
		CreatedAt: instant(row.ColumnInt64(2)),
		State:     row.ColumnText(3),
		Sealed:    make([]byte, row.ColumnLen(4)),
		Public:    make([]byte, row.ColumnLen(5)),
	}
	row.ColumnBytes(4, k.Sealed)
	row.ColumnBytes(5, k.Public)
	return k, nil
}
