package app_test

import (
	"maps"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// exchange are the form fields of an exchange (RFC 8693 §2.1), but for the
// credentials.
func exchange(user domain.UserID, actor string, more ...string) []string {
	return with([]string{
		"grant_type", oauth.GrantTokenExchange, "subject_token", string(user), "subject_token_type", oauth.TokenTypeUserID,
		"actor_token", actor, "actor_token_type", oauth.TokenTypeAccess,
	}, more)
}

// without leaves a field out.
func without(name string, fields []string) []string {
	var kept []string
	for i := 0; i < len(fields); i += 2 {
		if fields[i] != name {
			kept = append(kept, fields[i], fields[i+1])
		}
	}
	return kept
}

// exchanges are requests for a token that speaks for a customer, in the
// standard's spelling.
func (s *stage) exchanges() map[string]string {
	d := s.demo
	mine, theirs := credentials(d.PartnerClientID, d.PartnerClientSecret), credentials(d.ThirdPartyClientID, d.ThirdPartyClientSecret)
	ask := func(fields ...[]string) string { return post("/oauth2/token", urlencoded, form(with(fields...)...)) }
	plus := func(more ...string) string { return ask(exchange(d.CustomerUserID, s.partner, more...), mine) }
	as := func(user domain.UserID) string { return ask(exchange(user, s.partner), mine) }
	by := func(actor string) string { return ask(exchange(d.CustomerUserID, actor), mine) }
	return map[string]string{
		"exchange":                post("/oauth2/token", multipart, parts(with(exchange(d.CustomerUserID, s.partner), mine)...)),
		"exchange-reason":         plus("reason", "the customer called", "requested_token_type", oauth.TokenTypeAccess),
		"exchange-narrowed":       plus("scope", "openid query:property", "audience", "customer"),
		"exchange-resource":       plus("resource", s.urls.Customer),
		"exchange-basic":          post("/oauth2/token", urlencoded, form(exchange(d.CustomerUserID, s.partner)...), basic(d.PartnerClientID, d.PartnerClientSecret)),
		"exchange-uuid":           as(domain.UserID(d.CustomerUserID.UUID())),
		"exchange-unknown":        as(unknownUser),
		"exchange-foreign":        as(d.OtherCustomerUserID),
		"exchange-staff":          as(d.SupportUserID),
		"exchange-malformed":      as("42"),
		"exchange-expired":        by(s.old),
		"exchange-garbage":        by("garbage"),
		"exchange-other-actor":    by(s.otherPartner),
		"exchange-chain":          by(s.customer),
		"exchange-revoked":        by(s.revoked),
		"exchange-narrow":         by(s.partnerNarrow),
		"exchange-third-party":    ask(exchange(d.CustomerUserID, s.thirdParty), theirs),
		"exchange-no-credentials": ask(exchange(d.CustomerUserID, s.partner)),
		"exchange-scope":          plus("scope", "impersonate:customer"),
		"exchange-audience":       plus("audience", "auth"),
		"exchange-requested-type": plus("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"),
		"exchange-long-reason":    plus("reason", strings.Repeat("x", 201)),
		"exchange-no-actor":       ask(without("actor_token", exchange(d.CustomerUserID, s.partner)), mine),
		"exchange-no-type":        ask(without("subject_token_type", exchange(d.CustomerUserID, s.partner)), mine),
	}
}

// questions are revocations and introspections, by the application that owns
// the token and by others.
func (s *stage) questions() map[string]string {
	d := s.demo
	mine := credentials(d.PartnerClientID, d.PartnerClientSecret)
	requests := map[string]string{
		"revoke-hint": post("/oauth2/revoke", multipart, parts(with(mine, []string{"token", s.doomed, "token_type_hint", "refresh_token"})...)),
	}
	for what, path := range map[string]string{"revoke": "/oauth2/revoke", "introspect": "/oauth2/introspect"} {
		ask := func(fields ...string) string { return post(path, urlencoded, form(fields...)) }
		of := func(token string) string { return ask(with(mine, []string{"token", token})...) }
		maps.Copy(requests, map[string]string{
			what + "-unknown":        of("garbage"),
			what + "-foreign":        of(s.thirdParty),
			what + "-expired":        of(s.old),
			what + "-again":          of(s.revoked),
			what + "-no-token":       ask(mine...),
			what + "-wrong-secret":   ask(with(credentials(d.PartnerClientID, "wg_test_wrong"), []string{"token", s.partner})...),
			what + "-no-credentials": ask("token", s.partner),
			what + "-query":          post(path+"?token="+s.partner, urlencoded, form(mine...)),
			what + "-get":            request("GET", path),
		})
	}
	signed := "Accept: application/token-introspection+jwt" // RFC 9701
	requests["introspect-signed"] = post("/oauth2/introspect", urlencoded, form(with(mine, []string{"token", s.customer})...), signed)
	requests["introspect-signed-inactive"] = post("/oauth2/introspect", urlencoded, form(with(mine, []string{"token", "garbage"})...), signed)
	requests["introspect-own"] = post("/oauth2/introspect", urlencoded, form("token", s.partner), basic(d.PartnerClientID, d.PartnerClientSecret))
	requests["introspect-customer"] = post("/oauth2/introspect", urlencoded, form(with(mine, []string{"token", s.customer})...))
	return requests
}

// krakenQuestions are the same in the other spelling.
func (s *stage) krakenQuestions() map[string]string {
	d := s.demo
	partner, third := credentials(d.PartnerClientID, d.PartnerClientSecret), credentials(d.ThirdPartyClientID, d.ThirdPartyClientSecret)
	ask := func(path string, fields ...[]string) string { return post(path, urlencoded, form(with(fields...)...)) }
	return map[string]string{
		"exchange":             ask("/token/", exchange(d.CustomerUserID, s.partner), partner),
		"exchange-unknown":     ask("/token/", exchange(unknownUser, s.partner), partner),
		"exchange-wrong":       ask("/token/", exchange(d.CustomerUserID, s.partner), credentials(d.PartnerClientID, "wg_test_wrong")),
		"revoke":               ask("/revoke-token/", []string{"token", s.doomed}, partner),
		"revoke-without-slash": ask("/revoke-token", []string{"token", "garbage"}, third),
		"revoke-foreign":       ask("/revoke-token/", []string{"token", s.partner}, third),
		"revoke-wrong-secret":  ask("/revoke-token/", []string{"token", s.thirdParty}, credentials(d.ThirdPartyClientID, "wg_test_wrong")),
		"revoke-no-token":      ask("/revoke-token/", third),
		"revoke-get":           request("GET", "/revoke-token/"),
	}
}

// unanswered are what has to be written down before it is answered.
func (s *stage) unanswered() map[string]string {
	d := s.demo
	mine := credentials(d.PartnerClientID, d.PartnerClientSecret)
	return map[string]string{
		"unavailable-exchange": post("/oauth2/token", urlencoded, form(with(exchange(d.CustomerUserID, s.partner), mine)...)),
		"unavailable-revoke":   post("/oauth2/revoke", urlencoded, form(with(mine, []string{"token", s.partner})...)),
	}
}

// joined puts maps together.
func joined(all ...map[string]string) map[string]string {
	m := map[string]string{}
	for _, one := range all {
		maps.Copy(m, one)
	}
	return m
}
