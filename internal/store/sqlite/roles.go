package sqlite

import (
	"context"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// Roles lists all API roles by name.
func (s *Store) Roles(ctx context.Context) (list []domain.Role, err error) {
	err = s.read(ctx, "list the roles", func(conn *sqlite.Conn) error {
		list, err = roles(conn)
		return err
	})
	return list, err
}

func roles(conn *sqlite.Conn) ([]domain.Role, error) {
	const sql = `SELECT name, permissions FROM role ORDER BY name`
	return all(conn, func(row *sqlite.Stmt) (domain.Role, error) {
		permissions, err := domain.ParsePermissions(strings.Fields(row.ColumnText(1)))
		return domain.Role{Name: domain.RoleName(row.ColumnText(0)), Permissions: permissions}, stored(err)
	}, sql)
}

// SetRole adds a role or replaces its permissions. Tokens issued at or before
// revoke, where it is not zero, die for every application with the role.
func (s *Store) SetRole(ctx context.Context, r domain.Role, revoke time.Time, e domain.Entry) error {
	const kill = `UPDATE application SET revoked_before = max(revoked_before, ?2) WHERE role = ?1`
	return s.change(ctx, "set a role", func(conn *sqlite.Conn) error {
		if err := putRole(conn, r); err != nil {
			return err
		}
		if !revoke.IsZero() {
			if err := run(conn, kill, r.Name, micros(revoke)); err != nil {
				return err
			}
		}
		return s.record(conn, e)
	})
}

func putRole(conn *sqlite.Conn, r domain.Role) error {
	const sql = `
		INSERT INTO role (name, permissions) VALUES (?1, ?2)
		ON CONFLICT (name) DO UPDATE SET permissions = excluded.permissions`
	return run(conn, sql, r.Name, words(r.Permissions.Names()))
}
