package storetest

import (
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
)

var accounts = []promise{
	{"a scope sees its own accounts only", func(t *testing.T, w *world) {
		neighbour, account := w.customer(t, w.alpha.partner.ID, "3")
		for _, scope := range []domain.Scope{w.alpha.scope(), w.alpha.own()} {
			got, err := w.Account(t.Context(), scope, w.alpha.account.Number)
			must(t, err)
			equal(t, "account", got, w.alpha.account)
			list, err := w.Accounts(t.Context(), scope, w.alpha.customer.ID)
			must(t, err)
			equal(t, "accounts", list, []domain.Account{w.alpha.account})
			_, foreign := w.Account(t.Context(), scope, w.beta.account.Number)
			_, unknown := w.Account(t.Context(), scope, unknownAccount)
			alike(t, "an account", foreign, unknown)
			_, foreign = w.Accounts(t.Context(), scope, w.beta.customer.ID)
			_, unknown = w.Accounts(t.Context(), scope, unknownUser)
			alike(t, "the accounts of a user", foreign, unknown)
		}
		_, err := w.Account(t.Context(), w.alpha.own(), account.Number)
		refused(t, "a neighbour's account", err, domain.NotFound)
		_, err = w.Accounts(t.Context(), w.alpha.own(), neighbour.ID)
		refused(t, "a neighbour's accounts", err, domain.NotFound)
		_, err = w.Account(t.Context(), domain.Scope{}, w.alpha.account.Number)
		refused(t, "an account for nobody", err, domain.NotFound)
	}},
	{"an account cannot hang on another partner's user", func(t *testing.T, w *world) {
		u := domain.User{ID: unknownUser, Partner: w.alpha.partner.ID, Customer: true, Email: "x@example.com"}
		a := domain.Account{Number: unknownAccount, Partner: w.alpha.partner.ID, User: w.beta.customer.ID}
		refused(t, "an account of beta's user with alpha", w.AddUser(t.Context(), u, "", &a, w.entry("user.create")), domain.NotFound)
		_, err := w.FindUser(t.Context(), u.ID)
		refused(t, "the user that came with it", err, domain.NotFound)
	}},
	{"the platform's tools list a user's accounts", func(t *testing.T, w *world) {
		got, err := w.UserAccounts(t.Context(), w.beta.customer.ID)
		must(t, err)
		equal(t, "accounts", got, []domain.Account{w.beta.account})
		_, err = w.UserAccounts(t.Context(), unknownUser)
		refused(t, "the accounts of nobody", err, domain.NotFound)
	}},
	{"who has no account has an empty list", func(t *testing.T, w *world) {
		u := domain.User{ID: unknownUser, Partner: w.alpha.partner.ID, Customer: true, Email: "x@example.com"}
		must(t, w.AddUser(t.Context(), u, "", nil, w.entry("user.create")))
		got, err := w.Accounts(t.Context(), w.alpha.scope(), u.ID)
		must(t, err)
		equal(t, "number of accounts", len(got), 0)
	}},
}

var properties = []promise{
	{"a scope sees its own properties only", func(t *testing.T, w *world) {
		_, account := w.customer(t, w.alpha.partner.ID, "3")
		empty := domain.Property{ID: "prop_empty", Partner: w.alpha.partner.ID, Zone: "+10:00"}
		next := domain.Property{ID: "prop_next", Partner: w.alpha.partner.ID, Account: account.Number, Zone: "+10:00"}
		must(t, w.AddProperty(t.Context(), empty, w.entry("property.create")))
		must(t, w.AddProperty(t.Context(), next, w.entry("property.create")))
		for _, scope := range []domain.Scope{w.alpha.scope(), w.alpha.own()} {
			got, err := w.Property(t.Context(), scope, w.alpha.property.ID)
			must(t, err)
			equal(t, "property", got, w.alpha.property)
			list, err := w.Properties(t.Context(), scope, w.alpha.account.Number)
			must(t, err)
			equal(t, "properties", list, []domain.Property{w.alpha.property})
			_, foreign := w.Property(t.Context(), scope, w.beta.property.ID)
			_, unknown := w.Property(t.Context(), scope, unknownProperty)
			alike(t, "a property", foreign, unknown)
			_, foreign = w.Properties(t.Context(), scope, w.beta.account.Number)
			_, unknown = w.Properties(t.Context(), scope, unknownAccount)
			alike(t, "the properties of an account", foreign, unknown)
		}
		got, err := w.Property(t.Context(), w.alpha.scope(), empty.ID)
		must(t, err)
		equal(t, "property without an account", got, empty)
		for _, id := range []domain.PropertyID{empty.ID, next.ID} {
			_, err = w.Property(t.Context(), w.alpha.own(), id)
			refused(t, "a property of somebody else", err, domain.NotFound)
			_, err = w.Channels(t.Context(), w.alpha.own(), id)
			refused(t, "the channels of somebody else", err, domain.NotFound)
		}
		_, err = w.Properties(t.Context(), w.alpha.own(), account.Number)
		refused(t, "a neighbour's properties", err, domain.NotFound)
		_, err = w.Property(t.Context(), domain.Scope{}, w.alpha.property.ID)
		refused(t, "a property for nobody", err, domain.NotFound)
	}},
	{"a scope sees its own channels only", func(t *testing.T, w *world) {
		for _, scope := range []domain.Scope{w.alpha.scope(), w.alpha.own()} {
			got, err := w.Channels(t.Context(), scope, w.alpha.property.ID)
			must(t, err)
			equal(t, "channels", got, []domain.Channel{w.alpha.channel})
			_, foreign := w.Channels(t.Context(), scope, w.beta.property.ID)
			_, unknown := w.Channels(t.Context(), scope, unknownProperty)
			alike(t, "the channels of a property", foreign, unknown)
		}
	}},
	{"a scope sees its own supply points only", func(t *testing.T, w *world) {
		for _, scope := range []domain.Scope{w.alpha.scope(), w.alpha.own()} {
			got, err := w.SupplyPoint(t.Context(), scope, w.alpha.point.Market, w.alpha.point.Identifier)
			must(t, err)
			equal(t, "supply point", got, w.alpha.point)
			_, foreign := w.SupplyPoint(t.Context(), scope, w.beta.point.Market, w.beta.point.Identifier)
			_, unknown := w.SupplyPoint(t.Context(), scope, w.beta.point.Market, "nobody's")
			alike(t, "a supply point", foreign, unknown)
			_, err = w.SupplyPoint(t.Context(), scope, domain.MarketNLDGas, w.alpha.point.Identifier)
			refused(t, "its identifier in another market", err, domain.NotFound)
		}
		neighbour, _ := w.customer(t, w.alpha.partner.ID, "3")
		_, err := w.SupplyPoint(t.Context(), domain.Scope{Partner: w.alpha.partner.ID, User: neighbour.ID}, w.alpha.point.Market, w.alpha.point.Identifier)
		refused(t, "a neighbour's supply point", err, domain.NotFound)
		_, err = w.SupplyPoint(t.Context(), domain.Scope{}, w.alpha.point.Market, w.alpha.point.Identifier)
		refused(t, "a supply point for nobody", err, domain.NotFound)
	}},
	{"a scope lists its own supply points only, those without channels too", func(t *testing.T, w *world) {
		var gas domain.SupplyPoint
		must(t, w.TakeIn(t.Context(), func(tx intake.Tx) (err error) {
			gas, err = tx.AddSupplyPoint(domain.SupplyPoint{
				Partner: w.alpha.partner.ID, Property: w.alpha.property.ID, Market: domain.MarketNLDGas, Identifier: "G1", Zone: w.alpha.property.Zone,
			})
			return err
		}))
		for _, scope := range []domain.Scope{w.alpha.scope(), w.alpha.own()} {
			got, err := w.SupplyPoints(t.Context(), scope, w.alpha.property.ID)
			must(t, err)
			equal(t, "supply points", got, []domain.SupplyPoint{w.alpha.point, gas})
			_, foreign := w.SupplyPoints(t.Context(), scope, w.beta.property.ID)
			_, unknown := w.SupplyPoints(t.Context(), scope, unknownProperty)
			alike(t, "the supply points of a property", foreign, unknown)
		}
		neighbour, _ := w.customer(t, w.alpha.partner.ID, "3")
		_, err := w.SupplyPoints(t.Context(), domain.Scope{Partner: w.alpha.partner.ID, User: neighbour.ID}, w.alpha.property.ID)
		refused(t, "a neighbour's supply points", err, domain.NotFound)
		_, err = w.SupplyPoints(t.Context(), domain.Scope{}, w.alpha.property.ID)
		refused(t, "supply points for nobody", err, domain.NotFound)
		empty := domain.Property{ID: "prop_empty", Partner: w.alpha.partner.ID, Account: w.alpha.account.Number, Zone: "+10:00"}
		must(t, w.AddProperty(t.Context(), empty, w.entry("property.create")))
		got, err := w.SupplyPoints(t.Context(), w.alpha.own(), empty.ID)
		must(t, err)
		equal(t, "supply points of a place without any", len(got), 0)
	}},
	{"a property cannot hang on another partner's account", func(t *testing.T, w *world) {
		p := domain.Property{ID: "prop_mixed", Partner: w.alpha.partner.ID, Account: w.beta.account.Number}
		refused(t, "beta's account with alpha", w.AddProperty(t.Context(), p, w.entry("property.create")), domain.NotFound)
		twin := w.alpha.property
		refused(t, "a property again", w.AddProperty(t.Context(), twin, w.entry("property.create")), domain.Conflict)
	}},
	{"channels come in their order, and a property may have none", func(t *testing.T, w *world) {
		p := domain.Property{ID: "prop_order", Partner: w.alpha.partner.ID, Account: w.alpha.account.Number}
		must(t, w.AddProperty(t.Context(), p, w.entry("property.create")))
		got, err := w.Channels(t.Context(), w.alpha.own(), p.ID)
		must(t, err)
		equal(t, "number of channels", len(got), 0)
		want := w.channels(t, p)
		got, err = w.Channels(t.Context(), w.alpha.own(), p.ID)
		must(t, err)
		equal(t, "channels", got, want)
	}},
}

// channels adds channels to a property, last first, and returns them in the
// order market, identifier, direction, register, unit.
func (w *world) channels(t *testing.T, p domain.Property) []domain.Channel {
	t.Helper()
	plan := []domain.Channel{
		{SupplyPoint: domain.SupplyPoint{Market: domain.MarketAUSElectricity, Identifier: "Z"}, Register: "9"},
		{SupplyPoint: domain.SupplyPoint{Market: domain.MarketNLDElectricity, Identifier: "A"}, Register: "E1", Unit: domain.KilowattHour},
		{SupplyPoint: domain.SupplyPoint{Market: domain.MarketNLDElectricity, Identifier: "A"}, Register: "E1", Unit: domain.KilovarHour},
		{SupplyPoint: domain.SupplyPoint{Market: domain.MarketNLDElectricity, Identifier: "A"}, Register: "E2"},
		{SupplyPoint: domain.SupplyPoint{Market: domain.MarketNLDElectricity, Identifier: "A"}, Register: "B1", Direction: domain.Generation},
		{SupplyPoint: domain.SupplyPoint{Market: domain.MarketNLDElectricity, Identifier: "B"}, Register: "1"},
	}
	plan[1], plan[2] = plan[2], plan[1] // kvarh comes before kwh
	must(t, w.TakeIn(t.Context(), func(tx intake.Tx) error {
		for i := len(plan) - 1; i >= 0; i-- {
			c := &plan[i]
			point, err := tx.SupplyPoint(c.SupplyPoint.Market, c.SupplyPoint.Identifier)
			if err != nil {
				c.SupplyPoint.Partner, c.SupplyPoint.Property, c.SupplyPoint.Zone = p.Partner, p.ID, "+10:00"
				if point, err = tx.AddSupplyPoint(c.SupplyPoint); err != nil {
					return err
				}
			}
			c.SupplyPoint, c.Zone = point, "+10:00"
			if *c, err = tx.AddChannel(*c); err != nil {
				return err
			}
		}
		return nil
	}))
	return plan
}
