package sqlite

import (
	"context"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// A scope with an application sees a supply point s at a property p that an
// account a has or has had only while a consent is active that the account's own
// person gave to that application, and that allows the permission that is needed.
// When the account has it is for package usage to heed: a consent opens what its
// own giver used there, and never what somebody before or after did.
//
// ?1 is what is asked for, ?2 to ?6 are the scope ([agreedArgs]). A scope without
// an instant sees nothing. The joins are in this order, whatever the planner
// thinks: from one person's account or property to the few consents of that
// person for that application.
const (
	agreedPoints = `
			CROSS JOIN consent ON consent.client = ?4 AND consent.person = a.person
			CROSS JOIN consent_point ON consent_point.consent = consent.id
			CROSS JOIN supply_point s ON s.id = consent_point.supply_point `
	underAccount = `
		FROM account a` + agreedPoints + `
			CROSS JOIN property p ON p.id = s.property AND p.partner = s.partner
				AND p.id IN (SELECT property FROM occupancy WHERE partner = a.partner AND account = a.number) `
	atProperty = `
		FROM property p
			CROSS JOIN account a ON a.partner = p.partner AND a.number IN (` + haveHad + `)` + agreedPoints + `AND s.property = p.id `
	agreed = `
		a.partner = ?2 AND p.partner = ?2 AND s.partner = ?2 AND (?3 = '' OR a.person = ?3)
		AND (consent.account IS NULL OR consent.account = a.number) AND ` + allows
	allows = `
		consent.partner = ?2 AND consent.revoked_at = 0 AND consent.valid_until > ?5 AND ?5 > 0
		AND instr(' ' || consent.permissions || ' ', ' ' || ?6 || ' ') > 0 `
)

func agreedArgs(asked any, scope domain.Scope) []any {
	return []any{asked, scope.Partner, scope.User, scope.Application, micros(scope.At), scope.Need.String()}
}

// ActiveConsents lists the consents of the scope's application that are active
// and allow what is needed, each with one of its supply points at the property.
func (s *Store) ActiveConsents(ctx context.Context, scope domain.Scope, property domain.PropertyID) (list []domain.Consent, err error) {
	const sql = `
		SELECT DISTINCT consent.id, consent.client, consent.partner, consent.person, consent.account,
			s.market, s.identifier, consent.finest, consent.history_from,
			consent.valid_until, consent.purpose, consent.created_at, consent.permissions` + atProperty + `
		WHERE p.id = ?1 AND ` + agreed + `
		ORDER BY consent.created_at, consent.id, s.market, s.identifier`
	err = s.read(ctx, "list active consents", func(conn *sqlite.Conn) error {
		list, err = all(conn, scanActive, sql, agreedArgs(property, scope)...)
		return err
	})
	return list, err
}

func scanActive(row *sqlite.Stmt) (domain.Consent, error) {
	permissions, err := domain.ParsePermissions(strings.Fields(row.ColumnText(12)))
	return domain.Consent{
		ID:           domain.ConsentID(row.ColumnText(0)),
		Application:  domain.ClientID(row.ColumnText(1)),
		Partner:      domain.PartnerID(row.ColumnText(2)),
		User:         domain.UserID(row.ColumnText(3)),
		Account:      domain.AccountNumber(row.ColumnText(4)),
		SupplyPoints: []domain.SupplyPointRef{{Market: domain.Market(row.ColumnText(5)), Identifier: row.ColumnText(6)}},
		Finest:       time.Duration(row.ColumnInt64(7)) * time.Microsecond,
		HistoryFrom:  domain.Date(row.ColumnInt32(8)),
		ValidUntil:   instant(row.ColumnInt64(9)),
		Purpose:      row.ColumnText(10),
		CreatedAt:    instant(row.ColumnInt64(11)),
		Permissions:  permissions,
	}, stored(err)
}

// hasAgreed fails where a scope with an application does not see a user. Who they
// are does not hang on where they live: a consent without supply points counts.
func hasAgreed(conn *sqlite.Conn, scope domain.Scope, id domain.UserID) error {
	const sql = `
		SELECT 1 FROM consent
		WHERE consent.client = ?4 AND consent.person = ?1 AND (?3 = '' OR consent.person = ?3) AND ` + allows + `LIMIT 1`
	if scope.Application == "" {
		return nil
	}
	return exists(conn, aUser, sql, agreedArgs(id, scope)...)
}

// agreedAccount fails where a scope with an application sees nothing of an
// account.
func agreedAccount(conn *sqlite.Conn, scope domain.Scope, number domain.AccountNumber) error {
	const sql = `SELECT 1` + underAccount + `WHERE a.number = ?1 AND ` + agreed + `LIMIT 1`
	if scope.Application == "" {
		return nil
	}
	return exists(conn, anAccount, sql, agreedArgs(number, scope)...)
}

// agreedAccounts lists the accounts of a user of which a scope with an
// application sees anything, by number.
func agreedAccounts(conn *sqlite.Conn, scope domain.Scope, id domain.UserID) ([]domain.Account, error) {
	const sql = `
		SELECT DISTINCT a.number, a.partner, a.person` + underAccount + `
		WHERE a.person = ?1 AND ` + agreed + `ORDER BY a.number`
	list, err := all(conn, scanAccount, sql, agreedArgs(id, scope)...)
	if err == nil && len(list) == 0 {
		err = notFound(aUser)
	}
	return list, err
}

// agreedProperty finds a property of which a scope with an application sees
// anything.
func agreedProperty(conn *sqlite.Conn, scope domain.Scope, id domain.PropertyID) (domain.Property, error) {
	const sql = `SELECT ` + propertyOf + atProperty + `WHERE p.id = ?1 AND ` + agreed + `LIMIT 1`
	return one(conn, aProperty, scanProperty, sql, agreedArgs(id, scope)...)
}

// agreedProperties lists the properties of an account of which a scope with an
// application sees anything, by identifier.
func agreedProperties(conn *sqlite.Conn, scope domain.Scope, number domain.AccountNumber) ([]domain.Property, error) {
	const sql = `
		SELECT DISTINCT ` + propertyOf + underAccount + `
		WHERE a.number = ?1 AND ` + agreed + `ORDER BY p.id`
	list, err := all(conn, scanProperty, sql, agreedArgs(number, scope)...)
	if err == nil && len(list) == 0 {
		err = notFound(anAccount)
	}
	return list, err
}

// agreedChannels lists the channels of a property that a scope with an
// application sees, in the order of [Store.Channels].
func agreedChannels(conn *sqlite.Conn, scope domain.Scope, id domain.PropertyID) ([]domain.Channel, error) {
	const sql = `
		SELECT ` + channelColumns + `
		FROM property p
			CROSS JOIN supply_point s ON s.partner = p.partner AND s.property = p.id
			CROSS JOIN channel c ON c.supply_point_id = s.id
		WHERE p.id = ?1 AND EXISTS (
			SELECT 1 FROM account a
				CROSS JOIN consent ON consent.client = ?4 AND consent.person = a.person
				CROSS JOIN consent_point ON consent_point.consent = consent.id AND consent_point.supply_point = s.id
			WHERE a.partner = p.partner AND a.number IN (` + haveHad + `) AND ` + agreed + `)
		ORDER BY s.market, s.identifier, c.direction, c.register, c.unit`
	return all(conn, scanChannel, sql, agreedArgs(id, scope)...)
}

// agreedSupplyPoints lists the supply points of a property that a scope with an
// application sees, by market and identifier.
func agreedSupplyPoints(conn *sqlite.Conn, scope domain.Scope, id domain.PropertyID) ([]domain.SupplyPoint, error) {
	const sql = `
		SELECT DISTINCT ` + supplyPointColumns + atProperty + `
		WHERE p.id = ?1 AND ` + agreed + `
		ORDER BY s.market, s.identifier`
	return all(conn, scanSupplyPoint, sql, agreedArgs(id, scope)...)
}

// agreedSupplyPoint finds a supply point that a scope with an application sees.
func agreedSupplyPoint(conn *sqlite.Conn, scope domain.Scope, market domain.Market, identifier string) (domain.SupplyPoint, error) {
	const sql = `
		SELECT ` + supplyPointColumns + `
		FROM supply_point s
			CROSS JOIN property p ON p.id = s.property AND p.partner = s.partner
			CROSS JOIN account a ON a.partner = p.partner AND a.number IN (` + haveHad + `)
			CROSS JOIN consent ON consent.client = ?4 AND consent.person = a.person
			CROSS JOIN consent_point ON consent_point.consent = consent.id AND consent_point.supply_point = s.id
		WHERE s.market = ?1 AND s.identifier = ?7 AND ` + agreed + `LIMIT 1`
	return one(conn, aSupplyPoint, scanSupplyPoint, sql, append(agreedArgs(market, scope), identifier)...)
}

// FindConsent finds a consent of any partner.
func (s *Store) FindConsent(ctx context.Context, id domain.ConsentID) (c domain.Consent, err error) {
	const sql = `SELECT ` + consentColumns + ` FROM consent c WHERE c.id = ?1`
	list, err := s.consents(ctx, sql, id)
	if err == nil && len(list) == 0 {
		return c, failure(ctx, "find a consent", notFound(aConsent))
	}
	if err != nil {
		return c, err
	}
	return list[0], nil
}

// NewestConsents lists consents of all partners, newest first: up to limit, from
// the newest on, or those that follow the one with the identifier after.
func (s *Store) NewestConsents(ctx context.Context, after domain.ConsentID, limit int) ([]domain.Consent, error) {
	const sql = `
		SELECT ` + consentColumns + ` FROM consent c
		WHERE ?1 = '' OR (c.created_at, c.id) < (SELECT created_at, id FROM consent WHERE id = ?1)
		ORDER BY c.created_at DESC, c.id DESC LIMIT ?2`
	return s.consents(ctx, sql, after, limit)
}

func (s *Store) consents(ctx context.Context, sql string, args ...any) (list []domain.Consent, err error) {
	err = s.readAt(ctx, "list consents", func(conn *sqlite.Conn) error {
		if list, err = all(conn, scanConsent, sql, args...); err != nil {
			return err
		}
		return addPoints(conn, list)
	})
	return list, err
}
