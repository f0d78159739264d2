package customer_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/customer"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

// now is when everything here happens.
var now = time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)

// village is the world before a host, and what its customers allow.
type village struct {
	*world
	hosts   http.Handler
	callers map[string]domain.Caller
	given   int
}

// Present returns the caller whose name the token is.
func (v *village) Present(p *domain.Presentation, _ domain.Audience) (domain.Caller, error) {
	if p.Token == "" {
		return domain.Caller{}, authn.ErrNoToken
	}
	c, ok := v.callers[p.Token]
	if !ok {
		return domain.Caller{}, authn.ErrInvalid
	}
	return c, nil
}

func newVillage(t *testing.T) *village {
	t.Helper()
	w, err := build()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	agreed := func(id domain.ClientID, partner domain.PartnerID, user domain.UserID) domain.Caller {
		return domain.Caller{Partner: partner, Client: id, User: user, Permissions: thirdParty, Audiences: onCustomer, Reach: domain.ReachConsented}
	}
	own := func(user domain.UserID) domain.Caller {
		return domain.Caller{
			Partner: stroom, Client: "app_stroom", User: user, Permissions: domain.CustomerPermissions, Audiences: onCustomer,
			Reach: domain.ReachPartner, Own: true,
		}
	}
	acting := own(ada)
	acting.Client, acting.Actor = "app_agreed", "app_agreed"
	personal := agreed("app_agreed", stroom, ada)
	personal.Permissions = domain.CustomerPermissions
	v := &village{world: w, callers: map[string]domain.Caller{
		"agreed": agreed("app_agreed", stroom, ""), "agreed-ada": agreed("app_agreed", stroom, ada), "agreed-bo": agreed("app_agreed", stroom, bo),
		"personal-ada": personal,
		"other":        agreed("app_other", stroom, ""), "other-ada": agreed("app_other", stroom, ada),
		"watt-agreed": agreed("app_watt", watt, ""),
		"acting-ada":  acting, "own-ada": own(ada), "own-bo": own(bo),
		"partner": callers["partner"], "ada": callers["ada"], "bo": callers["bo"], "narrowed": callers["narrowed"],
	}}
	for id, partner := range map[domain.ClientID]domain.PartnerID{"app_agreed": stroom, "app_other": stroom, "app_watt": watt} {
		if err := w.store.AddApplication(t.Context(), reader(id, partner), nil, v.entry("application.create")); err != nil {
			t.Fatal(err)
		}
	}
	desk := &authorize.Desk{Store: w.store, Denied: &authn.DenyList{}, Issuer: "http://auth.test", Now: func() time.Time { return now }}
	table, err := (&customer.Host{Usage: w.usage, Tokens: v, Consents: desk, URL: "http://customer.test", AuthURL: "http://auth.test"}).Table()
	if err != nil {
		t.Fatal(err)
	}
	if v.hosts, err = (&server.Serving{Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }}).OneOrigin(table); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v *village) entry(action string) domain.Entry {
	v.given++
	return domain.Entry{ID: fmt.Sprintf("aud_village%04d", v.given), At: now, Action: action, By: "test"}
}

// consent has a customer of Stroom allow an application the electricity at home.
func (v *village) consent(t *testing.T, app domain.ClientID, user domain.UserID, change func(*domain.Consent)) domain.Consent {
	t.Helper()
	point := map[domain.UserID]string{ada: "871690000000000000", bo: "871690000000000001", cleo: "871690000000000002"}[user]
	c := domain.Consent{
		ID: domain.ConsentID(fmt.Sprintf("con_%03d", v.given)), Application: app, Partner: stroom, User: user,
		Permissions:  domain.CustomerPermissions,
		SupplyPoints: []domain.SupplyPointRef{{Market: domain.MarketNLDElectricity, Identifier: point}},
		Finest:       30 * time.Minute, HistoryFrom: domain.NewDate(2024, 6, 1), ValidUntil: now.AddDate(1, 0, 0),
		Purpose: "advice", CreatedAt: now.Add(time.Duration(v.given) * time.Second),
	}
	if user == cleo {
		c.Partner = watt
	}
	if change != nil {
		change(&c)
	}
	if err := give(v.store, c, v.entry("consent.create")); err != nil {
		t.Fatal(err)
	}
	return c
}

// give stores a consent by the same verb as the consent page.
func give(store *sqlite.Store, c domain.Consent, e domain.Entry) error {
	key, ctx := authorize.Digest(sha256.Sum256([]byte(c.ID))), context.Background()
	kept := store.KeepRequest(ctx, authorize.KindChallenge, key, authorize.Request{Client: c.Application, Partner: c.Partner}, now.Add(time.Hour), now)
	_, err := store.Approve(ctx, authorize.Approval{
		Challenge: key, Consent: &c, Now: now, Until: now.Add(time.Hour), Entry: e,
		Grant: authorize.Grant{Family: "fam_" + string(c.ID), Client: c.Application, Partner: c.Partner, User: c.User, Consent: c.ID},
		Code:  &authorize.Code{Digest: key, Until: now.Add(time.Hour)},
	})
	return errors.Join(kept, err)
}

// reader is an application that reads by consent.
func reader(id domain.ClientID, partner domain.PartnerID) domain.Application {
	return domain.Application{
		ID: id, Name: string(id), Partner: partner, Type: domain.Confidential, Grants: []string{"authorization_code"},
		Reach: domain.ReachConsented, Role: domain.RoleThirdPartyViewer, Audiences: onCustomer, CreatedAt: now, ChangedAt: now,
	}
}

func (v *village) request(method, target, token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	out := httptest.NewRecorder()
	v.hosts.ServeHTTP(out, r)
	return out
}

// query asks the GraphQL API and returns the body.
func (v *village) query(token, text string) string {
	body, _ := json.Marshal(map[string]string{"query": text})
	return v.request("POST", "/", token, string(body)).Body.String()
}

// listed returns the identifiers on a page of consents, and its cursor.
func (v *village) listed(t *testing.T, token, parameters string) (ids []domain.ConsentID, next string) {
	t.Helper()
	out := v.request("GET", "/v1/consents"+parameters, token, "")
	var page struct {
		Consents []struct{ ID domain.ConsentID }
		Next     *string
	}
	if err := json.Unmarshal(out.Body.Bytes(), &page); err != nil || out.Code != 200 || out.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%s %s: got %d %v %s", token, parameters, out.Code, out.Header(), out.Body)
	}
	for _, c := range page.Consents {
		ids = append(ids, c.ID)
	}
	if page.Next != nil {
		next = *page.Next
	}
	return ids, next
}

// TestTheProbeOfConsents asks for everything of Ada's with the token of every
// application that nobody has allowed anything: each answer is, byte for byte,
// the one for what does not exist.
func TestTheProbeOfConsents(t *testing.T) {
	v := newVillage(t)
	v.consent(t, "app_other", bo, nil)  // of the same partner, with another customer's consent
	v.consent(t, "app_watt", cleo, nil) // another partner's
	v.consent(t, "app_agreed", bo, nil) // the application itself, of a neighbour
	v.consent(t, "app_other", ada, func(c *domain.Consent) { c.ValidUntil = now })
	v.consent(t, "app_other", ada, func(c *domain.Consent) { c.RevokedAt = now })
	for _, token := range []string{"agreed", "agreed-ada", "agreed-bo", "other", "other-ada", "watt-agreed"} {
		for _, ask := range []string{
			`{property(id:"%s"){id label measurements(first:1){totalCount}}}`,
			`{property(id:"%s"){postcode address}}`,
			`{account(accountNumber:"%s"){number properties{id}}}`,
			`{properties(accountNumber:"%s"){id}}`,
		} {
			known, unknown := "prop_ada", "prop_eve"
			if strings.Contains(ask, "Number") {
				known, unknown = "A-ADA", "A-EVE"
			}
			got, want := v.query(token, fmt.Sprintf(ask, known)), v.query(token, fmt.Sprintf(ask, unknown))
			if got != want || !strings.Contains(got, `"errors"`) {
				t.Errorf("%s: %s\n got %s\nwant %s", token, fmt.Sprintf(ask, known), got, want)
			}
		}
	}
}

func TestReadingByConsent(t *testing.T) {
	v := newVillage(t)
	c := v.consent(t, "app_agreed", ada, nil)
	const halfHours = `{property(id:"prop_ada"){id label measurements(first:1%s){totalCount edges{node{value ... on IntervalMeasurementType{startAt}}}}}}`
	for name, ask := range map[string]struct{ token, text, want string }{
		"what was agreed to":      {"agreed", fmt.Sprintf(halfHours, ""), `"totalCount":10274,"edges":[{"node":{"value":"0.075000000000000000","startAt":"2024-06-01T00:00:00+02:00"}}]`},
		"and with Ada's token":    {"agreed-ada", fmt.Sprintf(halfHours, ""), `"totalCount":10274`},
		"not what is finer":       {"agreed", fmt.Sprintf(halfHours, `,utilityFilters:{electricityFilters:{readingDirection:GENERATION}}`), `"totalCount":0,"edges":[]`},
		"but added up":            {"agreed", fmt.Sprintf(halfHours, `,utilityFilters:{electricityFilters:{readingDirection:GENERATION,readingFrequencyType:THIRTY_MIN_INTERVAL}}`), `"totalCount":10274`},
		"not the gas":             {"agreed", fmt.Sprintf(halfHours, `,utilityFilters:{gasFilters:{}}`), `"totalCount":0`},
		"not what was before":     {"agreed", fmt.Sprintf(halfHours, `,endOn:"2024-05-31"`), `"totalCount":0`},
		"the account":             {"agreed", `{account(accountNumber:"A-ADA"){number properties{id}}}`, `{"number":"A-ADA","properties":[{"id":"prop_ada"}]}`},
		"not where it is":         {"agreed", `{property(id:"prop_ada"){address}}`, `"address":null`},
		"not who it is":           {"agreed-ada", `{me{firstName}}`, `"errors"`},
		"who it is, if permitted": {"personal-ada", `{me{firstName}}`, `{"me":{"firstName":"Ada"}}`},
	} {
		if got := v.query(ask.token, ask.text); !strings.Contains(got, ask.want) {
			t.Errorf("%s: got %.300s, want %s in it", name, got, ask.want)
		}
	}
	if out := v.request("DELETE", "/v1/consents/"+string(c.ID), "own-ada", ""); out.Code != 204 {
		t.Fatalf("DELETE: %d %s", out.Code, out.Body)
	}
	for token, ask := range map[string]string{"agreed": fmt.Sprintf(halfHours, ""), "agreed-ada": fmt.Sprintf(halfHours, ""), "personal-ada": `{me{firstName}}`} {
		if got := v.query(token, ask); !strings.Contains(got, `"errors"`) {
			t.Errorf("%s, after the end: got %.200s, want a refusal", token, got)
		}
	}
}

func TestListingConsents(t *testing.T) {
	v := newVillage(t)
	first := v.consent(t, "app_agreed", ada, func(c *domain.Consent) { c.Account, c.Finest, c.Purpose = "A-ADA", 0, "<advice> & more" }).ID
	second := v.consent(t, "app_other", ada, nil).ID
	third := v.consent(t, "app_agreed", bo, nil).ID
	fourth := v.consent(t, "app_watt", cleo, nil).ID
	for token, want := range map[string][]domain.ConsentID{
		"own-ada": {second, first}, "own-bo": {third, "con_bos"}, "ada": nil, "bo": nil, "agreed": {third, first}, "other": {second}, "watt-agreed": {fourth}, "partner": nil,
		"agreed-ada": {first}, "other-ada": {second}, "agreed-bo": {third}, "personal-ada": {first}, "narrowed": nil,
	} {
		if got, next := v.listed(t, token, ""); !slices.Equal(got, want) || next != "" {
			t.Errorf("%s: got %v and then %q, want %v and no more", token, got, next, want)
		}
	}
	got, next := v.listed(t, "own-ada", "?limit=1")
	rest, end := v.listed(t, "own-ada", "?limit=1&cursor="+next)
	if !slices.Equal(append(got, rest...), []domain.ConsentID{second, first}) || end != "" {
		t.Errorf("page by page: got %v, %v and then %q", got, rest, end)
	}
	if got, next := v.listed(t, "own-ada", "?cursor="+string(third)); got != nil || next != "" {
		t.Errorf("after the cursor of a neighbour: got %v and then %q, want the same as for an unknown one", got, next)
	}
	const want = `{"consents":[{"id":"%s","application":"app_agreed","account":"A-ADA",` +
		`"permissions":["query:property","view:detailed-usage","query:user-details"],"supply_points":[{"market":"NLD_ELECTRICITY","identifier":"871690000000000000"}],"finest_resolution":null,` +
		`"history_from":"2024-06-01","valid_until":"2026-01-02T03:04:05Z","purpose":"\u003cadvice\u003e \u0026 more","status":"active"}],"next":null}`
	if got := v.request("GET", "/v1/consents", "agreed-ada", "").Body.String(); got != fmt.Sprintf(want, first) {
		t.Errorf("got  %s\nwant %s", got, fmt.Sprintf(want, first))
	}
}

func TestEndingConsents(t *testing.T) {
	v := newVillage(t)
	mine := v.consent(t, "app_agreed", ada, nil).ID
	others := v.consent(t, "app_other", ada, nil).ID
	bos := v.consent(t, "app_agreed", bo, nil).ID
	cleos := v.consent(t, "app_watt", cleo, nil).ID
	unknown := v.request("DELETE", "/v1/consents/con_unknown", "agreed", "")
	if unknown.Code != 404 || unknown.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("an unknown consent: %d %s", unknown.Code, unknown.Body)
	}
	for name, c := range map[string]struct {
		token string
		id    domain.ConsentID
	}{
		"another application's":                       {"agreed", others},
		"another application's, with Ada's token":     {"agreed-ada", others},
		"its own of another customer, with Ada's":     {"agreed-ada", bos},
		"another customer's":                          {"own-ada", bos},
		"an impersonated customer's of another":       {"ada", mine},
		"another partner's":                           {"agreed", cleos},
		"one of Stroom's from Watt":                   {"watt-agreed", mine},
		"its partner's own application":               {"partner", mine},
		"a customer's token that is not for all":      {"narrowed", mine},
		"what cannot be an identifier":                {"agreed", "7"},
		"what cannot be an identifier, nor a segment": {"agreed", "con_%20"},
	} {
		got := v.request("DELETE", "/v1/consents/"+string(c.id), c.token, "")
		if got.Code != 404 || got.Body.String() != unknown.Body.String() {
			t.Errorf("%s: got %d %s, want the same as for an unknown one", name, got.Code, got.Body)
		}
	}
	for _, token := range []string{"own-ada", "own-bo", "agreed", "other", "watt-agreed"} {
		out := v.request("GET", "/v1/consents", token, "")
		if strings.Contains(out.Body.String(), `"revoked"`) {
			t.Errorf("%s: a refusal has ended something: %s", token, out.Body)
		}
	}
	before := v.audited(t)
	for name, c := range map[string]struct {
		token string
		id    domain.ConsentID
	}{
		"by the customer": {"own-ada", others}, "by the application": {"agreed", bos}, "by the customer through the application": {"agreed-ada", mine},
	} {
		for range 2 { // it stays ended
			if got := v.request("DELETE", "/v1/consents/"+string(c.id), c.token, ""); got.Code != 204 || got.Body.Len() != 0 {
				t.Errorf("%s: got %d %s, want 204", name, got.Code, got.Body)
			}
		}
	}
	if got := v.audited(t) - before; got != 3 {
		t.Errorf("three ends left %d entries in the audit log, want 3", got)
	}
}

// TestWhoEndedIt reads in the audit log who ended a consent in a customer's name.
func TestWhoEndedIt(t *testing.T) {
	v := newVillage(t)
	for name, c := range map[string]struct{ token, by, detail string }{
		"the customer":                    {"agreed-ada", "the customer", ""},
		"an application that acts as her": {"acting-ada", "impersonation", "app_agreed"},
		"the application that it was for": {"agreed", "its application", ""},
	} {
		id := v.consent(t, "app_agreed", ada, nil).ID
		if out := v.request("DELETE", "/v1/consents/"+string(id), c.token, ""); out.Code != 204 {
			t.Fatalf("%s: %d %s", name, out.Code, out.Body)
		}
		entries, err := v.store.Entries(t.Context(), "", 10_000)
		if err != nil {
			t.Fatal(err)
		}
		e := entries[len(entries)-1]
		if e.Action != "consent.revoke" || e.Object != string(id) || e.By != c.by || !strings.Contains(e.Detail, c.detail) {
			t.Errorf("%s: got %+v, want it ended by %s", name, e, c.by)
		}
	}
}

// audited counts the ends of consents in the audit log.
func (v *village) audited(t *testing.T) (n int) {
	t.Helper()
	entries, err := v.store.Entries(t.Context(), "", 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Action == "consent.revoke" {
			n++
		}
	}
	return n
}

func TestConsentsRefuse(t *testing.T) {
	v := newVillage(t)
	for name, c := range map[string]struct {
		method, target, token string
		status                int
		header, want          string
	}{
		"no token":               {"GET", "/v1/consents", "", 401, "Www-Authenticate", `Bearer resource_metadata="http://customer.test/.well-known/oauth-protected-resource"`},
		"a wrong token":          {"GET", "/v1/consents", "nobody", 401, "Www-Authenticate", `Bearer error="invalid_token", resource_metadata="http://customer.test/.well-known/oauth-protected-resource"`},
		"an end without a token": {"DELETE", "/v1/consents/con_1", "", 401, "Content-Type", "application/problem+json"},
		"another method":         {"POST", "/v1/consents", "ada", 405, "Allow", "GET, OPTIONS"},
		"another method of one":  {"GET", "/v1/consents/con_1", "ada", 405, "Allow", "DELETE, OPTIONS"},
		"a limit of none":        {"GET", "/v1/consents?limit=0", "ada", 400, "Content-Type", "application/problem+json"},
		"a limit too large":      {"GET", "/v1/consents?limit=101", "ada", 400, "", ""},
		"a limit that is none":   {"GET", "/v1/consents?limit=x", "ada", 400, "", ""},
		"a limit twice":          {"GET", "/v1/consents?limit=1&limit=2", "ada", 400, "", ""},
		"a cursor that is none":  {"GET", "/v1/consents?cursor=x", "ada", 400, "", ""},
		"an unknown parameter":   {"GET", "/v1/consents?user=bo", "ada", 400, "", ""},
		"a broken query":         {"GET", "/v1/consents?%zz", "ada", 400, "", ""},
		"a parameter of an end":  {"DELETE", "/v1/consents/con_1?force=1", "ada", 400, "", ""},
	} {
		got := v.request(c.method, c.target, c.token, "")
		var problem struct {
			Title, Detail string
			Status        int
		}
		err := json.Unmarshal(got.Body.Bytes(), &problem)
		if err != nil || got.Code != c.status || problem.Status != c.status || problem.Detail == "" || problem.Title != http.StatusText(c.status) {
			t.Errorf("%s: got %d %s, want a problem of status %d", name, got.Code, got.Body, c.status)
		}
		if c.header != "" && got.Header().Get(c.header) != c.want {
			t.Errorf("%s: %s: %q, want %q", name, c.header, got.Header().Get(c.header), c.want)
		}
	}
	if ids, _ := v.listed(t, "ada", "?cursor=con_unknown"); len(ids) != 0 {
		t.Errorf("after a cursor that nobody gave: got %v, want none", ids)
	}
}

func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		5 * time.Minute: "PT5M", 30 * time.Minute: "PT30M", time.Hour: "PT1H", 90 * time.Minute: "PT1H30M",
		24 * time.Hour: "P1D", 7 * 24 * time.Hour: "P7D", 25*time.Hour + time.Second: "P1DT1H1S",
	} {
		if got := customer.ISODuration(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}

// FuzzConsentPage reads any query string: what is taken is within its bounds,
// and what is refused is the caller's mistake.
func FuzzConsentPage(f *testing.F) {
	for _, query := range []string{"", "limit=1", "limit=100&cursor=con_1", "limit=0", "cursor=", "limit=1;cursor=con_1", "%zz", "limit=1&limit=1"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		page, err := customer.ReadPage(query)
		if err != nil {
			if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != domain.Invalid || e.Public == "" {
				t.Fatalf("%q: got %v, want a sentence about what is invalid", query, err)
			}
			return
		}
		if page.Limit < 1 || page.Limit > 100 || page.Application != "" || page.User != "" {
			t.Fatalf("%q: got %+v", query, page)
		}
		if _, err := domain.ParseConsentID(string(page.After)); page.After != "" && err != nil {
			t.Fatalf("%q: got the cursor %q", query, page.After)
		}
	})
}
