package server_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
)

// TestPagesThatSayWhatIsWrong: the sentence and not the cause, and nothing that
// was sent becomes a part of the page.
func TestPagesThatSayWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
		says   string
		retry  string
	}{
		"a sentence":     {&domain.Error{Kind: domain.Invalid, Public: `<b>"no"</b>`, Err: errors.New("cause")}, 400, "&lt;b&gt;&#34;no&#34;&lt;/b&gt;", ""},
		"our own fault":  {errors.New("cause"), 500, "on our side", ""},
		"one with words": {&domain.Error{Kind: domain.Internal, Public: "cause"}, 500, "on our side", ""},
		"a wait":         {&domain.Error{Kind: domain.Throttled, Public: "wait", Err: &domain.Pause{Wait: 1001 * time.Millisecond}}, 429, "wait", "2"},
	} {
		for _, style := range []string{"", "/style.css"} {
			w := httptest.NewRecorder()
			server.Pages(style).WriteError(w, c.err)
			body, policy := w.Body.String(), w.Header().Get("Content-Security-Policy")
			if w.Code != c.status || !strings.Contains(body, c.says) || strings.Contains(body, "cause") || w.Header().Get("Retry-After") != c.retry {
				t.Errorf("%s: got %d %s, Retry-After %q", name, w.Code, body, w.Header().Get("Retry-After"))
			}
			if strings.Contains(policy, "style-src") != (style != "") || strings.Contains(body, "stylesheet") != (style != "") || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s, style %q: the headers %v", name, style, w.Header())
			}
		}
	}
	w := httptest.NewRecorder()
	server.Pages("").WriteMethod(w)
	if w.Code != 405 {
		t.Errorf("a method: got %d", w.Code)
	}
}

// TestATokenIsEnough for a guard that asks for one, and none is not.
func TestATokenIsEnough(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
		runs   int
	}{
		"any token": {nil, 200, 1},
		"none":      {&domain.Error{Kind: domain.Unauthenticated, Public: "who?"}, 401, 0},
	} {
		ran, asked := 0, domain.Audience(99)
		h := mustOne(t, newHouse(), &server.Host{
			Name:   "test",
			Routes: []server.Route{{Pattern: "GET /x", Guard: server.Token(domain.AudienceCustomer), Handler: ok(&ran), Dialect: server.Plain()}},
			Authenticate: func(_ *http.Request, a domain.Audience) (domain.Caller, error) {
				asked = a
				return domain.Caller{}, c.err
			},
		})
		if got := get(h, "GET", "/x"); got.Code != c.status || ran != c.runs || asked != domain.AudienceCustomer {
			t.Errorf("%s: got %d, ran %d times, asked for %v", name, got.Code, ran, asked)
		}
	}
	if !server.Token(domain.AudienceAuth).Admits() || server.Token(domain.AudienceAuth).String() != "a token for auth" {
		t.Error("the guard does not say what it is")
	}
}
