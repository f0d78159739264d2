package sqlite

import (
	"context"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

const secretColumns = `id, client, digest, hint, created_at, expires_at, retired_at`

// Secrets lists the secrets of an application, oldest first.
func (s *Store) Secrets(ctx context.Context, id domain.ClientID) (list []domain.StoredSecret, err error) {
	err = s.readAt(ctx, "list an application's secrets", func(conn *sqlite.Conn) error {
		list, err = secrets(conn, id)
		if err == nil && len(list) == 0 {
			return exists(conn, anApplication, `SELECT 1 FROM application WHERE id = ?1`, id)
		}
		return err
	})
	return list, err
}

func secrets(conn *sqlite.Conn, id domain.ClientID) ([]domain.StoredSecret, error) {
	const sql = `SELECT ` + secretColumns + ` FROM secret WHERE client = ?1 ORDER BY created_at, rowid`
	return all(conn, scanSecret, sql, id)
}

// ChangeSecrets stores what change makes of an application and its secrets:
// new ones are added, changed ones updated, none is deleted.
func (s *Store) ChangeSecrets(ctx context.Context, id domain.ClientID, change func(*domain.Application, []domain.StoredSecret) ([]domain.StoredSecret, error), e domain.Entry) error {
	return s.change(ctx, "change an application's secrets", func(conn *sqlite.Conn) error {
		a, err := application(conn, id)
		if err != nil {
			return err
		}
		old, err := secrets(conn, id)
		if err != nil {
			return err
		}
		was := a
		list, err := change(&a, slices.Clone(old))
		if err != nil {
			return callers(err)
		}
		if err := putApplication(conn, was, a); err != nil {
			return err
		}
		for _, secret := range list {
			if err := putSecret(conn, id, old, secret); err != nil {
				return err
			}
		}
		return s.record(conn, e)
	})
}

// putSecret adds a secret, or updates it where it is among the old ones.
func putSecret(conn *sqlite.Conn, id domain.ClientID, old []domain.StoredSecret, s domain.StoredSecret) error {
	const sql = `
		UPDATE secret SET digest = ?3, hint = ?4, created_at = ?5, expires_at = ?6, retired_at = ?7
		WHERE id = ?1 AND client = ?2`
	i := slices.IndexFunc(old, func(o domain.StoredSecret) bool { return o.ID == s.ID })
	switch {
	case i < 0:
		return addSecret(conn, id, s)
	case old[i] == s:
		return nil
	}
	return run(conn, sql, secretValues(id, s)...)
}

func addSecret(conn *sqlite.Conn, id domain.ClientID, s domain.StoredSecret) error {
	const sql = `INSERT INTO secret (` + secretColumns + `) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`
	return insert(conn, "a secret with this identifier exists", sql, secretValues(id, s)...)
}

func secretValues(id domain.ClientID, s domain.StoredSecret) []any {
	return []any{s.ID, id, s.Digest[:], s.Hint, micros(s.CreatedAt), micros(s.ExpiresAt), micros(s.RetiredAt)}
}

func scanSecret(row *sqlite.Stmt) (domain.StoredSecret, error) {
	s := domain.StoredSecret{
		ID:        domain.SecretID(row.ColumnText(0)),
		Client:    domain.ClientID(row.ColumnText(1)),
		Hint:      row.ColumnText(3),
		CreatedAt: instant(row.ColumnInt64(4)),
		ExpiresAt: instant(row.ColumnInt64(5)),
		RetiredAt: instant(row.ColumnInt64(6)),
	}
	row.ColumnBytes(2, s.Digest[:])
	return s, nil
}
