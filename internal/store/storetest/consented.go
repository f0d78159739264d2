package storetest

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
)

// between is an instant between past and future, when consents are looked at.
var between = time.Date(2101, 2, 3, 4, 5, 6, 789000, time.UTC)

// consent has a house's customer allow an application something: by default its
// own, for its one supply point.
func (w *world) consent(t *testing.T, h house, change func(*domain.Consent)) domain.Consent {
	t.Helper()
	n := w.entries.Add(1)
	c := domain.Consent{
		ID: domain.ConsentID(fmt.Sprintf("con_%d", n)), Application: h.app.ID, Partner: h.partner.ID, User: h.customer.ID,
		Permissions:  domain.CustomerPermissions,
		SupplyPoints: []domain.SupplyPointRef{{Market: h.point.Market, Identifier: h.point.Identifier}},
		Finest:       30 * time.Minute, HistoryFrom: firstDay, ValidUntil: future, Purpose: "advice", CreatedAt: past,
	}
	if change != nil {
		change(&c)
	}
	key := authorize.Digest(sha256.Sum256([]byte(c.ID)))
	must(t, w.KeepRequest(t.Context(), authorize.KindChallenge, key, authorize.Request{Client: c.Application, Partner: c.Partner}, future, past))
	must(t, w.decide(t, authorize.Approval{
		Challenge: key, Consent: &c, Now: past, Until: future, Entry: w.entry("consent.create"),
		Grant: authorize.Grant{Family: "fam_" + string(c.ID), Client: c.Application, Partner: c.Partner, User: c.User, Consent: c.ID},
		Code:  &authorize.Code{Digest: key, Until: future},
	}))
	return c
}

// agreed is what the house's application sees by consent.
func (h house) agreed() domain.Scope {
	return domain.Scope{Partner: h.partner.ID, Application: h.app.ID, At: between, Need: domain.CanViewDetailedUsage}
}

// sees asks for everything of a house in a scope, and checks that all of it is
// found, or that nothing is.
func (w *world) sees(t *testing.T, what string, scope domain.Scope, h house, want bool) {
	t.Helper()
	_, user := w.User(t.Context(), scope, h.customer.ID)
	_, account := w.Account(t.Context(), scope, h.account.Number)
	accounts, ofUser := w.Accounts(t.Context(), scope, h.customer.ID)
	_, property := w.Property(t.Context(), scope, h.property.ID)
	properties, ofAccount := w.Properties(t.Context(), scope, h.account.Number)
	channels, ofProperty := w.Channels(t.Context(), scope, h.property.ID)
	point, named := w.SupplyPoint(t.Context(), scope, h.point.Market, h.point.Identifier)
	points, there := w.SupplyPoints(t.Context(), scope, h.property.ID)
	for name, err := range map[string]error{
		"user": user, "account": account, "accounts": ofUser, "property": property, "properties": ofAccount, "channels": ofProperty, "supply point": named,
		"supply points": there,
	} {
		switch {
		case want && err != nil:
			t.Errorf("%s: %s: got the error %v", what, name, err)
		case !want:
			refused(t, what+": "+name, err, domain.NotFound)
		}
	}
	if want {
		equal(t, what+": accounts", accounts, []domain.Account{h.account})
		equal(t, what+": properties", properties, []domain.Property{h.property})
		equal(t, what+": channels", channels, []domain.Channel{h.channel})
		equal(t, what+": supply point", point, h.point)
		equal(t, what+": supply points", points, []domain.SupplyPoint{h.point})
	}
}

var consented = []promise{
	{"a consent opens nothing to another partner, another application or another customer", func(t *testing.T, w *world) {
		w.consent(t, w.alpha, nil)
		w.sees(t, "the application", w.alpha.agreed(), w.alpha, true)
		w.sees(t, "another partner's application", w.beta.agreed(), w.alpha, false)
		w.sees(t, "what another partner's customer has", w.alpha.agreed(), w.beta, false)
		stranger := w.alpha.agreed()
		stranger.Application = "app_other"
		w.sees(t, "another application", stranger, w.alpha, false)
		mixed := w.alpha.agreed()
		mixed.Partner = w.beta.partner.ID
		w.sees(t, "the application at another partner", mixed, w.alpha, false)
		token := w.alpha.agreed()
		token.User = w.alpha.customer.ID
		w.sees(t, "the customer's token", token, w.alpha, true)
		token.User = w.beta.customer.ID
		w.sees(t, "another customer's token", token, w.alpha, false)
	}},
	{"only what is active opens anything", func(t *testing.T, w *world) {
		w.sees(t, "without any", w.alpha.agreed(), w.alpha, false)
		w.consent(t, w.alpha, func(c *domain.Consent) { c.ValidUntil = between })
		w.sees(t, "one that has just expired", w.alpha.agreed(), w.alpha, false)
		earlier := w.alpha.agreed()
		earlier.At = between.Add(-time.Microsecond)
		w.sees(t, "just before", earlier, w.alpha, true)
		timeless := w.alpha.agreed()
		timeless.At = time.Time{}
		w.sees(t, "at no time", timeless, w.alpha, false)
		active := w.consent(t, w.alpha, nil)
		w.sees(t, "an active one", w.alpha.agreed(), w.alpha, true)
		_, err := w.EndConsent(t.Context(), active.ID, domain.Caller{Partner: w.alpha.partner.ID, User: w.alpha.customer.ID}, between, w.entry("consent.end"))
		must(t, err)
		w.sees(t, "a revoked one", w.alpha.agreed(), w.alpha, false)
	}},
	{"a consent opens its supply points and no others", func(t *testing.T, w *world) {
		home := w.alpha.property
		empty := domain.Property{ID: "prop_next", Partner: home.Partner, Account: home.Account, Zone: home.Zone}
		must(t, w.AddProperty(t.Context(), empty, w.entry("property.create")))
		must(t, w.TakeIn(t.Context(), func(tx intake.Tx) error { // a second meter at home, and one elsewhere
			for i, p := range []domain.PropertyID{home.ID, empty.ID} {
				point, err := tx.AddSupplyPoint(domain.SupplyPoint{
					Partner: home.Partner, Property: p, Market: domain.MarketNLDGas, Identifier: fmt.Sprintf("G%d", i), Zone: home.Zone,
				})
				if err != nil {
					return err
				}
				if _, err := tx.AddChannel(domain.Channel{SupplyPoint: point, Register: "1", Unit: domain.CubicMetre, Zone: home.Zone}); err != nil {
					return err
				}
			}
			return nil
		}))
		w.consent(t, w.alpha, nil)
		w.sees(t, "the one supply point", w.alpha.agreed(), w.alpha, true)
		_, err := w.Property(t.Context(), w.alpha.agreed(), empty.ID)
		refused(t, "a property of the same customer", err, domain.NotFound)
		_, err = w.Channels(t.Context(), w.alpha.agreed(), empty.ID)
		refused(t, "its channels", err, domain.NotFound)
		w.consent(t, w.alpha, func(c *domain.Consent) {
			c.SupplyPoints = []domain.SupplyPointRef{{Market: domain.MarketNLDGas, Identifier: "G1"}}
		})
		list, err := w.Properties(t.Context(), w.alpha.agreed(), home.Account)
		must(t, err)
		equal(t, "the other property, by a consent in the place of the first", list, []domain.Property{empty})
		w.consent(t, w.alpha, func(c *domain.Consent) {
			c.SupplyPoints = append(c.SupplyPoints, domain.SupplyPointRef{Market: domain.MarketNLDGas, Identifier: "G1"})
		})
		list, err = w.Properties(t.Context(), w.alpha.agreed(), home.Account)
		must(t, err)
		slices.SortFunc(list, func(a, b domain.Property) int { return len(b.Label) - len(a.Label) })
		equal(t, "both properties, by one consent", list, []domain.Property{home, empty})
	}},
	{"a consent for one account opens that account", func(t *testing.T, w *world) {
		w.consent(t, w.alpha, func(c *domain.Consent) { c.Account = w.alpha.account.Number })
		w.sees(t, "its own account", w.alpha.agreed(), w.alpha, true)
	}},
	{"active consents are listed with what they allow of the property", func(t *testing.T, w *world) {
		w.consent(t, w.alpha, nil)
		w.consent(t, w.alpha, func(c *domain.Consent) { c.ValidUntil = between })
		w.consent(t, w.beta, nil)
		active := w.consent(t, w.alpha, func(c *domain.Consent) {
			c.Finest, c.HistoryFrom, c.Account, c.CreatedAt = 24*time.Hour, firstDay-100, w.alpha.account.Number, between
		})
		got, err := w.ActiveConsents(t.Context(), w.alpha.agreed(), w.alpha.property.ID)
		must(t, err)
		equal(t, "active consents", got, []domain.Consent{active})
		for name, scope := range map[string]domain.Scope{
			"of another partner": w.beta.agreed(), "without an application": w.alpha.scope(), "of nobody": {},
		} {
			got, err := w.ActiveConsents(t.Context(), scope, w.alpha.property.ID)
			must(t, err)
			equal(t, "consents in the scope "+name, len(got), 0)
		}
	}},
	{"a consent opens what its permissions allow, and lends nothing for the rest", func(t *testing.T, w *world) {
		for _, has := range domain.CustomerPermissions.List() {
			c := w.consent(t, w.alpha, func(c *domain.Consent) { c.Permissions = domain.PermissionSet(has) })
			for _, need := range domain.AllPermissions().List() {
				scope := w.alpha.agreed()
				scope.Need = need
				w.sees(t, fmt.Sprintf("%v with a consent for %v", need, has), scope, w.alpha, need == has)
				got, err := w.ActiveConsents(t.Context(), scope, w.alpha.property.ID)
				must(t, err)
				want := []domain.Consent{c}
				if need != has {
					want = nil
				}
				equal(t, fmt.Sprintf("consents for %v", need), len(got), len(want))
			}
		}
		w.consent(t, w.alpha, func(c *domain.Consent) { c.Permissions = 0 })
		w.sees(t, "a consent for nothing", w.alpha.agreed(), w.alpha, false)
	}},
	{"who somebody is needs no supply point", func(t *testing.T, w *world) {
		w.consent(t, w.alpha, func(c *domain.Consent) { c.SupplyPoints = nil })
		got, err := w.User(t.Context(), w.alpha.agreed(), w.alpha.customer.ID)
		must(t, err)
		equal(t, "user", got.ID, w.alpha.customer.ID)
		_, err = w.User(t.Context(), w.beta.agreed(), w.alpha.customer.ID)
		refused(t, "the user, for another partner's application", err, domain.NotFound)
		_, err = w.Property(t.Context(), w.alpha.agreed(), w.alpha.property.ID)
		refused(t, "a property", err, domain.NotFound)
	}},
	{"the platform's tools find a consent of any partner, and list the newest", func(t *testing.T, w *world) {
		first, second := w.consent(t, w.alpha, nil), w.consent(t, w.beta, func(c *domain.Consent) { c.CreatedAt = between })
		for _, c := range []domain.Consent{first, second} {
			got, err := w.FindConsent(t.Context(), c.ID)
			must(t, err)
			equal(t, "consent", got, c)
		}
		_, err := w.FindConsent(t.Context(), "con_unknown")
		refused(t, "a consent that nobody gave", err, domain.NotFound)
		got, err := w.NewestConsents(t.Context(), "", 1)
		must(t, err)
		equal(t, "the newest", got, []domain.Consent{second})
		got, err = w.NewestConsents(t.Context(), second.ID, 5)
		must(t, err)
		equal(t, "those before", got, []domain.Consent{first})
	}},
}
