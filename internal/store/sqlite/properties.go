package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

const (
	aProperty       = "this property"
	propertyColumns = `p.id, p.partner, p.account, p.label, p.address, p.postcode, p.zone`
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

func addProperty(conn *sqlite.Conn, p domain.Property) error {
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
	err = s.read(ctx, "find a property", func(conn *sqlite.Conn) error {
		p, err = scopedProperty(conn, scope, id)
		return err
	})
	return p, err
}

func scopedProperty(conn *sqlite.Conn, scope domain.Scope, id domain.PropertyID) (domain.Property, error) {
	const sql = `
		SELECT ` + propertyColumns + `
		FROM property p LEFT JOIN account a ON a.partner = p.partner AND a.number = p.account
		WHERE p.id = ?1 AND p.partner = ?2 AND (?3 = '' OR a.person = ?3)`
	if scope.Application != "" {
		return agreedProperty(conn, scope, id)
	}
	return one(conn, aProperty, scanProperty, sql, id, scope.Partner, scope.User)
}

// Properties lists the properties of an account within the scope, by identifier.
func (s *Store) Properties(ctx context.Context, scope domain.Scope, account domain.AccountNumber) (list []domain.Property, err error) {
	const sql = `
		SELECT ` + propertyColumns + `
		FROM property p JOIN account a ON a.partner = p.partner AND a.number = p.account
		WHERE p.account = ?1 AND p.partner = ?2 AND (?3 = '' OR a.person = ?3) ORDER BY p.id`
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
