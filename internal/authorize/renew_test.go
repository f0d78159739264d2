package authorize_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
)

func TestRFC6749Section6Renewal(t *testing.T) {
	w := newWorld(t)
	code := w.code(t)
	g, first := w.grant(t)
	if !authorize.IsRefresh(first.Reveal()) || authorize.IsRefresh(code) {
		t.Errorf("a refresh token has the form of %.12s…", first.Reveal())
	}
	got, second, err := w.Renew(t.Context(), w.listing(), first, "", nil, w.origin())
	if err != nil || got.Family != g.Family || got.Scope != g.Scope || second.Reveal() == first.Reveal() {
		t.Fatalf("Renew = %+v, %v; want another refresh token of the family %s", got, err, g.Family)
	}
	if !w.opens(w.access(t, got).Access) {
		t.Error("the renewed token opens nothing")
	}
	w.pass(authorize.RefreshLifetime - time.Microsecond)
	_, third, err := w.Renew(t.Context(), w.listing(), second, "", nil, w.origin())
	if err != nil {
		t.Fatalf("at the last moment: %v", err)
	}
	w.pass(authorize.RefreshLifetime)
	if _, _, err := w.Renew(t.Context(), w.listing(), third, "", nil, w.origin()); codeOf(err) != "invalid_grant" {
		t.Errorf("too late: got %v", err)
	}
}

func TestRFC6749Section6TheScope(t *testing.T) {
	w := newWorld(t)
	_, refresh := w.grant(t)
	for scope, want := range map[string]string{
		"": "openid offline_access", " ": "openid offline_access", "openid": "openid",
		"view:detailed-usage": "view:detailed-usage", "offline": "invalid_scope", // which was not asked
		"query:user-details": "invalid_scope", "impersonate:customer": "invalid_scope", "email": "invalid_scope",
	} {
		g, next, err := w.Renew(t.Context(), w.listing(), refresh, scope, nil, w.origin())
		if err != nil {
			if codeOf(err) != want {
				t.Errorf("scope %q: got %v, want %s", scope, err, want)
			}
			continue // with the same refresh token: a wrong scope changes nothing
		}
		if refresh = next; g.Scope != want {
			t.Errorf("scope %q: got %q, want %q", scope, g.Scope, want)
		}
	}
}

// TestWhatWasAllowedStays narrows and widens a role. Who has allowed two things
// has not allowed a third one.
func TestWhatWasAllowedStays(t *testing.T) {
	w := newWorld(t)
	role := domain.Role{Name: "OTHER", Permissions: domain.PermissionSet(domain.CanQueryProperty)}
	must(t, w.registry.SetRole(t.Context(), by, role))
	w.app = w.add(t, registry.NewApplication{Name: "other", Role: role.Name})
	_, refresh := w.grant(t)
	role.Permissions = domain.AllPermissions()
	must(t, w.registry.SetRole(t.Context(), by, role))
	w.pass(time.Second)
	g, _, err := w.Renew(t.Context(), w.listing(), refresh, "", nil, w.origin())
	must(t, err)
	caller, err := w.tokens.Caller(w.access(t, g).Access, domain.AudienceCustomer)
	if err != nil || caller.Permissions != domain.PermissionSet(domain.CanQueryProperty) {
		t.Errorf("after the role was widened the token holds %v, %v", caller.Permissions.Names(), err)
	}
}

func TestRFC9700Section414Reuse(t *testing.T) {
	w := newWorld(t)
	g, first := w.grant(t)
	_, second, err := w.Renew(t.Context(), w.listing(), first, "", nil, w.origin())
	must(t, err)
	made := w.access(t, g)
	if _, _, err := w.Renew(t.Context(), w.listing(), first, "", nil, w.origin()); codeOf(err) != "invalid_grant" {
		t.Errorf("a used refresh token: got %v", err)
	}
	if w.opens(made.Access) {
		t.Error("the access token outlives its family")
	}
	if _, _, err := w.Renew(t.Context(), w.listing(), second, "", nil, w.origin()); codeOf(err) != "invalid_grant" {
		t.Errorf("the youngest: got %v", err)
	}
	if got := w.actions(t); got != "consent.create family.end" {
		t.Errorf("audit log: got %s", got)
	}
}

// TestRenewalWithoutRotation is the Kraken dialect's way, which a public
// application never gets (RFC 9700 §2.2.2).
func TestRenewalWithoutRotation(t *testing.T) {
	w := newWorld(t)
	g, _ := w.grant(t)
	g.Lasting = true
	refresh, err := w.Remember(t.Context(), g, authorize.KrakenRefreshLifetime)
	must(t, err)
	for range 3 {
		if got, next, err := w.Renew(t.Context(), w.listing(), refresh, "", nil, w.origin()); err != nil || !got.Lasting || next.Reveal() != refresh.Reveal() {
			t.Fatalf("Renew without rotation: another token, %v", err)
		}
	}
	must(t, w.EndFamily(t.Context(), w.listing(), refresh, w.origin()))
	if _, _, err := w.Renew(t.Context(), w.listing(), refresh, "", nil, w.origin()); codeOf(err) != "invalid_grant" {
		t.Errorf("after its end: got %v", err)
	}
	w.app = w.add(t, registry.NewApplication{Name: "public", Type: domain.Public})
	g, _ = w.grant(t)
	g.Lasting = true
	refresh, err = w.Remember(t.Context(), g, authorize.KrakenRefreshLifetime)
	must(t, err)
	for range 2 { // nor does what follows last
		_, next, err := w.Renew(t.Context(), w.listing(), refresh, "", nil, w.origin())
		if err != nil || next.Reveal() == refresh.Reveal() {
			t.Errorf("a public application: the same token, or %v", err)
		}
		refresh = next
	}
}

// TestWhatCannotBeIssuedCostsNoRefreshToken refuses the token that a refresh token
// would become: it is good afterwards. Who brings a used one is not asked anything.
func TestWhatCannotBeIssuedCostsNoRefreshToken(t *testing.T) {
	w := newWorld(t)
	family, refresh := w.grant(t)
	asked := 0
	for _, cause := range []error{&oauth.Error{Code: oauth.InvalidTarget}, &domain.Error{Kind: domain.Unavailable}} {
		_, next, err := w.Renew(t.Context(), w.listing(), refresh, "openid", func(g authorize.Grant) error {
			if asked++; g.Family != family.Family || g.Scope != "openid" {
				t.Errorf("asked about %+v", g)
			}
			return cause
		}, w.origin())
		if !errors.Is(err, cause) || next.Reveal() != "" {
			t.Errorf("got %v, want %v and no token", err, cause)
		}
	}
	fine := func(authorize.Grant) error { asked++; return nil }
	if _, _, err := w.Renew(t.Context(), w.listing(), refresh, "", fine, w.origin()); err != nil || asked != 3 {
		t.Errorf("afterwards: %v, asked %d times", err, asked)
	}
	if _, _, err := w.Renew(t.Context(), w.listing(), refresh, "", fine, w.origin()); codeOf(err) != "invalid_grant" || asked != 3 {
		t.Errorf("used twice: %v, asked %d times", err, asked)
	}
}

func TestRFC7009Section21RevocationOfARefreshToken(t *testing.T) {
	w := newWorld(t)
	g, refresh := w.grant(t)
	made := w.access(t, g)
	other := w.add(t, registry.NewApplication{Name: "other"})
	must(t, w.EndFamily(t.Context(), w.registry.Directory().Application(other), refresh, w.origin()))
	must(t, w.EndFamily(t.Context(), w.listing(), domain.NewSecret("something"), w.origin()))
	if !w.opens(made.Access) {
		t.Fatal("another application ended the family")
	}
	must(t, w.EndFamily(t.Context(), w.listing(), refresh, w.origin()))
	must(t, w.EndFamily(t.Context(), w.listing(), refresh, w.origin()))
	if w.opens(made.Access) {
		t.Error("the access token outlives its family")
	}
	if got := w.actions(t); got != "consent.create family.end" {
		t.Errorf("audit log: got %s", got)
	}
}

// TestWhoIsDisabledRenewsNothing disables everybody that a grant depends on.
func TestWhoIsDisabledRenewsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		disable, enable func(w *world) error
	}{
		"application": {
			func(w *world) error { return w.registry.SetDisabled(t.Context(), by, w.app, true) },
			func(w *world) error { return w.registry.SetDisabled(t.Context(), by, w.app, false) },
		},
		"user": {
			func(w *world) error {
				return w.store.DisableUser(t.Context(), w.user.ID, true, w.now(), domain.Entry{ID: domain.NewEntryID(w.now(), nil)})
			},
			func(w *world) error {
				return w.store.DisableUser(t.Context(), w.user.ID, false, time.Time{}, domain.Entry{ID: domain.NewEntryID(w.now(), nil)})
			},
		},
		"partner": {
			func(w *world) error {
				return w.store.DisablePartner(t.Context(), w.user.Partner, true, w.now(), domain.Entry{ID: domain.NewEntryID(w.now(), nil)})
			},
			func(w *world) error {
				return w.store.DisablePartner(t.Context(), w.user.Partner, false, time.Time{}, domain.Entry{ID: domain.NewEntryID(w.now(), nil)})
			},
		},
	} {
		w := newWorld(t)
		code := w.code(t)
		g, refresh := w.grant(t)
		w.pass(time.Second)
		must(t, c.disable(w))
		must(t, w.registry.Refresh(t.Context()))
		w.pass(time.Second)
		for _, when := range []string{"disabled", "enabled again"} {
			if _, _, err := w.Renew(t.Context(), w.listing(), refresh, "", nil, w.origin()); codeOf(err) != "invalid_grant" {
				t.Errorf("%s %s: the refresh token gives %v", name, when, err)
			}
			if _, err := w.Redeem(t.Context(), w.listing(), code, callback, verifier, w.origin()); codeOf(err) != "invalid_grant" {
				t.Errorf("%s %s: the code gives %v", name, when, err)
			}
			if when == "disabled" && name == "user" {
				if _, err := w.issuer.ForUser(t.Context(), w.listing(), userGrant(g), w.origin()); codeOf(err) != "invalid_grant" {
					t.Errorf("%s %s: a token is issued, %v", name, when, err)
				}
			}
			must(t, c.enable(w))
			must(t, w.registry.Refresh(t.Context()))
		}
	}
}

// TestAskedForNothing asks for no refresh token, or has no grant for it.
func TestAskedForNothing(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		scope  string
		grants []string
		want   bool
	}{
		{"openid", nil, false},
		{"", nil, false},
		{"offline", nil, true},
		{"openid offline_access", nil, true},
		{"offline_access", []string{oauth.GrantAuthorizationCode}, false},
	} {
		w.app = w.add(t, registry.NewApplication{Name: "asks " + c.scope + strings.Join(c.grants, ""), Grants: c.grants})
		p := w.params()
		p.Scope = c.scope
		to, err := w.Allow(t.Context(), w.challenge(t, p), w.user, w.decision(), w.origin())
		must(t, err)
		_, code, _ := strings.Cut(to, "code=")
		code, _, _ = strings.Cut(code, "&")
		g, err := w.Redeem(t.Context(), w.listing(), code, callback, verifier, w.origin())
		if err != nil || g.Offline != c.want {
			t.Errorf("scope %q, grants %v: Offline = %t, %v; want %t", c.scope, c.grants, g.Offline, err, c.want)
		}
		if made := w.access(t, g); (made.IDToken != "") != strings.Contains(c.scope, "openid") {
			t.Errorf("scope %q: id_token %q", c.scope, made.IDToken)
		}
	}
}
