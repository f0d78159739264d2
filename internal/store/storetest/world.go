package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/store"
)

// The instants are fixed: past and future of any clock that an engine may have.
var (
	past   = time.Date(2001, 2, 3, 4, 5, 6, 789000, time.UTC)
	future = time.Date(2201, 2, 3, 4, 5, 6, 789000, time.UTC)
)

const firstDay = domain.Date(20000) // 2024-10-04

// world is an engine with two partners that have the same things each.
type world struct {
	store.Engine
	entries     atomic.Int64
	alpha, beta house
}

// house is what one partner has.
type house struct {
	partner  domain.Partner
	customer domain.User
	account  domain.Account
	property domain.Property
	point    domain.SupplyPoint
	channel  domain.Channel
	app      domain.Application
}

// scope is what an application of the partner may see.
func (h house) scope() domain.Scope { return domain.Scope{Partner: h.partner.ID} }

// own is what the customer may see.
func (h house) own() domain.Scope {
	return domain.Scope{Partner: h.partner.ID, User: h.customer.ID}
}

func newWorld(t *testing.T, e store.Engine) *world {
	t.Helper()
	w := &world{Engine: e}
	w.alpha = w.house(t, "alpha", "1")
	w.beta = w.house(t, "beta", "2")
	return w
}

func (w *world) house(t *testing.T, name, digit string) house {
	t.Helper()
	h := house{partner: domain.Partner{ID: domain.PartnerID("prt_" + name), Name: name, CreatedAt: past}}
	must(t, w.AddPartner(t.Context(), h.partner, w.entry("partner.create")))
	h.customer, h.account = w.customer(t, h.partner.ID, digit)
	h.property = domain.Property{
		ID: domain.PropertyID("prop_" + name), Partner: h.partner.ID, Account: h.account.Number,
		Label: "home", Address: []string{"Street 1", "Town"}, Postcode: "1000 AA", Zone: "Europe/Amsterdam",
	}
	must(t, w.AddProperty(t.Context(), h.property, w.entry("property.create")))
	must(t, w.TakeIn(t.Context(), func(tx intake.Tx) (err error) {
		h.point, err = tx.AddSupplyPoint(domain.SupplyPoint{
			Partner: h.partner.ID, Property: h.property.ID,
			Market: domain.MarketNLDElectricity, Identifier: "EAN" + digit, Zone: h.property.Zone,
		})
		if err != nil {
			return err
		}
		h.channel, err = tx.AddChannel(domain.Channel{SupplyPoint: h.point, Register: "1", Unit: domain.KilowattHour, Zone: h.point.Zone})
		return err
	}))
	h.app = domain.Application{
		ID: domain.ClientID("app_" + name), Name: "viewer", Partner: h.partner.ID,
		Type: domain.Confidential, Grants: []string{"client_credentials"}, URIs: []string{"https://example.com/a b"},
		Reach: domain.ReachPartner, Role: domain.RolePartnerIntegration, Audiences: domain.AudienceSet(domain.AudienceAuth, domain.AudienceCustomer),
		Lifetime: domain.DefaultLifetime, AuthMethod: domain.ClientSecretPost, CreatedAt: past, ChangedAt: past,
	}
	must(t, w.AddApplication(t.Context(), h.app, nil, w.entry("application.create")))
	return h
}

// customer adds a customer with an account. The digit makes them unlike others.
func (w *world) customer(t *testing.T, p domain.PartnerID, digit string) (domain.User, domain.Account) {
	t.Helper()
	u := domain.User{
		ID: domain.UserID("usr_" + strings.Repeat(digit, 32)), Partner: p, Customer: true,
		Email: "Person" + digit + "@example.com", FirstName: "Ada", MiddleName: "de", Surname: "Wit", Phone: "+31 20 123",
		BirthDate: domain.NewDate(1960, 2, 29), CustomerNumber: "C" + digit, CreatedAt: past,
	}
	a := domain.Account{Number: domain.AccountNumber("A-" + strings.Repeat(digit, 8)), Partner: p, User: u.ID}
	must(t, w.AddUser(t.Context(), u, "hash", &a, w.entry("user.create")))
	return u, a
}

// entry is an entry of the audit log that is unlike all others.
func (w *world) entry(action string) domain.Entry {
	n := w.entries.Add(1)
	return domain.Entry{ID: fmt.Sprintf("aud_%012d", n), At: past, Action: action, By: "test"}
}

// put stores days of a channel in one transaction; each day's data is text.
func (w *world) put(t *testing.T, c domain.ChannelID, text string, days ...domain.Date) {
	t.Helper()
	must(t, w.TakeIn(t.Context(), func(tx intake.Tx) error {
		for _, d := range days {
			if err := tx.PutDay(c, domain.Day{Date: d, Data: []byte(text)}, domain.Provenance{Source: "source of " + text}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// read returns the dates and texts of a channel's days.
func (w *world) read(t *testing.T, c domain.ChannelID, first, last domain.Date, reverse bool) (got []string) {
	t.Helper()
	must(t, w.Days(t.Context(), c, domain.DayRange{First: first, Last: last, Reverse: reverse}, func(d domain.Day) error {
		if d.RecordedAt.IsZero() {
			t.Errorf("day %v has no instant of recording", d.Date)
		}
		got = append(got, fmt.Sprintf("%d/%d/%s", d.Date-firstDay, d.Revision, d.Data))
		return nil
	}))
	return got
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused checks an error's kind, and that its sentence is for the public.
func refused(t *testing.T, doing string, err error, want domain.Kind) {
	t.Helper()
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || e.Kind != want {
		t.Errorf("%s: got the error %v, want %v", doing, err, want)
		return
	}
	public := strings.ToLower(e.Public)
	if want != domain.Internal && public == "" {
		t.Errorf("%s: the error %v has no sentence for the public", doing, err)
	}
	for _, word := range []string{"sql", "constraint", "select", "insert", "/", "usr_", "app_", "prt_"} {
		if strings.Contains(public, word) {
			t.Errorf("%s: the public sentence %q holds %q", doing, e.Public, word)
		}
	}
}

// alike checks that what is foreign and what is unknown get the same answer.
func alike(t *testing.T, doing string, foreign, unknown error) {
	t.Helper()
	refused(t, doing+" of another partner", foreign, domain.NotFound)
	refused(t, doing+" that nobody has", unknown, domain.NotFound)
	if foreign != nil && unknown != nil && foreign.Error() != unknown.Error() {
		t.Errorf("%s: got %q for a foreign one and %q for an unknown one, want the same", doing, foreign, unknown)
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}
