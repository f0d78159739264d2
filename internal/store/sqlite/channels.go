package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

const (
	aSupplyPoint       = "this supply point"
	supplyPointColumns = `s.id, s.partner, s.property, s.market, s.identifier, s.zone`
	channelColumns     = supplyPointColumns + `, c.ch, c.register, c.direction, c.unit, c.tz`
)

// Channels lists the channels of a property's supply points within the scope,
// in the order market, identifier, direction, register, unit.
//
// Its parameters stand in sums of texts: SQLite plans the statement anew each time
// for a bare one, which takes ten times as long as the rest.
func (s *Store) Channels(ctx context.Context, scope domain.Scope, property domain.PropertyID) (list []domain.Channel, err error) {
	const sql = `
		SELECT ` + channelColumns + `
		FROM property p
			JOIN supply_point s ON s.property = p.id AND s.partner = p.partner
			JOIN channel c ON c.supply_point_id = s.id
		WHERE p.id = '' || ?1 AND p.partner = '' || ?2 AND ('' || ?3 = '' OR EXISTS (` + hadBy + `a.person = '' || ?3))
		ORDER BY s.market, s.identifier, c.direction, c.register, c.unit`
	known, version, keeps := s.homes.find(scope, property)
	if known.channels != nil && ctx.Err() == nil {
		_, list = known.shown()
		return list, nil
	}
	err = s.read(ctx, "list channels", func(conn *sqlite.Conn) error {
		if scope.Application != "" {
			list, err = agreedChannels(conn, scope, property)
		} else {
			list, err = all(conn, scanChannel, sql, property, scope.Partner, scope.User)
		}
		if err == nil && len(list) == 0 { // nothing changes that, whenever it is asked
			_, err = scopedProperty(conn, scope, property)
		}
		return err
	})
	if err == nil && keeps && len(list) > 0 {
		_, own := home{channels: list}.shown()
		s.homes.put(scope, property, version, home{channels: own})
	}
	return list, err
}

// SupplyPoints lists the supply points of a property within the scope, by market
// and identifier.
func (s *Store) SupplyPoints(ctx context.Context, scope domain.Scope, property domain.PropertyID) (list []domain.SupplyPoint, err error) {
	const sql = `
		SELECT ` + supplyPointColumns + `
		FROM property p
			JOIN supply_point s ON s.property = p.id AND s.partner = p.partner
		WHERE p.id = ?1 AND p.partner = ?2 AND (?3 = '' OR EXISTS (` + hadBy + `a.person = ?3))
		ORDER BY s.market, s.identifier`
	err = s.readAt(ctx, "list supply points", func(conn *sqlite.Conn) error {
		if scope.Application != "" {
			list, err = agreedSupplyPoints(conn, scope, property)
		} else {
			list, err = all(conn, scanSupplyPoint, sql, property, scope.Partner, scope.User)
		}
		if err == nil && len(list) == 0 {
			_, err = scopedProperty(conn, scope, property)
		}
		return err
	})
	return list, err
}

// SupplyPoint finds a supply point within the scope by its name.
func (s *Store) SupplyPoint(ctx context.Context, scope domain.Scope, market domain.Market, identifier string) (p domain.SupplyPoint, err error) {
	const sql = `
		SELECT ` + supplyPointColumns + `
		FROM supply_point s
			JOIN property p ON p.id = s.property AND p.partner = s.partner
		WHERE s.market = ?1 AND s.identifier = ?2 AND s.partner = ?3 AND (?4 = '' OR EXISTS (` + hadBy + `a.person = ?4))`
	err = s.read(ctx, "find a supply point", func(conn *sqlite.Conn) error {
		if scope.Application != "" {
			p, err = agreedSupplyPoint(conn, scope, market, identifier)
		} else {
			p, err = one(conn, aSupplyPoint, scanSupplyPoint, sql, market, identifier, scope.Partner, scope.User)
		}
		return err
	})
	return p, err
}

// supplyPoint finds a supply point of any partner.
func supplyPoint(conn *sqlite.Conn, market domain.Market, identifier string) (domain.SupplyPoint, error) {
	const sql = `SELECT ` + supplyPointColumns + ` FROM supply_point s WHERE s.market = ?1 AND s.identifier = ?2`
	return one(conn, aSupplyPoint, scanSupplyPoint, sql, market, identifier)
}

// addSupplyPoint adds a supply point and returns it with its ID.
func addSupplyPoint(conn *sqlite.Conn, p domain.SupplyPoint) (domain.SupplyPoint, error) {
	const sql = `
		INSERT INTO supply_point (partner, property, market, identifier, zone)
		VALUES (?1, ?2, ?3, ?4, ?5)`
	err := insert(conn, "this supply point exists", sql, p.Partner, optional(p.Property), p.Market, p.Identifier, p.Zone)
	p.ID = conn.LastInsertRowID()
	return p, err
}

// supplyPointChannels lists the channels of a supply point.
func supplyPointChannels(conn *sqlite.Conn, id int64) ([]domain.Channel, error) {
	const sql = `
		SELECT ` + channelColumns + `
		FROM supply_point s JOIN channel c ON c.supply_point_id = s.id
		WHERE s.id = ?1 ORDER BY c.direction, c.register, c.unit`
	list, err := all(conn, scanChannel, sql, id)
	if err == nil && len(list) == 0 {
		err = exists(conn, aSupplyPoint, `SELECT 1 FROM supply_point WHERE id = ?1`, id)
	}
	return list, err
}

// addChannel adds a channel and returns it with its ID and its supply point as
// it is stored.
func addChannel(conn *sqlite.Conn, c domain.Channel) (domain.Channel, error) {
	const find = `SELECT ` + supplyPointColumns + ` FROM supply_point s WHERE s.id = ?1`
	const sql = `
		INSERT INTO channel (supply_point_id, partner_id, register, direction, unit, tz)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6)`
	p, err := one(conn, aSupplyPoint, scanSupplyPoint, find, c.SupplyPoint.ID)
	if err != nil {
		return c, err
	}
	err = insert(conn, "this channel exists", sql, p.ID, p.Partner, c.Register, c.Direction.String(), c.Unit, c.Zone)
	c.ID, c.SupplyPoint = domain.ChannelID(conn.LastInsertRowID()), p
	return c, err
}

func scanSupplyPoint(row *sqlite.Stmt) (domain.SupplyPoint, error) {
	return domain.SupplyPoint{
		ID:         row.ColumnInt64(0),
		Partner:    domain.PartnerID(row.ColumnText(1)),
		Property:   domain.PropertyID(row.ColumnText(2)),
		Market:     domain.Market(row.ColumnText(3)),
		Identifier: row.ColumnText(4),
		Zone:       row.ColumnText(5),
	}, nil
}

func scanChannel(row *sqlite.Stmt) (domain.Channel, error) {
	p, err := scanSupplyPoint(row)
	c := domain.Channel{
		ID:          domain.ChannelID(row.ColumnInt64(6)),
		SupplyPoint: p,
		Register:    row.ColumnText(7),
		Unit:        domain.Unit(row.ColumnText(9)),
		Zone:        row.ColumnText(10),
	}
	if row.ColumnText(8) == domain.Generation.String() {
		c.Direction = domain.Generation
	}
	return c, err
}
