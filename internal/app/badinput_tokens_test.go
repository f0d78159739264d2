package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
)

// about is a refusal whose error_uri leads to another code than its own.
func about(code, other, description string) string {
	return strings.Replace(refused(code, description), "/errors#"+code, "/errors#"+other, 1)
}

// badExchanges are exchanges that are refused (RFC 8693 §2.2.2), in both
// dialects. What is wrong with the subject looks the same whatever it is, and so
// does what is wrong with a foreign actor.
func badExchanges(t *testing.T, s *stage) map[string]bad {
	t.Helper()
	d := s.demo
	both := s.user(t, domain.User{Customer: true, Staff: true, Email: "both-again@noordstroom.example"})
	platform, err := s.Registry.Store.UsersByEmail(t.Context(), d.OAuthManagerEmail)
	if err != nil || len(platform) != 1 {
		t.Fatal(platform, err)
	}
	second, secret := s.application(t, registry.NewApplication{Name: "a second app", Role: domain.RolePartnerIntegration})
	neighbour := s.token(t, "/oauth2/token", form(with(grant, credentials(second, secret))...))
	mine := credentials(d.PartnerClientID, d.PartnerClientSecret)
	const noActor = "the actor_token is not accepted: "
	const wider = "is unknown or not granted to this application"
	cases := map[string]bad{}
	for name, path := range map[string]string{"exchanged at /oauth2/token": "/oauth2/token", "exchanged at /token/": "/token/"} {
		send := func(body string, fields ...[]string) bad {
			return bad{request: post(path, urlencoded, form(with(fields...)...)), status: 400, body: body}
		}
		of := func(user domain.UserID) bad {
			c := send(about("invalid_request", "not_found", unknownCustomer), exchange(user, s.partner), mine)
			c.like = "users who are none " + name
			return c
		}
		by := func(actor, why string) bad {
			return send(about("invalid_request", "invalid_token", noActor+why), exchange(d.CustomerUserID, actor), mine)
		}
		foreign := func(actor string) bad {
			c := by(actor, malformedToken)
			c.like = "actors who are others " + name
			return c
		}
		invalid := func(why string, fields []string) bad { return send(refused("invalid_request", why), fields, mine) }
		good := exchange(d.CustomerUserID, s.partner)
		plus := func(body string, more ...string) bad { return send(body, good, more, mine) }
		expired := by(s.partner, "the access token has expired")
		expired.later = 300 * time.Second
		for sentence, c := range map[string]bad{
			"an unknown user":                          of(unknownUser),
			"an unknown user as a UUID":                of(domain.UserID(domain.UserID(unknownUser).UUID())),
			"a foreign user":                           of(d.OtherCustomerUserID),
			"a support user":                           of(d.SupportUserID),
			"a customer who is also staff":             of(both),
			"a member of the platform staff":           of(platform[0].ID),
			"an expired actor":                         expired,
			"a forged actor":                           foreign(s.partner[:len(s.partner)-90] + flip(s.partner[len(s.partner)-90:])),
			"an actor that is no token":                foreign("opensesame"),
			"an actor of another partner":              foreign(s.otherPartner),
			"an actor of a neighbour":                  foreign(neighbour),
			"a revoked actor":                          foreign(s.revoked),
			"a foreign installation's actor":           foreign(s.foreign(t, 2)),
			"a chain":                                  by(s.customer, "the access token is not for this API"),
			"an actor of the wrong audience":           by(s.partnerCustomer, "the access token is not for this API"),
			"an actor that was narrowed":               send(about("invalid_request", "insufficient_scope", "this needs CAN_IMPERSONATE"), exchange(d.CustomerUserID, s.partnerNarrow), mine),
			"an application without CAN_IMPERSONATE":   send(refused("unauthorized_client", "this application may not exchange tokens"), exchange(d.CustomerUserID, s.thirdParty), credentials(d.ThirdPartyClientID, d.ThirdPartyClientSecret)),
			"a scope that the customer has not":        plus(refused("invalid_scope", "a scope that was asked for "+wider), "scope", "impersonate:customer"),
			"the audience auth":                        plus(refused("invalid_target", "an audience that was asked for "+wider), "audience", "auth"),
			"a resource that nobody knows":             plus(refused("invalid_target", "a resource that was asked for "+wider), "resource", "https://elsewhere.test"),
			"a reason of 201 characters":               plus(refused("invalid_request", "the reason is longer than 200 characters, or holds some that nobody can see"), "reason", strings.Repeat("x", 201)),
			"a reason with a line break":               plus(refused("invalid_request", "a parameter holds control characters or is not UTF-8"), "reason", "a\nb"),
			"two reasons":                              plus(refused("invalid_request", "the parameter reason stands twice"), "reason", "a", "reason", "b"),
			"two subjects":                             plus(refused("invalid_request", "the parameter subject_token stands twice"), "subject_token", unknownUser),
			"two actors":                               plus(refused("invalid_request", "the parameter actor_token stands twice"), "actor_token", s.partner),
			"a wish for a refresh token":               plus(refused("invalid_request", "this server issues one token type: "+oauth.TokenTypeAccess), "requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"),
			"a missing subject":                        invalid("the parameter subject_token is missing", without("subject_token", good)),
			"a missing type of the subject":            invalid("the parameter subject_token_type is missing", without("subject_token_type", good)),
			"a missing actor":                          invalid("the parameter actor_token is missing", without("actor_token", good)),
			"a missing type of the actor":              invalid("the parameter actor_token_type is missing", without("actor_token_type", good)),
			"a subject of another type":                invalid("this server knows one subject_token_type: "+oauth.TokenTypeUserID, with(without("subject_token_type", good), []string{"subject_token_type", oauth.TokenTypeAccess})),
			"an actor of another type":                 invalid("this server knows one actor_token_type: "+oauth.TokenTypeAccess, with(without("actor_token_type", good), []string{"actor_token_type", "urn:ietf:params:oauth:token-type:jwt"})),
			"a malformed subject":                      invalid("this is not the identifier of a user", exchange("42", s.partner)),
			"an application for a subject":             invalid("this is not the identifier of a user", exchange(domain.UserID(d.PartnerClientID), s.partner)),
			"an actor over 8 KiB":                      invalid("a parameter is larger than 4 KiB", exchange(d.CustomerUserID, strings.Repeat("x", 8<<10+1))),
			"an actor in the query":                    {request: post(path+"?actor_token="+s.partner, urlencoded, form(with(good, mine)...)), status: 400, body: refused("invalid_request", intoTheBody)},
			"an actor in the header and not the form":  {request: post(path, urlencoded, form(with(without("actor_token", good), mine)...), "Authorization: Bearer "+s.partner), status: 400, body: refused("invalid_request", "the parameter actor_token is missing")},
			"an actor in the header and a good secret": {request: post(path, urlencoded, form(with(good, mine)...), "Authorization: Bearer "+s.partner), status: 400, body: refused("invalid_request", "the request authenticates in two ways; use the form or the Authorization header")},
		} {
			cases[sentence+" "+name] = c
		}
	}
	return cases
}

// badQuestions are revocations and introspections that are refused. What is
// wrong with the token itself is no refusal.
func badQuestions(s *stage) map[string]bad {
	d := s.demo
	mine := credentials(d.PartnerClientID, d.PartnerClientSecret)
	token := []string{"token", s.partner}
	cases := map[string]bad{}
	for name, at := range map[string]struct{ path, challenge, body, like string }{
		"at /oauth2/introspect": {"/oauth2/introspect", basicChallenge, refused("invalid_client", unknownClient), "refused clients at /oauth2/token"},
		"at /oauth2/revoke":     {"/oauth2/revoke", basicChallenge, refused("invalid_client", unknownClient), "refused clients at /oauth2/token"},
		"at /revoke-token/":     {"/revoke-token/", krakenChallenge, `{"error":"invalid_client"}`, "refused clients at /token/"},
		"at /revoke-token":      {"/revoke-token", krakenChallenge, `{"error":"invalid_client"}`, "refused clients at /token/"},
	} {
		send := func(fields []string, headers ...string) string {
			return post(at.path, urlencoded, form(fields...), headers...)
		}
		client := func(fields []string, headers ...string) bad {
			return bad{request: send(with(token, fields), headers...), status: 401, body: at.body, challenge: at.challenge, like: at.like}
		}
		invalid := func(request, why string) bad {
			return bad{request: request, status: 400, body: refused("invalid_request", why)}
		}
		for sentence, c := range map[string]bad{
			"a wrong secret":               client(credentials(d.PartnerClientID, "wg_test_wrong")),
			"an unknown client":            client(credentials("app_2222222222222222", d.PartnerClientSecret)),
			"no credentials":               client(nil),
			"an id without a secret":       client([]string{"client_id", string(d.PartnerClientID)}),
			"a public client's secret":     client(with(s.public, []string{"client_secret", d.PartnerClientSecret})),
			"the token itself for a proof": client(nil, "Authorization: Bearer "+s.partner),
			"no token":                     invalid(send(mine), "the parameter token is missing"),
			"an empty token":               invalid(send(with(mine, []string{"token", ""})), "the parameter token is missing"),
			"two tokens":                   invalid(send(with(mine, token, token)), "the parameter token stands twice"),
			"two hints":                    invalid(send(with(mine, token, []string{"token_type_hint", "a", "token_type_hint", "b"})), "the parameter token_type_hint stands twice"),
			"a token over 8 KiB":           invalid(send(with(mine, []string{"token", strings.Repeat("x", 8<<10+1)})), "a parameter is larger than 4 KiB"),
			"a token with a zero byte":     invalid(send(with(mine, []string{"token", "a\x00b"})), "a parameter holds control characters or is not UTF-8"),
			"a token in the query":         invalid(post(at.path+"?token="+s.partner, urlencoded, form(mine...)), intoTheBody),
			"credentials in the query":     invalid(post(at.path+"?"+form(mine...), urlencoded, form(token...)), intoTheBody),
			"two authentication methods":   invalid(send(with(mine, token), basic(d.PartnerClientID, d.PartnerClientSecret)), "the request authenticates in two ways; use the form or the Authorization header"),
			"JSON for a form":              invalid(post(at.path, jsonType, `{"token":"x"}`), mustBeForm),
			"a body of 65 KiB":             invalid(send(with(mine, []string{"x", strings.Repeat("y", 65<<10)})), tooLarge),
			"a file":                       invalid(post(at.path, multipart, strings.Replace(parts(with(mine, token)...), `name="token"`, `name="token"; filename="t"`, 1)), "a part of the form is a file; this form takes plain fields only"),
			"an endless body": {
				request: request("POST", at.path, "Content-Type: "+urlencoded, "Transfer-Encoding: chunked"), status: 400,
				body: refused("invalid_request", tooLarge), endless: endlessly(at.path, urlencoded, "token=", true),
			},
			"a GET": {request: request("GET", at.path), status: 405, allow: "OPTIONS, POST", body: refused("invalid_request", methodUnknown)},
		} {
			cases[sentence+" "+name] = c
		}
		if at.path == "/oauth2/introspect" { // it may revoke (RFC 7009 §2.1), and look into nothing (RFC 7662 §2.1)
			cases["a public client "+name] = client(s.public)
		}
	}
	return cases
}
