package support_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/session"
)

// openRoutes are those of the support site that let everybody in: they log
// people in and out, and show nothing.
var openRoutes = map[string]bool{
	"GET /support": true, "GET /support/{$}": true, "GET /support/style.css": true, "GET /support/login": true, "POST /support/login": true,
	"GET /support/code": true, "POST /support/code": true, "POST /support/enrol": true, "POST /support/logout": true,
}

// TestAttackEveryRoute sends everybody who may not to every route for staff, with a
// form that would do something if it were taken: nothing happens, and another
// partner's manager learns nothing.
func TestAttackEveryRoute(t *testing.T) {
	s := newSite(t, true)
	alpha, beta := s.partner(t, "Alpha <b>"), s.partner(t, "Beta")
	app := s.application(t, alpha, "Alpha’s reader")
	secrets, err := s.store.Secrets(t.Context(), app.ID)
	must(t, err)
	customer := s.user(t, domain.User{Partner: alpha, Customer: true, Email: "customer@example.com"})
	resident, err := s.keeper.LogIn(t.Context(), alpha, customer.Email, domain.NewSecret(word), domain.Secret{}, domain.Origin{})
	must(t, err)
	half := s.staff(t, "half@example.com", "", domain.OAuthManager)
	disabled := s.prove(t, s.staff(t, "disabled@example.com", "", domain.OAuthManager))
	p, err := s.keeper.Person(t.Context(), disabled)
	must(t, err)
	must(t, s.registry.DisableUser(t.Context(), s.by, p.ID, true))
	people := map[string]struct {
		value    domain.Secret
		to       string // where they are sent; empty: an answer
		holds    string // the right that they have
		stranger bool   // of another partner
	}{
		"nobody":                        {domain.Secret{}, "/support/login?", "", false},
		"a value that was made up":      {domain.NewSecret(strings.Repeat("A", 43)), "/support/login?", "", false},
		"a customer":                    {resident, "/support/login?", "", false},
		"a manager by password alone":   {half, "/support/code?", "", false},
		"a manager who was disabled":    {disabled, "/support/login?", "", false},
		"staff who look for customers":  {s.prove(t, s.staff(t, "viewer@example.com", "", domain.SupportViewer)), "", "SUPPORT_VIEWER", false},
		"staff without any right":       {s.prove(t, s.staff(t, "none@example.com", "")), "", "no right", false},
		"an engineer":                   {s.prove(t, s.staff(t, "engineer@example.com", "", domain.APIEngineer)), "", "API_ENGINEER", false},
		"another partner's manager":     {s.prove(t, s.staff(t, "beta@example.com", beta, domain.OAuthManager)), "", "OAUTH_MANAGER", true},
		"another partner's engineer":    {s.prove(t, s.staff(t, "beta2@example.com", beta, domain.APIEngineer)), "", "API_ENGINEER", true},
		"another partner's, with a bit": {s.prove(t, s.staff(t, "beta3@example.com", beta, domain.SupportViewer)), "", "SUPPORT_VIEWER", true},
	}
	form := url.Values{
		"name": {"Spy"}, "partner": {string(alpha)}, "role": {"PARTNER_INTEGRATION"}, "overlap": {"7d"}, "secret": {string(secrets[0].ID)},
		"permission": {"CAN_IMPERSONATE"}, "decision": {"save"}, "deliver": {"link"}, "reach": {"partner"},
	}
	before := s.registry.Directory()
	for _, route := range s.table.Routes {
		method, path, _ := strings.Cut(route.Pattern, " ")
		if !strings.HasPrefix(path, "/support") {
			continue
		}
		if route.Guard.String() == "public" {
			if !openRoutes[route.Pattern] {
				t.Errorf("%s lets everybody in, and is not on the list of those that may", route.Pattern)
			}
			continue
		}
		at := func(id domain.ClientID) string {
			return strings.NewReplacer("{id}", string(id), "{name}", "METERING_INTEGRATION").Replace(path)
		}
		rights := route.Guard.String()
		if method != http.MethodGet && strings.Contains(rights, "API_ENGINEER") {
			t.Errorf("%s changes something, and is open to API_ENGINEER", route.Pattern)
		}
		for who, c := range people {
			w := s.as(c.value, method, at(app.ID), form)
			body := w.Body.String()
			if c.to != "" {
				if w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), c.to) || body != "" {
					t.Errorf("%s, %s: got %d to %q, want to be sent to %s", route.Pattern, who, w.Code, w.Header().Get("Location"), c.to)
				}
				continue
			}
			admitted := strings.Contains(rights, c.holds)
			switch {
			case admitted && c.stranger && strings.Contains(path, "{id}"):
				if w.Code != 404 || body != s.as(c.value, method, at("app_2222222222222222"), form).Body.String() {
					t.Errorf("%s, %s: another partner's application is not answered like one that does not exist: %d", route.Pattern, who, w.Code)
				}
			case admitted && method == http.MethodGet && w.Code != 200, admitted && method != http.MethodGet && w.Code < 300 && !strings.HasSuffix(path, "/preview"):
				t.Errorf("%s, %s: got %d", route.Pattern, who, w.Code)
			case !admitted && c.holds == "API_ENGINEER" && (w.Code != 403 || !strings.Contains(body, "ask somebody who holds it")):
				t.Errorf("%s, %s: got %d %s, want 403 and a sentence", route.Pattern, who, w.Code, body)
			case !admitted && c.holds != "API_ENGINEER" && w.Code != 404:
				t.Errorf("%s, %s: got %d, want 404", route.Pattern, who, w.Code)
			}
			for _, theirs := range []string{string(app.ID), app.Name, string(alpha), "Alpha &lt;b&gt;", secrets[0].Hint} {
				if c.stranger && strings.Contains(body, theirs) {
					t.Errorf("%s, %s: learns %q", route.Pattern, who, theirs)
				}
			}
			if strings.Contains(body, "wg_test_") || strings.Contains(body, "handover?link=") {
				t.Errorf("%s, %s: got a secret or a link", route.Pattern, who)
			}
			if got := w.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s, %s: Cache-Control %q", route.Pattern, who, got)
			}
		}
	}
	must(t, s.registry.Refresh(t.Context()))
	if after := s.registry.Directory(); !reflect.DeepEqual(before.Applications, after.Applications) || !reflect.DeepEqual(before.Roles, after.Roles) {
		t.Errorf("somebody changed something: got %+v and %+v, want %+v and %+v", after.Applications, after.Roles, before.Applications, before.Roles)
	}
	links, err := s.store.Handovers(t.Context(), app.ID)
	must(t, err)
	if len(links) != 0 {
		t.Errorf("somebody made the links %+v", links)
	}
}

// TestAttackResidentsPages: pages of customers are not those of staff, who may be
// customers too, nor of anybody else.
func TestAttackResidentsPages(t *testing.T) {
	s := newSite(t, false)
	alpha := s.partner(t, "Alpha")
	s.user(t, domain.User{Partner: alpha, Customer: true, Staff: true, Permissions: domain.StaffPermissionSet(domain.OAuthManager), Email: "both@example.com"})
	both := s.in(t, "both@example.com")
	if _, err := s.keeper.LogIn(t.Context(), alpha, "both@example.com", domain.NewSecret(word), domain.Secret{}, domain.Origin{}); err == nil {
		t.Error("somebody who is staff too logs in as a customer, without a second factor")
	}
	for _, route := range s.table.Routes {
		method, path, _ := strings.Cut(route.Pattern, " ")
		if route.Guard.String() != "a customer, to their own" {
			continue
		}
		for who, value := range map[string]domain.Secret{"nobody": {}, "somebody who is staff too": both} {
			if w := s.as(value, method, path, url.Values{"consent": {"con_1"}}); w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), "/my/login?") {
				t.Errorf("%s, %s: got %d to %q, want to be sent to log in", route.Pattern, who, w.Code, w.Header().Get("Location"))
			}
		}
	}
}

// TestAttackRightsThatWereTakenAway: what somebody may do is asked at every
// request, not at the log-in.
func TestAttackRightsThatWereTakenAway(t *testing.T) {
	s := newSite(t, false)
	alpha := s.partner(t, "Alpha")
	app := s.application(t, alpha, "Reader")
	value := s.staff(t, "a@example.com", alpha, domain.OAuthManager)
	page := "/support/applications/" + string(app.ID)
	if w := s.as(value, "GET", page, nil); w.Code != 200 {
		t.Fatalf("got %d for one's own partner's application", w.Code)
	}
	must(t, s.registry.DisablePartner(t.Context(), s.by, alpha, true))
	if w := s.as(value, "GET", page, nil); w.Code != 303 {
		t.Errorf("got %d once the partner is disabled, want to be sent to log in", w.Code)
	}
	must(t, s.registry.DisablePartner(t.Context(), s.by, alpha, false))
	if w := s.as(value, "POST", page+"/disable", url.Values{}); w.Code != 303 || strings.HasPrefix(w.Header().Get("Location"), "/support/applications") {
		t.Errorf("got %d to %q with the session from before, want to be sent to log in", w.Code, w.Header().Get("Location"))
	}
}

// TestAttackStepUp: a session that was left open does nothing dangerous, whatever
// is sent with it, and a second factor of the thief's own does not help.
func TestAttackStepUp(t *testing.T) {
	for name, factor := range map[string]bool{"with a second factor": true, "with a password alone": false} {
		s := newSite(t, factor)
		alpha := s.partner(t, "Alpha")
		app := s.application(t, alpha, "Reader")
		value := s.staff(t, "a@example.com", alpha, domain.OAuthManager)
		if factor {
			value = s.prove(t, value)
		}
		s.now = s.now.Add(session.Fresh)
		page := "/support/applications/" + string(app.ID)
		key := strings.Repeat("A", 32)
		code, err := totp.GenerateCode(key, s.now)
		must(t, err)
		w := s.as(value, "POST", "/support/enrol", url.Values{"key": {key}, "code": {code}})
		if got := w.Header().Values("Set-Cookie"); len(got) != 0 || strings.Contains(w.Body.String(), "recovery") && w.Code == 200 {
			t.Errorf("%s: whoever holds the session sets up a device of their own: got %d and the cookies %q", name, w.Code, got)
		}
		for what, form := range map[string]url.Values{
			"nothing": {}, "an empty one": {"confirm": {""}}, "two": {"confirm": {word, word}}, "one in the address": {}, "a code of the thief's": {"confirm": {code}},
		} {
			for _, act := range []string{"/secrets?overlap=7d&confirm=" + url.QueryEscape(word), "/replace", "/handover", "/retire", "/disable"} {
				form.Set("overlap", "7d")
				if w := s.as(value, "POST", page+act, form); w.Code != 403 || strings.Contains(w.Body.String(), "wg_test_") || w.Header().Get("Set-Cookie") != "" {
					t.Errorf("%s, %s with %s: got %d", name, act, what, w.Code)
				}
			}
			s.now = s.now.Add(time.Minute) // wrong ones are counted
		}
	}
}

// TestWhereLogInsLead is this site and no other, however it is written.
func TestWhereLogInsLead(t *testing.T) {
	s := newSite(t, false)
	value := s.staff(t, "a@example.com", "", domain.OAuthManager)
	for to, want := range map[string]string{
		"":                               "/support/",
		"/support/roles?edit=X":          "/support/roles?edit=X",
		"https://evil.example/support/":  "/support/",
		"//evil.example/support/":        "/support/",
		"/\\evil.example/support/":       "/support/",
		"/support/\\evil.example":        "/support/",
		"/support//evil.example":         "/support/",
		"/support/%2f%2fevil.example":    "/support/",
		"/support/%5cevil.example":       "/support/",
		"/support/\r\nSet-Cookie: a=b":   "/support/",
		"/support/%0d%0aSet-Cookie: a=b": "/support/%0D%0ASet-Cookie:%20a=b",
		"javascript:alert(1)":            "/support/",
		"/my/usage":                      "/support/",
		"/supportive/":                   "/support/",
		"\t//evil.example":               "/support/",
		"http:/support/":                 "/support/",
		"/support/../../evil":            "/support/",
	} {
		w := s.as(value, "GET", "/support/login?"+url.Values{"to": {to}}.Encode(), nil)
		if got := w.Header().Get("Location"); w.Code != 303 || got != want || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%q: got %d to %q, want %q", to, w.Code, got, want)
		}
	}
}

// TestAttackNames: markup and letters from right to left stay within their place.
func TestAttackNames(t *testing.T) {
	s := newSite(t, false)
	alpha := s.partner(t, `<i>Alpha"</i>`)
	value := s.staff(t, "a@example.com", "", domain.OAuthManager)
	for name, want := range map[string]int{
		`<script>alert(1)</script>`:         200,
		`"><img src=x onerror=alert(1)>`:    200,
		"קורא מונים":                        200,
		"Reader\u202ereversed":              400, // what follows would be read backwards
		"Reader\u2066":                      400,
		"two\nlines":                        400,
		"Reader\x00":                        400,
		strings.Repeat("x", 201):            400,
		strings.Repeat("x", 60<<10):         400,
		strings.Repeat("<b>", (64<<10)/3+1): 400, // more than a form may be
	} {
		w := s.as(value, "POST", "/support/applications", url.Values{"name": {name}, "partner": {string(alpha)}, "role": {"METERING_INTEGRATION"}})
		if body := w.Body.String(); w.Code != want || strings.Contains(body, "<script") || strings.Contains(body, "<img") || strings.Contains(body, "<i>") {
			t.Errorf("the name %.40q: got %d, want %d", name, w.Code, want)
		}
	}
	w := s.as(value, "GET", "/support/applications?"+url.Values{"q": {`"><script>`}}.Encode(), nil)
	if w.Code != 200 || strings.Contains(w.Body.String(), "<script") {
		t.Errorf("a search for markup: got %d %s", w.Code, w.Body)
	}
}

// TestConfirmedOnce: who has proven themselves is not asked again at once, where the
// form is wrong for another reason.
func TestConfirmedOnce(t *testing.T) {
	s := newSite(t, false)
	alpha := s.partner(t, "Alpha")
	s.application(t, alpha, "Reader")
	value := s.staff(t, "a@example.com", alpha, domain.OAuthManager)
	s.now = s.now.Add(session.Fresh)
	w := s.as(value, "POST", "/support/applications", url.Values{"name": {"Reader"}, "partner": {string(alpha)}, "role": {"METERING_INTEGRATION"}, "confirm": {word}})
	if w.Code != 409 || strings.Contains(w.Body.String(), `name="confirm"`) || !strings.Contains(w.Body.String(), `value="Reader"`) {
		t.Errorf("a name that is taken: got %d, and the page asks for the password again or lost the name:\n%s", w.Code, w.Body)
	}
	if w.Header().Get("Set-Cookie") == "" {
		t.Error("the session has its value from before the proof")
	}
}

// TestAttackLinkFromBefore: a link that somebody got hold of is worth nothing once
// staff have replaced the secret, and the page says so.
func TestAttackLinkFromBefore(t *testing.T) {
	s := newSite(t, false)
	app := s.application(t, s.partner(t, "Alpha"), "Reader")
	value := s.staff(t, "a@example.com", "", domain.OAuthManager)
	page := "/support/applications/" + string(app.ID)
	s.now = s.now.Add(time.Second)
	link, _, err := s.registry.HandOver(t.Context(), s.by, app.ID, 0)
	must(t, err)
	if w := s.as(value, "GET", page, nil); !strings.Contains(w.Body.String(), "waits until") || strings.Contains(w.Body.String(), link.Reveal()) {
		t.Errorf("the page does not say that a link waits, or shows it: %s", w.Body)
	}
	s.now = s.now.Add(time.Second)
	if w := s.as(value, "POST", page+"/replace", url.Values{}); w.Code != 200 || !strings.Contains(w.Body.String(), "wg_test_") {
		t.Fatalf("replacing the secret: got %d", w.Code)
	}
	if w := s.as(value, "GET", page, nil); !strings.Contains(w.Body.String(), "void, another secret was made since") {
		t.Errorf("the page does not say that the link is void: %s", w.Body)
	}
	never := send(s.handler, "POST", "/handover", url.Values{"link": {strings.Repeat("A", 43)}})
	for method, w := range map[string]*httptest.ResponseRecorder{
		"GET":  send(s.handler, "GET", "/handover?link="+link.Reveal(), nil),
		"POST": send(s.handler, "POST", "/handover", url.Values{"link": {link.Reveal()}}),
	} {
		if w.Code != 404 || w.Body.String() != never.Body.String() {
			t.Errorf("%s: got %d %s, want what a link that never was gets", method, w.Code, w.Body)
		}
	}
}
