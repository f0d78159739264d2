package issuance_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/token"
)

var now = time.Date(2026, time.March, 2, 12, 0, 0, 999_999_000, time.UTC)

const (
	customer = domain.UserID("usr_0c1a3b5e7f204a639a516f0c2d9be714")
	staff    = domain.UserID("usr_1c1a3b5e7f204a639a516f0c2d9be714")
)

// desk is an issuer that signs nothing and remembers what it would have signed.
type desk struct {
	issuance.Issuer
	signed  []token.Claims
	entries []domain.Entry
	lost    error // what the audit log answers
}

func newDesk() *desk {
	d := &desk{}
	d.Issuer = issuance.Issuer{
		URL: "https://auth.example.com", Keys: d, Customers: d, Journal: d, Now: func() time.Time { return now },
		Resources: map[string]domain.Audience{"https://customer.example.com": domain.AudienceCustomer},
	}
	return d
}

func (d *desk) SignText(prefix string, c *token.Claims) (string, error) {
	d.signed = append(d.signed, *c)
	return prefix + "signed", nil
}

func (d *desk) Recording(_ context.Context, e domain.Entry) func() error {
	if d.lost == nil {
		d.entries = append(d.entries, e)
	}
	return func() error { return d.lost }
}

// ImpersonableCustomer knows one customer of one partner.
func (d *desk) ImpersonableCustomer(_ context.Context, partner domain.PartnerID, id domain.UserID) (domain.User, error) {
	if partner != "prt_a" || id != customer {
		return domain.User{}, &domain.Error{Kind: domain.NotFound, Public: "not known"}
	}
	return domain.User{ID: id, Partner: partner, Customer: true}, nil
}

// anyListing draws an application of the partner prt_a.
func anyListing(t *rapid.T) *domain.Listing {
	return &domain.Listing{
		Application: domain.Application{
			ID: "app_a", Partner: "prt_a", Grants: []string{oauth.GrantClientCredentials}, Lifetime: domain.DefaultLifetime,
			Audiences: domain.Audiences(rapid.Uint8Range(0, uint8(domain.AllAudiences())).Draw(t, "audiences")),
			Reach:     rapid.SampledFrom([]domain.Reach{domain.ReachPartner, domain.ReachConsented}).Draw(t, "reach"),
		},
		Permissions: domain.Permissions(rapid.Uint32Range(0, uint32(domain.AllPermissions())).Draw(t, "permissions")),
	}
}

// anyRequest draws a request, most of them possible.
func anyRequest(t *rapid.T) issuance.Request {
	words := []string{"openid", "offline", "offline_access", "everything"}
	for _, p := range domain.AllPermissions().List() {
		words = append(words, p.Scope())
	}
	return issuance.Request{
		Scope:    strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 4).Draw(t, "scope"), " "),
		Audience: rapid.SliceOfN(rapid.SampledFrom([]string{"auth", "customer", "measurements", "elsewhere"}), 0, 3).Draw(t, "audience"),
		Resource: rapid.SliceOfN(rapid.SampledFrom([]string{"https://customer.example.com", "https://customer.example.com/", "https://elsewhere"}), 0, 1).Draw(t, "resource"),
	}
}

// sane holds a token's claims against each other: scope and permissions never
// contradict, and nothing is beyond what was granted.
func sane(t *rapid.T, c token.Claims, permissions domain.Permissions, audiences domain.Audiences) {
	t.Helper()
	if c.Permissions&^permissions != 0 || c.Audiences&^audiences != 0 || c.Audiences == 0 {
		t.Fatalf("%v for %v is wider than %v for %v", c.Permissions.Names(), c.Audiences.Names(), permissions.Names(), audiences.Names())
	}
	for _, scope := range strings.Fields(c.Scope) {
		if p, ok := domain.PermissionOfScope(scope); ok && !c.Permissions.Has(p) {
			t.Fatalf("the scope %q names %s, which %v lacks", c.Scope, p, c.Permissions.Names())
		}
	}
}

// TestNobodyGainsByImpersonation: permissions, audiences and scope of an
// impersonation token are never wider than those of actor and customer, for
// whatever application, request and present role.
func TestNobodyGainsByImpersonation(t *testing.T) {
	issued := 0
	rapid.Check(t, func(t *rapid.T) {
		d, app, req := newDesk(), anyListing(t), anyRequest(t)
		if rapid.Bool().Draw(t, "an impersonator") { // otherwise most draws would be refused
			app.Permissions |= domain.PermissionSet(domain.CanImpersonate)
			req.Scope, app.Reach = "", domain.ReachPartner
		}
		if _, err := d.ClientCredentials(app, req); err != nil {
			if len(d.signed) > 0 {
				t.Fatalf("signed %+v beside %v", d.signed, err)
			}
			return
		}
		own := d.signed[0]
		sane(t, own, app.Permissions, app.Audiences)
		if own.Subject != "app_a" || own.Actor != "" || own.SID != "" || own.Partner != "prt_a" {
			t.Fatalf("an application's token says %+v", own)
		}
		caller := domain.Caller{
			Partner: own.Partner, Client: own.ClientID, Permissions: own.Permissions, Audiences: own.Audiences, Scope: own.Scope, Reach: app.Reach,
		}
		_, err := d.Impersonate(t.Context(), caller, customer, domain.Origin{})
		may := own.Permissions.Has(domain.CanImpersonate) && app.Reach == domain.ReachPartner && own.Audiences.Without(domain.AudienceAuth) != 0
		if (err == nil) != may {
			t.Fatalf("%+v: %v, and it may: %t", caller, err, may)
		}
		if err != nil {
			if len(d.signed) > 1 || len(d.entries) > 0 {
				t.Fatalf("signed %d, recorded %d beside %v", len(d.signed), len(d.entries), err)
			}
			return
		}
		issued++
		as := d.signed[1]
		sane(t, as, own.Permissions.And(domain.CustomerPermissions), own.Audiences.Without(domain.AudienceAuth))
		for _, scope := range strings.Fields(as.Scope) {
			if !slices.Contains(strings.Fields(own.Scope), scope) {
				t.Fatalf("the scope %q is wider than the actor's %q", as.Scope, own.Scope)
			}
		}
		if as.Subject != string(customer) || as.Actor != "app_a" || as.SID != d.entries[0].ID || as.Partner != own.Partner || as.Expires-as.IssuedAt != 3600 {
			t.Fatalf("an impersonation token says %+v, the audit log %+v", as, d.entries[0])
		}
		// And it makes no other one.
		caller = domain.Caller{Partner: as.Partner, Client: as.ClientID, User: customer, Actor: as.Actor, Permissions: domain.AllPermissions(), Audiences: domain.AllAudiences(), Reach: app.Reach}
		if _, err := d.Impersonate(t.Context(), caller, customer, domain.Origin{}); kind(err) != domain.Forbidden || len(d.signed) != 2 {
			t.Fatalf("an impersonation token impersonated: %v", err)
		}
	})
	if issued == 0 {
		t.Error("no impersonation token was issued: this test shows nothing")
	}
}

func kind(err error) domain.Kind {
	if e, ok := errors.AsType[*domain.Error](err); ok {
		return e.Kind
	}
	return domain.Internal
}

func TestNarrowing(t *testing.T) {
	viewer := domain.PermissionSet(domain.CanQueryProperty, domain.CanViewDetailedUsage)
	property := domain.PermissionSet(domain.CanQueryProperty)
	for name, c := range map[string]struct {
		asked       string
		permissions domain.Permissions
		scope       string
		refused     bool
	}{
		"nothing asked: all, and the scope lists it":    {"", viewer, "query:property view:detailed-usage", false},
		"spaces alone count as nothing":                 {"  ", viewer, "query:property view:detailed-usage", false},
		"the document's own (E13) narrows nothing":      {"openid offline", viewer, "openid offline", false},
		"what stands twice is carried once":             {"openid query:property openid  query:property", domain.PermissionSet(domain.CanQueryProperty), "openid query:property", false},
		"a thousand times the same":                     {strings.Repeat("openid ", 146), viewer, "openid", false},
		"openid alone narrows nothing":                  {"openid", viewer, "openid", false},
		"offline_access narrows nothing":                {"offline_access openid", viewer, "offline_access openid", false},
		"one permission: exactly that":                  {"query:property", property, "query:property", false},
		"one permission beside openid: exactly that":    {"openid query:property", property, "openid query:property", false},
		"the same twice":                                {"query:property query:property", property, "query:property", false},
		"all that is granted":                           {"view:detailed-usage query:property", viewer, "view:detailed-usage query:property", false},
		"one that is not granted":                       {"query:property impersonate:customer", 0, "", true},
		"one that nobody knows":                         {"everything", 0, "", true},
		"a permission's name is no scope":               {"CAN_QUERY_PROPERTY", 0, "", true},
		"another case is another scope (RFC 6749 §3.3)": {"Query:Property", 0, "", true},
	} {
		d := newDesk()
		app := &domain.Listing{Application: domain.Application{
			ID: "app_a", Partner: "prt_a", Grants: []string{oauth.GrantClientCredentials}, Audiences: domain.AllAudiences(), Lifetime: 5 * time.Minute,
		}, Permissions: viewer}
		got, err := d.ClientCredentials(app, issuance.Request{Scope: c.asked})
		if c.refused {
			if code(err) != oauth.InvalidScope || len(d.signed) > 0 {
				t.Errorf("%s: %q: got %v, want invalid_scope", name, c.asked, err)
			}
			continue
		}
		if err != nil || d.signed[0].Permissions != c.permissions || d.signed[0].Scope != c.scope || got.Scope != c.scope {
			t.Errorf("%s: %q: got %v, %q, %v; want %v, %q", name, c.asked, d.signed[0].Permissions.Names(), got.Scope, err, c.permissions.Names(), c.scope)
		}
	}
}

func code(err error) oauth.Code {
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		return e.Code
	}
	return ""
}

func TestAudiences(t *testing.T) {
	granted := domain.AudienceSet(domain.AudienceAuth, domain.AudienceCustomer)
	one := domain.AudienceSet(domain.AudienceCustomer)
	for name, c := range map[string]struct {
		granted  domain.Audiences
		audience []string
		resource []string
		want     domain.Audiences
		refused  oauth.Code
	}{
		"nothing asked: all (E14)":              {granted, nil, nil, granted, ""},
		"one asked: exactly that":               {granted, []string{"customer"}, nil, one, ""},
		"two asked":                             {granted, []string{"customer", "auth"}, nil, granted, ""},
		"the same twice":                        {granted, []string{"customer", "customer"}, nil, one, ""},
		"a public URL":                          {granted, nil, []string{"https://customer.example.com"}, one, ""},
		"a public URL with a slash":             {granted, nil, []string{"https://customer.example.com/"}, one, ""},
		"an audience and a resource":            {granted, []string{"auth"}, []string{"https://customer.example.com"}, granted, ""},
		"one that is not granted":               {granted, []string{"customer", "measurements"}, nil, 0, oauth.InvalidRequest},
		"one that nobody knows":                 {granted, []string{"elsewhere"}, nil, 0, oauth.InvalidRequest},
		"a resource that nobody knows":          {granted, nil, []string{"https://elsewhere"}, 0, oauth.InvalidTarget},
		"a resource that is not granted":        {domain.AudienceSet(domain.AudienceAuth), nil, []string{"https://customer.example.com"}, 0, oauth.InvalidTarget},
		"an application without any audience":   {0, nil, nil, 0, oauth.UnauthorizedClient},
		"an application without any, asking so": {0, []string{"customer"}, nil, 0, oauth.UnauthorizedClient},
	} {
		d := newDesk()
		app := &domain.Listing{Application: domain.Application{ID: "app_a", Partner: "prt_a", Grants: []string{oauth.GrantClientCredentials}, Audiences: c.granted, Lifetime: time.Minute}}
		_, err := d.ClientCredentials(app, issuance.Request{Audience: c.audience, Resource: c.resource})
		if code(err) != c.refused || c.refused == "" && (err != nil || d.signed[0].Audiences != c.want) || c.refused != "" && len(d.signed) > 0 {
			t.Errorf("%s: got %+v, %v; want %v, %q", name, d.signed, err, c.want.Names(), c.refused)
		}
	}
}

// TestALifetime looks at the seconds: the answer never promises more than the
// token has.
func TestALifetime(t *testing.T) {
	for _, lifetime := range []time.Duration{domain.MinLifetime, domain.ImpersonatorLifetime, domain.MaxLifetime} {
		d := newDesk()
		app := &domain.Listing{Application: domain.Application{ID: "app_a", Partner: "prt_a", Grants: []string{oauth.GrantClientCredentials}, Audiences: domain.AllAudiences(), Lifetime: lifetime}}
		got, err := d.ClientCredentials(app, issuance.Request{From: domain.Origin{At: now}})
		if err != nil {
			t.Fatal(err)
		}
		c := d.signed[0]
		at, ok := token.IssuedAt(c.ID)
		if got.Lifetime != int64(lifetime/time.Second) || c.Expires-c.IssuedAt != got.Lifetime || c.IssuedAt != now.Unix() || c.NotBefore != now.Unix() || !ok || !at.Equal(now) {
			t.Errorf("%v: got %d s, exp-iat %d, iat %d, jti of %v; want %d and %v", lifetime, got.Lifetime, c.Expires-c.IssuedAt, c.IssuedAt, at, int64(lifetime/time.Second), now)
		}
	}
}

func TestAGrantThatIsNotAllowed(t *testing.T) {
	d := newDesk()
	_, err := d.ClientCredentials(&domain.Listing{Application: domain.Application{ID: "app_a", Partner: "prt_a", Audiences: domain.AllAudiences()}}, issuance.Request{})
	if code(err) != oauth.UnauthorizedClient || len(d.signed) > 0 {
		t.Errorf("got %v, want unauthorized_client", err)
	}
}

// TestWhoMayNotImpersonate: no token and no entry of the audit log.
func TestWhoMayNotImpersonate(t *testing.T) {
	may := domain.Caller{
		Partner: "prt_a", Client: "app_a", Permissions: domain.AllPermissions(), Audiences: domain.AllAudiences(), Reach: domain.ReachPartner, Scope: "openid offline",
	}
	with := func(change func(*domain.Caller)) domain.Caller {
		c := may
		change(&c)
		return c
	}
	full := &domain.Error{Kind: domain.Unavailable, Public: "the disk is full"}
	for name, c := range map[string]struct {
		caller domain.Caller
		user   domain.UserID
		lost   error
		want   domain.Kind
	}{
		"a user":                      {with(func(c *domain.Caller) { c.User = customer }), customer, nil, domain.Forbidden},
		"somebody who acts already":   {with(func(c *domain.Caller) { c.Actor = "app_a" }), customer, nil, domain.Forbidden},
		"without the permission":      {with(func(c *domain.Caller) { c.Permissions &^= 1 << domain.CanImpersonate }), customer, nil, domain.Forbidden},
		"without a partner":           {with(func(c *domain.Caller) { c.Partner = "" }), customer, nil, domain.Forbidden},
		"with consents only":          {with(func(c *domain.Caller) { c.Reach = domain.ReachConsented }), customer, nil, domain.Forbidden},
		"with a reach that is none":   {with(func(c *domain.Caller) { c.Reach = "" }), customer, nil, domain.Forbidden},
		"for no API":                  {with(func(c *domain.Caller) { c.Audiences = domain.AudienceSet(domain.AudienceAuth) }), customer, nil, domain.Forbidden},
		"another partner":             {with(func(c *domain.Caller) { c.Partner = "prt_b" }), customer, nil, domain.NotFound},
		"staff":                       {may, staff, nil, domain.NotFound},
		"when nobody can remember it": {may, customer, full, domain.Unavailable},
	} {
		d := newDesk()
		d.lost = c.lost
		got, err := d.Impersonate(t.Context(), c.caller, c.user, domain.Origin{})
		if kind(err) != c.want || err == nil || got.Access != "" || len(d.signed) > 0 && d.lost == nil || len(d.entries) > 0 {
			t.Errorf("%s: got %s, %v, %d signed, %d entries; want %v and nothing", name, got.Access, err, len(d.signed), len(d.entries), c.want)
		}
	}
	d := newDesk()
	got, err := d.Impersonate(t.Context(), may, customer, domain.Origin{RequestID: "r", Address: "192.0.2.1"})
	if err != nil || string(got.Access) != "signed" || got.Scope != "openid offline" || got.Lifetime != 3600 {
		t.Fatalf("who may got %+v, %v", got, err)
	}
	e := d.entries[0]
	want := domain.Entry{ID: e.ID, At: now, Action: "user.impersonate", Partner: "prt_a", Client: "app_a", Object: string(customer), By: "CAN_IMPERSONATE", RequestID: "r", Address: "192.0.2.1"}
	if e != want || !strings.HasPrefix(e.ID, "aud_") {
		t.Errorf("the audit log has %+v, want %+v", e, want)
	}
}
