package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// Readers lists the applications that may read by a consent that is active, by
// name.
func (s *Store) Readers(ctx context.Context, f domain.ReaderFilter, at time.Time) (list []domain.Reader, err error) {
	const sql = `
		SELECT DISTINCT application.id, application.name
		FROM consent JOIN application ON application.partner = consent.partner AND application.id = consent.client
		WHERE consent.person = ?1 AND consent.partner = ?2 AND application.partner = ?2 AND application.disabled = 0
			AND consent.revoked_at = 0 AND consent.valid_until > ?3 AND ?3 > 0 AND consent.permissions <> ''
			AND (?4 = '' OR consent.account IS NULL OR consent.account = ?4) AND (?5 = '' OR consent.client = ?5)
		ORDER BY application.name, application.id`
	err = s.read(ctx, "list who may read", func(conn *sqlite.Conn) error {
		list, err = all(conn, func(row *sqlite.Stmt) (domain.Reader, error) {
			return domain.Reader{Application: domain.ClientID(row.ColumnText(0)), Name: row.ColumnText(1)}, nil
		}, sql, f.User, f.Partner, micros(at), f.Account, f.Application)
		return err
	})
	return list, err
}
