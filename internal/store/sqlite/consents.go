package sqlite

import (
	"context"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
)

const (
	aConsent       = "this consent"
	consentColumns = `c.id, c.client, c.partner, c.person, c.account, c.finest, c.history_from, c.valid_until, c.purpose, c.created_at, c.revoked_at, c.permissions`
)

// addConsent adds a consent with its supply points, which are of the partner and
// at properties that the person has, or will have.
func addConsent(conn *sqlite.Conn, c domain.Consent) error {
	const sql = `
		INSERT INTO consent (id, client, partner, person, account, finest, history_from, valid_until, purpose, created_at, revoked_at, permissions)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`
	const point = `
		INSERT INTO consent_point (consent, supply_point, partner)
		SELECT ?1, s.id, s.partner FROM supply_point s
			JOIN property p ON p.id = s.property AND p.partner = s.partner
		WHERE s.market = ?2 AND s.identifier = ?3 AND s.partner = ?4 AND EXISTS (
			` + hadBy + `a.person = ?5 AND (?6 = '' OR a.number = ?6) AND (o.until_at = 0 OR o.until_at > ?7))`
	err := insert(conn, "this consent exists", sql,
		c.ID, c.Application, c.Partner, c.User, optional(c.Account), c.Finest.Microseconds(), c.HistoryFrom, micros(c.ValidUntil),
		c.Purpose, micros(c.CreatedAt), micros(c.RevokedAt), words(c.Permissions.Names()))
	if err != nil {
		return err
	}
	for _, p := range c.SupplyPoints {
		if err := changed(conn, aSupplyPoint, point, c.ID, p.Market, p.Identifier, c.Partner, c.User, c.Account, micros(c.CreatedAt)); err != nil {
			return err
		}
	}
	return nil
}

// Consents lists consents, newest first.
func (s *Store) Consents(ctx context.Context, f authorize.Filter) (list []domain.Consent, err error) {
	const order = `
		AND (?3 = '' OR (c.created_at, c.id) < (
			SELECT created_at, id FROM consent WHERE id = ?3 AND (?1 = '' OR client = ?1) AND (?2 = '' OR person = ?2)))
		ORDER BY c.created_at DESC, c.id DESC LIMIT ?4`
	const ofBoth = `SELECT ` + consentColumns + ` FROM consent c WHERE c.client = ?1 AND c.person = ?2` + order
	const ofClient = `SELECT ` + consentColumns + ` FROM consent c WHERE c.client = ?1 AND ?2 = ''` + order
	const ofPerson = `SELECT ` + consentColumns + ` FROM consent c WHERE ?1 = '' AND c.person = ?2` + order
	sql := ofBoth
	switch {
	case f.Application == "" && f.User == "":
		return []domain.Consent{}, nil
	case f.User == "":
		sql = ofClient
	case f.Application == "":
		sql = ofPerson
	}
	if f.Limit <= 0 {
		f.Limit = 100
	}
	err = s.readAt(ctx, "list consents", func(conn *sqlite.Conn) error {
		if list, err = all(conn, scanConsent, sql, f.Application, f.User, f.After, f.Limit); err != nil {
			return err
		}
		return addPoints(conn, list)
	})
	return list, err
}

// addPoints reads the supply points of consents.
func addPoints(conn *sqlite.Conn, list []domain.Consent) error {
	const sql = `
		SELECT s.market, s.identifier FROM consent_point k JOIN supply_point s ON s.id = k.supply_point
		WHERE k.consent = ?1 ORDER BY s.market, s.identifier`
	for i := range list {
		err := sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{Args: []any{list[i].ID}, ResultFunc: func(row *sqlite.Stmt) error {
			list[i].SupplyPoints = append(list[i].SupplyPoints, scanPoint(row, 0))
			return nil
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// replaceConsents ends what a person has allowed an application before, with all
// families under it, and returns the consents and the families that ended.
func replaceConsents(conn *sqlite.Conn, next domain.Consent, now time.Time) (ended, families []string, err error) {
	const find = `
		SELECT id FROM consent
		WHERE client = ?1 AND person = ?2 AND id <> ?3 AND revoked_at = 0 AND valid_until > ?4 ORDER BY created_at, id`
	const end = `UPDATE consent SET revoked_at = ?2 WHERE id = ?1`
	const under = `SELECT id FROM token_family WHERE consent = ?1 AND ended_at = 0`
	text := func(row *sqlite.Stmt) (string, error) { return row.ColumnText(0), nil }
	if ended, err = all(conn, text, find, next.Application, next.User, next.ID, micros(now)); err != nil {
		return nil, nil, err
	}
	for _, id := range ended {
		if err := run(conn, end, id, micros(now)); err != nil {
			return nil, nil, err
		}
		list, err := all(conn, text, under, id)
		if err != nil {
			return nil, nil, err
		}
		for _, family := range list {
			if _, err := stopFamily(conn, family, now); err != nil {
				return nil, nil, err
			}
		}
		families = append(families, list...)
	}
	return ended, families, nil
}

// EndConsent ends a consent and all families under it.
func (s *Store) EndConsent(ctx context.Context, id domain.ConsentID, by domain.Caller, now time.Time, e domain.Entry) (families []string, err error) {
	const find = `
		SELECT ` + consentColumns + ` FROM consent c
		WHERE c.id = ?1 AND c.partner = ?2 AND ?3 || ?4 <> '' AND (?3 = '' OR c.person = ?3) AND (?4 = '' OR c.client = ?4)`
	const end = `UPDATE consent SET revoked_at = ?2 WHERE id = ?1 AND revoked_at = 0`
	const under = `SELECT id FROM token_family WHERE consent = ?1`
	err = s.change(ctx, "end a consent", func(conn *sqlite.Conn) error {
		c, err := one(conn, aConsent, scanConsent, find, id, by.Partner, by.User, by.Client)
		if err != nil {
			return err
		}
		if families, err = all(conn, func(row *sqlite.Stmt) (string, error) { return row.ColumnText(0), nil }, under, id); err != nil {
			return err
		}
		if err := run(conn, end, id, micros(now)); err != nil || conn.Changes() == 0 {
			return err
		}
		for _, family := range families {
			if _, err := stopFamily(conn, family, now); err != nil {
				return err
			}
		}
		e.Partner, e.Client, e.Object = c.Partner, c.Application, string(c.ID)
		return s.record(conn, e)
	})
	return families, err
}

// CustomersPoints lists a customer's accounts, and the supply points at the
// properties that these have now or will have.
func (s *Store) CustomersPoints(ctx context.Context, scope domain.Scope) (accounts []domain.Account, points []authorize.OfferedPoint, err error) {
	const ofUser = `SELECT number, partner, person FROM account WHERE person = ?1 AND partner = ?2 ORDER BY number`
	const sql = `
		SELECT DISTINCT s.market, s.identifier, a.number, p.id, p.label, p.address, p.postcode
		FROM account a JOIN occupancy o ON o.partner = a.partner AND o.account = a.number AND (o.until_at = 0 OR o.until_at > ?3)
			JOIN property p ON p.partner = o.partner AND p.id = o.property
			JOIN supply_point s ON s.partner = p.partner AND s.property = p.id
		WHERE a.person = ?1 AND a.partner = ?2 ORDER BY a.number, p.id, s.market, s.identifier`
	err = s.readAt(ctx, "list a customer's supply points", func(conn *sqlite.Conn) error {
		if accounts, err = all(conn, scanAccount, ofUser, scope.User, scope.Partner); err != nil {
			return err
		}
		points, err = all(conn, scanOffered, sql, scope.User, scope.Partner, micros(s.now()))
		return err
	})
	return accounts, points, err
}

func scanOffered(row *sqlite.Stmt) (authorize.OfferedPoint, error) {
	address, err := parseList(row.ColumnText(5))
	return authorize.OfferedPoint{
		SupplyPointRef: scanPoint(row, 0),
		Account:        domain.AccountNumber(row.ColumnText(2)),
		Property:       domain.PropertyID(row.ColumnText(3)),
		Label:          row.ColumnText(4),
		Address:        address,
		Postcode:       row.ColumnText(6),
	}, stored(err)
}

func scanPoint(row *sqlite.Stmt, column int) domain.SupplyPointRef {
	return domain.SupplyPointRef{Market: domain.Market(row.ColumnText(column)), Identifier: row.ColumnText(column + 1)}
}

func scanConsent(row *sqlite.Stmt) (domain.Consent, error) {
	permissions, err := domain.ParsePermissions(strings.Fields(row.ColumnText(11)))
	return domain.Consent{
		ID:          domain.ConsentID(row.ColumnText(0)),
		Application: domain.ClientID(row.ColumnText(1)),
		Partner:     domain.PartnerID(row.ColumnText(2)),
		User:        domain.UserID(row.ColumnText(3)),
		Account:     domain.AccountNumber(row.ColumnText(4)),
		Finest:      time.Duration(row.ColumnInt64(5)) * time.Microsecond,
		HistoryFrom: domain.Date(row.ColumnInt64(6)),
		ValidUntil:  instant(row.ColumnInt64(7)),
		Purpose:     row.ColumnText(8),
		CreatedAt:   instant(row.ColumnInt64(9)),
		RevokedAt:   instant(row.ColumnInt64(10)),
		Permissions: permissions,
	}, stored(err)
}
