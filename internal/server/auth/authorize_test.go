package auth_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/auth"
	"github.com/wattgate/wattgate/internal/throttle"
)

func (r *rooms) Public(id string, from domain.Origin) (*domain.Listing, error) {
	r.asked = append(r.asked, "public "+id)
	return &domain.Listing{Application: domain.Application{ID: domain.ClientID(id), Type: domain.Public, Grants: desks}}, r.err
}

func (r *rooms) ForUser(_ context.Context, app *domain.Listing, g issuance.UserGrant, _ domain.Origin) (oauth.Token, error) {
	r.asked = append(r.asked, "token for "+string(g.User)+" at "+string(app.ID)+" within "+strings.Join(append(g.Audience, g.Resource...), ","))
	return oauth.Token{Access: "a.b.c", Bearer: "Bearer a.b.c", Lifetime: 3600, Scope: g.Scope}, nil
}

func (r *rooms) User(_ context.Context, scope domain.Scope, id domain.UserID) (domain.User, error) {
	r.asked = append(r.asked, "user "+string(id)+" of "+string(scope.Partner)+" "+string(scope.User))
	return domain.User{ID: id, FirstName: "Ada", MiddleName: "de", Surname: "Wit", Email: "ada@example.com"}, r.lost
}

// desks are the grants of the applications of these tests.
var desks = []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, oauth.GrantDeviceCode}

// desk is a desk that notices what it is asked.
type desk struct {
	*rooms
	refused *authorize.Refused
	grant   authorize.Grant
}

func (d *desk) request(p authorize.Params) (authorize.Request, error) {
	d.asked = append(d.asked, "check "+p.ClientID+" "+p.RedirectURI)
	if d.refused != nil {
		return authorize.Request{}, d.refused
	}
	return authorize.Request{Client: domain.ClientID(p.ClientID), Redirect: p.RedirectURI, State: p.State}, nil
}

func (d *desk) Check(p authorize.Params) (authorize.Request, error)       { return d.request(p) }
func (d *desk) CheckDevice(p authorize.Params) (authorize.Request, error) { return d.request(p) }

func (d *desk) Return(r *authorize.Refused) string {
	if r.Redirect == "" {
		return ""
	}
	return r.Redirect + "?error=" + r.Code
}

func (d *desk) Push(context.Context, *domain.Listing, authorize.Request) (string, error) {
	d.asked = append(d.asked, "push")
	return `urn:x"`, d.lost
}

func (d *desk) Pushed(_ context.Context, p authorize.Params) (authorize.Request, error) {
	d.asked = append(d.asked, "pushed "+p.RequestURI)
	return authorize.Request{}, nil
}

func (d *desk) Begin(context.Context, authorize.Request) (string, error) {
	d.asked = append(d.asked, "begin")
	return "c&d", d.lost
}

func (d *desk) Device(context.Context, *domain.Listing, authorize.Request) (authorize.DeviceAnswer, error) {
	d.asked = append(d.asked, "device")
	return authorize.DeviceAnswer{DeviceCode: domain.NewSecret("dc"), UserCode: "BBBB-CCCC", Lifetime: 10 * time.Minute, Interval: 5 * time.Second}, d.lost
}

func (d *desk) Redeem(_ context.Context, _ *domain.Listing, code, redirect, verifier string, _ domain.Origin) (authorize.Grant, error) {
	d.asked = append(d.asked, "redeem "+code+" "+redirect+" "+verifier)
	return d.grant, d.lost
}

func (d *desk) Renew(_ context.Context, _ *domain.Listing, refresh domain.Secret, scope string, check func(authorize.Grant) error, _ domain.Origin) (authorize.Grant, domain.Secret, error) {
	d.asked = append(d.asked, "renew "+refresh.Reveal())
	if err := check(d.grant); err != nil {
		return authorize.Grant{}, domain.Secret{}, err
	}
	d.asked = append(d.asked, "rotate")
	return d.grant, domain.NewSecret("next"), d.lost
}

func (d *desk) Remember(_ context.Context, g authorize.Grant, lifetime time.Duration) (domain.Secret, error) {
	d.asked = append(d.asked, map[bool]string{true: "lasting: "}[g.Lasting]+"remember for "+lifetime.String())
	return domain.NewSecret("first"), nil
}

func (d *desk) Poll(_ context.Context, _ *domain.Listing, device domain.Secret, _ domain.Origin) (authorize.Grant, error) {
	d.asked = append(d.asked, "poll "+device.Reveal())
	return d.grant, d.lost
}

// TestTheOrderOfQuestionsAboutPeople: what cannot be read asks nobody, who is
// refused starts nothing, and what people have allowed is changed into tokens in
// one way.
func TestTheOrderOfQuestionsAboutPeople(t *testing.T) {
	const mine = "client_id=app_a"
	code := "grant_type=authorization_code&code=c&redirect_uri=https://x/&code_verifier=v&" + mine
	refresh := "grant_type=refresh_token&refresh_token=r&" + mine
	device := "grant_type=" + url.QueryEscape(oauth.GrantDeviceCode) + "&device_code=d&" + mine
	refused := &oauth.Error{Code: oauth.InvalidClient}
	invalid := &oauth.Error{Code: oauth.InvalidGrant}
	full := &domain.Error{Kind: domain.Unavailable, Public: "the disk is full"}
	away := authorize.Grant{User: "usr_1", Offline: true, Audience: []string{"customer"}}
	for name, c := range map[string]struct {
		method, target, body string
		client, lost         error
		refused              *authorize.Refused
		grant                authorize.Grant
		status               int
		asked, says, to      string
	}{
		"a request":                      {"GET", "/oauth2/authorize?client_id=app_a&redirect_uri=https://x/", "", nil, nil, nil, away, 303, "check app_a https://x/; begin", "", "https://help/login?challenge=c%26d"},
		"a request by POST":              {"POST", "/oauth2/authorize", mine, nil, nil, nil, away, 303, "check app_a ; begin", "", "https://help/login?challenge=c%26d"},
		"a pushed request":               {"GET", "/oauth2/authorize?client_id=app_a&request_uri=u", "", nil, nil, nil, away, 303, "pushed u; begin", "", "https://help/login?challenge=c%26d"},
		"a refused request":              {"GET", "/oauth2/authorize?client_id=app_a", "", nil, nil, &authorize.Refused{Redirect: "https://x/", Code: "invalid_scope"}, away, 303, "check app_a ", "", "https://x/?error=invalid_scope"},
		"one that nobody can be told":    {"GET", "/oauth2/authorize?client_id=app_a", "", nil, nil, &authorize.Refused{Code: "invalid_request", Description: "<b>not</b> known"}, away, 400, "check app_a ", "&lt;b&gt;not&lt;/b&gt; known", ""},
		"one that cannot be kept":        {"GET", "/oauth2/authorize?client_id=app_a&redirect_uri=https://x/", "", nil, full, nil, away, 303, "check app_a https://x/; begin", "", "https://x/?error=temporarily_unavailable"},
		"one that breaks":                {"GET", "/oauth2/authorize?client_id=app_a&redirect_uri=https://x/", "", nil, errors.New("broken"), nil, away, 303, "check app_a https://x/; begin", "", "https://x/?error=server_error"},
		"one that cannot be read":        {"GET", "/oauth2/authorize?state=1&state=2", "", nil, nil, nil, away, 400, "", "stands twice", ""},
		"a push":                         {"POST", "/oauth2/par", mine + "&client_secret=s", nil, nil, nil, away, 201, "client; check app_a ; push", `{"request_uri":"urn:x\"","expires_in":60}`, ""},
		"a push by a public one":         {"POST", "/oauth2/par", mine, nil, nil, nil, away, 201, "public app_a; check app_a ; push", `"expires_in":60`, ""},
		"a push by a refused one":        {"POST", "/oauth2/par", mine, refused, nil, nil, away, 401, "public app_a", "invalid_client", ""},
		"a push by nobody":               {"POST", "/oauth2/par", "scope=openid", refused, nil, nil, away, 401, "client", "invalid_client", ""},
		"a refused push (RFC 9126 §2.3)": {"POST", "/oauth2/par", mine, nil, nil, &authorize.Refused{Redirect: "https://x/", Code: "invalid_scope", Description: "no"}, away, 400, "public app_a; check app_a ", `{"error":"invalid_scope","error_description":"no"}`, ""},
		"a push of a request_uri (§2.1)": {"POST", "/oauth2/par", mine + "&request_uri=x", nil, nil, nil, away, 400, "", "request_uri", ""},
		"a push of a request object":     {"POST", "/oauth2/par", mine + "&request=x", nil, nil, nil, away, 400, "", "does not take the parameter request", ""},
		"a device":                       {"POST", "/device-authorization/", mine, nil, nil, nil, away, 200, "public app_a; check app_a ; device", `{"device_code":"dc","user_code":"BBBB-CCCC","verification_uri":"https://help/device","verification_uri_complete":"https://help/device?user_code=BBBB-CCCC","expires_in":600,"interval":5}`, ""},
		"a device without the grant":     {"POST", "/device-authorization", mine + "&client_secret=s", nil, nil, nil, away, 400, "client", "unauthorized_client", ""},
		"a code":                         {"POST", "/oauth2/token", code, nil, nil, nil, away, 200, "public app_a; redeem c https://x/ v; token for usr_1 at app_a within customer; remember for 720h0m0s", `"refresh_token":"first"`, ""},
		"a code of the other":            {"POST", "/token/", code, nil, nil, nil, away, 200, "public app_a; redeem c https://x/ v; token for usr_1 at app_a within customer; remember for 720h0m0s", `"refresh_token":"first"}`, ""},
		"a code without absence":         {"POST", "/oauth2/token", code, nil, nil, nil, authorize.Grant{User: "usr_1"}, 200, "public app_a; redeem c https://x/ v; token for usr_1 at app_a within ", `"expires_in":3599,"scope"`, ""},
		"a code, narrowed":               {"POST", "/oauth2/token", code + "&audience=customer", nil, nil, nil, authorize.Grant{User: "usr_1"}, 200, "public app_a; redeem c https://x/ v; token for usr_1 at app_a within customer", "", ""},
		"a code, widened":                {"POST", "/oauth2/token", code + "&audience=measurements", nil, nil, nil, away, 400, "public app_a; redeem c https://x/ v", "invalid_target", ""},
		"a code, widened by a resource":  {"POST", "/oauth2/token", code + "&resource=https://api/", nil, nil, nil, away, 400, "public app_a; redeem c https://x/ v", "invalid_target", ""},
		"a bad code":                     {"POST", "/oauth2/token", code, nil, invalid, nil, away, 400, "public app_a; redeem c https://x/ v", "invalid_grant", ""},
		"a code without the grant":       {"POST", "/oauth2/token", code + "&client_secret=s", nil, nil, nil, away, 400, "client", "unauthorized_client", ""},
		"no code":                        {"POST", "/oauth2/token", "grant_type=authorization_code&" + mine, nil, nil, nil, away, 400, "", "the parameter code is missing", ""},
		"a refresh":                      {"POST", "/oauth2/token", refresh, nil, nil, nil, away, 200, "public app_a; renew r; token for usr_1 at app_a within customer; rotate", `"refresh_token":"next"`, ""},
		"a refresh, widened":             {"POST", "/oauth2/token", refresh + "&audience=measurements", nil, nil, nil, away, 400, "public app_a; renew r", "invalid_target", ""},
		"a refresh of the other":         {"POST", "/token/", refresh, nil, nil, nil, away, 200, "public app_a; renew r; token for usr_1 at app_a within customer; rotate", `"refresh_token":"next"}`, ""},
		"a refresh without the grant":    {"POST", "/token/", refresh + "&client_secret=s", nil, nil, nil, away, 400, "client", "unauthorized_client", ""},
		"a poll":                         {"POST", "/oauth2/token", device, nil, nil, nil, away, 200, "public app_a; poll d; token for usr_1 at app_a within customer; remember for 720h0m0s", "first", ""},
		"a poll without the grant":       {"POST", "/oauth2/token", device + "&client_secret=s", nil, nil, nil, away, 400, "client", "unauthorized_client", ""},
		"a poll that waits":              {"POST", "/oauth2/token", device, nil, &oauth.Error{Code: oauth.AuthorizationPending}, nil, away, 400, "public app_a; poll d", "authorization_pending", ""},
	} {
		r := &rooms{err: c.client, lost: c.lost}
		req := httptest.NewRequest(c.method, c.target, strings.NewReader(c.body))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		handlerWith(t, r, &desk{r, c.refused, c.grant}).ServeHTTP(w, req)
		if got := strings.Join(r.asked, "; "); w.Code != c.status || got != c.asked || !strings.Contains(w.Body.String(), c.says) || w.Header().Get("Location") != c.to {
			t.Errorf("%s: got %d %s to %q after %q, want %d %s to %q after %q", name, w.Code, w.Body, w.Header().Get("Location"), got, c.status, c.says, c.to, c.asked)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: a cache may keep it: %q", name, got)
		}
	}
}

// TestOpenIDConnectCoreSection53 is who may ask for a person, and what they hear.
func TestOpenIDConnectCoreSection53(t *testing.T) {
	personal := domain.PermissionSet(domain.CanViewPersonalData)
	for name, c := range map[string]struct {
		header string
		caller domain.Caller
		status int
		body   string
	}{
		"§5.3.2: the identifier":           {"Bearer t", domain.Caller{User: "usr_1", Partner: "prt_a", Scope: "a openid"}, 200, `{"sub":"usr_1"}`},
		"§5.4: the name, where it may be":  {"Bearer t", domain.Caller{User: "usr_1", Partner: "prt_a", Scope: "openid", Permissions: personal}, 200, `{"sub":"usr_1","name":"Ada de Wit","given_name":"Ada","family_name":"de Wit","email":"ada@example.com"}`},
		"without openid":                   {"Bearer t", domain.Caller{User: "usr_1", Scope: "openid2 xopenid", Permissions: personal}, 403, "insufficient_scope"},
		"§5.3: an application's own token": {"Bearer t", domain.Caller{Client: "app_a", Scope: "openid"}, 403, "insufficient_scope"},
		"RFC 6750 §3.1: no token":          {"", domain.Caller{}, 401, "invalid_token"},
		"RFC 6750 §2: two tokens":          {"Bearer a b", domain.Caller{}, 400, "invalid_request"},
	} {
		for _, method := range []string{"GET", "POST"} { // §5.3.1: both
			r := &rooms{caller: c.caller}
			req := httptest.NewRequest(method, "/userinfo", nil)
			if c.header != "" {
				req.Header.Set("Authorization", c.header)
			}
			w := httptest.NewRecorder()
			handlerWith(t, r, &desk{rooms: r}).ServeHTTP(w, req)
			if got := w.Body.String(); w.Code != c.status || c.status == 200 && got != c.body || !strings.Contains(got, c.body) {
				t.Errorf("%s (%s): got %d %s, want %d %s", name, method, w.Code, got, c.status, c.body)
			}
			if challenge := w.Header().Get("WWW-Authenticate"); (challenge != "") != (c.status == 401 || c.status == 403) {
				t.Errorf("%s: the challenge is %q", name, challenge)
			}
		}
	}
}

// TestRequestsThatNobodyProves are bounded for an address: what waits stays in the
// database for a while, and nobody has to show a secret for it.
func TestRequestsThatNobodyProves(t *testing.T) {
	r := &rooms{}
	h, err := (&server.Serving{Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Unix(1e9, 0) }}).OneOrigin((&auth.Host{
		Clients: r, Tokens: r, Issuer: r, Keys: r, Revoker: r, Introspector: r, Desk: &desk{rooms: r}, People: r, LoginURL: "https://help/login",
		Unproven: throttle.New(throttle.Limit{Burst: 2, Every: 1500 * time.Millisecond}, 1),
	}).Table())
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range []struct {
		method, target, body, address string
		status                        int
		retry                         string
	}{
		{"GET", "/oauth2/authorize?client_id=app_a", "", "192.0.2.1:1", 303, ""},
		{"POST", "/oauth2/par", "client_id=app_a", "192.0.2.1:2", 201, ""},
		{"GET", "/oauth2/authorize?client_id=app_a", "", "192.0.2.1:3", 429, "2"},
		{"POST", "/oauth2/par", "client_id=app_a", "192.0.2.1:4", 429, "2"},
		{"POST", "/device-authorization/", "client_id=app_a", "192.0.2.1:5", 429, "2"},
		{"POST", "/oauth2/par", "client_id=app_a&client_secret=s", "192.0.2.1:6", 201, ""}, // who proves something goes on
		{"GET", "/oauth2/authorize?client_id=app_a", "", "192.0.2.2:1", 303, ""},
	} {
		req := httptest.NewRequest(x.method, x.target, strings.NewReader(x.body))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.RemoteAddr = x.address
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if w.Code != x.status || w.Header().Get("Retry-After") != x.retry {
			t.Errorf("request %d, %s from %s: got %d, Retry-After %q; want %d, %q", i+1, x.target, x.address, w.Code, w.Header().Get("Retry-After"), x.status, x.retry)
		}
	}
}
