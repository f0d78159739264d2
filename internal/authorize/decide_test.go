package authorize_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

func TestTheOffer(t *testing.T) {
	w := newWorld(t)
	req, err := w.Check(w.params())
	must(t, err)
	got, err := w.Offered(t.Context(), req, w.user)
	must(t, err)
	if len(got.Points) != 1 || got.Points[0].SupplyPointRef != w.point || got.Points[0].Label != "home" || len(got.Accounts) != 1 || got.Skip ||
		got.Permissions.Len() != 2 || got.Application.ID != w.app {
		t.Errorf("Offered = %+v", got)
	}
	staff, disabled := w.user, w.user
	staff.Staff, disabled.Disabled = true, true
	for name, who := range map[string]domain.User{"another partner's customer": w.other, "staff": staff, "a disabled customer": disabled, "nobody": {}} {
		if _, err := w.Offered(t.Context(), req, who); codeOf(err) != "forbidden" {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := w.Allow(t.Context(), w.challenge(t, w.params()), who, w.decision(), w.origin()); codeOf(err) != "forbidden" {
			t.Errorf("%s allows: got %v", name, err)
		}
	}
}

// TestDecisionsThatCannotBe changes nothing: the challenge can be answered again.
func TestDecisionsThatCannotBe(t *testing.T) {
	w := newWorld(t)
	challenge := w.challenge(t, w.params())
	for name, change := range map[string]func(d *authorize.Decision){
		"no supply point":           func(d *authorize.Decision) { d.SupplyPoints = nil },
		"another's supply point":    func(d *authorize.Decision) { d.SupplyPoints = []domain.SupplyPointRef{w.foreign} },
		"one's own and another's":   func(d *authorize.Decision) { d.SupplyPoints = append(d.SupplyPoints, w.foreign) },
		"another's account":         func(d *authorize.Decision) { d.Account = "A-FFFFFFFF" },
		"a resolution below zero":   func(d *authorize.Decision) { d.Finest = -time.Minute },
		"a resolution of seconds":   func(d *authorize.Decision) { d.Finest = time.Second },
		"an end in the past":        func(d *authorize.Decision) { d.ValidUntil = w.now() },
		"no end":                    func(d *authorize.Decision) { d.ValidUntil = time.Time{} },
		"an end beyond all":         func(d *authorize.Decision) { d.ValidUntil = w.now().AddDate(11, 0, 0) },
		"a purpose without end":     func(d *authorize.Decision) { d.Purpose = strings.Repeat("x", 201) },
		"a purpose of two lines":    func(d *authorize.Decision) { d.Purpose = "a\nb" },
		"a purpose that is no text": func(d *authorize.Decision) { d.Purpose = "\xff" },
	} {
		d := w.decision()
		change(&d)
		if to, err := w.Allow(t.Context(), challenge, w.user, d, w.origin()); codeOf(err) != "invalid" || to != "" {
			t.Errorf("%s: got %q, %v", name, to, err)
		}
	}
	if got := w.actions(t); got != "" {
		t.Errorf("audit log: got %s", got)
	}
	if _, err := w.Allow(t.Context(), challenge, w.user, w.decision(), w.origin()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if _, err := w.Allow(t.Context(), challenge, w.user, w.decision(), w.origin()); codeOf(err) != "not found" {
		t.Errorf("a second answer: got %v", err)
	}
}

func TestRFC6749Section4121ThePersonRefuses(t *testing.T) {
	w := newWorld(t)
	challenge := w.challenge(t, w.params())
	if _, err := w.Pending(t.Context(), challenge); err != nil {
		t.Fatal(err)
	}
	to, err := w.Deny(t.Context(), challenge, w.origin())
	if want := callback + "?error=access_denied&error_description=the+customer+has+refused&state=s+t&iss=https%3A%2F%2Fauth.example.com"; err != nil || to != want {
		t.Errorf("Deny = %q, %v; want %q", to, err, want)
	}
	for name, err := range map[string]error{
		"looking":  second(w.Pending(t.Context(), challenge)),
		"refusing": second(w.Deny(t.Context(), challenge, w.origin())),
		"allowing": second(w.Allow(t.Context(), challenge, w.user, w.decision(), w.origin())),
		"guessing": second(w.Pending(t.Context(), "guess")),
	} {
		if codeOf(err) != "not found" {
			t.Errorf("%s afterwards: got %v", name, err)
		}
	}
	late := w.challenge(t, w.params())
	w.pass(authorize.ChallengeLifetime)
	if _, err := w.Pending(t.Context(), late); codeOf(err) != "not found" {
		t.Errorf("too late: got %v", err)
	}
	if got := w.actions(t); got != "consent.deny" {
		t.Errorf("audit log: got %s", got)
	}
}

func second[T any](_ T, err error) error { return err }

func TestSkippedAuthorization(t *testing.T) {
	w := newWorld(t)
	w.app = w.add(t, registry.NewApplication{Name: "own", SkipAuthorization: true})
	for range 3 {
		to, err := w.Allow(t.Context(), w.challenge(t, w.params()), w.user, authorize.Decision{AuthTime: w.now()}, w.origin())
		if err != nil || !strings.Contains(to, "code=") {
			t.Fatalf("Allow = %q, %v", to, err)
		}
	}
	if got := w.actions(t); got != "consent.skip" {
		t.Errorf("audit log: got %s, want one entry for the first code", got)
	}
	if list, err := w.Consents(t.Context(), authorize.Filter{User: w.user.ID}); err != nil || len(list) != 0 {
		t.Errorf("consents: got %+v, %v", list, err)
	}
	w.app = w.add(t, registry.NewApplication{Name: "consented", SkipAuthorization: true, Reach: domain.ReachConsented})
	req, err := w.Check(w.params())
	must(t, err)
	if offer, err := w.Offered(t.Context(), req, w.user); err != nil || offer.Skip {
		t.Errorf("what is read by consent only is skipped: %+v, %v", offer, err)
	}
}

func TestConsents(t *testing.T) {
	w := newWorld(t)
	g, refresh := w.grant(t)
	made := w.access(t, g)
	list, err := w.Consents(t.Context(), authorize.Filter{Application: w.app, User: w.user.ID})
	must(t, err)
	d := w.decision()
	want := []domain.Consent{{
		ID: g.Consent, Application: w.app, Partner: w.user.Partner, User: w.user.ID, SupplyPoints: d.SupplyPoints, Finest: d.Finest,
		Permissions: domain.PermissionSet(domain.CanQueryProperty, domain.CanViewDetailedUsage),
		HistoryFrom: d.HistoryFrom, ValidUntil: d.ValidUntil, Purpose: d.Purpose, CreatedAt: w.now(),
	}}
	if !reflect.DeepEqual(list, want) {
		t.Errorf("Consents = %+v, want %+v", list, want)
	}
	w.pass(time.Second)
	for name, by := range map[string]domain.Caller{
		"another customer":    {Partner: w.other.Partner, User: w.other.ID},
		"another application": {Partner: w.user.Partner, Client: "app_other"},
	} {
		if err := w.EndConsent(t.Context(), g.Consent, by, w.origin()); codeOf(err) != "not found" || !w.opens(made.Access) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	own := domain.Caller{Partner: w.user.Partner, User: w.user.ID}
	must(t, w.EndConsent(t.Context(), g.Consent, own, w.origin()))
	must(t, w.EndConsent(t.Context(), g.Consent, own, w.origin()))
	if w.opens(made.Access) {
		t.Error("the access token outlives the consent")
	}
	if _, _, err := w.Renew(t.Context(), w.listing(), refresh, "", nil, w.origin()); codeOf(err) != "invalid_grant" {
		t.Errorf("the refresh token: got %v", err)
	}
	later, _ := w.grant(t)
	for after, want := range map[domain.ConsentID]domain.ConsentID{"": later.Consent, later.Consent: g.Consent, g.Consent: ""} {
		list, err := w.Consents(t.Context(), authorize.Filter{User: w.user.ID, After: after, Limit: 1})
		if err != nil || len(list) > 1 || (len(list) == 1) != (want != "") || len(list) == 1 && list[0].ID != want {
			t.Errorf("after %q: got %+v, %v; want %q", after, list, err, want)
		}
	}
	list, err = w.Consents(t.Context(), authorize.Filter{Application: w.app})
	if err != nil || len(list) != 2 || list[0].Status(w.now()) != domain.ConsentActive || list[1].Status(w.now()) != domain.ConsentRevoked {
		t.Errorf("afterwards: got %+v, %v", list, err)
	}
	must(t, w.EndConsent(t.Context(), later.Consent, domain.Caller{Partner: w.user.Partner, Client: w.app}, w.origin()))
	if got := w.actions(t); got != "consent.create consent.revoke consent.create consent.revoke" {
		t.Errorf("audit log: got %s", got)
	}
}

// TestReplacing decides twice: what was allowed before ends at once, with its
// tokens, and the new ones live.
func TestReplacing(t *testing.T) {
	w := newWorld(t)
	before, refresh := w.grant(t)
	old := w.access(t, before)
	w.pass(time.Second)
	after, _ := w.grant(t)
	if w.opens(old.Access) || !w.opens(w.access(t, after).Access) {
		t.Errorf("the old token opens: %t; want the new one only", w.opens(old.Access))
	}
	if _, _, err := w.Renew(t.Context(), w.listing(), refresh, "", nil, w.origin()); codeOf(err) != "invalid_grant" {
		t.Errorf("the old refresh token: got %v", err)
	}
	list, err := w.Consents(t.Context(), authorize.Filter{User: w.user.ID})
	must(t, err)
	if len(list) != 2 || list[0].ID != after.Consent || list[0].Status(w.now()) != domain.ConsentActive || list[1].Status(w.now()) != domain.ConsentRevoked {
		t.Errorf("consents: got %+v", list)
	}
}
