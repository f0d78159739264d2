package app_test

import (
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
)

// badAuthorizations are what is refused on the way to tokens for a customer, at
// the doors that answer applications.
func badAuthorizations(t *testing.T, s *stage) map[string]bad {
	t.Helper()
	d := s.demo
	id, secret := s.application(t, registry.NewApplication{
		Name: "A coach", Role: domain.RoleThirdPartyViewer, Grants: coachGrants, URIs: []string{callback},
	})
	mine, partner := credentials(id, secret), credentials(d.PartnerClientID, d.PartnerClientSecret)
	asked := []string{
		"response_type", "code", "redirect_uri", callback, "code_challenge", challengeOf(verifier), "code_challenge_method", "S256",
	}
	const unknownGrant = "the code or token is unknown, was used, has expired or was ended, or does not belong to this request"
	cases := map[string]bad{}
	refuse := func(name, path, code, why string, fields ...[]string) {
		cases[name] = bad{request: post(path, urlencoded, form(with(fields...)...)), status: 400, body: refused(code, why)}
	}
	client := func(name, path string, fields ...[]string) {
		cases[name] = bad{
			request: post(path, urlencoded, form(with(fields...)...)), status: 401, challenge: basicChallenge, body: refused("invalid_client", unknownClient),
			like: "refused clients at /oauth2/token",
		}
	}
	for where, path := range map[string]string{"/oauth2/par": "/oauth2/par", "/device-authorization/": "/device-authorization/"} {
		client("no credentials at "+where, path, asked)
		client("a confidential application without its secret at "+where, path, asked, mine[:2])
		client("a wrong secret at "+where, path, asked, credentials(id, "wg_test_wrong"))
		refuse("a request object at "+where, path, "invalid_request", "this server does not take the parameter request", asked, mine, []string{"request", "e30"})
		refuse("a request_uri at "+where, path, "invalid_request", "request_uri is what this server answers, and no parameter here", asked, mine, []string{"request_uri", "urn:x"})
		refuse("a scope that nobody can allow at "+where, path, "invalid_scope", "a scope that was asked for is unknown or not granted to this application", asked, mine, []string{"scope", "impersonate:customer"})
		refuse("a scope twice at "+where, path, "invalid_request", "the parameter scope stands twice", asked, mine, []string{"scope", "openid", "scope", "openid"})
		cases["a body that is none at "+where] = bad{request: post(path, jsonType, "{}"), status: 400, body: refused("invalid_request", mustBeForm)}
		cases["a GET at "+where] = bad{request: request("GET", path), status: 405, allow: "OPTIONS, POST", body: refused("invalid_request", methodUnknown)}
	}
	refuse("a pushed request without PKCE", "/oauth2/par", "invalid_request", "code_challenge is missing: PKCE is required", asked[:4], mine)
	refuse("a device of an application without the grant", "/device-authorization", "unauthorized_client", "this application may not use the grant "+oauth.GrantDeviceCode, partner)
	for where, path := range map[string]string{"/oauth2/token": "/oauth2/token", "/token/": "/token/"} {
		for wants, grant := range map[string]string{"code": oauth.GrantAuthorizationCode, "refresh_token": oauth.GrantRefreshToken, "device_code": oauth.GrantDeviceCode} {
			kind := []string{"grant_type", grant}
			refuse("no "+wants+" at "+where, path, "invalid_request", "the parameter "+wants+" is missing", kind, mine)
			refuse("a "+wants+" twice at "+where, path, "invalid_request", "the parameter "+wants+" stands twice", kind, mine, []string{wants, "x", wants, "x"})
			refuse("a "+wants+" that is none at "+where, path, "invalid_grant", unknownGrant, kind, mine, []string{wants, "x"})
			prefix := map[string]string{"code": "wg_code_", "refresh_token": "wg_refresh_", "device_code": "wg_device_"}[wants]
			refuse("a "+wants+" that looks like ours at "+where, path, "invalid_grant", unknownGrant, kind, mine, []string{wants, prefix + strings.Repeat("0", 49)})
			refuse("a "+wants+" of an application without the grant at "+where, path, "unauthorized_client", "this application may not use the grant "+grant, kind, partner, []string{wants, "x"})
			cases["a "+wants+" in the query at "+where] = bad{
				request: post(path+"?"+wants+"=x", urlencoded, form(with(kind, mine)...)), status: 400, body: refused("invalid_request", intoTheBody),
			}
		}
	}
	who := func(name string, status int, challenge, code, why, authorization string) {
		r := request("GET", "/userinfo")
		if authorization != "" {
			r = request("GET", "/userinfo", authorization)
		}
		cases[name] = bad{request: r, status: status, challenge: challenge, body: refused(code, why)}
	}
	who("a person without a token", 401, invalidChallenge, "invalid_token", "the request has no access token", "")
	who("a person by a token that is none", 401, invalidChallenge, "invalid_token", malformedToken, "Authorization: Bearer x")
	who("a person by an application's token", 403, scopeChallenge, "insufficient_scope", "this token speaks for no person, or was not asked with the scope openid", "Authorization: Bearer "+s.partner)
	who("a person by a token without openid", 403, scopeChallenge, "insufficient_scope", "this token speaks for no person, or was not asked with the scope openid", "Authorization: Bearer "+s.customer)
	who("a person by an old token", 401, invalidChallenge, "invalid_token", "the access token has expired", "Authorization: Bearer "+s.old)
	cases["a person by a token in the query"] = bad{request: request("GET", "/userinfo?access_token="+s.customer), status: 400, body: refused("invalid_request", intoTheHeader)}
	cases["a PUT for a person"] = bad{request: request("PUT", "/userinfo"), status: 405, allow: "GET, OPTIONS, POST", body: refused("invalid_request", methodUnknown)}
	return cases
}
