package support_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/support"
	"github.com/wattgate/wattgate/internal/session"
	"github.com/wattgate/wattgate/internal/throttle"
)

var noon = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

// rooms stand in for who is logged in, and for what waits.
type rooms struct {
	request authorize.Request
	offer   authorize.Offer
	person  *session.Person
	lost    error
	decided *authorize.Decision
}

func (r *rooms) LogIn(_ context.Context, _ domain.PartnerID, email string, _, _ domain.Secret, _ domain.Origin) (domain.Secret, error) {
	if email == "slow@example.com" {
		return domain.Secret{}, &domain.Error{Kind: domain.Throttled, Public: "Wait.", Err: &domain.Pause{Wait: 1500 * time.Millisecond}}
	}
	return domain.NewSecret("value"), r.lost
}

func (r *rooms) LogInAnywhere(ctx context.Context, email string, password, old domain.Secret, from domain.Origin) (domain.Secret, error) {
	return r.LogIn(ctx, "", email, password, old, from)
}

func (r *rooms) Person(context.Context, domain.Secret) (session.Person, error) {
	if r.person == nil {
		return session.Person{}, session.ErrNobody
	}
	return *r.person, nil
}

func (r *rooms) LogOut(context.Context, domain.Secret) error { return r.lost }

func (r *rooms) Pending(_ context.Context, challenge string) (authorize.Request, error) {
	if challenge != "c" {
		return authorize.Request{}, &domain.Error{Kind: domain.NotFound}
	}
	return r.request, nil
}

func (r *rooms) Offered(context.Context, authorize.Request, domain.User) (authorize.Offer, error) {
	return r.offer, r.lost
}

func (r *rooms) Allow(_ context.Context, _ string, _ domain.User, is authorize.Decision, _ domain.Origin) (string, error) {
	r.decided = &is
	return r.request.Redirect, r.lost
}

func (r *rooms) Deny(context.Context, string, domain.Origin) (string, error) {
	return r.request.Redirect, r.lost
}

func (r *rooms) Return(x *authorize.Refused) string { return x.Redirect }

func (r *rooms) DevicePending(context.Context, string) (string, error) { return "c", r.lost }

func (r *rooms) Directory() *domain.Directory { return &domain.Directory{} }

func (r *rooms) Partners(context.Context) ([]domain.Partner, error) {
	return []domain.Partner{{ID: "prt_a", Name: "Alpha"}}, nil
}

// handler is the support host under a public URL.
func (r *rooms) handler(t testing.TB, home string) http.Handler {
	t.Helper()
	host := &support.Host{
		SupportURL: home, Sessions: r, Desk: r, Directory: r, Partners: r, WrongCodes: throttle.New(support.WrongUserCodes, 1),
	}
	h, err := (&server.Serving{Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon }}).OneOrigin(host.Table())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func send(h http.Handler, method, target string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestTheCookie is security.md 5: __Host- and Secure over https (RFC 6265bis
// §4.1.3.2), neither on loopback http, HttpOnly and Lax always.
func TestTheCookie(t *testing.T) {
	for home, want := range map[string]string{
		"https://help.example.com": "__Host-wattgate=value; Path=/; HttpOnly; Secure; SameSite=Lax",
		"http://127.0.0.1:8080":    "wattgate=value; Path=/; HttpOnly; SameSite=Lax",
	} {
		w := send((&rooms{}).handler(t, home), "POST", "/login", url.Values{"challenge": {"c"}, "email": {"a@example.com"}, "password": {"p"}})
		if got := w.Header().Values("Set-Cookie"); w.Code != 303 || len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %d and the cookies %q, want %q", home, w.Code, got, want)
		}
	}
}

// TestWhatGoesWrongOnPages: our own fault shows no cause, and a wait says how long.
func TestWhatGoesWrongOnPages(t *testing.T) {
	login := url.Values{"challenge": {"c"}, "email": {"a@example.com"}, "password": {"p"}}
	ada := &session.Person{User: domain.User{ID: "usr_1", Partner: "prt_a", Customer: true}, AuthTime: noon}
	full := &domain.Error{Kind: domain.Unavailable, Public: "not now"}
	allow := url.Values{
		"challenge": {"c"}, "person": {"usr_1"}, "decision": {"allow"}, "finest": {"24h"}, "history_from": {"2025-01-01"}, "valid_until": {"2026-03-02"},
	}
	for name, c := range map[string]struct {
		path   string
		form   url.Values
		person *session.Person
		lost   error
		status int
		retry  string
		says   string
	}{
		"a throttled log-in":       {"/login", url.Values{"challenge": {"c"}, "email": {"slow@example.com"}}, nil, nil, 429, "2", "Wait."},
		"a log-in that is refused": {"/login", login, nil, session.ErrWrong, 403, "", "do not belong together"},
		"a full disk":              {"/login", login, nil, full, 503, "", "not now"},
		"a broken store":           {"/login", login, nil, errors.New("the cause"), 500, "", "our side"},
		"a decision while it is":   {"/consent", allow, ada, full, 503, "", "not now"},
		"a decision":               {"/consent", allow, ada, nil, 200, "", "You have allowed it"},
		"a decision by nobody":     {"/consent", allow, nil, nil, 303, "", ""},
		"a question that is over":  {"/consent", url.Values{"challenge": {"x"}}, ada, nil, 404, "", "This request is over"},
		"a code that breaks":       {"/device", url.Values{"user_code": {"x"}}, nil, errors.New("the cause"), 500, "", "our side"},
		"a log-out that breaks":    {"/logout", nil, ada, errors.New("the cause"), 500, "", "our side"},
	} {
		r := &rooms{lost: c.lost, person: c.person, request: authorize.Request{Partner: "prt_a"}, offer: authorize.Offer{Application: domain.Application{Partner: "prt_a"}}}
		w := send(r.handler(t, "http://127.0.0.1"), "POST", c.path, c.form)
		if w.Code != c.status || w.Header().Get("Retry-After") != c.retry || !strings.Contains(w.Body.String(), c.says) || strings.Contains(w.Body.String(), "the cause") {
			t.Errorf("%s: got %d, Retry-After %q, %s; want %d, %q, %s", name, w.Code, w.Header().Get("Retry-After"), w.Body, c.status, c.retry, c.says)
		}
		if c.status != 303 && w.Code != 200 && w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: a session came of it", name)
		}
		if name == "a decision" && (r.decided.Finest != 24*time.Hour || r.decided.HistoryFrom != domain.NewDate(2025, 1, 1) ||
			!r.decided.ValidUntil.Equal(time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)) || !r.decided.AuthTime.Equal(noon) || r.decided.Purpose == "") {
			t.Errorf("%s: got %+v", name, r.decided)
		}
	}
}

// TestSkipping: with nothing to ask a GET goes on at once, and who only looks at
// the header of the answer takes nothing.
func TestSkipping(t *testing.T) {
	r := &rooms{
		person:  &session.Person{User: domain.User{ID: "usr_1", Partner: "prt_a", Customer: true}, AuthTime: noon},
		request: authorize.Request{Partner: "prt_a", Redirect: "https://x/?code=1"}, offer: authorize.Offer{Skip: true},
	}
	h := r.handler(t, "http://127.0.0.1")
	if w := send(h, "HEAD", "/consent?challenge=c", nil); w.Code != 200 || r.decided != nil {
		t.Errorf("HEAD: got %d and the decision %+v", w.Code, r.decided)
	}
	if w := send(h, "GET", "/consent?challenge=c", nil); w.Code != 303 || w.Header().Get("Location") != "https://x/?code=1" || r.decided == nil {
		t.Errorf("GET: got %d to %q", w.Code, w.Header().Get("Location"))
	}
}

// FuzzFormTargets: whatever an application has registered, the policy of its pages
// has the same directives, and one more source at most for forms.
func FuzzFormTargets(f *testing.F) {
	for _, seed := range []string{"", "https://coach.example/cb", "http://127.0.0.1:9090/cb", "com.example:/cb", "https://x; script-src *", "https://a b/", "javascript:x", "https://[::1]/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, redirect string) {
		r := &rooms{request: authorize.Request{Redirect: redirect}}
		w := send(r.handler(t, "http://127.0.0.1"), "GET", "/login?challenge=c", nil)
		policy := w.Header().Get("Content-Security-Policy")
		const want = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
		rest, ok := strings.CutPrefix(policy, want)
		if w.Code != 200 || !ok || strings.ContainsAny(rest, ";,*'\"") || strings.Count(rest, " ") > 1 {
			t.Errorf("%q: got %d %q", redirect, w.Code, policy)
		}
	})
}
