package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

const aPartner = "this partner"

// AddPartner adds a partner; its name is unique.
func (s *Store) AddPartner(ctx context.Context, p domain.Partner, e domain.Entry) error {
	const sql = `
		INSERT INTO partner (id, name, disabled, revoked_before, created_at)
		VALUES ($1, $2, $3, $4, $5)`
	return s.change(ctx, "add a partner", func(ctx context.Context, c conn) error {
		err := insert(ctx, c, "a partner with this name exists", sql,
			p.ID, p.Name, p.Disabled, micros(p.RevokedBefore), micros(p.CreatedAt))
		if err != nil {
			return err
		}
		return s.record(ctx, c, e)
	})
}

// Partners lists all partners by name.
func (s *Store) Partners(ctx context.Context) (list []domain.Partner, err error) {
	err = s.read(ctx, "list the partners", func(ctx context.Context, c conn) error {
		list, err = partners(ctx, c)
		return err
	})
	return list, err
}

func partners(ctx context.Context, c conn) ([]domain.Partner, error) {
	const sql = `
		SELECT id, name, disabled, revoked_before, created_at
		FROM partner ORDER BY name`
	return all(ctx, c, scanPartner, sql)
}

// Partner finds the scope's partner.
func (s *Store) Partner(ctx context.Context, scope domain.Scope) (p domain.Partner, err error) {
	const sql = `
		SELECT id, name, disabled, revoked_before, created_at
		FROM partner WHERE id = $1`
	err = s.read(ctx, "find the partner", func(ctx context.Context, c conn) error {
		p, err = one(ctx, c, aPartner, scanPartner, sql, scope.Partner)
		return err
	})
	return p, err
}

func scanPartner(row pgx.CollectableRow) (p domain.Partner, err error) {
	err = row.Scan(&p.ID, &p.Name, &p.Disabled, at(&p.RevokedBefore), at(&p.CreatedAt))
	return p, err
}
