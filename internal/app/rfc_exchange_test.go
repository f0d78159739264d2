package app_test

import (
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// TestRFC8693 goes through what token exchange demands, at both token endpoints.
func TestRFC8693(t *testing.T) {
	s := newStage(t)
	d := s.demo
	mine := credentials(d.PartnerClientID, d.PartnerClientSecret)
	good := exchange(d.CustomerUserID, s.partner)
	private := map[string]string{"Cache-Control": "no-store"}
	const (
		issued  = `"issued_token_type":"urn:ietf:params:oauth:token-type:access_token"`
		invalid = `^\{"error":"invalid_request"`
		target  = `^\{"error":"invalid_target"`
	)
	for _, path := range []string{"/oauth2/token", "/token/"} {
		ask := func(fields ...[]string) string { return post(path, urlencoded, form(with(fields...)...)) }
		plus := func(more ...string) string { return ask(good, more, mine) }
		lacking := func(name string) string { return ask(without(name, good), mine) }
		by := func(actor string) string { return ask(exchange(d.CustomerUserID, actor), mine) }
		about := func(user domain.UserID) string { return ask(exchange(user, s.partner), mine) }
		s.demand(t, map[string]must{
			"RFC 8693 §2.1: an exchange":                                 {ask: plus(), status: 200, body: `"access_token":"`},
			"RFC 8693 §2.1: the client proves who it is":                 {ask: ask(good), status: 401, body: `^\{"error":"invalid_client"`},
			"RFC 8693 §2.1: no subject_token":                            {ask: lacking("subject_token"), status: 400, body: invalid},
			"RFC 8693 §2.1: no subject_token_type":                       {ask: lacking("subject_token_type"), status: 400, body: invalid},
			"RFC 8693 §2.1: actor_token without its type":                {ask: lacking("actor_token_type"), status: 400, body: invalid},
			"RFC 8693 §2.1: actor_token_type without a token":            {ask: lacking("actor_token"), status: 400, body: invalid},
			"RFC 8693 §2.1: a subject of a type that it is not":          {ask: ask(without("subject_token_type", good), []string{"subject_token_type", oauth.TokenTypeAccess}, mine), status: 400, body: invalid},
			"RFC 8693 §2.1: an actor of a type that it is not":           {ask: ask(without("actor_token_type", good), []string{"actor_token_type", "urn:ietf:params:oauth:token-type:id_token"}, mine), status: 400, body: invalid},
			"RFC 8693 §2.1: requested_token_type":                        {ask: plus("requested_token_type", oauth.TokenTypeAccess), status: 200, body: issued},
			"RFC 8693 §2.1: a requested_token_type that there is not":    {ask: plus("requested_token_type", "urn:ietf:params:oauth:token-type:saml2"), status: 400, body: invalid},
			"RFC 8693 §2.1: scope narrows":                               {ask: plus("scope", "query:property"), status: 200, body: `"scope":"query:property"`},
			"RFC 8693 §2.1: audience and resource narrow, also repeated": {ask: plus("audience", "customer", "resource", s.urls.Customer, "resource", s.urls.Customer), status: 200, body: issued},
			"RFC 8693 §2.1: a resource with a fragment":                  {ask: plus("resource", s.urls.Customer+"#x"), status: 400, body: target},
			"RFC 8693 §2.1: a resource that is not absolute":             {ask: plus("resource", "/v1"), status: 400, body: target},
			"RFC 8693 §2.1: an actor that has expired":                   {ask: by(s.old), status: 400, body: invalid},
			"RFC 8693 §2.1: an actor that was revoked":                   {ask: by(s.revoked), status: 400, body: invalid},
			"RFC 8693 §2.1: an actor of another application":             {ask: by(s.otherPartner), status: 400, body: invalid},
			"RFC 8693 §2.1: an actor that is no token":                   {ask: by("opensesame"), status: 400, body: invalid},
			"RFC 8693 §2.1: an actor that acts for somebody itself":      {ask: by(s.customer), status: 400, body: invalid},
			"RFC 8693 §2.2.1: access_token, issued_token_type":           {ask: plus(), status: 200, body: issued, header: private},
			"RFC 8693 §2.2.1: token_type, expires_in":                    {ask: plus(), status: 200, body: `(?i)"token_type":"bearer"`},
			"RFC 8693 §2.2.1: scope, where it is not what was asked":     {ask: plus(), status: 200, body: `"scope":"query:property view:detailed-usage query:user-details"`},
			"RFC 8693 §2.2.1: no refresh_token":                          {ask: plus(), status: 200, lacks: "refresh_token"},
			"RFC 8693 §2.2.2: a subject that is not acceptable":          {ask: about(unknownUser), status: 400, body: invalid, header: private},
			"RFC 8693 §2.2.2: another partner's":                         {ask: about(d.OtherCustomerUserID), status: 400, body: invalid},
			"RFC 8693 §2.2.2: a target that is not acceptable":           {ask: plus("audience", "auth"), status: 400, body: target},
			"RFC 8693 §2.2.2: a resource that is not":                    {ask: plus("resource", "https://elsewhere.test"), status: 400, body: target},
		})
		_, claims := opened(t, s.token(t, path, form(with(good, mine)...)))
		act, _ := claims["act"].(map[string]any)
		_, own := opened(t, s.partner)
		for name, right := range map[string]bool{
			"RFC 8693 §4.1: act names who acts":               act["sub"] == string(d.PartnerClientID) && len(act) == 1,
			"RFC 8693 §4.1: sub is whom it speaks for":        claims["sub"] == string(d.CustomerUserID),
			"RFC 8693 §4.1: nobody acts in an own token":      own["act"] == nil,
			"RFC 8693 §4.1: act holds no claims of the token": act["exp"] == nil && act["aud"] == nil,
			"RFC 8693 §4.3: client_id is who asked":           claims["client_id"] == string(d.PartnerClientID),
		} {
			if !right {
				t.Errorf("%s: %s: got the claims %v, an own token's %v", path, name, claims, own)
			}
		}
	}
}

// TestRFC8707 goes through resource, wherever it may stand.
func TestRFC8707(t *testing.T) {
	s := newStage(t)
	d := s.demo
	mine := credentials(d.PartnerClientID, d.PartnerClientSecret)
	coach := credentials(d.SolarCoachClientID, d.SolarCoachClientSecret)
	own := func(more ...string) string {
		return post("/oauth2/token", urlencoded, form(with(grant, mine, more)...))
	}
	acting := func(more ...string) string {
		return post("/oauth2/token", urlencoded, form(with(exchange(d.CustomerUserID, s.partner, more...), mine)...))
	}
	pushed := func(more ...string) string {
		return post("/oauth2/par", urlencoded, form(with(coach, []string{
			"response_type", "code", "redirect_uri", d.SolarCoachRedirectURI, "code_challenge", challengeOf(verifier), "code_challenge_method", "S256",
		}, more)...))
	}
	ours := s.urls.Customer
	const target = `^\{"error":"invalid_target"`
	s.demand(t, map[string]must{
		"RFC 8707 §2: a resource of ours":                        {ask: own("resource", ours), status: 200},
		"RFC 8707 §2: with a slash at its end":                   {ask: own("resource", ours+"/"), status: 200},
		"RFC 8707 §2: twice":                                     {ask: own("resource", ours, "resource", ours), status: 200},
		"RFC 8707 §2: in an exchange":                            {ask: acting("resource", ours), status: 200},
		"RFC 8707 §2: in a pushed request":                       {ask: pushed("resource", ours), status: 201},
		"RFC 8707 §2: not absolute":                              {ask: own("resource", "/v1/graphql/"), status: 400, body: target},
		"RFC 8707 §2: with a fragment":                           {ask: own("resource", ours+"#measurements"), status: 400, body: target},
		"RFC 8707 §2: malformed":                                 {ask: own("resource", "http://[::1"), status: 400, body: target},
		"RFC 8707 §2: unknown":                                   {ask: own("resource", "https://elsewhere.test"), status: 400, body: target},
		"RFC 8707 §2: one of two unknown":                        {ask: own("resource", ours, "resource", "https://elsewhere.test"), status: 400, body: target},
		"RFC 8707 §2: unknown, in an exchange":                   {ask: acting("resource", "https://elsewhere.test"), status: 400, body: target},
		"RFC 8707 §2.1: unknown, in a pushed request":            {ask: pushed("resource", "https://elsewhere.test"), status: 400, body: target},
		"RFC 8707 §2.1: with a fragment, in a pushed request":    {ask: pushed("resource", ours+"#x"), status: 400, body: target},
		"RFC 8707 §2: an audience that contradicts it is no way": {ask: own("resource", "https://elsewhere.test", "audience", "customer"), status: 400, body: target},
	})
	for name, c := range map[string]struct{ ask, want string }{
		"RFC 8707 §2.2: the token is for the resource":              {own("resource", ours), "customer"},
		"RFC 8707 §2.2: for all that was granted, where none stood": {own(), "auth customer measurements"},
		"RFC 8707 §2.2: in an exchange":                             {acting("resource", ours), "customer"},
	} {
		_, claims := opened(t, access(t, s.ask(t, c.ask)))
		if got := strings.Join(list(claims["aud"]), " "); got != c.want {
			t.Errorf("%s: got the audience %s, want %s", name, got, c.want)
		}
	}
}
