package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
)

// house is a host whose log can be read.
type house struct {
	*server.Serving
	log bytes.Buffer
}

func newHouse() *house {
	h := &house{}
	h.Serving = &server.Serving{Log: slog.New(slog.NewJSONHandler(&h.log, nil)), Now: time.Now}
	return h
}

// lines returns the log, and empties it.
func (h *house) lines(t *testing.T) (list []map[string]any) {
	t.Helper()
	for line := range bytes.Lines(h.log.Bytes()) {
		var entry map[string]any
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatal(err)
		}
		list = append(list, entry)
	}
	h.log.Reset()
	return list
}

// ok answers, and counts how often it did.
func ok(ran *int) server.Handler {
	return func(w http.ResponseWriter, _ *http.Request, _ *server.Call) error {
		*ran++
		server.WriteBody(w, http.StatusOK, "text/plain", []byte("ok"))
		return nil
	}
}

func mustOne(t *testing.T, h *house, host *server.Host) *server.Hosts {
	t.Helper()
	hosts, err := h.OneOrigin(host)
	if err != nil {
		t.Fatal(err)
	}
	return hosts
}

func get(h http.Handler, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

func TestAForgottenGuardAdmitsNobody(t *testing.T) {
	house := newHouse()
	ran := 0
	h := mustOne(t, house, &server.Host{Name: "test", Routes: []server.Route{
		{Pattern: "GET /open", Guard: server.Public, Handler: ok(&ran), Dialect: server.Plain()},
		{Pattern: "GET /forgotten", Handler: ok(&ran), Dialect: server.Plain()},
		{Pattern: "POST /forgotten", Guard: server.Guard{}, Handler: ok(&ran), Dialect: server.Plain()},
	}})
	for _, method := range []string{"GET", "POST"} {
		if got := get(h, method, "/forgotten"); got.Code != http.StatusForbidden || ran != 0 {
			t.Errorf("%s /forgotten: status %d, the handler ran %d times; want 403 and never", method, got.Code, ran)
		}
	}
	if got := get(h, "HEAD", "/forgotten"); got.Code != http.StatusMethodNotAllowed || ran != 0 {
		t.Errorf("HEAD /forgotten: status %d, the handler ran %d times; want 405 and never", got.Code, ran)
	}
	if got := get(h, "GET", "/open"); got.Code != http.StatusOK || ran != 1 {
		t.Errorf("GET /open: status %d, the handler ran %d times; want 200 and once", got.Code, ran)
	}
	if (server.Guard{}).Admits() || !server.Public.Admits() || !server.Permission(domain.CanImpersonate, domain.AudienceAuth).Admits() || !server.Fields.Admits() {
		t.Error("the zero guard, and only that, admits nobody")
	}
}

func TestAGuardAsksBeforeTheHandler(t *testing.T) {
	for name, c := range map[string]struct {
		caller domain.Caller
		err    error
		want   int
		runs   int
	}{
		"who holds the permission passes": {domain.Caller{Permissions: domain.PermissionSet(domain.CanImpersonate)}, nil, 200, 1},
		"who holds others does not":       {domain.Caller{Permissions: domain.CustomerPermissions}, nil, 403, 0},
		"who is unknown does not":         {domain.Caller{}, &domain.Error{Kind: domain.Unauthenticated, Public: "who?"}, 401, 0},
		"an error of ours is not a pass":  {domain.Caller{Permissions: domain.AllPermissions()}, errors.New("broken"), 500, 0},
	} {
		house, ran, asked := newHouse(), 0, domain.Audience(99)
		h := mustOne(t, house, &server.Host{
			Name:   "test",
			Routes: []server.Route{{Pattern: "GET /x", Guard: server.Permission(domain.CanImpersonate, domain.AudienceAuth), Handler: ok(&ran), Dialect: server.Plain()}},
			Authenticate: func(_ *http.Request, a domain.Audience) (domain.Caller, error) {
				asked = a
				return c.caller, c.err
			},
		})
		got := get(h, "GET", "/x")
		if got.Code != c.want || ran != c.runs || asked != domain.AudienceAuth {
			t.Errorf("%s: status %d, ran %d times, asked for %v; want %d, %d, auth", name, got.Code, ran, asked, c.want, c.runs)
		}
		if strings.Contains(got.Body.String(), "broken") {
			t.Errorf("%s: the answer %q tells a cause", name, got.Body)
		}
	}
}

func TestMethodsAndPaths(t *testing.T) {
	house, ran := newHouse(), 0
	h := mustOne(t, house, &server.Host{Name: "test", Routes: []server.Route{
		{Pattern: "GET /page", Guard: server.Public, Handler: ok(&ran), Dialect: server.Plain()},
		{Pattern: "POST /form", Guard: server.Public, Handler: ok(&ran), Dialect: server.Plain()},
		{Pattern: "GET /fields", Guard: server.Fields, Handler: ok(&ran), Dialect: server.Plain()},
		{Pattern: "GET /tree/", Guard: server.Public, Handler: ok(&ran), Dialect: server.Plain()},
	}})
	for name, c := range map[string]struct {
		method, target string
		status         int
		allow          string
	}{
		"GET":                       {"GET", "/page", 200, ""},
		"HEAD goes with a GET":      {"HEAD", "/page", 200, ""},
		"HEAD not with each field":  {"HEAD", "/fields", 405, "GET, OPTIONS"},
		"a method that is not":      {"DELETE", "/form", 405, "OPTIONS, POST"},
		"a method that nobody has":  {"BREW", "/form", 405, "OPTIONS, POST"},
		"OPTIONS":                   {"OPTIONS", "/form", 204, "OPTIONS, POST"},
		"a path that is not":        {"GET", "/nothing", 404, ""},
		"two slashes":               {"GET", "//page?secret=1", 404, ""},
		"two slashes inside":        {"GET", "/tree//x", 404, ""},
		"a dot":                     {"GET", "/tree/./x", 404, ""},
		"two dots":                  {"GET", "/tree/../page", 404, ""},
		"two dots at the end":       {"POST", "/form/..", 404, ""},
		"two dots that are encoded": {"GET", "/tree/%2e%2e/page", 404, ""},
		"a name that begins so":     {"GET", "/tree/.well-known", 200, ""},
	} {
		got := get(h, c.method, c.target)
		if got.Code != c.status || got.Header().Get("Allow") != c.allow || got.Header().Get("Location") != "" {
			t.Errorf("%s: %s %s: got %d, Allow %q, Location %q; want %d, %q and none", name, c.method, c.target,
				got.Code, got.Header().Get("Allow"), got.Header().Get("Location"), c.status, c.allow)
		}
		lines := house.lines(t)
		if len(lines) != 1 || lines[0]["status"] != float64(c.status) || lines[0]["request"] != got.Header().Get("X-Request-Id") || strings.Contains(lines[0]["path"].(string), "?") {
			t.Errorf("%s: the log has %v, want one line of that request", name, lines)
		}
	}
}

func TestTablesThatCannotBe(t *testing.T) {
	ran := 0
	for name, routes := range map[string][]server.Route{
		"no method":  {{Pattern: "/x", Guard: server.Public, Handler: ok(&ran), Dialect: server.Plain()}},
		"no handler": {{Pattern: "GET /x", Guard: server.Public, Dialect: server.Plain()}},
		"no dialect": {{Pattern: "GET /x", Guard: server.Public, Handler: ok(&ran)}},
		"twice": {
			{Pattern: "GET /x", Guard: server.Public, Handler: ok(&ran), Dialect: server.Plain()},
			{Pattern: "GET /x", Guard: server.Public, Handler: ok(&ran), Dialect: server.Plain()},
		},
	} {
		if _, err := newHouse().OneOrigin(&server.Host{Name: "test", Routes: routes}); err == nil {
			t.Errorf("%s: the table was taken", name)
		}
	}
}

func TestHostsByName(t *testing.T) {
	house, auth, customer := newHouse(), 0, 0
	route := func(ran *int) *server.Host {
		return &server.Host{Name: "test", Routes: []server.Route{{Pattern: "GET /x", Guard: server.Public, Handler: ok(ran), Dialect: server.Plain()}}}
	}
	h, err := house.ByName(map[string][]*server.Host{"auth.example.com": {route(&auth)}, "Customer.example.com:8443": {route(&customer)}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		host                   string
		status, auth, customer int
	}{
		"one host":              {"auth.example.com", 200, 1, 0},
		"in capitals":           {"AUTH.example.com", 200, 1, 0},
		"another with its port": {"customer.example.com:8443", 200, 0, 1},
		"without its port":      {"customer.example.com", 421, 0, 0},
		"a foreign name":        {"evil.example.com", 421, 0, 0},
		"a name that goes on":   {"auth.example.com.evil.com", 421, 0, 0},
		"no name":               {"", 421, 0, 0},
	} {
		auth, customer = 0, 0
		r := httptest.NewRequest("GET", "/x", nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || auth != c.auth || customer != c.customer {
			t.Errorf("%s: Host %q: got %d, %d, %d, want %d, %d, %d", name, c.host, w.Code, auth, customer, c.status, c.auth, c.customer)
		}
		if lines := house.lines(t); len(lines) != 1 || lines[0]["status"] != float64(c.status) {
			t.Errorf("%s: the log has %v, want one line", name, lines)
		}
	}
}

func TestWhatGoesWrongInside(t *testing.T) {
	fail := func(f func(w http.ResponseWriter) error) server.Handler {
		return func(w http.ResponseWriter, _ *http.Request, _ *server.Call) error { return f(w) }
	}
	house := newHouse()
	h := mustOne(t, house, &server.Host{Name: "test", Routes: []server.Route{
		{Pattern: "GET /error", Guard: server.Public, Dialect: server.Plain(), Handler: fail(func(http.ResponseWriter) error { return errors.New("the disk is full") })},
		{Pattern: "GET /panic", Guard: server.Public, Dialect: server.Plain(), Handler: fail(func(http.ResponseWriter) error { panic("the disk is full") })},
		{Pattern: "GET /late", Guard: server.Public, Dialect: server.Plain(), Handler: fail(func(w http.ResponseWriter) error {
			server.WriteBody(w, http.StatusOK, "text/plain", []byte("half"))
			return errors.New("the disk is full")
		})},
	}})
	for path, c := range map[string]struct {
		status int
		body   string
	}{
		"/error": {500, "something went wrong on our side\n"},
		"/panic": {500, "something went wrong on our side\n"},
		"/late":  {200, "half"},
	} {
		got := get(h, "GET", path)
		if got.Code != c.status || got.Body.String() != c.body {
			t.Errorf("%s: got %d %q, want %d %q", path, got.Code, got.Body, c.status, c.body)
		}
		lines := house.lines(t)
		if len(lines) != 1 || !strings.Contains(lines[0]["error"].(string), "the disk is full") {
			t.Errorf("%s: the log has %v, want one line with the cause", path, lines)
		}
	}
}

// Framing that cannot be trusted ends the connection (RFC 9112 §6.1).
func TestUntrustedFramingCloses(t *testing.T) {
	ran := 0
	h := mustOne(t, newHouse(), &server.Host{Name: "test", Routes: []server.Route{
		{Pattern: "POST /x", Guard: server.Public, Handler: ok(&ran), Dialect: server.Plain()},
	}})
	for name, c := range map[string]struct {
		change func(*http.Request)
		want   string
	}{
		"a length":              {func(*http.Request) {}, ""},
		"a transfer encoding":   {func(r *http.Request) { r.TransferEncoding = []string{"chunked"} }, "close"},
		"HTTP/1.0":              {func(r *http.Request) { r.Proto, r.ProtoMinor = "HTTP/1.0", 0 }, "close"},
		"HTTP/2 is not HTTP/.0": {func(r *http.Request) { r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0 }, ""},
	} {
		r := httptest.NewRequest("POST", "/x", strings.NewReader("x"))
		c.change(r)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Connection"); got != c.want {
			t.Errorf("%s: Connection %q, want %q", name, got, c.want)
		}
	}
}

// TestStatus goes through all kinds: none may be forgotten.
func TestStatus(t *testing.T) {
	want := map[domain.Kind]int{
		domain.Internal: 500, domain.Invalid: 400, domain.Unauthenticated: 401, domain.Forbidden: 403,
		domain.NotFound: 404, domain.Conflict: 409, domain.Unavailable: 503, domain.Throttled: 429,
	}
	if len(want) != domain.Kinds() {
		t.Errorf("this test knows %d kinds, want all %d", len(want), domain.Kinds())
	}
	for kind, status := range want {
		if got := server.Status(kind); got != status {
			t.Errorf("%v: got %d, want %d", kind, got, status)
		}
	}
}

func TestRequestIdentifiersDiffer(t *testing.T) {
	ran := 0
	h := mustOne(t, newHouse(), &server.Host{Name: "test", Routes: []server.Route{
		{Pattern: "GET /x", Guard: server.Public, Handler: ok(&ran), Dialect: server.Plain()},
	}})
	seen := map[string]bool{}
	for range 1000 {
		seen[get(h, "GET", "/x").Header().Get("X-Request-Id")] = true
	}
	if len(seen) != 1000 {
		t.Errorf("1000 requests had %d identifiers", len(seen))
	}
}
