package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

const (
	aProperty       = "this property"
	propertyColumns = `p.id, p.partner, p.account, p.label, p.address, p.postcode, p.zone`
	// propertyOf is the same for whom an account a is, which the property's need not be
	// any more.
	propertyOf = `p.id, p.partner, a.number, p.label, p.address, p.postcode, p.zone`
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

// addProperty adds a property. Whose it is has it from the beginning.
func addProperty(ctx context.Context, c conn, p domain.Property) error {
	if err := insertProperty(ctx, c, p); err != nil || p.Account == "" {
		return err
	}
	return addOccupancy(ctx, c, domain.Occupancy{
		ID: domain.NewOccupancyID(nil), Partner: p.Partner, Property: p.ID, Account: p.Account,
	})
}

// insertProperty adds a property alone.
func insertProperty(ctx context.Context, c conn, p domain.Property) error {
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
		FROM property p WHERE p.id = $1 AND p.partner = $2`
	const ofUser = `
		SELECT ` + propertyOf + `
		FROM property p
			JOIN occupancy o ON o.partner = p.partner AND o.property = p.id
			JOIN account a ON a.partner = o.partner AND a.number = o.account
		WHERE p.id = $1 AND p.partner = $2 AND a.person = $3 ORDER BY o.from_at DESC LIMIT 1`
	if scope.Application != "" {
		return agreedProperty(ctx, c, scope, id)
	}
	if scope.User != "" {
		return one(ctx, c, aProperty, scanProperty, ofUser, id, scope.Partner, scope.User)
	}
	return one(ctx, c, aProperty, scanProperty, sql, id, scope.Partner)
}

// Properties lists the properties that an account within the scope has, has had or
// will have, by identifier.
func (s *Store) Properties(ctx context.Context, scope domain.Scope, account domain.AccountNumber) (list []domain.Property, err error) {
	const sql = `
		SELECT ` + propertyOf + `
		FROM account a JOIN property p ON p.partner = a.partner
			AND p.id IN (SELECT property FROM occupancy WHERE partner = a.partner AND account = a.number)
		WHERE a.number = $1 AND a.partner = $2 AND ($3 = '' OR a.person = $3) ORDER BY p.id`
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
