package postgres

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/supply"
)

const aCustomer = aUser // whoever is no customer is as unknown as nobody

// found is what a search finds: $1 is the partner, $2 the text, $3 what may be
// an identifier in it, and $4 the market before that ([searchArgs]).
const found = `
		partner = $1 AND customer AND ($2 = ''
			OR strpos(lower((first_name || ' ' || surname) COLLATE "C"), lower($2 COLLATE "C")) > 0
			OR strpos(lower((first_name || ' ' || middle_name || ' ' || surname) COLLATE "C"), lower($2 COLLATE "C")) > 0
			OR strpos(lower(email), lower($2 COLLATE "C")) > 0
			OR lower(customer_number) = lower($2 COLLATE "C")
			OR id IN (SELECT person FROM account WHERE account.partner = $1 AND number IN ($2, upper($2 COLLATE "C")))
			OR id IN (
				SELECT a.person FROM supply_point s
					JOIN occupancy o ON o.partner = s.partner AND o.property = s.property
					JOIN account a ON a.partner = o.partner AND a.number = o.account
				WHERE s.partner = $1 AND s.identifier = $3 AND ($4 = '' OR s.market = $4)))`

// Customers lists the customers of the scope's partner that fit.
func (s *Store) Customers(ctx context.Context, scope domain.Scope, q supply.Search) (list []domain.User, err error) {
	const sql = `
		SELECT ` + userColumns + ` FROM person
		WHERE ` + found + ` AND ($8 = '' OR id = $8)
			AND ($5 = '' OR (surname COLLATE "C", first_name COLLATE "C", id) > (SELECT surname COLLATE "C", first_name COLLATE "C", id FROM person WHERE id = $5 AND partner = $1))
			AND ($6 = '' OR (surname COLLATE "C", first_name COLLATE "C", id) < (SELECT surname COLLATE "C", first_name COLLATE "C", id FROM person WHERE id = $6 AND partner = $1))`
	const first = sql + ` ORDER BY surname COLLATE "C", first_name COLLATE "C", id LIMIT $7`
	const last = sql + ` ORDER BY surname COLLATE "C" DESC, first_name COLLATE "C" DESC, id DESC LIMIT $7`
	if scope.Application != "" {
		return []domain.User{}, nil
	}
	order := first
	if q.Last {
		order = last
	}
	list, err = s.users(ctx, order, append(searchArgs(scope, q.Text), q.After, q.Before, q.Limit, scope.User)...)
	if q.Last {
		slices.Reverse(list)
	}
	return list, err
}

func searchArgs(scope domain.Scope, text string) []any {
	market, identifier, found := strings.Cut(text, ":")
	if !found {
		market, identifier = "", text
	}
	return []any{scope.Partner, text, identifier, market}
}

// CountCustomers counts the customers of the scope's partner that fit a search.
func (s *Store) CountCustomers(ctx context.Context, scope domain.Scope, text string) (int, error) {
	const sql = `SELECT count(*) FROM person WHERE ` + found + ` AND ($5 = '' OR id = $5)`
	if scope.Application != "" {
		return 0, nil
	}
	var n int64
	err := s.read(ctx, "count the customers", func(ctx context.Context, c conn) (err error) {
		n, err = one(ctx, c, aUser, scanNumber, sql, append(searchArgs(scope, text), scope.User)...)
		return err
	})
	return int(n), err
}

// CustomerDetails finds what is kept of a user of the scope beside who they are.
func (s *Store) CustomerDetails(ctx context.Context, scope domain.Scope, id domain.UserID) (d supply.Details, err error) {
	const within = `SELECT 1 FROM person WHERE id = $1 AND partner = $2 AND ($3 = '' OR id = $3)`
	err = s.readAt(ctx, "find a customer's details", func(ctx context.Context, c conn) error {
		if err := hasAgreed(ctx, c, scope, id); err != nil {
			return err
		}
		if err := exists(ctx, c, aUser, within, id, scope.Partner, scope.User); err != nil {
			return err
		}
		d, err = details(ctx, c, scope.Partner, id)
		return err
	})
	return d, err
}

func details(ctx context.Context, c conn, partner domain.PartnerID, id domain.UserID) (d supply.Details, err error) {
	const reference = `SELECT reference FROM onboarding WHERE partner = $1 AND person = $2`
	const invoice = `SELECT lines, postcode, city, country FROM invoice_address WHERE partner = $1 AND person = $2`
	references, err := all(ctx, c, scanText, reference, partner, id)
	if err != nil {
		return d, err
	}
	if len(references) > 0 {
		d.Reference = references[0]
	}
	addresses, err := all(ctx, c, scanInvoice, invoice, partner, id)
	if err == nil && len(addresses) > 0 {
		d.Invoice = &addresses[0]
	}
	return d, err
}

func scanInvoice(row pgx.CollectableRow) (a supply.InvoiceAddress, err error) {
	var lines string
	if err := row.Scan(&lines, &a.Postcode, &a.City, &a.Country); err != nil {
		return a, err
	}
	a.Lines, err = parseList(lines)
	return a, stored(err)
}

// Onboard adds a customer with all that comes along, once for each reference.
func (s *Store) Onboard(ctx context.Context, o supply.Onboarding) (id domain.UserID, err error) {
	const known = `SELECT sha256, person FROM onboarding WHERE partner = $1 AND reference = $2`
	const sql = `INSERT INTO onboarding (partner, reference, sha256, person) VALUES ($1, $2, $3, $4)`
	type before struct {
		digest []byte
		person domain.UserID
	}
	err = s.change(ctx, "onboard a customer", func(ctx context.Context, c conn) error {
		list, err := all(ctx, c, func(row pgx.CollectableRow) (b before, err error) {
			err = row.Scan(&b.digest, &b.person)
			return b, err
		}, known, o.User.Partner, o.Reference)
		switch {
		case err != nil:
			return err
		case len(list) > 0 && !bytes.Equal(list[0].digest, o.Digest[:]):
			return &domain.Error{Kind: domain.Conflict, Public: "this reference was used for something else", Err: supply.ErrReference}
		case len(list) > 0:
			id = list[0].person
			return nil
		}
		id = o.User.ID
		if err := addUser(ctx, c, o.User, ""); err != nil {
			return supply.At("input.email", err)
		}
		if err := addAccount(ctx, c, o.Account); err != nil {
			return err
		}
		if err := setInvoice(ctx, c, o.User.Partner, id, o.Invoice); err != nil {
			return err
		}
		for i := range o.Homes {
			if err := addHome(ctx, c, i, &o.Homes[i]); err != nil {
				return err
			}
		}
		if err := insert(ctx, c, "this reference was used", sql, o.User.Partner, o.Reference, o.Digest[:], id); err != nil {
			return err
		}
		return s.record(ctx, c, o.Entry)
	})
	return id, err
}

// addHome adds a property with its first period and its supply points.
func addHome(ctx context.Context, c conn, i int, h *supply.Home) error {
	if err := insertProperty(ctx, c, h.Property); err != nil {
		return err
	}
	if err := addOccupancy(ctx, c, h.Period); err != nil {
		return err
	}
	for j, p := range h.Points {
		if _, err := addSupplyPoint(ctx, c, p); err != nil {
			return supply.At(supply.PointField(i, j), err)
		}
	}
	return nil
}

// setInvoice replaces where a customer's bills go; nil: where they live.
func setInvoice(ctx context.Context, c conn, partner domain.PartnerID, id domain.UserID, a *supply.InvoiceAddress) error {
	const sql = `
		INSERT INTO invoice_address (partner, person, lines, postcode, city, country)
		VALUES ($1, $2, $3, $4, $5, $6)`
	if err := run(ctx, c, `DELETE FROM invoice_address WHERE partner = $1 AND person = $2`, partner, id); err != nil || a == nil {
		return err
	}
	return insert(ctx, c, "this customer has an address", sql, partner, id, list(a.Lines), a.Postcode, a.City, a.Country)
}

// ChangeCustomer stores what change makes of how a customer is reached.
func (s *Store) ChangeCustomer(ctx context.Context, scope domain.Scope, id domain.UserID, change func(*domain.User, *supply.Details) error, e domain.Entry) error {
	const find = `
		SELECT ` + userColumns + ` FROM person
		WHERE id = $1 AND partner = $2 AND ($3 = '' OR id = $3) AND customer`
	const sql = `UPDATE person SET email = $3, phone = $4 WHERE id = $1 AND partner = $2`
	return s.change(ctx, "change a customer", func(ctx context.Context, c conn) error {
		if scope.Application != "" {
			return notFound(aCustomer)
		}
		u, err := one(ctx, c, aCustomer, scanUser, find, id, scope.Partner, scope.User)
		if err != nil {
			return err
		}
		d, err := details(ctx, c, scope.Partner, id)
		if err != nil {
			return err
		}
		was, before := u, d.Invoice
		if err := change(&u, &d); err != nil {
			return callers(err)
		}
		reached, billed := u.Email != was.Email || u.Phone != was.Phone, !d.Invoice.Equal(before)
		if reached {
			if err := insert(ctx, c, "a user with this e-mail address exists", sql, id, scope.Partner, u.Email, u.Phone); err != nil {
				return err
			}
		}
		if billed {
			if err := setInvoice(ctx, c, scope.Partner, id, d.Invoice); err != nil {
				return err
			}
		}
		if !reached && !billed {
			return nil
		}
		return s.record(ctx, c, e)
	})
}

// Move stores what decide makes of who has a property.
func (s *Store) Move(ctx context.Context, scope domain.Scope, id domain.PropertyID, decide func(supply.Place) (domain.Occupancy, error), e domain.Entry) (o domain.Occupancy, err error) {
	const find = `SELECT ` + propertyColumns + ` FROM property p WHERE p.id = $1 AND p.partner = $2 AND $3 = ''`
	const periods = `SELECT ` + occupancyColumns + `WHERE o.partner = $2 AND o.property = $1 ORDER BY o.from_at`
	const change = `UPDATE occupancy SET from_at = $4, until_at = $5 WHERE id = $3 AND partner = $2 AND property = $1`
	const open = `
		UPDATE property SET account = (SELECT account FROM occupancy WHERE partner = $2 AND property = $1 AND until_at = 0)
		WHERE id = $1 AND partner = $2`
	err = s.change(ctx, "move a customer", func(ctx context.Context, c conn) error {
		var place supply.Place
		// A scope with a user or an application reads, and moves nobody.
		if place.Property, err = one(ctx, c, aProperty, scanProperty, find, id, scope.Partner, string(scope.User)+string(scope.Application)); err != nil {
			return err
		}
		if place.Periods, err = all(ctx, c, scanOccupancy, periods, id, scope.Partner); err != nil {
			return err
		}
		if o, err = decide(place); err != nil {
			return callers(err)
		}
		i := slices.IndexFunc(place.Periods, func(p domain.Occupancy) bool { return p.ID == o.ID })
		switch {
		case i < 0:
			err = addOccupancy(ctx, c, o)
		case place.Periods[i].From.Equal(o.From) && place.Periods[i].Until.Equal(o.Until):
			return nil
		default:
			err = changed(ctx, c, anOccupancy, change, id, scope.Partner, o.ID, micros(o.From), micros(o.Until))
		}
		if err != nil {
			return err
		}
		if err := run(ctx, c, open, id, scope.Partner); err != nil {
			return err
		}
		return s.record(ctx, c, e)
	})
	return o, err
}
