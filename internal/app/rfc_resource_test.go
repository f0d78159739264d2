package app_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

// challenged is a challenge of the scheme Bearer with parameters (RFC 6750 §3).
const challenged = `^Bearer [a-z_]+="[^"]*"(, [a-z_]+="[^"]*")*$`

// TestRFC6750: how a token is presented, and what a refusal says. The GraphQL API
// answers 200 and says it inside, as its clients know it; everything else obeys.
func TestRFC6750(t *testing.T) {
	s := newStage(t)
	impersonate := "/v1/auth/impersonate?user_id=" + string(s.demo.CustomerUserID)
	bearer := "Authorization: Bearer " + s.customer
	partner := "Authorization: Bearer " + s.partner
	challenge := map[string]string{"WWW-Authenticate": challenged}
	invalidToken := map[string]string{"WWW-Authenticate": `^Bearer error="invalid_token"`}
	table := map[string]must{
		"RFC 6750 §2.1: a token in the header":                         {ask: request("GET", "/v1/consents", bearer), status: 200, header: map[string]string{"WWW-Authenticate": ""}},
		"RFC 6750 §2.1: at the GraphQL API":                            {ask: post("/v1/graphql/", jsonType, query("{ me { firstName } }"), bearer), status: 200, body: `"firstName":"Anna"`},
		"RFC 6750 §2.1: where tokens are made":                         {ask: request("GET", impersonate, partner), status: 200, body: `"access_token":"`},
		"RFC 6750 §2.1, RFC 9110 §11.1: the scheme in any case":        {ask: request("GET", "/v1/consents", "Authorization: bEARER "+s.customer), status: 200},
		"RFC 6750 §2.2: a token in the body is none":                   {ask: post("/userinfo", urlencoded, form("access_token", s.customer)), status: 401, header: challenge},
		"RFC 6750 §2.3: a token in the query is refused":               {ask: request("GET", impersonate+"&access_token="+s.partner), status: 400, body: `"error":"invalid_request"`, lacks: "access_token\":"},
		"RFC 6750 §2.3: also beside one in the header":                 {ask: request("GET", impersonate+"&access_token="+s.partner, partner), status: 400, body: `"error":"invalid_request"`},
		"RFC 6750 §3: a challenge where there is no token":             {ask: request("GET", impersonate), status: 401, header: challenge},
		"RFC 6750 §3: at the consents":                                 {ask: request("GET", "/v1/consents"), status: 401, header: challenge},
		"RFC 6750 §3: at userinfo":                                     {ask: request("GET", "/userinfo"), status: 401, header: challenge},
		"RFC 6750 §3: where the token opens another API":               {ask: request("GET", impersonate, bearer), status: 401, header: challenge},
		"RFC 6750 §3.1: two tokens are an invalid request":             {ask: request("GET", impersonate, partner, partner), status: 400, body: `"error":"invalid_request"`},
		"RFC 6750 §3.1: a malformed token is invalid":                  {ask: request("GET", impersonate, "Authorization: Bearer opensesame"), status: 401, body: `"error":"invalid_token"`, header: invalidToken},
		"RFC 6750 §3.1: an expired token is invalid":                   {ask: request("GET", impersonate, "Authorization: Bearer "+s.old), status: 401, body: `"error":"invalid_token"`, header: invalidToken},
		"RFC 6750 §3.1: a revoked token is invalid":                    {ask: request("GET", impersonate, "Authorization: Bearer "+s.revoked), status: 401, body: `"error":"invalid_token"`, header: invalidToken},
		"RFC 6750 §3.1: a token that allows less than is asked":        {ask: request("GET", impersonate, "Authorization: Bearer "+s.forAuth), status: 403, body: `"error":"insufficient_scope"`, header: map[string]string{"WWW-Authenticate": `^Bearer error="insufficient_scope"`}},
		"RFC 6750 §5.3: what a token opens is kept by no shared cache": {ask: request("GET", "/v1/consents", bearer), status: 200, header: map[string]string{"Cache-Control": "no-store|private"}},
	}
	s.demand(t, table)
	for name, c := range table { // RFC 6750 §3: no parameter stands twice, and there is one challenge
		a := s.ask(t, c.ask)
		said := a.header.Values("WWW-Authenticate")
		for _, parameter := range []string{"realm=", "error=", "error_description=", "scope="} {
			if strings.Count(strings.Join(said, ", "), parameter) > 1 || len(said) > 1 {
				t.Errorf("%s: RFC 6750 §3: got the challenge %q, want each parameter at most once", name, said)
			}
		}
	}
}

// TestRFC9068 holds what is issued and what is accepted against the profile.
func TestRFC9068(t *testing.T) {
	s := newStage(t)
	mine := credentials(s.demo.PartnerClientID, s.demo.PartnerClientSecret)
	header, own := opened(t, s.token(t, "/oauth2/token", form(with(grant, mine, []string{"scope", "openid query:property"})...)))
	_, narrow := opened(t, s.token(t, "/oauth2/token", form(with(grant, mine, []string{"resource", s.urls.Customer})...)))
	_, users := opened(t, s.customer)
	texts := func(v any) string { return strings.Join(list(v), " ") }
	for name, good := range map[string]bool{
		"RFC 9068 §2.1: typ is at+jwt":                         header["typ"] == "at+jwt",
		"RFC 9068 §2.1: it is signed":                          header["alg"] == "ES256" && header["kid"] != "",
		"RFC 9068 §2.2: iss is the issuer of the metadata":     own["iss"] == s.urls.Auth,
		"RFC 9068 §2.2: exp, iat":                              own["exp"].(float64) == own["iat"].(float64)+300,
		"RFC 9068 §2.2: sub of an application's own token":     own["sub"] == string(s.demo.PartnerClientID),
		"RFC 9068 §2.2: sub of a customer's":                   users["sub"] == string(s.demo.CustomerUserID),
		"RFC 9068 §2.2: client_id of both":                     own["client_id"] == own["sub"] && users["client_id"] == own["sub"],
		"RFC 9068 §2.2: jti is another one each time":          own["jti"] != "" && own["jti"] != narrow["jti"],
		"RFC 9068 §2.2.3: scope where there was one":           own["scope"] == "openid query:property",
		"RFC 9068 §3: aud without a resource: what is granted": texts(own["aud"]) == "auth customer measurements",
		"RFC 9068 §3: aud with a resource: that one":           texts(narrow["aud"]) == "customer",
	} {
		if !good {
			t.Errorf("%s: got the header %v and the claims %v, narrowed %v, a customer's %v", name, header, own, narrow, users)
		}
	}

	sign := func(change func(*token.Claims)) string {
		c := s.claims(domain.AudienceCustomer)
		change(c)
		text, err := s.Keys.Sign(nil, c)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	now := s.clock.now().Unix()
	good := sign(func(*token.Claims) {})
	parts := strings.Split(good, ".")
	reheaded := func(text string) string { return encode(text) + "." + parts[1] + "." + parts[2] }
	for name, c := range map[string]struct {
		token  string
		status int
	}{
		"RFC 9068 §4: as it should be":              {good, 200},
		"RFC 9068 §4: the last second":              {sign(func(c *token.Claims) { c.Expires = now + 1 }), 200},
		"RFC 9068 §4: exp is now":                   {sign(func(c *token.Claims) { c.IssuedAt, c.NotBefore, c.Expires = now-10, now-10, now }), 401},
		"RFC 9068 §4: another iss":                  {sign(func(c *token.Claims) { c.Issuer = "https://elsewhere.test" }), 401},
		"RFC 9068 §4: iss with a slash more":        {sign(func(c *token.Claims) { c.Issuer += "/" }), 401},
		"RFC 9068 §4: another aud":                  {sign(func(c *token.Claims) { c.Audiences = domain.AudienceSet(domain.AudienceMeasurements) }), 401},
		"RFC 9068 §4: another typ":                  {reheaded(`{"alg":"ES256","typ":"JWT"}`), 401},
		"RFC 9068 §4: no typ":                       {reheaded(`{"alg":"ES256"}`), 401},
		"RFC 9068 §4: alg none":                     {encode(`{"alg":"none","typ":"at+jwt"}`) + "." + parts[1] + ".", 401},
		"RFC 9068 §4: a key that is not the issuer": {s.foreign(t, 2), 401},
		"RFC 9068 §4: another signature":            {parts[0] + "." + parts[1] + "." + flip(parts[2]), 401},
	} {
		a := s.ask(t, request("GET", "/v1/consents", "Authorization: Bearer "+c.token))
		if a.status != c.status || c.status == 401 && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), `Bearer error="invalid_token"`) {
			t.Errorf("%s: got %d %s with the challenge %q, want %d", name, a.status, a.body, a.header.Get("WWW-Authenticate"), c.status)
		}
	}
}

// TestRFC9728 holds what the customer host says of itself against the RFC.
func TestRFC9728(t *testing.T) {
	s := newStage(t)
	const path = "/.well-known/oauth-protected-resource"
	s.demand(t, map[string]must{
		"RFC 9728 §3.1: at the well-known path, by GET":       {ask: request("GET", path), status: 200, body: `^\{`, header: map[string]string{"Content-Type": "^application/json$"}},
		"RFC 9728 §3.2: nothing that is empty":                {ask: request("GET", path), status: 200, lacks: `\[\]|""|null`},
		"RFC 9728 §2: resource":                               {ask: request("GET", path), status: 200, body: `"resource":"` + s.urls.Customer + `"`},
		"RFC 9728 §2: authorization_servers":                  {ask: request("GET", path), status: 200, body: `"authorization_servers":\["` + s.urls.Auth + `"\]`},
		"RFC 9728 §2: bearer_methods_supported":               {ask: request("GET", path), status: 200, body: `"bearer_methods_supported":\["header"\]`},
		"RFC 9728 §5.1: the challenge names the document":     {ask: request("GET", "/v1/consents"), status: 401, header: map[string]string{"WWW-Authenticate": `resource_metadata="` + s.urls.Customer + path + `"`}},
		"RFC 9728 §5.1: also where the token is not valid":    {ask: request("GET", "/v1/consents", "Authorization: Bearer x"), status: 401, header: map[string]string{"WWW-Authenticate": `resource_metadata="` + s.urls.Customer + path + `"`}},
		"RFC 9728 §3.3: nothing of it comes from the request": {ask: strings.Replace(request("GET", path), "wattgate.test", "evil.test", 1), status: 200, lacks: "evil"},
	})
	var said struct {
		Resource string
		Servers  []string `json:"authorization_servers"`
	}
	if err := json.Unmarshal([]byte(s.ask(t, request("GET", path)).body), &said); err != nil {
		t.Fatal(err)
	}
	// RFC 9728 §3.3: the resource is the address whose well-known path it was, and
	// what is asked for under its name is for it (RFC 8707 §2).
	if u, err := url.Parse(said.Resource); err != nil || u.Host != s.addr || u.Fragment != "" || u.RawQuery != "" {
		t.Errorf("RFC 9728 §3.3: got the resource %q (%v), want the address of the host", said.Resource, err)
	}
	mine := credentials(s.demo.PartnerClientID, s.demo.PartnerClientSecret)
	one := s.token(t, "/oauth2/token", form(with(grant, mine, []string{"resource", said.Resource})...))
	if a := s.ask(t, request("GET", "/v1/consents", "Authorization: Bearer "+one)); a.status != 200 {
		t.Errorf("a token for the resource of the document: got %d %s at its host", a.status, a.body)
	}
	for _, issuer := range said.Servers {
		if a := s.ask(t, request("GET", "/.well-known/oauth-authorization-server")); !strings.Contains(a.body, `"issuer":"`+issuer+`"`) {
			t.Errorf("RFC 9728 §2: %s is no issuer of %s", issuer, a.body)
		}
	}
}
