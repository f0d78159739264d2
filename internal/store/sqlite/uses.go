package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// SecretUses returns when each secret of an application was last used, how many
// tokens it brought, and in which of the last [domain.UseHours]. Secrets that
// were never used are not in it.
func (s *Store) SecretUses(ctx context.Context, id domain.ClientID) (map[domain.SecretID]domain.SecretUse, error) {
	const sql = `
		SELECT u.secret, u.last_used, u.tokens FROM secret_use u JOIN secret s ON s.id = u.secret
		WHERE s.client = ?1`
	const hours = `
		SELECT h.secret, h.hour, h.tokens FROM secret_hour h JOIN secret s ON s.id = h.secret
		WHERE s.client = ?1 ORDER BY h.hour`
	uses := map[domain.SecretID]domain.SecretUse{}
	err := s.readAt(ctx, "read the use of secrets", func(conn *sqlite.Conn) error {
		found, err := countedUses(conn, sql, hours, string(id))
		if err == nil && len(found) == 0 {
			return exists(conn, anApplication, `SELECT 1 FROM application WHERE id = ?1`, id)
		}
		for secret, use := range found {
			uses[domain.SecretID(secret)] = use
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return uses, nil
}

// CountUses adds to those counts, in one transaction.
func (s *Store) CountUses(ctx context.Context, uses map[domain.SecretID]domain.SecretUse) error {
	const total = `
		INSERT INTO secret_use (secret, last_used, tokens) VALUES (?1, ?2, ?3)
		ON CONFLICT (secret) DO UPDATE SET
			last_used = max(last_used, excluded.last_used), tokens = tokens + excluded.tokens`
	const hour = `
		INSERT INTO secret_hour (secret, hour, tokens) VALUES (?1, ?2, ?3)
		ON CONFLICT (secret, hour) DO UPDATE SET tokens = tokens + excluded.tokens`
	const forget = `DELETE FROM secret_hour WHERE hour <= ?1`
	return s.change(ctx, "count the use of secrets", func(conn *sqlite.Conn) error {
		return count(conn, uses, total, hour, forget)
	})
}

// CountOwnUses adds to how often applications came with a key or certificate of
// their own, in one transaction.
func (s *Store) CountOwnUses(ctx context.Context, uses map[domain.ClientID]domain.SecretUse) error {
	const total = `
		INSERT INTO application_use (application, last_used, tokens) VALUES (?1, ?2, ?3)
		ON CONFLICT (application) DO UPDATE SET
			last_used = max(last_used, excluded.last_used), tokens = tokens + excluded.tokens`
	const hour = `
		INSERT INTO application_hour (application, hour, tokens) VALUES (?1, ?2, ?3)
		ON CONFLICT (application, hour) DO UPDATE SET tokens = tokens + excluded.tokens`
	const forget = `DELETE FROM application_hour WHERE hour <= ?1`
	return s.change(ctx, "count the use of keys", func(conn *sqlite.Conn) error {
		return count(conn, uses, total, hour, forget)
	})
}

// OwnUse returns that of one application; the zero value where it never did.
func (s *Store) OwnUse(ctx context.Context, id domain.ClientID) (use domain.SecretUse, err error) {
	const sql = `SELECT application, last_used, tokens FROM application_use WHERE application = ?1`
	const hours = `SELECT application, hour, tokens FROM application_hour WHERE application = ?1 ORDER BY hour`
	err = s.readAt(ctx, "read the use of keys", func(conn *sqlite.Conn) error {
		found, err := countedUses(conn, sql, hours, string(id))
		if err == nil && len(found) == 0 {
			return exists(conn, anApplication, `SELECT 1 FROM application WHERE id = ?1`, id)
		}
		use = found[string(id)]
		return err
	})
	return use, err
}

// count stores a batch, and forgets the hours that are too old when its latest
// one has come.
func count[K ~string](conn *sqlite.Conn, uses map[K]domain.SecretUse, total, hour, forget string) error {
	var latest int64
	for id, use := range uses {
		if err := insert(conn, "", total, string(id), micros(use.LastUsed), use.Tokens); err != nil {
			return err
		}
		for _, h := range use.Hours {
			if err := insert(conn, "", hour, string(id), h.Hour, h.Tokens); err != nil {
				return err
			}
			latest = max(latest, h.Hour)
		}
	}
	if latest == 0 {
		return nil
	}
	return run(conn, forget, latest-domain.UseHours)
}

// countedUses reads totals and hours, by what they are of. Its second statement
// has the hours in order.
func countedUses(conn *sqlite.Conn, totals, hours, id string) (map[string]domain.SecretUse, error) {
	uses := map[string]domain.SecretUse{}
	_, err := all(conn, func(row *sqlite.Stmt) (struct{}, error) {
		uses[row.ColumnText(0)] = domain.SecretUse{LastUsed: instant(row.ColumnInt64(1)), Tokens: row.ColumnInt64(2)}
		return struct{}{}, nil
	}, totals, id)
	if err != nil {
		return nil, err
	}
	_, err = all(conn, func(row *sqlite.Stmt) (struct{}, error) {
		use := uses[row.ColumnText(0)]
		use.Hours = append(use.Hours, domain.HourUse{Hour: row.ColumnInt64(1), Tokens: row.ColumnInt64(2)})
		uses[row.ColumnText(0)] = use
		return struct{}{}, nil
	}, hours, id)
	return uses, err
}
