package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// CountOwnUses adds to how often applications came with a key or certificate of
// their own, in one transaction.
func (s *Store) CountOwnUses(ctx context.Context, uses map[domain.ClientID]domain.SecretUse) error {
	const sql = `
		INSERT INTO application_use (application, last_used, tokens) VALUES (?1, ?2, ?3)
		ON CONFLICT (application) DO UPDATE SET
			last_used = max(last_used, excluded.last_used), tokens = tokens + excluded.tokens`
	return s.change(ctx, "count the use of keys", func(conn *sqlite.Conn) error {
		for id, use := range uses {
			if err := insert(conn, "", sql, id, micros(use.LastUsed), use.Tokens); err != nil {
				return err
			}
		}
		return nil
	})
}

// OwnUse returns that of one application; the zero value where it never did.
func (s *Store) OwnUse(ctx context.Context, id domain.ClientID) (use domain.SecretUse, err error) {
	const sql = `SELECT last_used, tokens FROM application_use WHERE application = ?1`
	err = s.readAt(ctx, "read the use of keys", func(conn *sqlite.Conn) error {
		list, err := all(conn, func(row *sqlite.Stmt) (domain.SecretUse, error) {
			return domain.SecretUse{LastUsed: instant(row.ColumnInt64(0)), Tokens: row.ColumnInt64(1)}, nil
		}, sql, id)
		switch {
		case err != nil:
			return err
		case len(list) == 0:
			return exists(conn, anApplication, `SELECT 1 FROM application WHERE id = ?1`, id)
		}
		use = list[0]
		return nil
	})
	return use, err
}
