package app_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/app"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// TestAuthorizationOfAHostEach: with a URL for each host the auth host hands over
// to the support host, whose pages and cookie are nowhere else, and the name of
// the host that a request brings leads nobody astray.
func TestAuthorizationOfAHostEach(t *testing.T) {
	clock := &clock{}
	clock.micros.Store(noon.UnixMicro())
	a := open(t, 1, clock, nil)
	h, err := a.Handler(app.URLs{Auth: "https://auth.example.com", Customer: "https://api.example.com", Support: "https://help.example.com"})
	if err := errors.Join(err, a.OpenKeys(t.Context())); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	by := registry.By{Means: "test"}
	p, err := a.Registry.AddPartner(t.Context(), by, "Partner")
	if err != nil {
		t.Fatal(err)
	}
	const email, password = "ada@example.com", "correct horse battery"
	_, _, err = a.Registry.AddUser(t.Context(), by, domain.User{Partner: p.ID, Customer: true, Email: email, FirstName: "Ada", Surname: "Wit"},
		registry.Password{Text: domain.NewSecret(password), Drawn: true})
	coach, _, err2 := a.Registry.AddApplication(t.Context(), by, registry.NewApplication{
		Name: "Coach", Partner: p.ID, Role: domain.RoleThirdPartyViewer, Grants: coachGrants, URIs: []string{callback},
	})
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	ask := url.Values{
		"response_type": {"code"}, "client_id": {string(coach.ID)}, "redirect_uri": {callback}, "code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"},
	}
	send := func(method, target string, form url.Values, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", urlencoded)
		for _, header := range headers {
			name, value, _ := strings.Cut(header, ": ")
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	w := send("GET", "https://auth.example.com/oauth2/authorize?"+ask.Encode(), nil)
	login := w.Header().Get("Location")
	if w.Code != 303 || !strings.HasPrefix(login, "https://help.example.com/login?challenge=") {
		t.Fatalf("the request: got %d to %q", w.Code, login)
	}
	_, challenge, _ := strings.Cut(login, "challenge=")
	for target, want := range map[string]int{
		login: 200, "https://help.example.com/device": 200,
		"https://auth.example.com/login?challenge=" + challenge: 404, "https://auth.example.com/consent?challenge=" + challenge: 404,
		"https://api.example.com/login?challenge=" + challenge: 404, "https://evil.example.com/login?challenge=" + challenge: 421,
		"https://help.example.com/oauth2/authorize?" + ask.Encode(): 404,
	} {
		if w := send("GET", target, nil); w.Code != want {
			t.Errorf("%s: got %d, want %d", target, w.Code, want)
		}
	}
	form := url.Values{"challenge": {challenge}, "email": {email}, "password": {password}}
	if w := send("POST", "https://help.example.com/login", form, "Origin: https://auth.example.com"); w.Code != http.StatusForbidden {
		t.Errorf("a form of another host of ours: got %d, want 403", w.Code)
	}
	w = send("POST", "https://help.example.com/login", form, "Origin: https://help.example.com")
	cookies := w.Result().Cookies()
	if w.Code != 303 || len(cookies) != 1 || cookies[0].Name != "__Host-wattgate" || !cookies[0].Secure || cookies[0].Domain != "" || cookies[0].Path != "/" {
		t.Fatalf("the log-in: got %d and %v", w.Code, cookies)
	}
	w = send("GET", "https://help.example.com/consent?challenge="+challenge, nil, "Cookie: __Host-wattgate="+cookies[0].Value)
	if w.Code != 200 || w.Header().Get("Strict-Transport-Security") == "" {
		t.Errorf("the consent page: got %d, %v", w.Code, w.Header())
	}
	w = send("GET", "https://help.example.com/consent?challenge="+challenge, nil, "Cookie: wattgate="+cookies[0].Value)
	if w.Code != 303 {
		t.Errorf("the cookie without its prefix: got %d, want the log-in", w.Code)
	}
}
