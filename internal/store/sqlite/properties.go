package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

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
	return s.change(ctx, "add a property", func(conn *sqlite.Conn) error {
		if err := addProperty(conn, p); err != nil {
			return err
		}
		return s.record(conn, e)
	})
}

// addProperty adds a property. Whose it is has it from the beginning.
func addProperty(conn *sqlite.Conn, p domain.Property) error {
	if err := insertProperty(conn, p); err != nil || p.Account == "" {
		return err
	}
	return addOccupancy(conn, domain.Occupancy{
		ID: domain.NewOccupancyID(nil), Partner: p.Partner, Property: p.ID, Account: p.Account,
	})
}

// insertProperty adds a property alone.
func insertProperty(conn *sqlite.Conn, p domain.Property) error {
	const sql = `
		INSERT INTO property (id, partner, account, label, address, postcode, zone)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`
	return insert(conn, "a property with this identifier exists", sql,
		p.ID, p.Partner, optional(p.Account), p.Label, list(p.Address), p.Postcode, p.Zone)
}

// findProperty finds a property of any partner.
func findProperty(conn *sqlite.Conn, id domain.PropertyID) (domain.Property, error) {
	const sql = `SELECT ` + propertyColumns + ` FROM property p WHERE p.id = ?1`
	return one(conn, aProperty, scanProperty, sql, id)
}

// Property finds a property within the scope.
func (s *Store) Property(ctx context.Context, scope domain.Scope, id domain.PropertyID) (p domain.Property, err error) {
	known, version, keeps := s.homes.find(scope, id)
	if known.property != nil && ctx.Err() == nil {
		p, _ = known.shown()
		return p, nil
	}
	err = s.read(ctx, "find a property", func(conn *sqlite.Conn) error {
		p, err = scopedProperty(conn, scope, id)
		return err
	})
	if err == nil && keeps {
		own, _ := home{property: &p}.shown()
		s.homes.put(scope, id, version, home{property: &own})
	}
	return p, err
}

func scopedProperty(conn *sqlite.Conn, scope domain.Scope, id domain.PropertyID) (domain.Property, error) {
	const sql = `
		SELECT ` + propertyColumns + `
		FROM property p WHERE p.id = '' || ?1 AND p.partner = '' || ?2`
	const ofUser = `
		SELECT ` + propertyOf + `
		FROM property p
			JOIN occupancy o ON o.partner = p.partner AND o.property = p.id
			JOIN account a ON a.partner = o.partner AND a.number = o.account
		WHERE p.id = ?1 AND p.partner = ?2 AND a.person = ?3 ORDER BY o.from_at DESC LIMIT 1`
	if scope.Application != "" {
		return agreedProperty(conn, scope, id)
	}
	if scope.User != "" {
		return one(conn, aProperty, scanProperty, ofUser, id, scope.Partner, scope.User)
	}
	return one(conn, aProperty, scanProperty, sql, id, scope.Partner)
}

// Properties lists the properties that an account within the scope has, has had or
// will have, by identifier.
func (s *Store) Properties(ctx context.Context, scope domain.Scope, account domain.AccountNumber) (list []domain.Property, err error) {
	const sql = `
		SELECT ` + propertyOf + `
		FROM account a JOIN property p ON p.partner = a.partner
			AND p.id IN (SELECT property FROM occupancy WHERE partner = a.partner AND account = a.number)
		WHERE a.number = ?1 AND a.partner = ?2 AND (?3 = '' OR a.person = ?3) ORDER BY p.id`
	const within = `
		SELECT 1 FROM account
		WHERE number = ?1 AND partner = ?2 AND (?3 = '' OR person = ?3)`
	err = s.readAt(ctx, "list properties", func(conn *sqlite.Conn) error {
		if scope.Application != "" {
			list, err = agreedProperties(conn, scope, account)
			return err
		}
		list, err = all(conn, scanProperty, sql, account, scope.Partner, scope.User)
		if err == nil && len(list) == 0 {
			return exists(conn, anAccount, within, account, scope.Partner, scope.User)
		}
		return err
	})
	return list, err
}

func scanProperty(row *sqlite.Stmt) (domain.Property, error) {
	address, err := parseList(row.ColumnText(4))
	return domain.Property{
		ID:       domain.PropertyID(row.ColumnText(0)),
		Partner:  domain.PartnerID(row.ColumnText(1)),
		Account:  domain.AccountNumber(row.ColumnText(2)),
		Label:    row.ColumnText(3),
		Address:  address,
		Postcode: row.ColumnText(5),
		Zone:     row.ColumnText(6),
	}, err
}
