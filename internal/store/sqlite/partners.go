package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

const aPartner = "this partner"

// AddPartner adds a partner; its name is unique.
func (s *Store) AddPartner(ctx context.Context, p domain.Partner, e domain.Entry) error {
	const sql = `
		INSERT INTO partner (id, name, disabled, revoked_before, created_at)
		VALUES (?1, ?2, ?3, ?4, ?5)`
	return s.change(ctx, "add a partner", func(conn *sqlite.Conn) error {
		err := insert(conn, "a partner with this name exists", sql,
			p.ID, p.Name, p.Disabled, micros(p.RevokedBefore), micros(p.CreatedAt))
		if err != nil {
			return err
		}
		return s.record(conn, e)
	})
}

// Partners lists all partners by name.
func (s *Store) Partners(ctx context.Context) (list []domain.Partner, err error) {
	err = s.read(ctx, "list the partners", func(conn *sqlite.Conn) error {
		list, err = partners(conn)
		return err
	})
	return list, err
}

func partners(conn *sqlite.Conn) ([]domain.Partner, error) {
	const sql = `
		SELECT id, name, disabled, revoked_before, created_at
		FROM partner ORDER BY name`
	return all(conn, scanPartner, sql)
}

// Partner finds the scope's partner.
func (s *Store) Partner(ctx context.Context, scope domain.Scope) (p domain.Partner, err error) {
	const sql = `
		SELECT id, name, disabled, revoked_before, created_at
		FROM partner WHERE id = ?1`
	err = s.read(ctx, "find the partner", func(conn *sqlite.Conn) error {
		p, err = one(conn, aPartner, scanPartner, sql, scope.Partner)
		return err
	})
	return p, err
}

func scanPartner(row *sqlite.Stmt) (domain.Partner, error) {
	return domain.Partner{
		ID:            domain.PartnerID(row.ColumnText(0)),
		Name:          row.ColumnText(1),
		Disabled:      row.ColumnBool(2),
		RevokedBefore: instant(row.ColumnInt64(3)),
		CreatedAt:     instant(row.ColumnInt64(4)),
	}, nil
}
