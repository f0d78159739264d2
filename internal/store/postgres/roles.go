package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

// Roles lists all API roles by name.
func (s *Store) Roles(ctx context.Context) (list []domain.Role, err error) {
	err = s.read(ctx, "list the roles", func(ctx context.Context, c conn) error {
		list, err = roles(ctx, c)
		return err
	})
	return list, err
}

func roles(ctx context.Context, c conn) ([]domain.Role, error) {
	const sql = `SELECT name, permissions FROM role ORDER BY name`
	return all(ctx, c, func(row pgx.CollectableRow) (r domain.Role, err error) {
		var names string
		if err := row.Scan(&r.Name, &names); err != nil {
			return r, err
		}
		r.Permissions, err = domain.ParsePermissions(strings.Fields(names))
		return r, stored(err)
	}, sql)
}

// SetRole adds a role or replaces its permissions. Tokens issued at or before
// revoke, where it is not zero, die for every application with the role.
func (s *Store) SetRole(ctx context.Context, r domain.Role, revoke time.Time, e domain.Entry) error {
	const kill = `UPDATE application SET revoked_before = greatest(revoked_before, $2) WHERE role = $1`
	return s.change(ctx, "set a role", func(ctx context.Context, c conn) error {
		if err := putRole(ctx, c, r); err != nil {
			return err
		}
		if !revoke.IsZero() {
			if err := run(ctx, c, kill, r.Name, micros(revoke)); err != nil {
				return err
			}
		}
		return s.record(ctx, c, e)
	})
}

func putRole(ctx context.Context, c conn, r domain.Role) error {
	const sql = `
		INSERT INTO role (name, permissions) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET permissions = excluded.permissions`
	return run(ctx, c, sql, r.Name, words(r.Permissions.Names()))
}
