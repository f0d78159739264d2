package app_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
)

// reader is an application that reads by consent, with tokens of its own too.
func (w *world) reader(t *testing.T, role domain.RoleName) coach {
	t.Helper()
	return w.coach(t, registry.NewApplication{
		Role: role, Reach: domain.ReachConsented, Grants: append([]string{oauth.GrantClientCredentials}, coachGrants...),
	})
}

// own gets a token of the application's own.
func (b *browser) own(t *testing.T, c coach) string {
	t.Helper()
	s := b.post(t, "/oauth2/token", url.Values{"grant_type": {oauth.GrantClientCredentials}, "client_id": {string(c.id)}, "client_secret": {c.secret}})
	return member(t, s, "access_token")
}

// users gets a token of the customer's, whose decision says more.
func (b *browser) users(t *testing.T, c coach, scope string, more ...string) string {
	t.Helper()
	challenge := b.begin(t, values(c.ask, "scope", scope))
	b.logIn(t, challenge)
	s := b.post(t, "/consent", values(b.decision(t, challenge), more...))
	return member(t, b.post(t, "/oauth2/token", c.redeem(s.query("code"))), "access_token")
}

func member(t *testing.T, s seen, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(s.body, `"`+name+`":"`)
	text, _, _ := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("got %d %s, want %s in it", s.status, s.body, name)
	}
	return text
}

// ask asks the customer API about the demo's property.
func (b *browser) ask(t *testing.T, token, what string) string {
	t.Helper()
	query := `{property(id:"` + string(b.w.demo.PropertyID) + `"){` + what + `}}`
	return b.do(t, "GET", b.w.urls.Customer+"/v1/graphql/?query="+url.QueryEscape(query), nil, "Authorization: Bearer "+token).body
}

const firstTwo = `measurements(first:2){edges{node{value ... on IntervalMeasurementType{startAt endAt}}}}`

// TestNoMoreThanWasShown reads with an application's own token what its customer
// was not asked for.
func TestNoMoreThanWasShown(t *testing.T) {
	w := newWorld(t)
	c, b := w.reader(t, domain.RolePartnerIntegration), w.browser(t)
	b.users(t, c, "query:property")
	own := b.own(t, c)
	if got := b.ask(t, own, "id label address postcode"); !strings.Contains(got, `"address":null,"postcode":""`) || !strings.Contains(got, `"label"`) {
		t.Errorf("a consent for the property: got %s, want it without the address", got)
	}
	if got := b.ask(t, own, firstTwo); !strings.Contains(got, "KT-CT-") || strings.Contains(got, `"startAt":"`) {
		t.Errorf("a consent for the property gives measurements: %s", got)
	}
	list := b.do(t, "GET", w.urls.Customer+"/v1/consents", nil, "Authorization: Bearer "+own)
	if !strings.Contains(list.body, `"permissions":["query:property"]`) {
		t.Errorf("the list of consents: got %s", list.body)
	}
}

// TestRolesGrowWithoutConsents widens a role after a customer has decided.
func TestRolesGrowWithoutConsents(t *testing.T) {
	w := newWorld(t)
	c, b := w.reader(t, domain.RoleThirdPartyViewer), w.browser(t)
	b.code(t, c.ask)
	w.change(t, c.id, func(a *domain.Application) { a.Role = domain.RolePartnerIntegration })
	if got := b.ask(t, b.own(t, c), "id address postcode "+firstTwo); !strings.Contains(got, `"address":null,"postcode":""`) || !strings.Contains(got, `"startAt":"`) {
		t.Errorf("after the role grew: got %s, want measurements without the address", got)
	}
}

// TestTheLatestDecisionCounts decides again, coarser: neither the old token nor
// the new one reads what the customer has taken back.
func TestTheLatestDecisionCounts(t *testing.T) {
	w := newWorld(t)
	c, b := w.reader(t, domain.RoleThirdPartyViewer), w.browser(t)
	fine := b.users(t, c, "openid", "finest", "measured")
	if got := b.ask(t, fine, firstTwo); !strings.Contains(got, `"startAt":"`) {
		t.Fatalf("as measured: got %s", got)
	}
	challenge := b.begin(t, c.ask)
	b.logIn(t, challenge)
	b.post(t, "/consent", values(b.decision(t, challenge), "finest", "24h", "history_from", "2026-03-01"))
	for name, token := range map[string]string{"the old token": fine, "the application's": b.own(t, c)} {
		if got := b.ask(t, token, firstTwo); strings.Contains(got, `"startAt":"`) {
			t.Errorf("%s reads what was allowed before: %s", name, got)
		}
	}
	narrow := b.users(t, c, "query:property", "finest", "measured")
	for name, token := range map[string]string{"the customer's token": narrow, "the application's": b.own(t, c)} {
		if got := b.ask(t, token, firstTwo); strings.Contains(got, `"startAt":"`) {
			t.Errorf("%s: a consent for the property has lent its resolution: %s", name, got)
		}
	}
}

// TestUserinfoAfterTheConsent asks who somebody is when their consent is over.
func TestUserinfoAfterTheConsent(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{Name: "Late", Reach: domain.ReachConsented, Lifetime: time.Hour})
	b := w.browser(t)
	w.clock.move(11*time.Hour + 50*time.Minute)
	token := b.users(t, c, "openid query:user-details", "valid_until", "2026-03-02")
	ask := func() seen { return b.do(t, "GET", "/userinfo", nil, "Authorization: Bearer "+token) }
	if s := ask(); s.status != 200 || !strings.Contains(s.body, b.w.demo.CustomerEmail) {
		t.Errorf("in time: got %d %s", s.status, s.body)
	}
	w.clock.move(20 * time.Minute)
	if s := ask(); s.status != 401 || strings.Contains(s.body, b.w.demo.CustomerEmail) {
		t.Errorf("too late: got %d %s, want 401", s.status, s.body)
	}
}

// TestTheRetailersOwnApplication lists and ends with a customer's token what the
// customer has given to others, which only the partner's own application may.
func TestTheRetailersOwnApplication(t *testing.T) {
	w := newWorld(t)
	c, b := w.reader(t, domain.RoleThirdPartyViewer), w.browser(t)
	b.code(t, c.ask)
	stranger := w.coach(t, registry.NewApplication{Name: "Stranger"})
	strangers := b.users(t, stranger, "openid query:user-details")
	own := w.coach(t, registry.NewApplication{Name: "My Noordstroom", SkipAuthorization: true})
	challenge := b.begin(t, own.ask)
	b.logIn(t, challenge)
	s := b.get(t, "/consent?challenge="+challenge)
	owns := member(t, b.post(t, "/oauth2/token", own.redeem(s.query("code"))), "access_token")
	list := func(token string) seen {
		return b.do(t, "GET", w.urls.Customer+"/v1/consents", nil, "Authorization: Bearer "+token)
	}
	given := `"application":"` + string(c.id) + `"`
	got := list(owns)
	if !strings.Contains(got.body, given) {
		t.Fatalf("the partner's own application: got %d %s", got.status, got.body)
	}
	if got := list(strangers); got.status != 200 || strings.Contains(got.body, given) || !strings.Contains(got.body, string(stranger.id)) {
		t.Errorf("another application: got %d %s, want its own consents only", got.status, got.body)
	}
	end := func(token string) int {
		list, err := w.Engine().Consents(t.Context(), authorize.Filter{Application: c.id, User: w.demo.CustomerUserID})
		if err != nil || len(list) != 1 {
			t.Fatalf("got %v, %v", list, err)
		}
		return b.do(t, "DELETE", w.urls.Customer+"/v1/consents/"+string(list[0].ID), nil, "Authorization: Bearer "+token).status
	}
	if got := end(strangers); got != 404 {
		t.Errorf("another application ends it: got %d, want 404", got)
	}
	if got := end(owns); got != 204 {
		t.Errorf("the partner's own application ends it: got %d, want 204", got)
	}
}
