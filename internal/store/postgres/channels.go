package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

const (
	aSupplyPoint       = "this supply point"
	supplyPointColumns = `s.id, s.partner, s.property, s.market, s.identifier, s.zone`
	channelColumns     = supplyPointColumns + `, c.ch, c.register, c.direction, c.unit, c.tz`
)

// Channels lists the channels of a property's supply points within the scope,
// in the order market, identifier, direction, register, unit.
func (s *Store) Channels(ctx context.Context, scope domain.Scope, property domain.PropertyID) (list []domain.Channel, err error) {
	const sql = `
		SELECT ` + channelColumns + `
		FROM property p
			JOIN supply_point s ON s.property = p.id AND s.partner = p.partner
			JOIN channel c ON c.supply_point_id = s.id
		WHERE p.id = $1 AND p.partner = $2 AND ($3 = '' OR EXISTS (` + hadBy + `a.person = $3))
		ORDER BY s.market, s.identifier, c.direction, c.register, c.unit`
	err = s.readAt(ctx, "list channels", func(ctx context.Context, c conn) error {
		if scope.Application != "" {
			list, err = agreedChannels(ctx, c, scope, property)
		} else {
			list, err = all(ctx, c, scanChannel, sql, property, scope.Partner, scope.User)
		}
		if err == nil && len(list) == 0 {
			_, err = scopedProperty(ctx, c, scope, property)
		}
		return err
	})
	return list, err
}

// SupplyPoints lists the supply points of a property within the scope, by market
// and identifier.
func (s *Store) SupplyPoints(ctx context.Context, scope domain.Scope, property domain.PropertyID) (list []domain.SupplyPoint, err error) {
	const sql = `
		SELECT ` + supplyPointColumns + `
		FROM property p
			JOIN supply_point s ON s.property = p.id AND s.partner = p.partner
		WHERE p.id = $1 AND p.partner = $2 AND ($3 = '' OR EXISTS (` + hadBy + `a.person = $3))
		ORDER BY s.market, s.identifier`
	err = s.readAt(ctx, "list supply points", func(ctx context.Context, c conn) error {
		if scope.Application != "" {
			list, err = agreedSupplyPoints(ctx, c, scope, property)
		} else {
			list, err = all(ctx, c, scanSupplyPoint, sql, property, scope.Partner, scope.User)
		}
		if err == nil && len(list) == 0 {
			_, err = scopedProperty(ctx, c, scope, property)
		}
		return err
	})
	return list, err
}

// agreedSupplyPoints lists the supply points of a property that a scope with an
// application sees, by market and identifier.
func agreedSupplyPoints(ctx context.Context, c conn, scope domain.Scope, id domain.PropertyID) ([]domain.SupplyPoint, error) {
	const sql = `
		SELECT DISTINCT ` + supplyPointColumns + atProperty + `
		WHERE p.id = $1 AND ` + agreed + `
		ORDER BY s.market, s.identifier`
	return all(ctx, c, scanSupplyPoint, sql, agreedArgs(id, scope)...)
}

// SupplyPoint finds a supply point within the scope by its name.
func (s *Store) SupplyPoint(ctx context.Context, scope domain.Scope, market domain.Market, identifier string) (p domain.SupplyPoint, err error) {
	const sql = `
		SELECT ` + supplyPointColumns + `
		FROM supply_point s
			JOIN property p ON p.id = s.property AND p.partner = s.partner
		WHERE s.market = $1 AND s.identifier = $2 AND s.partner = $3 AND ($4 = '' OR EXISTS (` + hadBy + `a.person = $4))`
	err = s.read(ctx, "find a supply point", func(ctx context.Context, c conn) error {
		if scope.Application != "" {
			p, err = agreedSupplyPoint(ctx, c, scope, market, identifier)
		} else {
			p, err = one(ctx, c, aSupplyPoint, scanSupplyPoint, sql, market, identifier, scope.Partner, scope.User)
		}
		return err
	})
	return p, err
}

// agreedSupplyPoint finds a supply point that a scope with an application sees.
func agreedSupplyPoint(ctx context.Context, c conn, scope domain.Scope, market domain.Market, identifier string) (domain.SupplyPoint, error) {
	const sql = `
		SELECT ` + supplyPointColumns + `
		FROM supply_point s
			JOIN property p ON p.id = s.property AND p.partner = s.partner
			JOIN account a ON a.partner = p.partner AND a.number IN (` + haveHad + `)
			JOIN consent ON consent.client = $4 AND consent.person = a.person
			JOIN consent_point ON consent_point.consent = consent.id AND consent_point.supply_point = s.id
		WHERE s.market = $1 AND s.identifier = $7 AND ` + agreed + `LIMIT 1`
	return one(ctx, c, aSupplyPoint, scanSupplyPoint, sql, append(agreedArgs(market, scope), identifier)...)
}

// supplyPoint finds a supply point of any partner.
func supplyPoint(ctx context.Context, c conn, market domain.Market, identifier string) (domain.SupplyPoint, error) {
	const sql = `SELECT ` + supplyPointColumns + ` FROM supply_point s WHERE s.market = $1 AND s.identifier = $2`
	return one(ctx, c, aSupplyPoint, scanSupplyPoint, sql, market, identifier)
}

// addSupplyPoint adds a supply point and returns it with its ID.
func addSupplyPoint(ctx context.Context, c conn, p domain.SupplyPoint) (domain.SupplyPoint, error) {
	const sql = `
		INSERT INTO supply_point (partner, property, market, identifier, zone)
		VALUES ($1, $2, $3, $4, $5) RETURNING id`
	id, err := insertNumbered(ctx, c, "this supply point exists", sql, p.Partner, optional(p.Property), p.Market, p.Identifier, p.Zone)
	p.ID = id
	return p, err
}

// supplyPointChannels lists the channels of a supply point.
func supplyPointChannels(ctx context.Context, c conn, id int64) ([]domain.Channel, error) {
	const sql = `
		SELECT ` + channelColumns + `
		FROM supply_point s JOIN channel c ON c.supply_point_id = s.id
		WHERE s.id = $1 ORDER BY c.direction, c.register, c.unit`
	list, err := all(ctx, c, scanChannel, sql, id)
	if err == nil && len(list) == 0 {
		err = exists(ctx, c, aSupplyPoint, `SELECT 1 FROM supply_point WHERE id = $1`, id)
	}
	return list, err
}

// addChannel adds a channel and returns it with its ID and its supply point as
// it is stored.
func addChannel(ctx context.Context, c conn, ch domain.Channel) (domain.Channel, error) {
	const find = `SELECT ` + supplyPointColumns + ` FROM supply_point s WHERE s.id = $1`
	const sql = `
		INSERT INTO channel (supply_point_id, partner_id, register, direction, unit, tz)
		VALUES ($1, $2, $3, $4, $5, $6) RETURNING ch`
	p, err := one(ctx, c, aSupplyPoint, scanSupplyPoint, find, ch.SupplyPoint.ID)
	if err != nil {
		return ch, err
	}
	id, err := insertNumbered(ctx, c, "this channel exists", sql, p.ID, p.Partner, ch.Register, ch.Direction.String(), ch.Unit, ch.Zone)
	ch.ID, ch.SupplyPoint = domain.ChannelID(id), p
	return ch, err
}

func scanSupplyPoint(row pgx.CollectableRow) (p domain.SupplyPoint, err error) {
	err = row.Scan(supplyPointFields(&p)...)
	return p, err
}

// supplyPointFields are where supplyPointColumns go.
func supplyPointFields(p *domain.SupplyPoint) []any {
	return []any{&p.ID, &p.Partner, maybe(&p.Property), &p.Market, &p.Identifier, &p.Zone}
}

func scanChannel(row pgx.CollectableRow) (ch domain.Channel, err error) {
	return scanChannelAnd(row)
}

// scanChannelAnd reads a channel, and columns that follow.
func scanChannelAnd(row pgx.CollectableRow, more ...any) (ch domain.Channel, err error) {
	var direction string
	fields := append(supplyPointFields(&ch.SupplyPoint), &ch.ID, &ch.Register, &direction, &ch.Unit, &ch.Zone)
	err = row.Scan(append(fields, more...)...)
	if direction == domain.Generation.String() {
		ch.Direction = domain.Generation
	}
	return ch, err
}
