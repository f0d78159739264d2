package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// Whose a property p is, was or will be: hadBy is a query that goes on with what
// is demanded of the account a, or its period o; haveHad are the numbers alone.
const (
	hadBy = `
			SELECT 1 FROM occupancy o JOIN account a ON a.partner = o.partner AND a.number = o.account
			WHERE o.partner = p.partner AND o.property = p.id AND `
	haveHad = `SELECT account FROM occupancy WHERE partner = p.partner AND property = p.id`
)

const (
	anOccupancy      = "this contract"
	occupancyColumns = `o.id, o.partner, o.property, o.account, a.person, o.from_at, o.until_at, p.zone
		FROM occupancy o
			JOIN account a ON a.partner = o.partner AND a.number = o.account
			JOIN property p ON p.partner = o.partner AND p.id = o.property `
)

// addOccupancy adds a period; whoever does has seen that it overlaps no other.
func addOccupancy(conn *sqlite.Conn, o domain.Occupancy) error {
	const sql = `
		INSERT INTO occupancy (id, partner, property, account, from_at, until_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6)`
	return insert(conn, "somebody has this property from that day on", sql,
		o.ID, o.Partner, o.Property, o.Account, micros(o.From), micros(o.Until))
}

// Occupancies lists the periods within the scope that fit the filter, by property
// and in the order of time. An application of the scope sees those of customers
// who have agreed.
func (s *Store) Occupancies(ctx context.Context, scope domain.Scope, f domain.OccupancyFilter) (list []domain.Occupancy, err error) {
	const within = `
		o.partner = ?2 AND (?3 = '' OR a.person = ?3)
			AND (?4 = '' OR EXISTS (SELECT 1 FROM consent WHERE consent.client = ?4 AND consent.person = a.person AND ` + allows + `))
			AND (?7 = '' OR o.account = ?7) AND (?8 = '' OR a.person = ?8) AND (?1 = '' OR o.property = ?1)
		ORDER BY o.property, o.from_at`
	const atProperty = `SELECT ` + occupancyColumns + `WHERE o.property = ?1 AND ` + within
	const ofAccount = `SELECT ` + occupancyColumns + `WHERE o.account = ?7 AND ` + within
	const ofPerson = `SELECT ` + occupancyColumns + `WHERE a.person = ?8 AND ` + within
	sql := atProperty
	switch {
	case f == (domain.OccupancyFilter{}):
		return []domain.Occupancy{}, nil
	case f.Property == "" && f.Account != "":
		sql = ofAccount
	case f.Property == "":
		sql = ofPerson
	}
	err = s.read(ctx, "list who has a property", func(conn *sqlite.Conn) error {
		list, err = all(conn, scanOccupancy, sql, append(agreedArgs(f.Property, scope), f.Account, f.User)...)
		return err
	})
	return list, err
}

func scanOccupancy(row *sqlite.Stmt) (domain.Occupancy, error) {
	return domain.Occupancy{
		ID:       domain.OccupancyID(row.ColumnText(0)),
		Partner:  domain.PartnerID(row.ColumnText(1)),
		Property: domain.PropertyID(row.ColumnText(2)),
		Account:  domain.AccountNumber(row.ColumnText(3)),
		User:     domain.UserID(row.ColumnText(4)),
		From:     instant(row.ColumnInt64(5)),
		Until:    instant(row.ColumnInt64(6)),
		Zone:     row.ColumnText(7),
	}, nil
}
