package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
	"github.com/wattgate/wattgate/internal/token"
)

// refused is an error body of the auth host.
func refused(code, description string) string {
	return `{"error":"` + code + `","error_description":"` + description + `","error_uri":"/errors#` + code + `"}`
}

// graphQLError is an error body of the customer API. path is the column, and
// the field where there is one; the answer has data where the query was executed.
func graphQLError(message, path, extensions, data string) string {
	at := ""
	if column, fields, executed := strings.Cut(path, " "); column != "" {
		at = `,"locations":[{"line":1,"column":` + column + `}]`
		if executed {
			at += `,"path":[` + fields + `]`
		}
	}
	if data != "" {
		data = `,"data":` + data
	}
	return `{"errors":[{"message":` + quoted(message) + at + `,"extensions":{` + extensions + `}}]` + data + `}`
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// invalidInput is the extensions of KT-CT-1605.
func invalidInput(message string, input ...string) string {
	b, err := json.Marshal(append([]string{}, input...))
	if err != nil {
		panic(err)
	}
	return `"errorType":"VALIDATION","errorCode":"KT-CT-1605","errorDescription":"Invalid input.","errorClass":"VALIDATION","validationErrors":[{"message":` +
		quoted(message) + `,"inputPath":` + string(b) + `}],"docs":"/v1/graphql/errors#KT-CT-1605"`
}

// The bodies of refused callers.
const (
	unauthorized    = `"errorType":"AUTHORIZATION","errorCode":"KT-CT-1111","errorDescription":"The token is not accepted for this, or does not hold the permission.","docs":"/v1/graphql/errors#KT-CT-1111"`
	noHeader        = `"errorType":"AUTHORIZATION","errorCode":"KT-CT-1112","errorDescription":"You must provide the AUTHORIZATION header while executing the query/mutation.","docs":"/v1/graphql/errors#KT-CT-1112"`
	signatureOver   = `"errorType":"APPLICATION","errorCode":"KT-CT-1124","errorDescription":"The token's time is over: fetch a new one.","reason":"expired","docs":"/v1/graphql/errors#KT-CT-1124"`
	noProperty      = `"errorType":"AUTHORIZATION","errorCode":"KT-CT-6622","errorDescription":"There is no such property, or it is not yours to see.","docs":"/v1/graphql/errors#KT-CT-6622"`
	noAccount       = `"errorType":"AUTHORIZATION","errorCode":"KT-CT-4177","errorDescription":"There is no such account, or it is not yours to see.","docs":"/v1/graphql/errors#KT-CT-4177"`
	unknownClient   = "the client is unknown, or its secret is not right"
	intoTheBody     = "parameters belong into the body of the request, never into the query string"
	mustBeForm      = "the body must be a form: application/x-www-form-urlencoded or multipart/form-data"
	tooLarge        = "the body is larger than 64 KiB"
	methodUnknown   = "this path does not know that method; the header Allow lists those it knows"
	intoTheHeader   = "an access token belongs into the Authorization header, never into the query string"
	malformedToken  = "the access token is not valid"
	unknownCustomer = "this user is not known"
)

// badInput lists everything that is refused.
func badInput(t *testing.T, s *stage) map[string]bad {
	t.Helper()
	cases := map[string]bad{}
	for _, list := range []map[string]bad{badForms(s), badClients(t, s), badTokens(t, s), badUsers(t, s), badQueries(s), badExchanges(t, s), badQuestions(s), badAuthorizations(t, s)} {
		for name, c := range list {
			if _, twice := cases[name]; twice {
				t.Fatalf("%q stands twice", name)
			}
			cases[name] = c
		}
	}
	return cases
}

// badForms are token requests that cannot be read, in both dialects.
func badForms(s *stage) map[string]bad {
	cases := map[string]bad{}
	mine := credentials(s.demo.PartnerClientID, s.demo.PartnerClientSecret)
	full := with(grant, mine)
	wide := with(full)
	for i := range 13 {
		wide = append(wide, fmt.Sprint("x", i), "y")
	}
	file := strings.Replace(parts(full...), `name="client_secret"`, `name="client_secret"; filename="secret.txt"`, 1)
	chunked := "Transfer-Encoding: chunked"
	for name, path := range map[string]string{"at /oauth2/token": "/oauth2/token", "at /token/": "/token/"} {
		send := func(pairs ...string) string { return post(path, urlencoded, form(pairs...)) }
		invalid := func(request, why string) bad {
			return bad{request: request, status: 400, body: refused("invalid_request", why)}
		}
		method := func(request string) bad {
			return bad{request: request, status: 405, allow: "OPTIONS, POST", body: refused("invalid_request", methodUnknown)}
		}
		for sentence, c := range map[string]bad{
			"a missing grant": invalid(send(mine...), "the parameter grant_type is missing"),
			"an empty grant":  invalid(send(with([]string{"grant_type", ""}, mine)...), "the parameter grant_type is missing"),
			"an unknown grant": {
				request: send(with([]string{"grant_type", "password"}, mine)...), status: 400,
				body: refused("unsupported_grant_type", "this server does not know that grant_type"),
			},
			"a wrong method":         method(request("GET", path)),
			"another wrong method":   method(request("DELETE", path)),
			"JSON for a form":        invalid(post(path, jsonType, `{"grant_type":"client_credentials","client_id":"x","client_secret":"y"}`), mustBeForm),
			"no content type":        invalid(request("POST", path, "Content-Length: 2")+"x=", mustBeForm),
			"two content types":      invalid(post(path, urlencoded, form(full...), "Content-Type: text/plain"), "the request has more than one Content-Type"),
			"duplicate grant":        invalid(send(with(grant, full)...), "the parameter grant_type stands twice"),
			"duplicate scope":        invalid(send(with(full, []string{"scope", "openid", "scope", "openid"})...), "the parameter scope stands twice"),
			"duplicate client":       invalid(send(with(full, mine)...), "the parameter client_id stands twice"),
			"duplicates in parts":    invalid(post(path, multipart, parts(with(full, grant)...)), "the parameter grant_type stands twice"),
			"credentials in a query": invalid(post(path+"?"+form(mine...), urlencoded, form(grant...)), intoTheBody),
			"a secret in a query":    invalid(post(path+"?client_secret="+mine[3], urlencoded, form(full...)), intoTheBody),
			"a malformed query":      invalid(post(path+"?%zz", urlencoded, form(full...)), "the query string is malformed, and parameters belong into the body"),
			"a body of 65 KiB":       invalid(send(with(full, []string{"x", strings.Repeat("y", 65<<10)})...), tooLarge),
			"65 KiB of parts":        invalid(post(path, multipart, parts(with(full, []string{"x", strings.Repeat("y", 65<<10)})...)), "a parameter is larger than 4 KiB"),
			"65 KiB of small parts":  invalid(post(path, multipart, "--"+boundary+"\r\nContent-Disposition: form-data; name=x\r\nX: "+strings.Repeat("y", 65<<10)), tooLarge),
			"a file":                 invalid(post(path, multipart, file), "a part of the form is a file; this form takes plain fields only"),
			"17 parts":               invalid(post(path, multipart, parts(with(wide, []string{"z", ""})...)), "the form has more than 16 parts"),
			"17 parameters":          invalid(send(with(wide, []string{"z", ""})...), "the form has more than 16 parts"),
			"a part over 4 KiB":      invalid(post(path, multipart, parts(with(full, []string{"scope", strings.Repeat("y", 4<<10+1)})...)), "a parameter is larger than 4 KiB"),
			"a name over 4 KiB":      invalid(send(with(full, []string{strings.Repeat("y", 4<<10+1), ""})...), "a parameter is larger than 4 KiB"),
			"control characters":     invalid(send(with(full, []string{"scope", "openid\x00"})...), "a parameter holds control characters or is not UTF-8"),
			"a broken escape":        invalid(post(path, urlencoded, "grant_type=%"), "the body is not properly percent-encoded"),
			"a part without a name":  invalid(post(path, multipart, "--"+boundary+"\r\n\r\nx\r\n--"+boundary+"--\r\n"), "a part of the form has no name"),
			"parts that just end":    invalid(post(path, multipart, strings.TrimSuffix(parts(full...), "--\r\n")), "the multipart body is malformed"),
			"no boundary":            invalid(post(path, "multipart/form-data", parts(full...)), "the multipart body has no boundary"),
			"an endless body": {
				request: request("POST", path, "Content-Type: "+urlencoded, chunked), status: 400,
				body: refused("invalid_request", tooLarge), endless: endlessly(path, urlencoded, "x=", true),
			},
			"an endless body that pauses": {
				request: request("POST", path, "Content-Type: "+urlencoded, chunked), status: 400,
				body: refused("invalid_request", tooLarge), endless: endlessly(path, urlencoded, "x=", false),
			},
			"endless parts": {
				request: request("POST", path, "Content-Type: "+multipart, chunked), status: 400,
				body: refused("invalid_request", "a parameter is larger than 4 KiB"), endless: endlessly(path, multipart,
					"--"+boundary+"\r\nContent-Disposition: form-data; name=x\r\n\r\n", true),
			},
		} {
			cases[sentence+" "+name] = c
		}
	}
	return cases
}

// endlessly writes a chunked body that has no end: on and on until the server
// hangs up, or 80 KiB and then nothing.
func endlessly(path, contentType, start string, on bool) func(net.Conn) {
	return func(c net.Conn) {
		_, err := io.WriteString(c, request("POST", path, "Content-Type: "+contentType, "Transfer-Encoding: chunked")+fmt.Sprintf("%x\r\n%s\r\n", len(start), start))
		for n := 0; err == nil && (on || n < 80<<10); n += 1 << 10 {
			_, err = io.WriteString(c, "400\r\n"+strings.Repeat("y", 1<<10)+"\r\n")
		}
	}
}

// badClients are applications that cannot prove who they are.
func badClients(t *testing.T, s *stage) map[string]bad {
	t.Helper()
	d := s.demo
	id, secret := s.application(t, registry.NewApplication{Name: "disabled", Role: domain.RoleThirdPartyViewer})
	if err := s.Registry.SetDisabled(t.Context(), registry.By{Means: "test"}, id, true); err != nil {
		t.Fatal(err)
	}
	disabled := credentials(id, secret)
	id, secret = s.application(t, registry.NewApplication{Name: "pinned", Role: domain.RoleThirdPartyViewer, AuthMethod: domain.ClientSecretBasic})
	pinned := credentials(id, secret)
	id, retired := s.application(t, registry.NewApplication{Name: "replaced", Role: domain.RoleThirdPartyViewer})
	if _, err := s.Registry.ReplaceSecret(t.Context(), registry.By{Means: "test"}, id, 0); err != nil {
		t.Fatal(err)
	}
	replaced := credentials(id, retired)
	wrong := strings.ToUpper(d.PartnerClientSecret)
	cases := map[string]bad{}
	for name, at := range map[string]struct{ path, challenge, body string }{
		"at /oauth2/token": {"/oauth2/token", basicChallenge, refused("invalid_client", unknownClient)},
		"at /token/":       {"/token/", krakenChallenge, `{"error":"invalid_client"}`},
	} {
		send := func(fields []string, headers ...string) bad {
			return bad{
				request: post(at.path, urlencoded, form(with(grant, fields)...), headers...), status: 401, body: at.body,
				challenge: at.challenge, like: "refused clients " + name,
			}
		}
		for sentence, c := range map[string]bad{
			"a wrong secret":             send(credentials(d.PartnerClientID, "wg_test_wrong")),
			"a secret in capitals":       send(credentials(d.PartnerClientID, wrong)),
			"another client's secret":    send(credentials(d.PartnerClientID, d.ThirdPartyClientSecret)),
			"an unknown client":          send(credentials("app_2222222222222222", d.PartnerClientSecret)),
			"a client id that is none":   send(credentials("'; DROP TABLE application; --", d.PartnerClientSecret)),
			"no credentials":             send(nil),
			"an id without a secret":     send([]string{"client_id", string(d.PartnerClientID)}),
			"a secret without an id":     send([]string{"client_secret", d.PartnerClientSecret}),
			"an empty secret":            send(credentials(d.PartnerClientID, "")),
			"a disabled application":     send(disabled),
			"a pinned method":            send(pinned),
			"a secret that was replaced": send(replaced),
			"a public client":            send(s.public),
			"Basic with a wrong secret":  send(nil, basic(d.PartnerClientID, "wg_test_wrong")),
			"Basic of an unknown client": send(nil, basic("app_2222222222222222", d.PartnerClientSecret)),
			"Basic that is not base64":   send(nil, "Authorization: Basic ***"),
			"Basic without a colon":      send(nil, "Authorization: Basic YXBw"),
			"another scheme":             send(nil, "Authorization: Bearer "+s.partner),
			"an expired secret": func() bad {
				c := send(credentials(d.PartnerClientID, d.PartnerClientSecret))
				c.later = 366 * 24 * time.Hour
				return c
			}(),
		} {
			cases[sentence+" "+name] = c
		}
		for sentence, id := range map[string]domain.ClientID{
			"the eleventh wrong secret":        d.PartnerClientID,
			"the eleventh try of nobody":       "app_2222222222222222",
			"the eleventh try of no client id": "'; DROP TABLE application; --",
		} {
			c := send(credentials(id, "wg_test_wrong"))
			c.often, c.status, c.challenge, c.like = 10, 429, "", "throttled clients "+name
			c.body = refused("slow_down", "too many failed attempts; wait before the next one")
			cases[sentence+" "+name] = c
		}
		cases["two authentication methods "+name] = bad{
			request: post(at.path, urlencoded, form(with(grant, credentials(d.PartnerClientID, d.PartnerClientSecret))...), basic(d.PartnerClientID, d.PartnerClientSecret)),
			status:  400, body: refused("invalid_request", "the request authenticates in two ways; use the form or the Authorization header"),
		}
		cases["two Authorization headers "+name] = bad{
			request: post(at.path, urlencoded, form(grant...), basic(d.PartnerClientID, d.PartnerClientSecret), basic(d.PartnerClientID, d.PartnerClientSecret)),
			status:  400, body: refused("invalid_request", "the request has more than one Authorization header"),
		}
	}
	return cases
}

// badTokens are callers whose token does not count: at the auth host and at the
// customer API.
func badTokens(t *testing.T, s *stage) map[string]bad {
	t.Helper()
	d := s.demo
	foreign := func(seed byte) string { return s.foreign(t, seed) }
	forged := s.partner[:len(s.partner)-90] + flip(s.partner[len(s.partner)-90:]) // in the claims
	signature := strings.LastIndex(s.partner, ".") + 1
	none := "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0" + s.partner[strings.Index(s.partner, "."):signature]
	me := `{ me { firstName } }`
	cases := map[string]bad{}
	for sentence, c := range map[string]struct {
		token string
		later time.Duration
		why   string
	}{
		"an expired token":                {s.partner, 300 * time.Second, "the access token has expired"},
		"a forged token":                  {forged, 0, malformedToken},
		"a token with a forged signature": {s.partner[:signature] + flip(s.partner[signature:]), 0, malformedToken},
		"a token without a signature":     {s.partner[:signature], 0, malformedToken},
		"a token of the algorithm none":   {none, 0, malformedToken},
		"a foreign token":                 {foreign(2), 0, malformedToken},
		"a foreign token of a like key":   {foreign(1), 0, malformedToken},
		"a token that is none":            {"opensesame", 0, malformedToken},
		"a scheme alone":                  {"Bearer", 0, malformedToken},
	} {
		cases[sentence] = bad{
			request: request("GET", "/v1/auth/impersonate?user_id="+string(d.CustomerUserID), "Authorization: "+c.token),
			status:  401, challenge: invalidChallenge, body: refused("invalid_token", c.why), later: c.later,
		}
		extensions, message := unauthorized, "Unauthorized."
		if c.later > 0 {
			extensions, message = signatureOver, "Signature of the JWT has expired."
		}
		cases[sentence+" at GraphQL"] = bad{
			request: graphQL(c.token, me), status: 200, later: c.later,
			body: graphQLError(message, `3 "me"`, extensions, `{"me":null}`),
		}
	}
	impersonate := func(path string, headers ...string) string { return request("GET", path, headers...) }
	path := "/v1/auth/impersonate?user_id=" + string(d.CustomerUserID)
	bearer := "Authorization: Bearer " + s.partner
	denied := func(path, why string, headers ...string) bad {
		return bad{request: impersonate(path, headers...), status: 401, challenge: invalidChallenge, body: refused("invalid_token", why)}
	}
	invalid := func(path, why string, headers ...string) bad {
		return bad{request: impersonate(path, headers...), status: 400, body: refused("invalid_request", why)}
	}
	field := func(request, extensions, message string) bad {
		return bad{request: request, status: 200, body: graphQLError(message, `3 "me"`, extensions, `{"me":null}`)}
	}
	body := query(me)
	for sentence, c := range map[string]bad{
		"no token":                                 denied(path, "the request has no access token"),
		"an empty Authorization header":            denied(path, "the request has no access token", "Authorization: "),
		"a token of the wrong audience":            denied(path, "the access token is not for this API", "Authorization: "+s.partnerCustomer),
		"chained impersonation":                    denied(path, "the access token is not for this API", "Authorization: "+s.customer),
		"an application without CAN_IMPERSONATE":   denied(path, "the access token is not for this API", "Authorization: "+s.thirdParty),
		"two Authorization headers":                invalid(path, "the request has more than one Authorization header", bearer, bearer),
		"a token in the query":                     invalid(path+"&access_token="+s.partner, intoTheHeader),
		"a token in the query and in the header":   invalid(path+"&access_token="+s.partner, intoTheHeader, bearer),
		"a scheme that is not ours":                invalid(path, "the Authorization header has a scheme that this API does not take", "Authorization: Basic "+s.partner),
		"two tokens in one header":                 invalid(path, "the Authorization header holds more than a token", bearer+","+s.partner),
		"a header over 8 KiB":                      invalid(path, "the Authorization header is larger than 8 KiB", "Authorization: "+strings.Repeat("x", 8<<10+1)),
		"no token at GraphQL":                      field(post("/", jsonType, body), noHeader, "'Authorization' header not provided."),
		"two Authorization headers at GraphQL":     field(post("/", jsonType, body, bearer, bearer), unauthorized, "Unauthorized."),
		"a token in the query at GraphQL":          field(post("/?access_token="+s.customer, jsonType, body), unauthorized, "Unauthorized."),
		"a token of the wrong audience at GraphQL": field(graphQL(s.signed(t, domain.AudienceMeasurements), me), unauthorized, "Unauthorized."),
		"a partner token where a user's is due":    field(graphQL(s.partner, me), unauthorized, "Unauthorized."),
		"a permission that the token was narrowed by": {
			request: impersonate(path, "Authorization: "+s.partnerNarrow), status: 403,
			challenge: scopeChallenge, body: refused("insufficient_scope", "this token does not hold CAN_IMPERSONATE"),
		},
		"an application for auth without CAN_IMPERSONATE": {
			request: impersonate(path, "Authorization: "+s.forAuth), status: 403,
			challenge: scopeChallenge, body: refused("insufficient_scope", "this token does not hold CAN_IMPERSONATE"),
		},
	} {
		cases[sentence] = c
	}
	return cases
}

// badUsers are people whom nobody may be.
func badUsers(t *testing.T, s *stage) map[string]bad {
	t.Helper()
	d := s.demo
	bearer := "Authorization: Bearer " + s.partner
	customer := string(d.CustomerUserID)
	both := s.user(t, domain.User{Customer: true, Staff: true, Email: "both@noordstroom.example"})
	staff := s.user(t, domain.User{Staff: true, Email: "plain@noordstroom.example"})
	platform, err := s.Registry.Store.UsersByEmail(t.Context(), d.OAuthManagerEmail)
	if err != nil || len(platform) != 1 {
		t.Fatal(platform, err)
	}
	get := func(query string, headers ...string) string {
		return request("GET", "/v1/auth/impersonate"+query, append(headers, bearer)...)
	}
	nobody := func(id domain.UserID) bad {
		return bad{request: get("?user_id=" + string(id)), status: 404, body: refused("not_found", unknownCustomer), like: "users who are none"}
	}
	invalid := func(request, why string) bad {
		return bad{request: request, status: 400, body: refused("invalid_request", why)}
	}
	const malformed = "this is not the identifier of a user"
	head := strings.Replace(get("?user_id="+customer), "GET", "HEAD", 1)
	return map[string]bad{
		"an unknown user":                nobody(unknownUser),
		"an unknown user as a UUID":      nobody(domain.UserID(domain.UserID(unknownUser).UUID())),
		"a foreign user":                 nobody(d.OtherCustomerUserID),
		"a foreign user as a UUID":       nobody(domain.UserID(d.OtherCustomerUserID.UUID())),
		"a staff user":                   nobody(staff),
		"a support user":                 nobody(d.SupportUserID),
		"a customer who is also staff":   nobody(both),
		"a member of the platform staff": nobody(platform[0].ID),
		"a malformed user id":            invalid(get("?user_id=42"), malformed),
		"a user id of an application":    invalid(get("?user_id="+string(d.PartnerClientID)), malformed),
		"a user id with SQL in it":       invalid(get("?user_id=usr_'%20OR%201=1"), malformed),
		"an empty user id":               invalid(get("?user_id="), malformed),
		"a missing user_id":              invalid(get(""), "the parameter user_id is missing"),
		"user_id twice":                  invalid(get("?user_id="+customer+"&user_id="+customer), "the parameter user_id stands twice"),
		"a query string that is none":    invalid(get("?user_id=%zz"), "the query string is malformed"),
		"a prefetch":                     invalid(get("?user_id="+customer, "Sec-Purpose: prefetch;prerender"), "a token is not made ahead of time"),
		"an old prefetch":                invalid(get("?user_id="+customer, "Purpose: Prefetch"), "a token is not made ahead of time"),
		"HEAD on impersonate":            {request: head, status: 405, allow: "GET, OPTIONS"},
		"POST on impersonate": {
			request: strings.Replace(get("?user_id="+customer, "Content-Length: 0"), "GET", "POST", 1), status: 405, allow: "GET, OPTIONS",
			body: refused("invalid_request", methodUnknown),
		},
	}
}

// badQueries are requests to the customer API that are refused.
func badQueries(s *stage) map[string]bad {
	d := s.demo
	token := "Authorization: " + s.thirdParty
	home := `{ property(id: "` + string(d.PropertyID) + `") { id `
	column := len(home) + 1
	// argued is a query whose arguments of measurements are refused.
	argued := func(arguments, message string, input ...string) bad {
		return bad{
			request: graphQL(s.thirdParty, home+"measurements("+arguments+") { totalCount } } }"), status: 200,
			body: graphQLError(message, fmt.Sprint(column, ` "property","measurements"`), invalidInput(message, input...),
				`{"property":{"id":"`+string(d.PropertyID)+`","measurements":null}}`),
		}
	}
	property := func(id string) bad {
		return bad{
			request: graphQL(s.thirdParty, `{ property(id: "`+id+`") { id } }`), status: 200, like: "properties that are none",
			body: graphQLError("Unauthorized.", `3 "property"`, noProperty, `{"property":null}`),
		}
	}
	account := func(number string) bad {
		return bad{
			request: graphQL(s.thirdParty, `{ account(accountNumber: "`+number+`") { number } }`), status: 200, like: "accounts that are none",
			body: graphQLError("Unauthorized.", `3 "account"`, noAccount, `{"account":null}`),
		}
	}
	// malformed is what is no GraphQL request.
	malformed := func(request string, status int, message string) bad {
		return bad{request: request, status: status, body: graphQLError(message, "", invalidInput(message), "")}
	}
	raw := func(body string, headers ...string) string {
		return post("/v1/graphql/", jsonType, body, append(headers, token)...)
	}
	const (
		noInt   = `Int cannot represent non-integer value: "x"`
		tooMany = "first is above the limit: want 0 to 10000"
	)
	unknownField := `Cannot query field "colour" on type "PropertyType".`
	byGet := malformed(request("GET", "/v1/graphql/?"+form("query", "mutation { x }"), token), 405, "a GET runs queries only: send a mutation by POST")
	byGet.allow = "POST"
	large := "the body is above the limit of 65536 bytes"
	return map[string]bad{
		"a malformed property id":    property("42"),
		"an unknown property":        property("prop_2222222222222222"),
		"a foreign property":         property(string(d.OtherPropertyID)),
		"an unknown account":         account("A-22222222"),
		"a malformed account":        account("'; --"),
		"a date that does not exist": argued(`startOn: "2026-02-30"`, `"2026-02-30" is not a date: want an existing day as YYYY-MM-DD`, "startOn"),
		"a negative first":           argued(`first: -1`, "first is negative: want 0 to 10000", "first"),
		"first and last together":    argued(`first: 1, last: 1`, "first and last exclude each other", "last"),
		"an unknown time zone":       argued(`timezone: "Mars"`, `"Mars" is not a time zone: want an IANA name such as Europe/Amsterdam, or an offset such as +10:00`, "timezone"),
		"first that is no number": {request: graphQL(s.thirdParty, home+`measurements(first: "x") { totalCount } } }`), status: 200, body: graphQLError(
			noInt, fmt.Sprint(column+21), invalidInput(noInt), "")},
		"first above the limit": {request: graphQL(s.thirdParty, home+"measurements(first: 10001) { totalCount } } }"), status: 200, body: graphQLError(
			tooMany, fmt.Sprint(column, ` "property","measurements"`), strings.NewReplacer("KT-CT-1605", "KT-CT-1189", "Invalid input.", "Query requests too many nodes.").
				Replace(invalidInput(tooMany, "first")), `{"property":{"id":"`+string(d.PropertyID)+`","measurements":null}}`)},
		"an unknown field": {request: graphQL(s.thirdParty, home+`colour } }`), status: 200, body: graphQLError(
			unknownField, fmt.Sprint(column), strings.NewReplacer("KT-CT-1605", "KT-CT-1606", "Invalid input.", "Field not found.").Replace(invalidInput(unknownField)), "")},
		"malformed JSON":                  malformed(raw(`{"query":`), 400, "the body must be one JSON object"),
		"JSON and more":                   malformed(raw(`{"query":"{__typename}"}{}`), 400, "the body must be one JSON object"),
		"a batch":                         malformed(raw(`[{"query":"{__typename}"}]`), 400, "the body must be one JSON object"),
		"a missing query":                 malformed(raw(`{"variables":{}}`), 400, "the parameter query is missing: it holds the GraphQL document"),
		"a query that is no text":         malformed(raw(`{"query":1}`), 400, "query must be a string"),
		"variables that are no object":    malformed(raw(`{"query":"{__typename}","variables":[]}`), 400, "variables must be an object"),
		"a wrong content type at GraphQL": malformed(post("/v1/graphql/", "text/plain", query("{__typename}"), token), 415, "the body must be application/json"),
		"a form at GraphQL":               malformed(post("/v1/graphql/", multipart, parts("query", "{__typename}"), token), 415, "the body must be application/json"),
		"a body over 64 KiB at GraphQL":   malformed(raw(query(strings.Repeat(" ", 64<<10))), 413, large),
		"an endless body at GraphQL": {
			request: request("POST", "/v1/graphql/", "Content-Type: "+jsonType), status: 413,
			body: graphQLError(large, "", invalidInput(large), ""), endless: endlessly("/v1/graphql/", jsonType, `{"query":"`, true),
		},
		"an endless body that pauses at GraphQL": {
			request: request("POST", "/v1/graphql/", "Content-Type: "+jsonType), status: 413,
			body: graphQLError(large, "", invalidInput(large), ""), endless: endlessly("/v1/graphql/", jsonType, `{"query":"`, false),
		},
		"a mutation by GET": byGet,
		"a method that GraphQL has not": {
			request: request("DELETE", "/v1/graphql/", token), status: 405, allow: "GET, OPTIONS, POST",
			body: `{"errors":[{"message":"Send a query by POST, or by GET with ?query=.","extensions":{"errorType":"VALIDATION","errorCode":"KT-CT-1605"}}]}`,
		},
	}
}

// flip changes the first character of a part of a token.
func flip(s string) string {
	if s[0] == 'A' {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}

// claims are those of a token of the third party, in order but for the audience.
func (s *stage) claims(audience domain.Audience) *token.Claims {
	now := s.clock.now()
	return &token.Claims{
		Issuer: s.urls.Auth, Subject: string(s.demo.ThirdPartyClientID), ClientID: s.demo.ThirdPartyClientID, Partner: s.demo.Partner,
		Audiences: domain.AudienceSet(audience), Permissions: domain.CustomerPermissions, Scope: "openid",
		IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Unix() + 3600, ID: token.NewID(now, nil),
	}
}

// signed is a token that this installation signed for one audience.
func (s *stage) signed(t *testing.T, audience domain.Audience) string {
	t.Helper()
	text, err := s.Keys.Sign(nil, s.claims(audience))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// foreign is a token that another installation signed, with the claims of ours.
// From the same seed its key has the name of ours.
func (s *stage) foreign(t *testing.T, seed byte) string {
	t.Helper()
	other := open(t, seed, s.clock, io.Discard)
	defer func() {
		if err := other.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	_, err := other.OpenDemo(t.Context())
	if err = errors.Join(err, other.OpenKeys(t.Context())); err != nil {
		t.Fatal(err)
	}
	c := s.claims(domain.AudienceAuth)
	c.Subject, c.ClientID, c.Permissions = string(s.demo.PartnerClientID), s.demo.PartnerClientID, domain.AllPermissions()
	text, err := other.Keys.Sign(nil, c)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(s.partner, ".")
	if like := strings.HasPrefix(string(text), head+"."); like != (seed == 1) {
		t.Fatalf("from the seed %d the key has the name of ours: %t", seed, like)
	}
	return string(text)
}
