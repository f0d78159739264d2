package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

// RevokeToken stores a revocation and its entry of the audit log in one
// transaction. A token that is revoked already is left as it is, without another
// entry. Revocations of tokens that ended before the instant over are forgotten.
func (s *Store) RevokeToken(ctx context.Context, r domain.Revocation, over time.Time, e domain.Entry) error {
	const forget = `DELETE FROM revoked_token WHERE until < $1`
	const add = `INSERT INTO revoked_token (jti, until) VALUES ($1, $2) ON CONFLICT (jti) DO NOTHING`
	return s.changeNoticed(ctx, "revoke a token", func(ctx context.Context, c conn) error {
		if err := run(ctx, c, forget, micros(over)); err != nil {
			return err
		}
		tag, err := c.Exec(ctx, add, r.Token[:], micros(r.Until))
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return s.record(ctx, c, e)
	})
}

// Revocations returns those that were stored after a place, in the order in
// which they were stored, and the place after the last of them. A place after all
// that is stored is one of another past, before a backup was restored: whoever has
// it is told everything.
func (s *Store) Revocations(ctx context.Context, after int64) (list []domain.Revocation, place int64, err error) {
	const sql = `
		SELECT seq, jti, until FROM revoked_token
		WHERE seq > CASE WHEN $1 > (SELECT max(seq) FROM revoked_token) THEN 0 ELSE $1 END ORDER BY seq`
	place = after
	err = s.readNews(ctx, "read revocations", func(ctx context.Context, c conn) error {
		list, err = all(ctx, c, func(row pgx.CollectableRow) (r domain.Revocation, err error) {
			var jti []byte
			err = row.Scan(&place, &jti, at(&r.Until))
			copy(r.Token[:], jti)
			return r, err
		}, sql, after)
		return err
	})
	return list, place, err
}
