package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/domain"
)

// RevokeToken stores a revocation and its entry of the audit log in one
// transaction. A token that is revoked already is left as it is, without another
// entry. Revocations of tokens that ended before the instant over are forgotten.
func (s *Store) RevokeToken(ctx context.Context, r domain.Revocation, over time.Time, e domain.Entry) error {
	const forget = `DELETE FROM revoked_token WHERE until < ?1`
	const add = `INSERT INTO revoked_token (jti, until) VALUES (?1, ?2) ON CONFLICT (jti) DO NOTHING`
	return s.change(ctx, "revoke a token", func(conn *sqlite.Conn) error {
		if err := run(conn, forget, micros(over)); err != nil {
			return err
		}
		if err := run(conn, add, r.Token[:], micros(r.Until)); err != nil {
			return err
		}
		if conn.Changes() == 0 {
			return nil
		}
		return s.record(conn, e)
	})
}

// Revocations returns those that were stored after a place, in the order in
// which they were stored, and the place after the last of them.
func (s *Store) Revocations(ctx context.Context, after int64) (list []domain.Revocation, place int64, err error) {
	const sql = `SELECT seq, jti, until FROM revoked_token WHERE seq > ?1 ORDER BY seq`
	place = after
	err = s.read(ctx, "read revocations", func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{Args: []any{after}, ResultFunc: func(row *sqlite.Stmt) error {
			r := domain.Revocation{Until: instant(row.ColumnInt64(2))}
			row.ColumnBytes(1, r.Token[:])
			list, place = append(list, r), row.ColumnInt64(0)
			return nil
		}})
	})
	return list, place, err
}
