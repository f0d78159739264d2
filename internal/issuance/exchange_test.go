package issuance_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/token"
)

// holders knows who holds which token.
type holders map[string]domain.Caller

func (h holders) Held(raw string, audience domain.Audience, _ domain.Confirmation) (domain.Caller, error) {
	c, known := h[raw]
	if !known || !c.Audiences.Has(audience) {
		return domain.Caller{}, &domain.Error{Kind: domain.Unauthenticated, Public: "the access token is not valid", Err: errors.New("a cause")}
	}
	return c, nil
}

// impersonator is an application that may impersonate, and who holds its token.
func impersonator() (*domain.Listing, domain.Caller) {
	app := &domain.Listing{
		Application: domain.Application{ID: "app_a", Partner: "prt_a", Audiences: domain.AllAudiences(), Reach: domain.ReachPartner},
		Permissions: domain.AllPermissions(),
	}
	return app, domain.Caller{
		Partner: "prt_a", Client: "app_a", Permissions: domain.AllPermissions(), Audiences: domain.AllAudiences(), Reach: domain.ReachPartner, Scope: "openid offline",
	}
}

// TestExchangeRefusals is RFC 8693 §2.2.2 and RFC 6749 §5.2: no token and no
// entry of the audit log, and nobody learns from the words who exists.
func TestExchangeRefusals(t *testing.T) {
	const none = "the actor_token is not accepted: the access token is not valid"
	full := &domain.Error{Kind: domain.Unavailable, Public: "the disk is full"}
	type desc = func(*domain.Listing, *domain.Caller, *issuance.Exchange)
	for name, c := range map[string]struct {
		change      desc
		lost        error
		code, about oauth.Code
		says        string
	}{
		"an application without the permission": {func(a *domain.Listing, _ *domain.Caller, _ *issuance.Exchange) { a.Permissions = 0 }, nil, oauth.UnauthorizedClient, "", ""},
		"the grant, but no permission": {func(a *domain.Listing, c *domain.Caller, _ *issuance.Exchange) {
			a.Permissions, c.Permissions, a.Grants = 0, 0, []string{oauth.GrantTokenExchange}
		}, nil, oauth.InvalidRequest, oauth.InsufficientScope, ""},
		"an unknown actor":            {func(_ *domain.Listing, _ *domain.Caller, x *issuance.Exchange) { x.Actor = "x" }, nil, oauth.InvalidRequest, oauth.InvalidToken, none},
		"another application's actor": {func(_ *domain.Listing, c *domain.Caller, _ *issuance.Exchange) { c.Client = "app_b" }, nil, oauth.InvalidRequest, oauth.InvalidToken, none},
		"a chain":                     {func(_ *domain.Listing, c *domain.Caller, _ *issuance.Exchange) { c.User, c.Actor = customer, "app_a" }, nil, oauth.InvalidRequest, oauth.InsufficientScope, ""},
		"an actor that is for another API": {func(_ *domain.Listing, c *domain.Caller, _ *issuance.Exchange) {
			c.Audiences = c.Audiences.Without(domain.AudienceAuth)
		}, nil, oauth.InvalidRequest, oauth.InvalidToken, none},
		"an actor that was narrowed": {func(_ *domain.Listing, c *domain.Caller, _ *issuance.Exchange) {
			c.Permissions = domain.CustomerPermissions
		}, nil, oauth.InvalidRequest, oauth.InsufficientScope, ""},
		"an actor that opens nothing else": {func(_ *domain.Listing, c *domain.Caller, _ *issuance.Exchange) {
			c.Audiences = domain.AudienceSet(domain.AudienceAuth)
		}, nil, oauth.InvalidRequest, oauth.InsufficientScope, ""},
		"an actor with consents only":     {func(_ *domain.Listing, c *domain.Caller, _ *issuance.Exchange) { c.Reach = domain.ReachConsented }, nil, oauth.InvalidRequest, oauth.InsufficientScope, ""},
		"an unknown user":                 {func(_ *domain.Listing, _ *domain.Caller, x *issuance.Exchange) { x.User = "usr_x" }, nil, oauth.InvalidRequest, oauth.NotFound, "not known"},
		"a member of staff":               {func(_ *domain.Listing, _ *domain.Caller, x *issuance.Exchange) { x.User = staff }, nil, oauth.InvalidRequest, oauth.NotFound, "not known"},
		"another partner's user":          {func(_ *domain.Listing, c *domain.Caller, _ *issuance.Exchange) { c.Partner = "prt_b" }, nil, oauth.InvalidRequest, oauth.NotFound, "not known"},
		"a scope that the customer lacks": {func(_ *domain.Listing, _ *domain.Caller, x *issuance.Exchange) { x.Scope = "impersonate:customer" }, nil, oauth.InvalidScope, "", ""},
		"a scope that the actor's token lacks": {func(_ *domain.Listing, c *domain.Caller, x *issuance.Exchange) {
			c.Permissions &^= 1 << domain.CanViewDetailedUsage
			x.Scope = "view:detailed-usage"
		}, nil, oauth.InvalidScope, "", ""},
		"the audience auth": {func(_ *domain.Listing, _ *domain.Caller, x *issuance.Exchange) { x.Audience = []string{"auth"} }, nil, oauth.InvalidTarget, "", ""},
		"an audience the actor's token lacks": {func(_ *domain.Listing, c *domain.Caller, x *issuance.Exchange) {
			c.Audiences = c.Audiences.Without(domain.AudienceMeasurements)
			x.Audience = []string{"measurements"}
		}, nil, oauth.InvalidTarget, "", ""},
		"a resource that nobody knows": {func(_ *domain.Listing, _ *domain.Caller, x *issuance.Exchange) {
			x.Resource = []string{"https://elsewhere"}
		}, nil, oauth.InvalidTarget, "", ""},
		"a reason of 201 characters":          {func(_ *domain.Listing, _ *domain.Caller, x *issuance.Exchange) { x.Reason = strings.Repeat("é", 201) }, nil, oauth.InvalidRequest, "", ""},
		"a reason that turns the text around": {func(_ *domain.Listing, _ *domain.Caller, x *issuance.Exchange) { x.Reason = "a\u202eb" }, nil, oauth.InvalidRequest, "", ""},
		"nobody can remember it":              {func(*domain.Listing, *domain.Caller, *issuance.Exchange) {}, full, "", "", ""},
	} {
		d := newDesk()
		d.lost = c.lost
		app, caller := impersonator()
		req := issuance.Exchange{User: customer, Actor: "t"}
		c.change(app, &caller, &req)
		d.Actors = holders{"t": caller}
		got, err := d.Exchange(t.Context(), app, req)
		if err == nil || got.Access != "" || len(d.signed) > 0 && d.lost == nil || len(d.entries) > 0 {
			t.Errorf("%s: got %s, %v, %d signed, %d entries; want nothing", name, got.Access, err, len(d.signed), len(d.entries))
			continue
		}
		if c.code == "" {
			if kind(err) != domain.Unavailable {
				t.Errorf("%s: got %v, want unavailable", name, err)
			}
			continue
		}
		e, _ := errors.AsType[*oauth.Error](err)
		if e == nil || e.Code != c.code || e.About != c.about || c.says != "" && e.Description != c.says {
			t.Errorf("%s: got %#v, want %s about %s: %s", name, e, c.code, c.about, c.says)
		}
	}
}

// TestAnExchange looks at what comes out, and at what the audit log keeps.
func TestAnExchange(t *testing.T) {
	d := newDesk()
	app, caller := impersonator()
	d.Actors = holders{"t": caller}
	req := issuance.Exchange{User: customer, Actor: "t", Reason: strings.Repeat("é", 200)}
	req.From = domain.Origin{RequestID: "r", Address: "192.0.2.1", At: now}
	got, err := d.Exchange(t.Context(), app, req)
	if err != nil || got.Issued != oauth.TokenTypeAccess || got.Lifetime != 3600 || got.Scope != "openid offline" {
		t.Fatalf("got %+v, %v", got, err)
	}
	twin := newDesk()
	if _, err := twin.Impersonate(t.Context(), caller, customer, req.From); err != nil {
		t.Fatal(err)
	}
	ours, theirs := d.signed[0], twin.signed[0]
	ours.ID, ours.SID, theirs.ID, theirs.SID = "", "", "", ""
	if ours != theirs {
		t.Errorf("the two spellings sign\n%+v\n%+v", ours, theirs)
	}
	e := d.entries[0]
	want := domain.Entry{
		ID: e.ID, At: now, Action: "user.impersonate", Partner: "prt_a", Client: "app_a", Object: string(customer), By: "CAN_IMPERSONATE",
		RequestID: "r", Address: "192.0.2.1", Detail: req.Reason,
	}
	if e != want || d.signed[0].SID != e.ID {
		t.Errorf("the audit log has %+v, want %+v, and the token names it", e, want)
	}
	req.Scope, req.Audience = "openid query:property", []string{"customer"}
	if _, err := d.Exchange(t.Context(), app, req); err != nil {
		t.Fatal(err)
	}
	if c := d.signed[1]; c.Scope != req.Scope || c.Permissions != domain.PermissionSet(domain.CanQueryProperty) || c.Audiences != domain.AudienceSet(domain.AudienceCustomer) {
		t.Errorf("narrowed: got %+v", c)
	}
}

// TestNobodyGainsByAnExchange: whatever is asked, the result holds no more than
// the actor's token and the customer both do, and opens no more.
func TestNobodyGainsByAnExchange(t *testing.T) {
	issued := 0
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk()
		app, caller := impersonator()
		caller.Audiences = domain.Audiences(rapid.Uint8Range(0, uint8(domain.AllAudiences())).Draw(t, "audiences")) | domain.AudienceSet(domain.AudienceAuth)
		caller.Permissions = domain.Permissions(rapid.Uint32Range(0, uint32(domain.AllPermissions())).Draw(t, "permissions")) | domain.PermissionSet(domain.CanImpersonate)
		d.Actors = holders{"t": caller}
		req := anyRequest(t)
		if rapid.Bool().Draw(t, "plain") { // most others ask for what is not there
			req.Scope, req.Audience, req.Resource = "", nil, nil
		}
		if _, err := d.Exchange(context.Background(), app, issuance.Exchange{Request: req, User: customer, Actor: "t"}); err != nil {
			if len(d.signed)+len(d.entries) > 0 {
				t.Fatalf("signed %+v and recorded %+v beside %v", d.signed, d.entries, err)
			}
			return
		}
		issued++
		sane(t, d.signed[0], caller.Permissions.And(domain.CustomerPermissions), caller.Audiences.Without(domain.AudienceAuth))
	})
	if issued < 10 {
		t.Errorf("only %d of the draws issued a token: this shows little", issued)
	}
}

// archive is what a revoker needs: it reads tokens by name, and remembers.
type archive struct {
	claims  map[string]token.Claims
	denied  map[string]bool
	stored  []domain.Revocation
	entries []domain.Entry
	over    time.Time
	lost    error
}

func (a *archive) Authentic(raw string) (token.Claims, error) {
	c, known := a.claims[raw]
	if !known {
		return c, token.ErrSignature
	}
	return c, nil
}

func (a *archive) RevokeToken(_ context.Context, r domain.Revocation, over time.Time, e domain.Entry) error {
	if a.lost == nil {
		a.stored, a.entries, a.over = append(a.stored, r), append(a.entries, e), over
	}
	return a.lost
}

func (a *archive) Denies(jti string) bool { return a.denied[jti] }

func (a *archive) Add(r domain.Revocation, _ time.Time) {
	for _, c := range a.claims {
		if domain.DigestTokenID(c.ID) == r.Token {
			a.denied[c.ID] = true
		}
	}
}

// TestRevoke is RFC 7009 §2.1 and §2.2.
func TestRevoke(t *testing.T) {
	own := token.Claims{Issuer: "https://auth", ClientID: "app_a", Subject: "app_a", ID: "jti", Expires: now.Unix() + 60, SID: "aud_1"}
	with := func(change func(*token.Claims)) token.Claims {
		c := own
		change(&c)
		return c
	}
	full := &domain.Error{Kind: domain.Unavailable, Public: "the disk is full"}
	for name, c := range map[string]struct {
		claims *token.Claims
		denied bool
		lost   error
		stored bool
		kind   domain.Kind
	}{
		"its own":                     {&own, false, nil, true, 0},
		"one from a wrong clock":      {new(with(func(c *token.Claims) { c.NotBefore = now.Unix() + 3600 })), false, nil, true, 0},
		"one that is none of ours":    {nil, false, nil, false, 0},
		"another application's":       {new(with(func(c *token.Claims) { c.ClientID = "app_b" })), false, nil, false, 0},
		"another issuer's":            {new(with(func(c *token.Claims) { c.Issuer = "https://elsewhere" })), false, nil, false, 0},
		"one whose time is over":      {new(with(func(c *token.Claims) { c.Expires = now.Unix() })), false, nil, false, 0},
		"one that was revoked before": {&own, true, nil, false, 0},
		"one that cannot be kept":     {&own, false, full, false, domain.Unavailable},
	} {
		a := &archive{claims: map[string]token.Claims{}, denied: map[string]bool{"jti": c.denied}, lost: c.lost}
		if c.claims != nil {
			a.claims["t"] = *c.claims
		}
		rv := issuance.Revoker{URL: "https://auth", Keys: a, Store: a, Denied: a, Now: func() time.Time { return now }}
		err := rv.Revoke(t.Context(), &domain.Listing{Application: domain.Application{ID: "app_a", Partner: "prt_a"}}, "t", domain.Origin{RequestID: "r", Address: "192.0.2.1"})
		if (err != nil) != (c.lost != nil) || err != nil && kind(err) != c.kind || (len(a.stored) == 1) != c.stored || a.denied["jti"] != (c.stored || c.denied) {
			t.Errorf("%s: got %v, stored %v, denied %v", name, err, a.stored, a.denied)
			continue
		}
		if !c.stored {
			continue
		}
		e := a.entries[0]
		want := domain.Entry{
			ID: e.ID, At: now, Action: "token.revoke", Partner: "prt_a", Client: "app_a", Object: "jti", By: "its own application",
			RequestID: "r", Address: "192.0.2.1", Detail: "aud_1",
		}
		if r := a.stored[0]; e != want || r.Token != domain.DigestTokenID("jti") || r.Until.Unix() != own.Expires || !a.over.Equal(now.Add(-domain.RevocationKept)) {
			t.Errorf("%s: stored %+v with %+v, forgot up to %v", name, r, e, a.over)
		}
	}
}
