package auth_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/auth"
)

// rooms stand in for the decisions: they notice what they are asked.
type rooms struct {
	asked  []string
	caller domain.Caller
	err    error
	lost   error // what keeping or finding a token's state meets
}

func (r *rooms) Client(id string, given domain.Secret, _ domain.AuthMethod, _ domain.Origin) (*domain.Listing, error) {
	r.asked = append(r.asked, "client")
	return &domain.Listing{Application: domain.Application{ID: domain.ClientID(id)}}, r.err
}

func (r *rooms) Assertion(_ context.Context, id, raw string, from domain.Origin) (*domain.Listing, error) {
	return r.Client(id, domain.NewSecret(raw), domain.PrivateKeyJWT, from)
}

func (r *rooms) Present(p *domain.Presentation, audience domain.Audience) (domain.Caller, error) {
	raw := p.Token
	r.asked = append(r.asked, "caller "+raw+" for "+audience.String())
	if raw == "" {
		return domain.Caller{}, authn.ErrNoToken
	}
	return r.caller, r.err
}

func (r *rooms) ClientCredentials(app *domain.Listing, req issuance.Request) (oauth.Token, error) {
	r.asked = append(r.asked, "token for "+string(app.ID)+" "+req.Scope+" "+strings.Join(req.Audience, ","))
	return oauth.Token{Access: "a.b.c", Bearer: "Bearer a.b.c", Lifetime: 300, Scope: req.Scope}, nil
}

func (r *rooms) Impersonate(_ context.Context, c domain.Caller, user domain.UserID, from domain.Origin) (oauth.Token, error) {
	r.asked = append(r.asked, "act as "+string(user)+" from "+from.Address)
	return oauth.Token{Access: "a.b.c", Bearer: "Bearer a.b.c", Lifetime: 3600, Scope: c.Scope}, nil
}

func (r *rooms) JWKS() ([]byte, string) { return []byte(`{"keys":[]}`), `"v1"` }

// handler is the auth host by itself.
func handler(t *testing.T, r *rooms) http.Handler {
	t.Helper()
	return handlerWith(t, r, &desk{rooms: r})
}

func handlerWith(t *testing.T, r *rooms, d auth.Desk) http.Handler {
	t.Helper()
	s := &server.Serving{Log: slog.New(slog.DiscardHandler), Now: time.Now}
	h, err := s.OneOrigin((&auth.Host{Clients: r, Tokens: r, Issuer: r, Keys: r, Revoker: r, Introspector: r, Desk: d, People: r, LoginURL: "https://help/login", DeviceURL: "https://help/device", MaxAge: 5 * time.Minute, EnergyZero: dialect.EnergyZero{}, Kraken: dialect.Kraken{}}).Table())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestTheOrderOfQuestions: nobody is asked anything after a refusal.
func TestTheOrderOfQuestions(t *testing.T) {
	const form = "grant_type=client_credentials&client_id=app_a&client_secret=s&scope=openid&audience=auth"
	const user = "usr_0c1a3b5e7f204a639a516f0c2d9be714"
	may := domain.PermissionSet(domain.CanImpersonate)
	for name, c := range map[string]struct {
		method, target, body, token string
		caller                      domain.Permissions
		err                         error
		status                      int
		asked                       string
	}{
		"a token":                    {"POST", "/oauth2/token", form, "", 0, nil, 200, "client; token for app_a openid auth"},
		"a token of the other":       {"POST", "/token/", form, "", 0, nil, 200, "client; token for app_a openid auth"},
		"a token without the slash":  {"POST", "/token", form, "", 0, nil, 200, "client; token for app_a openid auth"},
		"a refused client":           {"POST", "/token/", form, "", 0, &oauth.Error{Code: oauth.InvalidClient}, 401, "client"},
		"an unknown grant":           {"POST", "/token/", "grant_type=password&client_id=a&client_secret=b", "", 0, nil, 400, ""},
		"a form that cannot be read": {"POST", "/token/", "%", "", 0, nil, 400, ""},
		"an impersonation":           {"GET", "/v1/auth/impersonate?user_id=" + user, "", "Bearer t", may, nil, 200, "caller t for auth; act as " + user + " from 192.0.2.1"},
		"no permission":              {"GET", "/v1/auth/impersonate?user_id=" + user, "", "t", 0, nil, 403, "caller t for auth"},
		"no token":                   {"GET", "/v1/auth/impersonate?user_id=" + user, "", "", may, nil, 401, "caller  for auth"},
		"a bad token":                {"GET", "/v1/auth/impersonate?user_id=" + user, "", "t", may, authn.ErrExpired, 401, "caller t for auth"},
		"a bad token and a bad user": {"GET", "/v1/auth/impersonate?user_id=42", "", "t", may, authn.ErrExpired, 401, "caller t for auth"},
		"a bad user":                 {"GET", "/v1/auth/impersonate?user_id=42", "", "t", may, nil, 400, "caller t for auth"},
		"HEAD":                       {"HEAD", "/v1/auth/impersonate?user_id=" + user, "", "t", may, nil, 405, ""},
		"POST":                       {"POST", "/v1/auth/impersonate?user_id=" + user, "", "t", may, nil, 405, ""},
		"our own fault":              {"GET", "/v1/auth/impersonate?user_id=" + user, "", "t", may, errors.New("broken"), 500, "caller t for auth"},
	} {
		r := &rooms{caller: domain.Caller{Permissions: c.caller}, err: c.err}
		req := httptest.NewRequest(c.method, c.target, strings.NewReader(c.body))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if c.token != "" {
			req.Header.Set("Authorization", c.token)
		}
		w := httptest.NewRecorder()
		handler(t, r).ServeHTTP(w, req)
		if got := strings.Join(r.asked, "; "); w.Code != c.status || got != c.asked {
			t.Errorf("%s: got %d after %q, want %d after %q", name, w.Code, got, c.status, c.asked)
		}
		if c.status != 200 && w.Header().Get("Authorization") != "" {
			t.Errorf("%s: a token went out with %d", name, w.Code)
		}
	}
}

func TestKeysAndErrors(t *testing.T) {
	h := handler(t, &rooms{})
	ask := func(target, etag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", target, nil)
		r.Header.Set("If-None-Match", etag)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	fresh, known := ask("/.well-known/jwks.json", `"v0"`), ask("/.well-known/jwks.json", `"v1"`)
	if fresh.Code != 200 || fresh.Body.String() != `{"keys":[]}` || fresh.Header().Get("ETag") != `"v1"` || fresh.Header().Get("Cache-Control") != "public, max-age=300" {
		t.Errorf("keys: got %d %s %v", fresh.Code, fresh.Body, fresh.Header())
	}
	if known.Code != 304 || known.Body.Len() != 0 {
		t.Errorf("keys that are known: got %d %s, want 304", known.Code, known.Body)
	}
	page := ask("/errors", "")
	for _, e := range dialect.Explained {
		if !strings.Contains(page.Body.String(), `id="`+string(e.Code)+`"`) {
			t.Errorf("the page that error_uri leads to has no place for %s", e.Code)
		}
	}
}
