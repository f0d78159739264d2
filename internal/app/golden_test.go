package app_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

var update = flag.Bool("update", false, "write the golden files anew; read the diff")

const goldenFolder = "../../testdata/golden"

// masks replace what differs from run to run, or must not stand in a file.
type masks []mask

type mask struct{ value, name string }

var (
	anyJWT    = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`)
	anyPoints = regexp.MustCompile(`"points";r=\d+;t=\d+`) // tests ask in any order
	anyMember = regexp.MustCompile(`"(kid|x|y|jti|sid|cursor)":\s*"[^"]*"`)
)

// of masks a text.
func (m masks) of(text string) string {
	text = anyJWT.ReplaceAllString(text, "<jwt>")
	for _, mask := range m {
		text = strings.ReplaceAll(text, mask.value, mask.name)
	}
	text = anyMember.ReplaceAllString(text, `"$1":"<$1>"`)
	text = anyPoints.ReplaceAllString(text, `"points";r=<left>;t=<seconds>`)
	return strings.ReplaceAll(text, "\r\n", "\n")
}

// maskedHeaders never have the same value twice, or follow from a key.
var maskedHeaders = map[string]string{"Date": "<date>", "X-Request-Id": "<request-id>", "Etag": "<etag>"}

// record writes a request and its whole answer, the headers sorted.
func (m masks) record(request string, a answer) string {
	var b strings.Builder
	b.WriteString(strings.TrimRight(m.of(request), "\n"))
	b.WriteString("\n\n-- answer --\n" + a.proto + "\n")
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		for _, value := range a.header[name] {
			if masked, ok := maskedHeaders[name]; ok {
				value = masked
			}
			b.WriteString(name + ": " + m.of(value) + "\n")
		}
	}
	b.WriteString("\n" + m.of(a.body))
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// golden compares with the files of a folder, all of which must be expected.
type golden struct {
	folder string
	seen   map[string]bool
}

func newGolden(t *testing.T, folder string) *golden {
	t.Helper()
	g := &golden{filepath.Join(goldenFolder, folder), map[string]bool{}}
	if *update {
		if err := os.MkdirAll(g.folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func (g *golden) check(t *testing.T, name, got string) {
	t.Helper()
	g.seen[name] = true
	path := filepath.Join(g.folder, name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("%v; -update writes it", err)
		return
	}
	if got != string(want) {
		t.Errorf("%s\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// done finds files that nothing expects any more.
func (g *golden) done(t *testing.T) {
	t.Helper()
	entries, err := os.ReadDir(g.folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if g.seen[e.Name()] {
			continue
		}
		if !*update {
			t.Errorf("%s/%s: no test writes this file", g.folder, e.Name())
		} else if err := os.Remove(filepath.Join(g.folder, e.Name())); err != nil {
			t.Error(err)
		}
	}
}

// masksOf gives names to everything in the demo that chance chose.
func (w *world) masksOf() masks {
	d := w.demo
	return masks{
		{w.urls.Auth, "http://wattgate.test"},
		{url.QueryEscape(w.urls.Auth), "http%3A%2F%2Fwattgate.test"},
		{string(d.PartnerClientID), "<partner-client-id>"},
		{d.PartnerClientSecret, "<partner-client-secret>"},
		{strings.TrimPrefix(basic(d.PartnerClientID, d.PartnerClientSecret), "Authorization: Basic "), "<partner-basic>"},
		{string(d.ThirdPartyClientID), "<third-party-client-id>"},
		{d.ThirdPartyClientSecret, "<third-party-client-secret>"},
		{strings.TrimPrefix(basic(d.ThirdPartyClientID, d.ThirdPartyClientSecret), "Authorization: Basic "), "<third-party-basic>"},
		{string(d.CustomerUserID), "<customer-user-id>"},
		{d.CustomerUserID.UUID(), "<customer-uuid>"},
		{string(d.SupportUserID), "<support-user-id>"},
		{string(d.OtherCustomerUserID), "<other-customer-user-id>"},
		{string(d.PropertyID), "<property-id>"},
		{string(d.OtherPropertyID), "<other-property-id>"},
		{string(d.AccountNumber), "<account-number>"},
		{string(d.Partner), "<partner-id>"},
	}
}

// claims returns header and payload of a token, in the order in which they are.
func (m masks) claims(t *testing.T, token string) string {
	t.Helper()
	var b strings.Builder
	for _, part := range strings.Split(token, ".")[:2] {
		text, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		indented, err := json.MarshalIndent(json.RawMessage(text), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		out.Write(indented)
		b.WriteString(m.of(out.String()) + "\n")
	}
	return b.String()
}

// unknownUser is a user whom nobody knows.
const unknownUser = "usr_00000000000040008000000000000000"

// stage is what the golden requests are made with.
type stage struct {
	*world
	partner, partnerNarrow, partnerCustomer, customer, thirdParty, thirdPartyNarrow string // tokens
	forAuth                                                                         string // of an application without CAN_IMPERSONATE
	noGrant, noAudience, public                                                     []string
	old                                                                             string // a token whose time is over
	otherPartner                                                                    string // the token of another partner's application
	revoked, doomed                                                                 string // one that was revoked, one that will be
}

func newStage(t *testing.T) *stage {
	t.Helper()
	w := newWorld(t)
	s := &stage{world: w}
	mine := credentials(w.demo.PartnerClientID, w.demo.PartnerClientSecret)
	theirs := credentials(w.demo.ThirdPartyClientID, w.demo.ThirdPartyClientSecret)
	w.clock.move(-2 * time.Hour)
	s.old = w.token(t, "/token/", form(with(grant, theirs)...))
	w.clock.move(2 * time.Hour)
	s.partner = w.token(t, "/oauth2/token", form(with(grant, mine)...))
	s.partnerNarrow = w.token(t, "/oauth2/token", form(with(grant, mine, []string{"scope", "query:property"})...))
	s.partnerCustomer = w.token(t, "/oauth2/token", form(with(grant, mine, []string{"audience", "customer"})...))
	s.thirdParty = w.token(t, "/token/", form(with(grant, theirs)...))
	s.thirdPartyNarrow = w.token(t, "/token/", form(with(grant, theirs, []string{"scope", "query:property"})...))
	s.customer = access(t, w.ask(t, request("GET", "/v1/auth/impersonate?user_id="+string(w.demo.CustomerUserID), "Authorization: "+s.partner)))

	others := credentials(w.demo.OtherPartnerClientID, w.demo.OtherPartnerSecret)
	s.otherPartner = w.token(t, "/oauth2/token", form(with(grant, others)...))
	s.revoked = w.token(t, "/oauth2/token", form(with(grant, mine)...))
	s.doomed = w.token(t, "/oauth2/token", form(with(grant, mine)...))
	if a := w.ask(t, post("/oauth2/revoke", urlencoded, form(with(mine, []string{"token", s.revoked})...))); a.status != 200 {
		t.Fatalf("a revocation: got %d %s", a.status, a.body)
	}

	auth, secret := w.application(t, registry.NewApplication{Name: "for auth", Role: domain.RoleThirdPartyViewer, Audiences: domain.AllAudiences()})
	s.forAuth = w.token(t, "/token/", form(with(grant, credentials(auth, secret))...))

	add := func(name string, change func(*domain.Application)) []string {
		id, secret := w.application(t, registry.NewApplication{Name: name, Role: domain.RoleThirdPartyViewer})
		w.change(t, id, change)
		return credentials(id, secret)
	}
	s.noGrant = add("for codes only", func(a *domain.Application) { a.Grants = nil })
	s.noAudience = add("for nothing", func(a *domain.Application) { a.Audiences = 0 })
	id, _ := w.application(t, registry.NewApplication{Name: "in a browser", Role: domain.RoleThirdPartyViewer, Type: domain.Public})
	s.public = []string{"client_id", string(id)}
	return s
}

// names adds the applications of the stage to the masks.
func (s *stage) names() masks {
	m := s.masksOf()
	for name, fields := range map[string][]string{"no-grant": s.noGrant, "no-audience": s.noAudience, "public": s.public} {
		m = append(m, mask{fields[1], "<" + name + "-client-id>"})
		if len(fields) > 2 {
			m = append(m, mask{fields[3], "<" + name + "-client-secret>"})
		}
	}
	return m
}

// TestGoldenEnergyZero holds the answers of that dialect, whole, against files.
func TestGoldenEnergyZero(t *testing.T) {
	s := newStage(t)
	d := s.demo
	const token = "/oauth2/token"
	mine := credentials(d.PartnerClientID, d.PartnerClientSecret)
	wrong := credentials(d.PartnerClientID, "wg_test_wrong")
	ask := func(pairs ...string) string { return post(token, urlencoded, form(pairs...)) }
	plus := func(pairs ...string) string { return ask(with(grant, mine, pairs)...) }
	bearer := "Authorization: Bearer " + s.partner
	as := func(user, authorization string, headers ...string) string {
		return request("GET", "/v1/auth/impersonate?user_id="+user, append(headers, authorization)...)
	}
	customer := string(d.CustomerUserID)
	me := `{"query":"query me{\n me {\n firstName,\n surname\n }\n}","variables":{}}` // E26, as printed

	s.run(t, "energyzero", s.names(), joined(s.exchanges(), s.questions(), map[string]string{
		// RFC 6749 §4.4 in every way in which clients send it.
		"token-multipart":           post(token, multipart, parts(with(grant, []string{"scope", "openid offline"}, mine)...)), // E13
		"token-urlencoded":          plus("scope", "openid offline"),
		"token-basic":               post(token, urlencoded, form(grant...), basic(d.PartnerClientID, d.PartnerClientSecret)),
		"token-without-scope":       plus(),
		"token-scope-narrowed":      plus("scope", "openid view:detailed-usage"),
		"token-audience":            plus("audience", "customer"),
		"token-audience-twice":      plus("audience", "customer", "audience", "auth"),
		"token-audience-with-space": plus("audience", "customer auth"),
		"token-resource":            plus("resource", s.urls.Customer),
		"token-unknown-field":       plus("captcha", "x"),

		"token-unknown-client":     ask(with(grant, credentials("app_nobody", d.PartnerClientSecret))...),
		"token-wrong-secret":       ask(with(grant, wrong)...),
		"token-wrong-basic":        post(token, urlencoded, form(grant...), basic(d.PartnerClientID, "wg_test_wrong")),
		"token-other-scheme":       post(token, urlencoded, form(grant...), bearer),
		"token-no-credentials":     ask(grant...),
		"token-two-methods":        post(token, urlencoded, form(with(grant, mine)...), basic(d.PartnerClientID, d.PartnerClientSecret)),
		"token-grant-missing":      ask(mine...),
		"token-throttled":          ask(with(grant, credentials(domain.ClientID(s.noGrant[1]), "wg_test_wrong"))...),
		"token-grant-unknown":      ask(with([]string{"grant_type", "password"}, mine)...),
		"token-grant-not-allowed":  ask(with(grant, s.noGrant)...),
		"token-grant-twice":        ask(with(grant, grant, mine)...),
		"token-no-audience":        ask(with(grant, s.noAudience)...),
		"token-scope-not-granted":  plus("scope", "submit:measurements"),
		"token-scope-unknown":      plus("scope", "everything"),
		"token-audience-foreign":   ask(with(grant, credentials(d.ThirdPartyClientID, d.ThirdPartyClientSecret), []string{"audience", "auth"})...),
		"token-audience-unknown":   plus("audience", "elsewhere"),
		"token-resource-unknown":   plus("resource", "https://elsewhere.test"),
		"token-empty":              post(token, urlencoded, ""),
		"token-json":               post(token, jsonType, `{"grant_type":"client_credentials"}`),
		"token-no-content-type":    request("POST", token, "Content-Length: 0"),
		"token-query":              request("POST", token+"?"+form(with(grant, mine)...), "Content-Length: 0"),
		"token-get":                request("GET", token),
		"token-put":                request("PUT", token, "Content-Length: 0"),
		"token-options":            request("OPTIONS", token),
		"impersonate-bearer":       as(customer, bearer),                                     // E18
		"impersonate-raw":          as(customer, "Authorization: "+s.partner),                // E21
		"impersonate-jwt":          as(customer, "authorization: jwt "+s.partner),            // any case
		"impersonate-uuid":         as(d.CustomerUserID.UUID(), "Authorization: "+s.partner), // the same user
		"impersonate-no-token":     request("GET", "/v1/auth/impersonate?user_id="+customer),
		"impersonate-expired":      as(customer, "Authorization: "+s.old),
		"impersonate-garbage":      as(customer, "Authorization: Bearer garbage"),
		"impersonate-two-headers":  as(customer, bearer, bearer),
		"impersonate-query-token":  request("GET", "/v1/auth/impersonate?user_id="+customer+"&access_token="+s.partner),
		"impersonate-audience":     as(customer, "Authorization: "+s.partnerCustomer),
		"impersonate-narrow":       as(customer, "Authorization: "+s.partnerNarrow),
		"impersonate-third-party":  as(customer, "Authorization: "+s.thirdParty),
		"impersonate-chain":        as(customer, "Authorization: "+s.customer),
		"impersonate-unknown":      as(unknownUser, bearer),
		"impersonate-foreign":      as(string(d.OtherCustomerUserID), bearer),
		"impersonate-staff":        as(string(d.SupportUserID), bearer),
		"impersonate-missing-user": request("GET", "/v1/auth/impersonate", bearer),
		"impersonate-malformed":    as("42", bearer),
		"impersonate-user-twice":   as(customer+"&user_id="+customer, bearer),
		"impersonate-prefetch":     as(customer, bearer, "Sec-Purpose: prefetch"),
		"impersonate-head":         strings.Replace(as(customer, bearer), "GET", "HEAD", 1),
		"impersonate-post":         request("POST", "/v1/auth/impersonate?user_id="+customer, bearer, "Content-Length: 0"),

		"me":               post("/", jsonType, me, "Authorization: Bearer "+s.customer), // E25
		"me-raw":           post("/", jsonType, me, "Authorization: "+s.customer),
		"me-partner-token": post("/", jsonType, me, "Authorization: Bearer "+s.partner),
		"jwks":             request("GET", "/.well-known/jwks.json"),

		"jwks-known":                  request("GET", "/.well-known/jwks.json", "If-None-Match: *"),
		"metadata":                    request("GET", "/.well-known/oauth-authorization-server"), // RFC 8414 §3
		"metadata-openid":             request("GET", "/.well-known/openid-configuration"),
		"metadata-openid-head":        request("HEAD", "/.well-known/openid-configuration/"),
		"metadata-post":               request("POST", "/.well-known/openid-configuration"),
		"metadata-protected-resource": request("GET", "/.well-known/oauth-protected-resource"), // RFC 9728 §3
	}), map[string]string{
		"claims-exchange-narrowed": "exchange-narrowed",

		"claims-partner": "token-multipart", "claims-partner-narrowed": "token-scope-narrowed", "claims-partner-audience-twice": "token-audience-twice",
		"claims-impersonation": "impersonate-bearer",
	}, joined(s.unanswered(), map[string]string{
		"unavailable": as(customer, bearer),
	}))
}

// TestGoldenKraken holds the answers of that dialect, whole, against files.
func TestGoldenKraken(t *testing.T) {
	s := newStage(t)
	d := s.demo
	const token = "/token/"
	mine := credentials(d.ThirdPartyClientID, d.ThirdPartyClientSecret)
	ask := func(pairs ...string) string { return post(token, urlencoded, form(pairs...)) }
	plus := func(pairs ...string) string { return ask(with(grant, mine, pairs)...) }
	measured := func(id, arguments string) string {
		return `{ property(id: "` + id + `") { id measurements` + arguments + ` { edges { cursor node { value unit readAt ... on IntervalMeasurementType { startAt endAt } } } totalCount } } }`
	}
	home := string(d.PropertyID)
	last := measured(home, `(last: 4)`)
	documented := `{ account(accountNumber: "` + string(d.AccountNumber) + `") { properties { id measurements(first: 3, ` +
		`utilityFilters: [{electricityFilters: {readingFrequencyType: RAW_INTERVAL, readingDirection: CONSUMPTION, readingQuality: COMBINED}}], ` +
		`startAt: "2026-02-01T00:00:00.000", timezone: "Europe/Amsterdam") { edges { node { value unit ... on IntervalMeasurementType { startAt endAt } ` +
		`metaData { statistics { costExclTax { costCurrency estimatedAmount } value description label type } } } } ` +
		`pageInfo { hasNextPage hasPreviousPage } } } } }`
	raw := func(body string, headers ...string) string {
		return post("/v1/graphql/", jsonType, body, append(headers, "Authorization: "+s.thirdParty)...)
	}
	modern := "Accept: application/graphql-response+json"

	s.run(t, "kraken", s.names(), joined(s.krakenQuestions(), map[string]string{
		"token":                   plus(), // K17
		"token-multipart":         post(token, multipart, parts(with(grant, mine)...)),
		"token-basic":             post(token, urlencoded, form(grant...), basic(d.ThirdPartyClientID, d.ThirdPartyClientSecret)),
		"token-without-slash":     post("/token", urlencoded, form(with(grant, mine)...)),
		"token-scope-subset":      plus("scope", "query:property"),
		"token-impersonator":      ask(with(grant, credentials(d.PartnerClientID, d.PartnerClientSecret))...),
		"token-wrong-secret":      ask(with(grant, credentials(d.ThirdPartyClientID, "wg_test_wrong"))...),
		"token-unknown-client":    ask(with(grant, credentials("app_nobody", "wg_test_wrong"))...),
		"token-no-credentials":    ask(grant...),
		"token-wrong-basic":       post(token, urlencoded, form(grant...), basic(d.ThirdPartyClientID, "wg_test_wrong")),
		"token-public-client":     ask(with(grant, s.public)...),
		"token-grant-missing":     ask(mine...),
		"token-throttled":         ask(with(grant, credentials(domain.ClientID(s.noGrant[1]), "wg_test_wrong"))...),
		"token-grant-unknown":     ask(with([]string{"grant_type", "password"}, mine)...),
		"token-grant-not-allowed": ask(with(grant, s.noGrant)...),
		"token-json":              post(token, jsonType, `{"grant_type":"client_credentials"}`),
		"token-scope-unknown":     plus("scope", "everything"),
		"token-query":             request("POST", token+"?"+form(with(grant, mine)...), "Content-Length: 0"),
		"token-get":               request("GET", token),
		"token-put":               request("PUT", token, "Content-Length: 0"),

		"measurements-raw":        graphQL(s.thirdParty, last), // K19, K21
		"measurements-jwt":        graphQL("JWT "+s.thirdParty, last),
		"measurements-bearer":     graphQL("Bearer "+s.thirdParty, last),
		"measurements-customer":   graphQL(s.customer, last),
		"measurements-documented": graphQL(s.thirdParty, documented),
		"measurements-modern":     raw(query(last), modern),
		"measurements-get":        request("GET", "/v1/graphql/?"+form("query", last), "Authorization: "+s.thirdParty),
		"measurements-no-slash":   post("/v1/graphql", jsonType, query(last), "Authorization: "+s.thirdParty),
		"no-token":                post("/v1/graphql/", jsonType, query(last)),      // 1112
		"garbage":                 graphQL("garbage", last),                         // 1111
		"expired":                 graphQL(s.old, last),                             // 1124
		"two-headers":             raw(query(last), "Authorization: "+s.thirdParty), // 1111
		"narrow":                  graphQL(s.thirdPartyNarrow, last),                // 1111 at the field
		"address-not-permitted":   graphQL(s.thirdParty, `{ property(id: "`+home+`") { id address } }`),
		"property-unknown":        graphQL(s.thirdParty, measured("prop_2222222222222222", "")), // 6622
		"property-foreign":        graphQL(s.thirdParty, measured(string(d.OtherPropertyID), "")),
		"property-malformed":      graphQL(s.thirdParty, measured("42", "")),
		"account-unknown":         graphQL(s.thirdParty, `{ account(accountNumber: "A-22222222") { number } }`), // 4177
		"first-negative":          graphQL(s.thirdParty, measured(home, `(first: -1)`)),                         // 1605
		"first-too-large":         graphQL(s.thirdParty, measured(home, `(first: 10001)`)),                      // 1189
		"first-and-last":          graphQL(s.thirdParty, measured(home, `(first: 1, last: 1)`)),
		"date-that-is-none":       graphQL(s.thirdParty, measured(home, `(startOn: "2026-02-30")`)),
		"timezone-that-is-none":   graphQL(s.thirdParty, measured(home, `(timezone: "Mars/Olympus")`)),
		"cursor-that-is-none":     graphQL(s.thirdParty, measured(home, `(after: "x")`)),
		"field-unknown":           graphQL(s.thirdParty, `{ property(id: "`+home+`") { colour } }`), // 1606
		"field-unknown-modern":    raw(query(`{ colour }`), modern),
		"syntax":                  graphQL(s.thirdParty, `{ property(`),
		"syntax-modern":           raw(query(`{ property(`), modern),
		"json-malformed":          raw(`{"query":`),
		"json-array":              raw(`[{"query":"{__typename}"}]`),
		"query-missing":           raw(`{}`),
		"query-missing-get":       request("GET", "/v1/graphql/", "Authorization: "+s.thirdParty),
		"content-type":            post("/v1/graphql/", "text/plain", query(last), "Authorization: "+s.thirdParty),
		"too-large":               raw(query(strings.Repeat(" ", 64<<10))),
		"method":                  request("PUT", "/v1/graphql/", "Content-Length: 0"),
		"mutation-by-get":         request("GET", "/v1/graphql/?"+form("query", "mutation { x }"), "Authorization: "+s.thirdParty),
		"browser":                 request("GET", "/v1/graphql/", "Accept: text/html"),
	}), map[string]string{"claims-third-party": "token", "claims-third-party-narrowed": "token-scope-subset"},
		map[string]string{
			"unavailable": graphQL(s.thirdParty, last),
		})
}

// run asks everything and compares with the files of the folder. claims names
// the requests whose tokens are taken apart; what stands in broken is asked
// after the store has failed.
func (s *stage) run(t *testing.T, folder string, m masks, requests, claims, broken map[string]string) {
	t.Helper()
	g := newGolden(t, folder)
	for name, request := range requests {
		t.Run(name, func(t *testing.T) {
			if len(request) > 8<<10 && name != "too-large" {
				t.Fatalf("the request has %d bytes: it belongs to the bad input", len(request))
			}
			if name == "token-throttled" { // for the eleventh time
				for range 10 {
					s.ask(t, request)
				}
			}
			record := m.record(request, s.ask(t, request))
			g.check(t, name+".http", shorten(record))
		})
	}
	for name, from := range claims {
		g.check(t, name+".json", m.claims(t, access(t, s.ask(t, requests[from]))))
	}
	if err := errors.Join(s.Flush(t.Context()), s.Engine().Close()); err != nil {
		t.Fatal(err)
	}
	s.Clients.Used = nil // nobody could store it any more
	for name, request := range broken {
		g.check(t, name+".http", m.record(request, s.ask(t, request)))
	}
	if !t.Failed() {
		g.done(t)
	}
}

var manySpaces = regexp.MustCompile(` {1000,}`)

// shorten keeps files readable.
func shorten(record string) string { return manySpaces.ReplaceAllString(record, "<64 KiB of spaces>") }

// TestStatusesOfGoldenFiles guards the guard: -update would accept anything, so
// every golden file of an endpoint of ours must at least say when it was made
// and that nobody may keep it.
func TestStatusesOfGoldenFiles(t *testing.T) {
	files, err := filepath.Glob(goldenFolder + "/*/*.http")
	if err != nil || len(files) < 80 {
		t.Fatalf("%d golden files, %v; want the whole table", len(files), err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, answer, ok := strings.Cut(string(b), "-- answer --\nHTTP/1.1 ")
		if !ok {
			t.Errorf("%s: no answer in it", path)
			continue
		}
		for _, need := range []string{"X-Request-Id: <request-id>", "X-Content-Type-Options: nosniff", "Date: <date>"} {
			if !strings.Contains(answer, "\n"+need+"\n") {
				t.Errorf("%s: no line %q", path, need)
			}
		}
		base := filepath.Base(path)
		public := strings.HasPrefix(base, "jwks") || strings.HasPrefix(base, "metadata")
		if !public && base != "token-options.http" && base != "browser.http" && !strings.Contains(answer, "\nCache-Control: no-store\n") {
			t.Errorf("%s: a cache may keep it", path)
		}
		if status := answer[:3]; status == "401" && !strings.Contains(answer, "\nWww-Authenticate: ") {
			t.Errorf("%s: %s without a challenge (RFC 9110 §15.5.2)", path, http.StatusText(http.StatusUnauthorized))
		} else if status == "405" && !strings.Contains(answer, "\nAllow: ") {
			t.Errorf("%s: 405 without Allow (RFC 9110 §15.5.6)", path)
		}
	}
}
