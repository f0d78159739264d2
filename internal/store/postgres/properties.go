package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

const (
	aProperty       = "this property"
	propertyColumns = `p.id, p.partner, p.account, p.label, p.address, p.postcode, p.zone`
)

// AddProperty adds a property; its supply points come with measurements.
func (s *Store) AddProperty(ctx context.Context, p domain.Property, e domain.Entry) error {
	return s.change(ctx, "add a property", func(ctx context.Context, c conn) error {
		if err := addProperty(ctx, c, p); err != nil {
			return err
		}
		return s.record(ctx, c, e)
	})
}

func addProperty(ctx context.Context, c conn, p domain.Property) error {
	const sql = `
		INSERT INTO property (id, partner, account, label, address, postcode, zone)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`
	return insert(ctx, c, "a property with this identifier exists", sql,
		p.ID, p.Partner, optional(p.Account), p.Label, list(p.Address), p.Postcode, p.Zone)
}

// findProperty finds a property of any partner.
func findProperty(ctx context.Context, c conn, id domain.PropertyID) (domain.Property, error) {
	const sql = `SELECT ` + propertyColumns + ` FROM property p WHERE p.id = $1`
	return one(ctx, c, aProperty, scanProperty, sql, id)
}

// Property finds a property within the scope.
func (s *Store) Property(ctx context.Context, scope domain.Scope, id domain.PropertyID) (p domain.Property, err error) {
	err = s.read(ctx, "find a property", func(ctx context.Context, c conn) error {
		p, err = scopedProperty(ctx, c, scope, id)
		return err
	})
	return p, err
}

func scopedProperty(ctx context.Context, c conn, scope domain.Scope, id domain.PropertyID) (domain.Property, error) {
	const sql = `
		SELECT ` + propertyColumns + `
		FROM property p LEFT JOIN account a ON a.partner = p.partner AND a.number = p.account
		WHERE p.id = $1 AND p.partner = $2 AND ($3 = '' OR a.person = $3)`
	if scope.Application != "" {
		return agreedProperty(ctx, c, scope, id)
	}
	return one(ctx, c, aProperty, scanProperty, sql, id, scope.Partner, scope.User)
}

// Properties lists the properties of an account within the scope, by identifier.
func (s *Store) Properties(ctx context.Context, scope domain.Scope, account domain.AccountNumber) (list []domain.Property, err error) {
	const sql = `
		SELECT ` + propertyColumns + `
		FROM property p JOIN account a ON a.partner = p.partner AND a.number = p.account
		WHERE p.account = $1 AND p.partner = $2 AND ($3 = '' OR a.person = $3) ORDER BY p.id`
	const within = `
		SELECT 1 FROM account
		WHERE number = $1 AND partner = $2 AND ($3 = '' OR person = $3)`
	err = s.readAt(ctx, "list properties", func(ctx context.Context, c conn) error {
		if scope.Application != "" {
			list, err = agreedProperties(ctx, c, scope, account)
			return err
		}
		list, err = all(ctx, c, scanProperty, sql, account, scope.Partner, scope.User)
		if err == nil && len(list) == 0 {
			return exists(ctx, c, anAccount, within, account, scope.Partner, scope.User)
		}
		return err
	})
	return list, err
}

func scanProperty(row pgx.CollectableRow) (p domain.Property, err error) {
	var address string
	if err := row.Scan(&p.ID, &p.Partner, maybe(&p.Account), &p.Label, &address, &p.Postcode, &p.Zone); err != nil {
		return p, err
	}
	p.Address, err = parseList(address)
	return p, err
}
