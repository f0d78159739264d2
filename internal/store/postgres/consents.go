package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
)

const (
	aConsent       = "this consent"
	consentColumns = `c.id, c.client, c.partner, c.person, c.account, c.finest, c.history_from, c.valid_until, c.purpose, c.created_at, c.revoked_at, c.permissions`
)

// addConsent adds a consent with its supply points, which are of the partner and
// at properties that the person has, or will have.
func addConsent(ctx context.Context, c conn, n domain.Consent) error {
	const sql = `
		INSERT INTO consent (id, client, partner, person, account, finest, history_from, valid_until, purpose, created_at, revoked_at, permissions)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	const point = `
		INSERT INTO consent_point (consent, supply_point, partner)
		SELECT $1::text, s.id, s.partner FROM supply_point s
			JOIN property p ON p.id = s.property AND p.partner = s.partner
		WHERE s.market = $2 AND s.identifier = $3 AND s.partner = $4 AND EXISTS (
			` + hadBy + `a.person = $5 AND ($6 = '' OR a.number = $6) AND (o.until_at = 0 OR o.until_at > $7))`
	err := insert(ctx, c, "this consent exists", sql,
		n.ID, n.Application, n.Partner, n.User, optional(n.Account), n.Finest.Microseconds(), n.HistoryFrom, micros(n.ValidUntil),
		n.Purpose, micros(n.CreatedAt), micros(n.RevokedAt), words(n.Permissions.Names()))
	if err != nil {
		return err
	}
	var b pgx.Batch
	for _, p := range n.SupplyPoints {
		b.Queue(point, n.ID, p.Market, p.Identifier, n.Partner, n.User, n.Account, micros(n.CreatedAt)).Exec(func(tag pgconn.CommandTag) error {
			if tag.RowsAffected() == 0 {
				return notFound(aSupplyPoint)
			}
			return nil
		})
	}
	return c.SendBatch(ctx, &b).Close()
}

// Consents lists consents, newest first.
func (s *Store) Consents(ctx context.Context, f authorize.Filter) (list []domain.Consent, err error) {
	const order = `
		AND ($3 = '' OR (c.created_at, c.id) < (
			SELECT created_at, id FROM consent WHERE id = $3 AND ($1 = '' OR client = $1) AND ($2 = '' OR person = $2)))
		ORDER BY c.created_at DESC, c.id DESC LIMIT $4`
	const ofBoth = `SELECT ` + consentColumns + ` FROM consent c WHERE c.client = $1 AND c.person = $2` + order
	const ofClient = `SELECT ` + consentColumns + ` FROM consent c WHERE c.client = $1 AND $2 = ''` + order
	const ofPerson = `SELECT ` + consentColumns + ` FROM consent c WHERE $1 = '' AND c.person = $2` + order
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
	err = s.readAt(ctx, "list consents", func(ctx context.Context, c conn) error {
		if list, err = all(ctx, c, scanConsent, sql, f.Application, f.User, f.After, f.Limit); err != nil {
			return err
		}
		return addPoints(ctx, c, list)
	})
	return list, err
}

// addPoints reads the supply points of consents.
func addPoints(ctx context.Context, c conn, list []domain.Consent) error {
	const sql = `
		SELECT k.consent, s.market, s.identifier FROM consent_point k JOIN supply_point s ON s.id = k.supply_point
		WHERE k.consent = ANY ($1) ORDER BY s.market, s.identifier`
	ids := make([]string, len(list))
	place := make(map[domain.ConsentID]int, len(list))
	for i := range list {
		ids[i], place[list[i].ID] = string(list[i].ID), i
	}
	rows, err := c.Query(ctx, sql, ids)
	if err != nil {
		return err
	}
	var id domain.ConsentID
	var p domain.SupplyPointRef
	_, err = pgx.ForEachRow(rows, []any{&id, &p.Market, &p.Identifier}, func() error {
		of := &list[place[id]]
		of.SupplyPoints = append(of.SupplyPoints, p)
		return nil
	})
	return err
}

// replaceConsents ends what a person has allowed an application before, with all
// families under it, and returns the consents and the families that ended.
func replaceConsents(ctx context.Context, c conn, next domain.Consent, now time.Time) (ended, families []string, err error) {
	const find = `
		SELECT id FROM consent
		WHERE client = $1 AND person = $2 AND id <> $3 AND revoked_at = 0 AND valid_until > $4 ORDER BY created_at, id`
	const end = `UPDATE consent SET revoked_at = $2 WHERE id = $1`
	const under = `SELECT id FROM token_family WHERE consent = $1 AND ended_at = 0`
	if ended, err = all(ctx, c, scanText, find, next.Application, next.User, next.ID, micros(now)); err != nil {
		return nil, nil, err
	}
	for _, id := range ended {
		if err := run(ctx, c, end, id, micros(now)); err != nil {
			return nil, nil, err
		}
		list, err := all(ctx, c, scanText, under, id)
		if err != nil {
			return nil, nil, err
		}
		for _, family := range list {
			if _, err := stopFamily(ctx, c, family, now); err != nil {
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
		WHERE c.id = $1 AND c.partner = $2 AND $3::text || $4::text <> '' AND ($3 = '' OR c.person = $3) AND ($4 = '' OR c.client = $4)`
	const end = `UPDATE consent SET revoked_at = $2 WHERE id = $1 AND revoked_at = 0`
	const under = `SELECT id FROM token_family WHERE consent = $1`
	err = s.changeSilently(ctx, "end a consent", func(ctx context.Context, c conn) error {
		found, err := one(ctx, c, aConsent, scanConsent, find, id, by.Partner, by.User, by.Client)
		if err != nil {
			return err
		}
		if families, err = all(ctx, c, scanText, under, id); err != nil {
			return err
		}
		tag, err := c.Exec(ctx, end, id, micros(now))
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		for _, family := range families {
			if _, err := stopFamily(ctx, c, family, now); err != nil {
				return err
			}
		}
		e.Partner, e.Client, e.Object = found.Partner, found.Application, string(found.ID)
		return s.record(ctx, c, e)
	})
	return families, err
}

// CustomersPoints lists a customer's accounts, and the supply points at the
// properties that these have now or will have.
func (s *Store) CustomersPoints(ctx context.Context, scope domain.Scope) (accounts []domain.Account, points []authorize.OfferedPoint, err error) {
	const ofUser = `SELECT number, partner, person FROM account WHERE person = $1 AND partner = $2 ORDER BY number`
	const sql = `
		SELECT DISTINCT s.market, s.identifier, a.number, p.id, p.label, p.address, p.postcode
		FROM account a JOIN occupancy o ON o.partner = a.partner AND o.account = a.number AND (o.until_at = 0 OR o.until_at > $3)
			JOIN property p ON p.partner = o.partner AND p.id = o.property
			JOIN supply_point s ON s.partner = p.partner AND s.property = p.id
		WHERE a.person = $1 AND a.partner = $2 ORDER BY a.number, p.id, s.market, s.identifier`
	err = s.readAt(ctx, "list a customer's supply points", func(ctx context.Context, c conn) error {
		if accounts, err = all(ctx, c, scanAccount, ofUser, scope.User, scope.Partner); err != nil {
			return err
		}
		points, err = all(ctx, c, scanOffered, sql, scope.User, scope.Partner, micros(s.now()))
		return err
	})
	return accounts, points, err
}

func scanOffered(row pgx.CollectableRow) (p authorize.OfferedPoint, err error) {
	var address string
	if err := row.Scan(&p.Market, &p.Identifier, &p.Account, &p.Property, &p.Label, &address, &p.Postcode); err != nil {
		return p, err
	}
	p.Address, err = parseList(address)
	return p, stored(err)
}

func scanConsent(row pgx.CollectableRow) (c domain.Consent, err error) {
	var permissions string
	err = row.Scan(
		&c.ID, &c.Application, &c.Partner, &c.User, maybe(&c.Account), span(&c.Finest), &c.HistoryFrom, at(&c.ValidUntil),
		&c.Purpose, at(&c.CreatedAt), at(&c.RevokedAt), &permissions)
	if err != nil {
		return c, err
	}
	c.Permissions, err = domain.ParsePermissions(strings.Fields(permissions))
	return c, stored(err)
}
