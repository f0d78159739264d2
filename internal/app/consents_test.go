package app_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// consent has a customer of the demo's first partner allow an application what
// c says, by the same verb as the consent page.
func (w *world) consent(t testing.TB, c domain.Consent) {
	t.Helper()
	now := w.clock.now()
	c.Partner, c.Purpose = w.demo.Partner, "advice on solar panels"
	c.Permissions = domain.PermissionSet(domain.CanQueryProperty, domain.CanViewDetailedUsage)
	key := authorize.Digest(sha256.Sum256([]byte(c.ID)))
	err := w.Engine().KeepRequest(t.Context(), authorize.KindChallenge, key, authorize.Request{Client: c.Application, Partner: c.Partner}, now.Add(time.Hour), now)
	if err == nil {
		_, err = w.Engine().Approve(t.Context(), authorize.Approval{
			Challenge: key, Consent: &c, Now: now, Until: now.Add(time.Hour),
			Entry: domain.Entry{ID: domain.NewEntryID(now, nil), At: now, Action: "consent.create", By: "test"},
			Grant: authorize.Grant{Family: "fam_" + string(c.ID), Client: c.Application, Partner: c.Partner, User: c.User, Consent: c.ID},
			Code:  &authorize.Code{Digest: key, Until: now.Add(time.Minute)},
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestGoldenConsents holds what an application that reads by consent gets, and
// the list of consents, against files.
func TestGoldenConsents(t *testing.T) {
	s := newStage(t)
	d := s.demo
	reader := func(name string) (domain.ClientID, string) {
		id, secret := s.application(t, registry.NewApplication{Name: name, Role: domain.RoleThirdPartyViewer, Reach: domain.ReachConsented})
		return id, s.token(t, "/token/", form(with(grant, credentials(id, secret))...))
	}
	coach, coachToken := reader("reads half-hours")
	_, strangerToken := reader("was never allowed anything")
	leaver, leaverToken := reader("will lose what it has")
	neighbour := s.user(t, domain.User{Customer: true, Email: "neighbour@example.org"})
	points := []domain.SupplyPointRef{{Market: domain.MarketNLDElectricity, Identifier: d.HouseholdSupplyPoint}}
	from, until := domain.NewDate(2026, 2, 1), noon.AddDate(0, 6, 0)
	for i, c := range []domain.Consent{
		{ID: "con_days", Application: coach, User: d.CustomerUserID, Account: d.AccountNumber, SupplyPoints: points, Finest: 24 * time.Hour, HistoryFrom: from - 365, ValidUntil: until},
		{ID: "con_expired", Application: coach, User: d.CustomerUserID, SupplyPoints: points, HistoryFrom: from, ValidUntil: noon},
		{ID: "con_revoked", Application: coach, User: d.CustomerUserID, SupplyPoints: points, HistoryFrom: from, ValidUntil: until, RevokedAt: noon},
		{ID: "con_halfhours", Application: coach, User: d.CustomerUserID, SupplyPoints: points, Finest: 30 * time.Minute, HistoryFrom: from, ValidUntil: until},
		{ID: "con_doomed", Application: leaver, User: neighbour, HistoryFrom: from, ValidUntil: until},
	} {
		c.CreatedAt = noon.Add(time.Duration(i-10) * time.Hour)
		s.consent(t, c)
	}
	bearer := func(token string) string { return "Authorization: Bearer " + token }
	list := func(parameters, token string) string {
		return request("GET", "/v1/consents"+parameters, bearer(token))
	}
	end := func(id, token string) string { return request("DELETE", "/v1/consents/"+id, bearer(token)) }
	property := func(id domain.PropertyID, what string) string {
		return `{ property(id: "` + string(id) + `") { id ` + what + ` } }`
	}
	read := func(arguments string) string {
		return property(d.PropertyID, "measurements("+arguments+") { totalCount edges { node { value readAt } } }")
	}
	s.run(t, "consents", append(s.names(), mask{string(coach), "<coach-client-id>"}), map[string]string{
		"list-application": list("", coachToken),
		"list-customer":    list("", s.customer),
		"list-nothing":     list("", strangerToken),
		"list-page":        list("?limit=2", coachToken),
		"list-next":        list("?limit=2&cursor=con_expired", coachToken),
		"list-bad-limit":   list("?limit=1000", coachToken),
		"list-bad-cursor":  list("?cursor=17", coachToken),
		"list-unknown":     list("?page=2", coachToken),
		"list-no-token":    request("GET", "/v1/consents"),
		"list-garbage":     list("", "garbage"),
		"list-audience":    list("", s.token(t, "/oauth2/token", form(with(grant, credentials(d.PartnerClientID, d.PartnerClientSecret), []string{"audience", "auth"})...))),
		"list-post":        request("POST", "/v1/consents", bearer(coachToken), "Content-Length: 0"),
		"end":              end("con_doomed", leaverToken),
		"end-again":        end("con_revoked", coachToken),
		"end-foreign":      end("con_halfhours", strangerToken),
		"end-unknown":      end("con_nobodys", strangerToken),
		"end-malformed":    end("17", strangerToken),
		"end-no-token":     request("DELETE", "/v1/consents/con_halfhours"),
		"end-get":          request("GET", "/v1/consents/con_halfhours", bearer(coachToken)),

		"read-half-hours":    graphQL(coachToken, read("first: 1")),
		"read-finer":         graphQL(coachToken, read("utilityFilters: [{electricityFilters: {readingFrequencyType: FIFTEEN_MIN_INTERVAL}}]")),
		"read-days-before":   graphQL(coachToken, read(`first: 1, utilityFilters: [{electricityFilters: {readingFrequencyType: DAY_INTERVAL}}]`)),
		"read-earlier":       graphQL(coachToken, read(`endOn: "2025-01-31"`)),
		"read-address":       graphQL(coachToken, property(d.PropertyID, "address")),
		"read-no-consent":    graphQL(strangerToken, property(d.PropertyID, "label")),
		"read-other-partner": graphQL(coachToken, property(d.OtherPropertyID, "label")),
		"read-unknown":       graphQL(coachToken, property("prop_nobodys", "label")),
	}, nil, map[string]string{"unavailable": list("", coachToken)})
}
