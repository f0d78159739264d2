package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

// Readers lists the applications that may read by a consent that is active, by
// name.
func (s *Store) Readers(ctx context.Context, f domain.ReaderFilter, at time.Time) (list []domain.Reader, err error) {
	const sql = `
		SELECT DISTINCT application.id, application.name
		FROM consent JOIN application ON application.partner = consent.partner AND application.id = consent.client
		WHERE consent.person = $1 AND consent.partner = $2 AND application.partner = $2 AND NOT application.disabled
			AND consent.revoked_at = 0 AND consent.valid_until > $3 AND $3 > 0 AND consent.permissions <> ''
			AND ($4 = '' OR consent.account IS NULL OR consent.account = $4) AND ($5 = '' OR consent.client = $5)
		ORDER BY application.name, application.id`
	err = s.read(ctx, "list who may read", func(ctx context.Context, c conn) error {
		list, err = all(ctx, c, func(row pgx.CollectableRow) (r domain.Reader, err error) {
			err = row.Scan(&r.Application, &r.Name)
			return r, err
		}, sql, f.User, f.Partner, micros(at), f.Account, f.Application)
		return err
	})
	return list, err
}
