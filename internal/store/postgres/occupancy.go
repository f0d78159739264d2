package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

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
func addOccupancy(ctx context.Context, c conn, o domain.Occupancy) error {
	const sql = `
		INSERT INTO occupancy (id, partner, property, account, from_at, until_at)
		VALUES ($1, $2, $3, $4, $5, $6)`
	return insert(ctx, c, "somebody has this property from that day on", sql,
		o.ID, o.Partner, o.Property, o.Account, micros(o.From), micros(o.Until))
}

// Occupancies lists the periods within the scope that fit the filter, by property
// and in the order of time. An application of the scope sees those of customers
// who have agreed.
func (s *Store) Occupancies(ctx context.Context, scope domain.Scope, f domain.OccupancyFilter) (list []domain.Occupancy, err error) {
	const sql = `
		SELECT ` + occupancyColumns + `
		WHERE o.partner = $2 AND ($3 = '' OR a.person = $3)
			AND ($4 = '' OR EXISTS (SELECT 1 FROM consent WHERE consent.client = $4 AND consent.person = a.person AND ` + allows + `))
			AND ($1 = '' OR o.property = $1) AND ($7 = '' OR o.account = $7) AND ($8 = '' OR a.person = $8)
		ORDER BY o.property, o.from_at`
	if f == (domain.OccupancyFilter{}) {
		return []domain.Occupancy{}, nil
	}
	err = s.read(ctx, "list who has a property", func(ctx context.Context, c conn) error {
		list, err = all(ctx, c, scanOccupancy, sql, append(agreedArgs(f.Property, scope), f.Account, f.User)...)
		return err
	})
	return list, err
}

func scanOccupancy(row pgx.CollectableRow) (o domain.Occupancy, err error) {
	err = row.Scan(&o.ID, &o.Partner, &o.Property, &o.Account, &o.User, at(&o.From), at(&o.Until), &o.Zone)
	return o, err
}
