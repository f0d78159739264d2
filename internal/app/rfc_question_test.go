package app_test

import (
	"strings"
	"testing"
	"time"
)

// TestRFC7662 goes through what introspection demands of the server.
func TestRFC7662(t *testing.T) {
	s := newStage(t)
	d := s.demo
	mine, theirs := credentials(d.PartnerClientID, d.PartnerClientSecret), credentials(d.ThirdPartyClientID, d.ThirdPartyClientSecret)
	ask := func(fields ...[]string) string {
		return post("/oauth2/introspect", urlencoded, form(with(fields...)...))
	}
	about := func(token string, more ...string) string { return ask([]string{"token", token}, more, mine) }
	const inactive = `^\{"active":false\}$`
	private := map[string]string{"Cache-Control": "no-store", "Content-Type": "^application/json"}
	head, signature, _ := strings.Cut(s.partner, ".")
	s.demand(t, map[string]must{
		"RFC 7662 §2.1: an active token":                          {ask: about(s.partner), status: 200, body: `^\{"active":true,`, header: private},
		"RFC 7662 §2.1: by POST only":                             {ask: request("GET", "/oauth2/introspect?token="+s.partner), status: 405, header: map[string]string{"Allow": "POST"}},
		"RFC 7662 §2.1: no token":                                 {ask: ask(mine), status: 400, body: `^\{"error":"invalid_request"`},
		"RFC 7662 §2.1: a hint that is wrong hides nothing":       {ask: about(s.partner, "token_type_hint", "refresh_token"), status: 200, body: `"active":true`},
		"RFC 7662 §2.1: nor does one that nobody knows":           {ask: about(s.partner, "token_type_hint", "x"), status: 200, body: `"active":true`},
		"RFC 7662 §2.1: whoever asks proves who it is":            {ask: ask([]string{"token", s.partner}), status: 401, body: `^\{"error":"invalid_client"`, header: map[string]string{"WWW-Authenticate": "Basic"}},
		"RFC 7662 §2.1: the token itself proves nothing":          {ask: post("/oauth2/introspect", urlencoded, form("token", s.partner), "Authorization: Bearer "+s.partner), status: 401, lacks: "active"},
		"RFC 7662 §2.2: sub, client_id, scope":                    {ask: about(s.customer), status: 200, body: `"client_id":"` + string(d.PartnerClientID) + `","sub":"` + string(d.CustomerUserID) + `"`},
		"RFC 7662 §2.2: exp, iat, nbf are whole seconds":          {ask: about(s.partner), status: 200, body: `"exp":[0-9]+,"iat":[0-9]+,"nbf":[0-9]+,`},
		"RFC 7662 §2.2: aud, iss, jti":                            {ask: about(s.partner), status: 200, body: `"aud":\["auth","customer","measurements"\],"iss":"` + s.urls.Auth + `","jti":"[^"]+"`},
		"RFC 7662 §2.2: of one that is not active, nothing else":  {ask: about("opensesame"), status: 200, body: inactive, header: private},
		"RFC 7662 §2.2: of one that is not the asker's, the same": {ask: about(s.otherPartner), status: 200, body: inactive},
		"RFC 7662 §2.3: a wrong secret":                           {ask: ask([]string{"token", s.partner}, credentials(d.PartnerClientID, "wg_test_wrong")), status: 401, lacks: "active"},
		"RFC 7662 §4: one that has expired":                       {ask: ask([]string{"token", s.old}, theirs), status: 200, body: inactive},
		"RFC 7662 §4: one that was revoked":                       {ask: about(s.revoked), status: 200, body: inactive},
		"RFC 7662 §4: one whose signature is not right":           {ask: about(head + "." + flip(signature)), status: 200, body: inactive},
		"RFC 7662 §4: one that another installation signed":       {ask: about(s.foreign(t, 2)), status: 200, body: inactive},
		"RFC 7662 §4: the answer is kept by no cache":             {ask: about(s.partner), status: 200, header: map[string]string{"Cache-Control": "^no-store$"}},
	})
	s.clock.move(300 * time.Second) // RFC 7662 §4: it determines whether the token has expired by now
	if a := s.ask(t, about(s.partner)); a.body != `{"active":false}` {
		t.Errorf("RFC 7662 §4: a token whose time is over: got %d %s", a.status, a.body)
	}
}

// TestRFC7009 goes through what revocation demands, in both spellings.
func TestRFC7009(t *testing.T) {
	s := newStage(t)
	d := s.demo
	mine := credentials(d.PartnerClientID, d.PartnerClientSecret)
	for _, path := range []string{"/oauth2/revoke", "/revoke-token/"} {
		ask := func(fields ...[]string) string { return post(path, urlencoded, form(with(fields...)...)) }
		s.demand(t, map[string]must{
			"RFC 7009 §2.1: a token of the client's":                 {ask: ask([]string{"token", s.doomed}, mine), status: 200},
			"RFC 7009 §2.1: no token":                                {ask: ask(mine), status: 400, body: `"error":"invalid_request"`},
			"RFC 7009 §2.1: the client proves who it is":             {ask: ask([]string{"token", s.partner}), status: 401, body: `"error":"invalid_client"`},
			"RFC 7009 §2.1: a hint that is wrong stops nothing":      {ask: ask([]string{"token", s.partnerNarrow, "token_type_hint", "refresh_token"}, mine), status: 200},
			"RFC 7009 §2.1: another client's token is not revoked":   {ask: ask([]string{"token", s.thirdParty}, mine), status: 200},
			"RFC 7009 §2.2: an unknown token is no error":            {ask: ask([]string{"token", "opensesame"}, mine), status: 200},
			"RFC 7009 §2.2: nor is one that has been revoked before": {ask: ask([]string{"token", s.revoked}, mine), status: 200},
			"RFC 7009 §2.2.1: a hint that nobody knows is ignored":   {ask: ask([]string{"token", "opensesame", "token_type_hint", "x"}, mine), status: 200},
		})
		for token, want := range map[string]int{s.doomed: 401, s.partnerNarrow: 401, s.thirdParty: 200, s.partnerCustomer: 200} {
			if a := s.ask(t, request("GET", "/v1/consents", "Authorization: Bearer "+token)); a.status != want {
				t.Errorf("%s: RFC 7009 §2: afterwards: got %d %s, want %d", path, a.status, a.body, want)
			}
		}
	}
}

// TestRFC9701 holds the signed answer to a question against the RFC.
func TestRFC9701(t *testing.T) {
	s := newStage(t)
	d := s.demo
	mine := credentials(d.PartnerClientID, d.PartnerClientSecret)
	ask := func(accept string) string {
		return post("/oauth2/introspect", urlencoded, form(with([]string{"token", s.partner}, mine)...), "Accept: "+accept)
	}
	const kind = "application/token-introspection+jwt"
	s.demand(t, map[string]must{
		"RFC 9701 §4: who asks for it gets a signed answer": {ask: ask(kind), status: 200, body: `^[\w-]+\.[\w-]+\.[\w-]+$`, header: map[string]string{"Content-Type": "^application/token-introspection\\+jwt$"}},
		"RFC 9701 §4: who does not gets JSON":               {ask: ask("application/json"), status: 200, body: `^\{"active":true`},
		"RFC 9701 §4: everybody proves who they are":        {ask: post("/oauth2/introspect", urlencoded, form("token", s.partner), "Accept: "+kind), status: 401},
	})
	header, claims := opened(t, s.ask(t, ask(kind)).body)
	inner, _ := claims["token_introspection"].(map[string]any)
	for name, right := range map[string]bool{
		"RFC 9701 §5: typ":                                  header["typ"] == "token-introspection+jwt",
		"RFC 9701 §5: iss is the issuer":                    claims["iss"] == s.urls.Auth,
		"RFC 9701 §5: aud is who asked":                     claims["aud"] == string(d.PartnerClientID),
		"RFC 9701 §5: iat is now":                           claims["iat"] == float64(s.clock.now().Unix()),
		"RFC 9701 §5: token_introspection, with its active": inner["active"] == true && inner["sub"] == string(d.PartnerClientID),
		"RFC 9701 §5: no sub and no exp at the top":         claims["sub"] == nil && claims["exp"] == nil,
		"RFC 9701 §8.1: it is no access token": s.ask(t, request("GET", "/v1/consents",
			"Authorization: Bearer "+s.ask(t, ask(kind)).body)).status == 401,
	} {
		if !right {
			t.Errorf("%s: got the header %v and the claims %v", name, header, claims)
		}
	}
}
