package storetest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/store"
)

// home is a property of one person with two supply points of a channel each.
type home struct {
	partner domain.PartnerID
	person  domain.UserID
	account domain.AccountNumber
	id      domain.PropertyID
	points  []domain.SupplyPointRef
}

var consentsAt = time.Date(2025, time.May, 4, 3, 2, 1, 0, time.UTC)

// person is the identifier of one of the town's people.
func person(i int) domain.UserID { return domain.UserID(fmt.Sprintf("usr_%032d", i)) }

// town makes three people at two partners, with two homes each.
func town(t *testing.T, s store.Engine, entry func() domain.Entry) (homes []home) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []domain.PartnerID{"prt_a", "prt_b"} {
		must(s.AddPartner(t.Context(), domain.Partner{ID: p, Name: string(p)}, entry()))
	}
	for i, p := range []domain.PartnerID{"prt_a", "prt_a", "prt_b"} {
		u := domain.User{ID: person(i), Partner: p, Customer: true, Email: fmt.Sprintf("%d@example.com", i)}
		a := domain.Account{Number: domain.AccountNumber(fmt.Sprintf("A-%d", i)), Partner: p, User: u.ID}
		must(s.AddUser(t.Context(), u, "x", &a, entry()))
		for j := range 2 {
			h := home{p, u.ID, a.Number, domain.PropertyID(fmt.Sprintf("prop_%d%d", i, j)), nil}
			must(s.AddProperty(t.Context(), domain.Property{ID: h.id, Partner: p, Account: a.Number, Zone: "UTC"}, entry()))
			must(s.TakeIn(t.Context(), func(tx intake.Tx) error {
				for k := range 2 {
					point, err := tx.AddSupplyPoint(domain.SupplyPoint{
						Partner: p, Property: h.id, Market: domain.MarketNLDElectricity, Identifier: fmt.Sprintf("%d%d%d", i, j, k), Zone: "UTC",
					})
					if err == nil {
						_, err = tx.AddChannel(domain.Channel{SupplyPoint: point, Register: "1", Unit: domain.KilowattHour, Zone: "UTC"})
					}
					if err != nil {
						return err
					}
					h.points = append(h.points, domain.SupplyPointRef{Market: point.Market, Identifier: point.Identifier})
				}
				return nil
			}))
			homes = append(homes, h)
		}
	}
	return homes
}

// Consents gives random consents and asks for every home in random scopes: what is
// found is what the model says, and everything else is not there. It ends after
// most rounds.
func Consents(t *testing.T, s store.Engine, most int) {
	entries, round := 0, 0
	entry := func() domain.Entry {
		entries++
		return domain.Entry{ID: fmt.Sprintf("aud_%d", entries), At: consentsAt, Action: "test"}
	}
	homes := town(t, s, entry)
	rapid.Check(t, func(r *rapid.T) {
		round++ // its own applications, so that earlier rounds do not count
		if round > most {
			return
		}
		var apps []domain.Application
		for i, p := range []domain.PartnerID{"prt_a", "prt_a", "prt_b"} {
			a := domain.Application{
				ID: domain.ClientID(fmt.Sprintf("app_%d_%d", round, i)), Name: fmt.Sprintf("%d %d", round, i), Partner: p,
				Reach: domain.ReachConsented, Role: domain.RoleThirdPartyViewer,
			}
			if err := s.AddApplication(t.Context(), a, nil, entry()); err != nil {
				r.Fatal(err)
			}
			apps = append(apps, a)
		}
		var given []domain.Consent
		for range rapid.IntRange(0, 4).Draw(r, "consents") {
			c := give(t, r, s, apps, homes, entry())
			for i := range given { // it takes the place of what was active
				if o := &given[i]; o.Application == c.Application && o.User == c.User && o.Status(consentsAt) == domain.ConsentActive {
					o.RevokedAt = consentsAt
				}
			}
			given = append(given, c)
		}
		for range 3 {
			scope := domain.Scope{
				Partner:     rapid.SampledFrom([]domain.PartnerID{"prt_a", "prt_a", "prt_b"}).Draw(r, "at"),
				User:        rapid.SampledFrom([]domain.UserID{"", "", person(0), person(1), person(2)}).Draw(r, "token of"),
				Application: rapid.SampledFrom(apps).Draw(r, "asked by").ID, At: consentsAt,
				Need: rapid.SampledFrom(domain.CustomerPermissions.List()).Draw(r, "need"),
			}
			for _, h := range homes {
				compareHome(t, r, s, scope, h, given)
			}
		}
	})
}

// give stores a random consent of somebody at the application's partner.
func give(t *testing.T, r *rapid.T, s store.Engine, apps []domain.Application, homes []home, e domain.Entry) domain.Consent {
	app := rapid.SampledFrom(apps).Draw(r, "application")
	person := rapid.SampledFrom(slices.DeleteFunc(slices.Clone(homes), func(h home) bool { return h.partner != app.Partner })).Draw(r, "person")
	c := domain.Consent{
		ID: domain.ConsentID("con_" + e.ID), Application: app.ID, Partner: app.Partner, User: person.person,
		ValidUntil:  consentsAt.Add(time.Duration(rapid.IntRange(-1, 3).Draw(r, "valid for")) * time.Microsecond),
		CreatedAt:   consentsAt,
		Permissions: domain.Permissions(rapid.Uint32Range(0, uint32(domain.CustomerPermissions)).Draw(r, "permissions")),
	}
	if rapid.Bool().Draw(r, "for one account") {
		c.Account = person.account
	}
	if rapid.IntRange(0, 3).Draw(r, "revoked") == 0 {
		c.RevokedAt = consentsAt
	}
	for _, h := range homes {
		for _, p := range h.points {
			if h.person == c.User && rapid.Bool().Draw(r, "point "+p.Identifier) {
				c.SupplyPoints = append(c.SupplyPoints, p)
			}
		}
	}
	key, until := authorize.Digest(sha256.Sum256([]byte(c.ID))), consentsAt.Add(time.Hour)
	kept := s.KeepRequest(t.Context(), authorize.KindChallenge, key, authorize.Request{Client: app.ID, Partner: app.Partner}, until, consentsAt)
	_, err := s.Approve(t.Context(), authorize.Approval{
		Challenge: key, Consent: &c, Now: consentsAt, Until: until, Entry: e,
		Grant: authorize.Grant{Family: "fam_" + string(c.ID), Client: app.ID, Partner: app.Partner, User: c.User, Consent: c.ID},
		Code:  &authorize.Code{Digest: key, Until: until},
	})
	if err := errors.Join(kept, err); err != nil {
		r.Fatal(err)
	}
	return c
}

// compareHome asks for one home in one scope.
func compareHome(t *testing.T, r *rapid.T, s store.Engine, scope domain.Scope, h home, given []domain.Consent) {
	var want []string // the supply points that some consent opens
	opens := 0
	for _, p := range h.points {
		n := 0
		for _, c := range given {
			if c.Application == scope.Application && c.Partner == scope.Partner && h.partner == scope.Partner && c.User == h.person &&
				(scope.User == "" || scope.User == h.person) && c.RevokedAt.IsZero() && c.ValidUntil.After(scope.At) && c.Permissions.Has(scope.Need) && slices.Contains(c.SupplyPoints, p) {
				n++
			}
		}
		if opens += n; n > 0 {
			want = append(want, p.Identifier)
		}
	}
	_, err := s.Property(t.Context(), scope, h.id)
	list, _ := s.Properties(t.Context(), scope, h.account)
	listed := slices.ContainsFunc(list, func(p domain.Property) bool { return p.ID == h.id })
	channels, _ := s.Channels(t.Context(), scope, h.id)
	var got []string
	for _, c := range channels {
		got = append(got, c.SupplyPoint.Identifier)
	}
	active, err2 := s.ActiveConsents(t.Context(), scope, h.id)
	if found := err == nil; found != (want != nil) || listed != found || !slices.Equal(got, want) || len(active) != opens || err2 != nil {
		r.Fatalf("%+v, %s: found %v (%v), listed %v, supply points %v, consents %d (%v); want %v by %d of %+v",
			scope, h.id, found, err, listed, got, len(active), err2, want, opens, given)
	}
	if len(list) > 0 {
		if _, err := s.Account(t.Context(), scope, h.account); err != nil {
			r.Fatalf("%+v: of %s a property is listed, and it is not found itself: %v", scope, h.account, err)
		}
	} else if _, err := s.Account(t.Context(), scope, h.account); err == nil {
		r.Fatalf("%+v: nothing of %s is listed, and it is found itself", scope, h.account)
	}
	known := slices.ContainsFunc(given, func(c domain.Consent) bool { // who they are needs no supply point
		return c.Application == scope.Application && c.Partner == scope.Partner && c.User == h.person &&
			(scope.User == "" || scope.User == h.person) && c.Status(scope.At) == domain.ConsentActive && c.Permissions.Has(scope.Need)
	})
	if _, err := s.User(t.Context(), scope, h.person); (err == nil) != known {
		r.Fatalf("%+v: %s: found %v (%v), want %v by %+v", scope, h.person, err == nil, err, known, given)
	}
}
