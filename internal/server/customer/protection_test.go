package customer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/customer"
)

// clock is a clock that a test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// with is the world with an API of its own settings.
func (w *world) with(t testing.TB, change func(*customer.Config)) *world {
	t.Helper()
	c := customer.Config{Usage: w.usage, Authenticate: authenticate, Log: w.log}
	change(&c)
	api, err := customer.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return &world{api: api, usage: w.usage, store: w.store}
}

// code is the code of an answer's first error; empty without one.
func (a answer) code() string {
	if len(a.Errors) == 0 {
		return ""
	}
	return a.Errors[0].Extensions.ErrorCode
}

func TestPoints(t *testing.T) {
	at := &clock{at: now}
	w := newWorld(t).with(t, func(c *customer.Config) {
		c.Points, c.Now = &customer.Points{User: 3600, Organisation: 36, Application: 360}, at.now
		c.Authenticate = func(r *http.Request) (domain.Caller, error) {
			if r.Header.Get("Authorization") != "own" {
				return authenticate(r)
			}
			caller := callers["third-party"]
			caller.Client, caller.Own = "app_own", true
			return caller, nil
		}
	})
	const small, large = `{property(id:"prop_ada"){id}}`, `{property(id:"prop_ada"){measurements(first:250){edges{node{value}}}}}`
	ask := func(token, query, remaining, code string) *httptest.ResponseRecorder {
		t.Helper()
		out := w.post(token, query, nil)
		a := decode(t, out)
		if a.code() != code {
			t.Fatalf("%s: %s: code %q (%+v), want %q", token, query, a.code(), a.Errors, code)
		}
		if got, _, _ := strings.Cut(strings.TrimPrefix(out.Header().Get("RateLimit"), `"points";r=`), ";"); got != remaining {
			t.Fatalf("%s: %s: RateLimit %q, want %s left", token, query, out.Header().Get("RateLimit"), remaining)
		}
		return out
	}
	out := ask("third-party", small, "359", "") // 1 point
	if got := out.Header().Get("RateLimit-Policy"); got != `"points";q=360;w=3600` {
		t.Errorf("RateLimit-Policy %q", got)
	}
	ask("third-party", large, "355", "")                                                                                          // 1, and 3 for 250 nodes
	ask("third-party", `{property(id:"prop_ada"){measurements(startOn:"2030-01-01",first:9000){edges{node{value}}}}}`, "354", "") // nothing came
	ask("third-party", `{property(id:"prop_ada"){x}}`, "", "KT-CT-1606")                                                          // not run
	ask("partner", small, "359", "")
	ask("ada", small, "358", "")                          // the same application, which acts as a customer
	ask("bos-reader", small, "359", "KT-CT-6622")         // another application
	ask("bo", `{property(id:"prop_bo"){id}}`, "3599", "") // a customer
	ask("own", small, "35", "")                           // its partner's own application
}

// A caller who has spent everything waits until there is enough again.
func TestPointsUsedUp(t *testing.T) {
	at := &clock{at: now}
	w := newWorld(t).with(t, func(c *customer.Config) { c.Points, c.Now = &customer.Points{Application: 36}, at.now })
	const query = `{rateLimitInfo{pointsAllowanceRateLimit{limit remainingPoints usedPoints ttl isBlocked}} property(id:"prop_ada"){id}}`
	for i := range 36 {
		if a := decode(t, w.post("third-party", query, nil)); a.code() != "" {
			t.Fatalf("request %d: %+v", i, a.Errors)
		} else if i == 35 {
			got, _ := json.Marshal(get(a.Data, "rateLimitInfo", "pointsAllowanceRateLimit"))
			want := fmt.Sprintf(`{"isBlocked":true,"limit":36,"remainingPoints":0,"ttl":%d,"usedPoints":36}`, now.Add(time.Hour).Unix())
			if string(got) != want {
				t.Errorf("got %s\nwant %s", got, want)
			}
		}
	}
	for _, accept := range []string{"application/json", "application/graphql-response+json"} {
		r := httptest.NewRequest(http.MethodGet, "/graphql?query="+url.QueryEscape(query), nil)
		r.Header.Set("Authorization", "third-party")
		r.Header.Set("Accept", accept)
		out := w.do(r)
		var got struct {
			Data   any
			Errors []struct {
				Message    string
				Extensions struct {
					ErrorCode, ErrorType string
					RetryAfter           int
				}
			}
		}
		if err := json.Unmarshal(out.Body.Bytes(), &got); err != nil || len(got.Errors) != 1 {
			t.Fatalf("%s: %v", out.Body, err)
		}
		e := got.Errors[0]
		if e.Extensions.ErrorCode != "KT-CT-1199" || e.Extensions.ErrorType != "AUTHORIZATION" || e.Message != "Too many requests." || e.Extensions.RetryAfter != 100 || out.Header().Get("Retry-After") != "100" {
			t.Errorf("%s %s", out.Header(), out.Body)
		}
		if strings.Contains(out.Body.String(), `"data"`) {
			t.Errorf("what was not run has data: %s", out.Body)
		}
	}
	if a := decode(t, w.post("partner", query, nil)); a.code() != "" {
		t.Errorf("another application: %+v", a.Errors)
	}
	at.pass(99 * time.Second)
	if a := decode(t, w.post("third-party", query, nil)); a.code() != "KT-CT-1199" {
		t.Errorf("a second too early: %+v", a)
	}
	at.pass(time.Second)
	if a := decode(t, w.post("third-party", query, nil)); a.code() != "" {
		t.Errorf("when a point has come back: %+v", a.Errors)
	}
}

// How long a list is that connections are in, nobody knows before: there is a
// bound while they are resolved.
func TestConnectionsInLists(t *testing.T) {
	if got, want := customer.Resolve(100, 60, 40, 1, 0, 7), []bool{false, false, false, true, true}; !slices.Equal(got, want) {
		t.Errorf("refused %v, want %v", got, want)
	}
	for n, want := range map[int]int{1: 1, 4: 4, 50: 4} {
		if got := customer.ResolveAtOnce(n); got != want {
			t.Errorf("of %d connections %d are resolved at once, want %d", n, got, want)
		}
	}
}

func TestWithoutALimitNothingIsSaidOfPoints(t *testing.T) {
	w := newWorld(t)
	out := w.post("third-party", `{rateLimitInfo{pointsAllowanceRateLimit{limit remainingPoints usedPoints ttl isBlocked}}}`, nil)
	if got, want := out.Body.String(), `{"data":{"rateLimitInfo":{"pointsAllowanceRateLimit":{"limit":null,"remainingPoints":null,"usedPoints":null,"ttl":null,"isBlocked":null}}}}`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if h := out.Header(); h.Get("RateLimit") != "" || h.Get("RateLimit-Policy") != "" || h.Get("Retry-After") != "" {
		t.Errorf("headers %v", h)
	}
	if a := decode(t, w.post("", `{rateLimitInfo{pointsAllowanceRateLimit{limit}} rateLimit{limit}}`, nil)); len(a.Errors) != 2 || a.code() != "KT-CT-1112" {
		t.Errorf("for nobody known: %+v", a)
	}
}

func TestComplexityIsTold(t *testing.T) {
	w := newWorld(t)
	const query = `{property(id:"prop_ada"){measurements(first:250){edges{node{value}}}}}`
	r := func(body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "third-party")
		r.Header.Set("X-Kraken-Query-Complexity", "true")
		return w.do(r)
	}
	out := r(`{"query":` + quote(query) + `}`)
	if got := out.Header().Get("X-Kraken-Query-Complexity"); got != "8" || !strings.HasSuffix(out.Body.String(), `,"extensions":{"complexity":{"complexityValue":8}}}`) {
		t.Errorf("complexity %q, %.300s", got, out.Body)
	}
	if out := w.post("third-party", query, nil); out.Header().Get("X-Kraken-Query-Complexity") != "" || strings.Contains(out.Body.String(), "complexityValue") {
		t.Errorf("nobody asked: %v", out.Header())
	}
	a := decode(t, w.post("third-party", `query($q:String!,$v:JSONString){queryComplexity(input:{query:$q,variables:$v}){complexityValue nodes points}}`,
		map[string]any{"q": `query($n:Int){` + query[1:len(query)-1] + `property2:property(id:"x"){measurements(first:$n){edgeCount}}}`, "v": `{"n":500}`}))
	got, _ := json.Marshal(a.Data)
	if want := `{"queryComplexity":{"complexityValue":14,"nodes":750,"points":9}}`; string(got) != want {
		t.Errorf("got %s %+v\nwant %s", got, a.Errors, want)
	}
	small := newWorld(t).with(t, func(c *customer.Config) { c.Limits.Complexity = 8 })
	if a := decode(t, small.post("third-party", query, nil)); a.code() != "" {
		t.Errorf("8 of 8: %+v", a.Errors)
	}
	out = small.post("third-party", `{property(id:"prop_ada"){measurements(first:250){pageInfo{hasNextPage} edges{node{value}}}}}`, nil)
	if a := decode(t, out); a.code() != "KT-CT-1188" || a.Data != nil {
		t.Errorf("9 of 8: %s", out.Body)
	}
	few := newWorld(t).with(t, func(c *customer.Config) { c.Limits.Nodes = 249 })
	if a := decode(t, few.post("third-party", query, nil)); a.code() != "KT-CT-1189" {
		t.Errorf("250 nodes of 249: %+v", a.Errors)
	}
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestWhatQueryComplexityRefuses(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct{ token, input, code, path string }{
		"nobody known":              {"", `{query:"{__typename}"}`, "KT-CT-1112", ""},
		"no document":               {"ada", `{query:"{"}`, "KT-CT-1605", "input.query"},
		"a field that is not there": {"ada", `{query:"{x}"}`, "KT-CT-1605", "input.query"},
		"a hostile one":             {"ada", `{query:"{` + repeat(31, "a%d:__typename") + `}"}`, "KT-CT-1188", "input.query"},
		"too many nodes":            {"ada", `{query:"{property(id:7){a:measurements(first:9999){edgeCount}b:measurements(first:9999){edgeCount}}}"}`, "KT-CT-1189", ""},
		"variables that do not fit": {"ada", `{query:"query($n:Int!){property(id:7){measurements(first:$n){edgeCount}}}",variables:"{}"}`, "KT-CT-1605", "input.variables"},
		"variables that are none":   {"ada", `{query:"{__typename}",variables:"[]"}`, "KT-CT-1605", "input.variables"},
		"an unknown operation":      {"ada", `{query:"query a{__typename}",operationName:"b"}`, "KT-CT-1605", "input.operationName"},
	} {
		out := w.post(c.token, `{queryComplexity(input:`+c.input+`){complexityValue}}`, nil)
		a := decode(t, out)
		if a.code() != c.code || get(a.Data, "queryComplexity") != nil {
			t.Errorf("%s: %s, want %s", name, out.Body, c.code)
			continue
		}
		if v := a.Errors[0].Extensions.ValidationErrors; c.path != "" && (len(v) != 1 || strings.Join(v[0].InputPath, ".") != c.path) {
			t.Errorf("%s: %+v, want the path %s", name, v, c.path)
		}
	}
}

func TestPossibleErrors(t *testing.T) {
	w := newWorld(t)
	ask := func(token, name string) (answer, string) {
		a := decode(t, w.post(token, `query($n:String!){possibleErrors(input:{name:$n}){name type authErrors{code} possibleErrors{code message type description}}}`, map[string]any{"n": name}))
		b, _ := json.Marshal(get(a.Data, "possibleErrors"))
		return a, string(b)
	}
	_, got := ask("ada", "property")
	want := `{"authErrors":[{"code":"KT-CT-1111"},{"code":"KT-CT-1112"},{"code":"KT-CT-1124"}],"name":"Query.property","possibleErrors":[` +
		`{"code":"KT-CT-1605","description":"","message":"Invalid input.","type":"VALIDATION"},` +
		`{"code":"KT-CT-6622","description":"There is no such property, or it is not yours to see.","message":"Unauthorized.","type":"AUTHORIZATION"}],"type":"PropertyType"}`
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if _, got := ask("ada", "PropertyType.measurements"); !strings.Contains(got, `"KT-CT-1189"`) || !strings.Contains(got, `"type":"MeasurementConnection"`) {
		t.Errorf("a field of a type: %s", got)
	}
	if _, got := ask("ada", "krakenVersion"); !strings.Contains(got, `"authErrors":[]`) || !strings.Contains(got, `"possibleErrors":[]`) {
		t.Errorf("a field without: %s", got)
	}
	for _, name := range []string{"", "shoeSize", "PropertyType.shoeSize", "Shoe.size", "__schema", "__Type.name", "Query.__type", "Permission.x", "."} {
		if a, got := ask("ada", name); a.code() != "KT-CT-1606" || got != "null" {
			t.Errorf("%q: %s %+v, want KT-CT-1606", name, got, a.Errors)
		}
	}
	if a, got := ask("", "property"); a.code() != "KT-CT-1112" || got != "null" {
		t.Errorf("for nobody known: %s %+v", got, a.Errors)
	}
}

func TestVersionAndBrownouts(t *testing.T) {
	w := newWorld(t).with(t, func(c *customer.Config) { c.Version, c.Revision = "v9.9.9", "abc" })
	out := w.post("", `{krakenVersion{number SHA} apiBrownouts(first:5){totalCount edgeCount edges{cursor} pageInfo{hasNextPage endCursor}}}`, nil)
	want := `{"data":{"krakenVersion":{"number":"v9.9.9","SHA":"abc"},"apiBrownouts":{"totalCount":0,"edgeCount":0,"edges":[],"pageInfo":{"hasNextPage":false,"endCursor":null}}}}`
	if got := out.Body.String(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	for _, arguments := range []string{"first:-1", "last:-1", "first:1,last:1", `after:"x"`, `before:"YXJyYXljb25uZWN0aW9uOi0x"`} {
		if a := decode(t, w.post("", `{apiBrownouts(`+arguments+`){edgeCount}}`, nil)); a.code() != "KT-CT-1605" {
			t.Errorf("%s: %+v, want KT-CT-1605", arguments, a)
		}
	}
}

func TestWhoMayLookAtTheSchema(t *testing.T) {
	const query, typo = `{__schema{queryType{name}} __type(name:"User"){name}}`, `{krakenVersio{numbr}}`
	for name, c := range map[string]struct {
		setting customer.Introspection
		token   string
		code    string
		hints   bool
	}{
		"public, nobody known":        {customer.IntrospectionPublic, "", "", false},
		"public, somebody known":      {customer.IntrospectionPublic, "metering", "", true},
		"authenticated, nobody known": {customer.IntrospectionAuthenticated, "", "KT-CT-1112", false},
		"authenticated, expired":      {customer.IntrospectionAuthenticated, "expired", "KT-CT-1124", false},
		"authenticated, known":        {customer.IntrospectionAuthenticated, "metering", "", true},
		"off, nobody known":           {customer.IntrospectionOff, "", "KT-CT-1113", false},
		"off, somebody known":         {customer.IntrospectionOff, "partner", "KT-CT-1113", false},
		"without a setting":           {"", "", "KT-CT-1112", false},
	} {
		w := newWorld(t).with(t, func(c2 *customer.Config) { c2.Introspection = c.setting })
		a := decode(t, w.post(c.token, query, nil))
		if a.code() != c.code || (get(a.Data, "__schema") != nil) != (c.code == "") || (get(a.Data, "__type") != nil) != (c.code == "") {
			t.Errorf("%s: %+v, want %q", name, a, c.code)
		}
		for field, input := range map[string]string{"possibleErrors": `{name:"me"}){name}`, "queryComplexity": `{query:"{__typename}"}){nodes}`} {
			if a := decode(t, w.post(c.token, `{`+field+`(input:`+input+`}`, nil)); a.code() != c.code {
				t.Errorf("%s: %s: %+v, want %q", name, field, a, c.code)
			}
		}
		if out := w.post(c.token, typo, nil); strings.Contains(out.Body.String(), "Did you mean") != c.hints {
			t.Errorf("%s: hints %v wanted: %s", name, c.hints, out.Body)
		}
		if out := w.post(c.token, `{__typename}`, nil); out.Body.String() != `{"data":{"__typename":"Query"}}` {
			t.Errorf("%s: %s", name, out.Body)
		}
	}
}

// No mistake tells who is not known a name of the schema that the document does
// not have itself.
func TestMistakesGiveNoHints(t *testing.T) {
	w := newWorld(t)
	for name, query := range map[string]string{
		"a field":           `{propert(id:"x"){id}}`,
		"an argument":       `{property(idd:"x"){id}}`,
		"a type":            `{property(id:"x"){...on PropertyTyp{id}}}`,
		"a field of a type": `{property(id:"x"){startAt}}`,
		"an enum value":     `{property(id:"x"){measurements(utilityFilters:{electricityFilters:{readingDirection:CONSUMPTIO}}){edgeCount}}}`,
		"an input field":    `{property(id:"x"){measurements(utilityFilters:{electricityFilter:{deviceId:"x"}}){edgeCount}}}`,
		"a fragment's type": `{property(id:"x"){...F}} fragment F on Propert{id}`,
		"a directive":       `{property(id:"x"){id @skipp(if:true)}}`,
	} {
		known, unknown := w.post("ada", query, nil).Body.String(), w.post("", query, nil).Body.String()
		if strings.Contains(unknown, "Did you mean") {
			t.Errorf("%s: %s", name, unknown)
		}
		if !strings.Contains(known, "errors") || !strings.Contains(unknown, "errors") {
			t.Errorf("%s: no mistake? %s %s", name, known, unknown)
		}
	}
}

func TestDocsAndReason(t *testing.T) {
	w := newWorld(t).with(t, func(c *customer.Config) { c.Docs = "https://api.example.com/v1/graphql/errors" })
	for token, want := range map[string]string{
		"":        `"errorDescription":"You must provide the AUTHORIZATION header while executing the query/mutation.","docs":"https://api.example.com/v1/graphql/errors#KT-CT-1112"}`,
		"expired": `"reason":"expired","docs":"https://api.example.com/v1/graphql/errors#KT-CT-1124"}`,
		"forged":  `"errorDescription":"The token is not accepted for this, or does not hold the permission.","docs":"https://api.example.com/v1/graphql/errors#KT-CT-1111"}`,
	} {
		r := httptest.NewRequest(http.MethodPost, "http://evil.example/", strings.NewReader(`{"query":"{me{id}}"}`))
		r.Host = "evil.example"
		r.Header.Set("Content-Type", "application/json")
		if token != "" {
			r.Header.Set("Authorization", token)
		}
		if got := w.do(r).Body.String(); !strings.Contains(got, want) || strings.Contains(got, "evil") {
			t.Errorf("%q: %s, want %s", token, got, want)
		}
	}
}

func TestBatchesAreNotTaken(t *testing.T) {
	for _, body := range []string{`[{"query":"{__typename}"}]`, `[]`, `[{"query":"{__typename}"},{"query":"{me{id}}"}]`} {
		if out := newWorld(t).send("ada", body); out.Code != http.StatusBadRequest || !strings.Contains(out.Body.String(), "one JSON object") {
			t.Errorf("%s: %d %s", body, out.Code, out.Body)
		}
	}
}

// The rates of fields: each caller has its own, whoever is not known has the
// address's, and what is left is told.
func TestRates(t *testing.T) {
	at := &clock{at: now}
	w := newWorld(t).with(t, func(c *customer.Config) {
		c.Now = at.now
		c.Address = func(r *http.Request) string { return r.Header.Get("X-From") }
	})
	var rated []any
	a := decode(t, w.post("ada", `{rateLimitInfo{fieldSpecificRateLimits(first:50){totalCount edgeCount pageInfo{hasNextPage} edges{cursor node{field rate ttl isBlocked}}}}}`, nil))
	rated, _ = get(a.Data, "rateLimitInfo", "fieldSpecificRateLimits", "edges").([]any)
	var field, rate string
	for _, e := range rated {
		if get(e, "node", "field") == "obtainKrakenToken" {
			field, rate = "obtainKrakenToken", get(e, "node", "rate").(string)
		}
		if get(e, "node", "ttl") != json.Number("0") || get(e, "node", "isBlocked") != false {
			t.Errorf("nobody has asked yet: %v", e)
		}
	}
	if field == "" {
		t.Fatalf("no rate of obtainKrakenToken among %v", rated)
	}
	var n int
	if _, err := fmt.Sscanf(rate, "%d/m", &n); err != nil {
		t.Fatalf("the rate %q: %v", rate, err)
	}
	try := func(token, from string) (string, string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"query":"mutation{obtainKrakenToken(input:{email:\"a\",password:\"b\"}){token}}"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-From", from)
		if token != "" {
			r.Header.Set("Authorization", token)
		}
		out := w.do(r)
		return decode(t, out).code(), out.Header().Get("Retry-After")
	}
	for i := range n {
		if code, _ := try("", "192.0.2.1"); code == "KT-CT-1199" {
			t.Fatalf("try %d of %d waits", i+1, n)
		}
	}
	code, retry := try("", "192.0.2.1")
	if code != "KT-CT-1199" || retry == "" || retry == "0" {
		t.Errorf("one too many: %s, Retry-After %q", code, retry)
	}
	if code, _ := try("", "192.0.2.2"); code == "KT-CT-1199" {
		t.Error("another address waits too")
	}
	if code, _ := try("ada", "192.0.2.1"); code == "KT-CT-1199" {
		t.Error("somebody who is known waits for the address")
	}
	at.pass(time.Minute)
	if code, _ := try("", "192.0.2.1"); code == "KT-CT-1199" {
		t.Error("after a minute it still waits")
	}
}

func TestPersistedQueries(t *testing.T) {
	w := newWorld(t).with(t, func(*customer.Config) {})
	const query = `{property(id:"prop_ada"){label}}`
	hash := domain.DigestOf(query).String()
	send := func(token, query, hash string) *httptest.ResponseRecorder {
		body := map[string]any{"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}}
		if query != "" {
			body["query"] = query
		}
		b, _ := json.Marshal(body)
		return w.send(token, string(b))
	}
	const miss = `{"errors":[{"message":"PersistedQueryNotFound","extensions":{"errorType":"VALIDATION","errorCode":"KT-CT-404",` +
		`"errorDescription":"No document of this hash is kept for the application: send its text once with the hash.","code":"PERSISTED_QUERY_NOT_FOUND"}}]}`
	expect := func(doing string, out *httptest.ResponseRecorder, want string) {
		t.Helper()
		if out.Code != http.StatusOK || out.Body.String() != want {
			t.Errorf("%s: %d %s\nwant %s", doing, out.Code, out.Body, want)
		}
	}
	const found = `{"data":{"property":{"label":"Home of Ada"}}}`
	expect("a hash that nobody has sent", send("third-party", "", hash), miss)
	expect("the text with its hash", send("third-party", query, hash), found)
	expect("the hash", send("third-party", "", hash), found)
	expect("the hash in capitals", send("third-party", "", strings.ToUpper(hash)), found)
	r := httptest.NewRequest(http.MethodGet, "/graphql?extensions="+url.QueryEscape(`{"persistedQuery":{"version":1,"sha256Hash":"`+hash+`"}}`), nil)
	r.Header.Set("Authorization", "third-party")
	expect("the hash by GET", w.do(r), found)
	// What one has sent is nobody else's: another application of the partner,
	// another partner, nobody known.
	for _, token := range []string{"partner", "watt", "bos-reader", ""} {
		expect("the hash that another has sent, by "+token, send(token, "", hash), miss)
	}
	expect("the text of nobody known", send("", `{__typename}`, domain.DigestOf(`{__typename}`).String()), `{"data":{"__typename":"Query"}}`)
	expect("which is not kept", send("", "", domain.DigestOf(`{__typename}`).String()), miss)
	bad := `{property(id:"prop_ada"){shoeSize}}`
	send("third-party", bad, domain.DigestOf(bad).String())
	expect("what does not fit is not kept", send("third-party", "", domain.DigestOf(bad).String()), miss)
	for name, extension := range map[string]string{
		"another document's hash": `{"version":1,"sha256Hash":"` + domain.DigestOf("x").String() + `"}`,
		"no hash":                 `{"version":1}`,
		"half a hash":             `{"version":1,"sha256Hash":"` + hash[:32] + `"}`,
		"no version":              `{"sha256Hash":"` + hash + `"}`,
		"another version":         `{"version":2,"sha256Hash":"` + hash + `"}`,
		"a number":                `7`,
		"a list":                  `[]`,
	} {
		out := w.send("third-party", `{"query":`+quote(query)+`,"extensions":{"persistedQuery":`+extension+`}}`)
		if a := decode(t, out); a.code() != "KT-CT-1605" || a.Data != nil {
			t.Errorf("%s: %s", name, out.Body)
		}
	}
	// A flood of others does not grow for ever, and what is used stays longest.
	long := strings.Repeat(" ", 60<<10)
	for i := range 300 {
		text := fmt.Sprintf(`{x%d:__typename}%s`, i, long)
		send("partner", text, domain.DigestOf(text).String())
		if i%50 == 0 {
			expect("what is used", send("third-party", "", hash), found)
		}
	}
	first := fmt.Sprintf(`{x%d:__typename}%s`, 0, long)
	expect("what was sent long ago", send("partner", "", domain.DigestOf(first).String()), miss)
}

func TestTrustedDocuments(t *testing.T) {
	const trusted, other = `query T { property(id: "prop_ada") { label } }`, `{property(id:"prop_ada"){id}}`
	w := newWorld(t).with(t, func(c *customer.Config) {
		c.Documents = library{{stroom, "app_third", domain.DigestOf(trusted)}: trusted, {watt, "app_watt", domain.DigestOf(other)}: other}
		inner := c.Authenticate
		c.Authenticate = func(r *http.Request) (domain.Caller, error) {
			caller, err := inner(r)
			caller.TrustedOnly = r.Header.Get("X-Only") != ""
			return caller, err
		}
	})
	send := func(token, query, hash string, only bool) *httptest.ResponseRecorder {
		body := map[string]any{}
		if query != "" {
			body["query"] = query
		}
		if hash != "" {
			body["extensions"] = map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}
		}
		b, _ := json.Marshal(body)
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(b)))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", token)
		if only {
			r.Header.Set("X-Only", "yes")
		}
		return w.do(r)
	}
	hash, others := domain.DigestOf(trusted).String(), domain.DigestOf(other).String()
	for name, c := range map[string]struct {
		token, query, hash string
		only               bool
		code               string
	}{
		"its hash":                                    {"third-party", "", hash, false, ""},
		"its hash, where nothing else runs":           {"third-party", "", hash, true, ""},
		"its text, where nothing else runs":           {"third-party", trusted, "", true, ""},
		"both, where nothing else runs":               {"third-party", trusted, hash, true, ""},
		"another text":                                {"third-party", other, "", false, ""},
		"another text, where it does not run":         {"third-party", other, "", true, "KT-CT-403"},
		"another hash, where it does not run":         {"third-party", "", others, true, "KT-CT-403"},
		"another text and its hash":                   {"third-party", other, others, true, "KT-CT-403"},
		"a look at the schema, where it does not run": {"third-party", `{__schema{queryType{name}}}`, "", true, "KT-CT-403"},
		"a text that is none, where it does not run":  {"third-party", `{`, "", true, "KT-CT-403"},
		"a space more, where it does not run":         {"third-party", trusted + " ", "", true, "KT-CT-403"},
		"the hash of another application's":           {"partner", "", hash, false, "KT-CT-404"},
		"the hash of another partner's":               {"third-party", "", others, false, "KT-CT-404"},
		"what another application trusts":             {"partner", trusted, "", true, "KT-CT-403"},
		"what another partner trusts":                 {"watt", trusted, hash, true, "KT-CT-403"},
	} {
		out := send(c.token, c.query, c.hash, c.only)
		if a := decode(t, out); a.code() != c.code || (a.Data == nil) != (c.code != "") {
			t.Errorf("%s: %s, want %q", name, out.Body, c.code)
		}
	}
}

// library is what applications trust.
type library map[shelved]string

type shelved struct {
	partner domain.PartnerID
	client  domain.ClientID
	digest  domain.Digest
}

// TrustedDocument finds a text.
func (l library) TrustedDocument(_ context.Context, p domain.PartnerID, id domain.ClientID, d domain.Digest) (string, error) {
	if text, ok := l[shelved{p, id, d}]; ok {
		return text, nil
	}
	return "", &domain.Error{Kind: domain.NotFound, Public: "no such document"}
}
