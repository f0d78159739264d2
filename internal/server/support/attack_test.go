package support_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/session"
)

var ada = &session.Person{User: domain.User{ID: "usr_1", Partner: "prt_a", Customer: true}, AuthTime: noon}

// sendWith sends a request with headers in pairs.
func sendWith(h http.Handler, method, target string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestAttackPrefetch: a page that has the browser fetch a link ahead, without
// anybody following it, must not answer a question whose authorization is skipped.
func TestAttackPrefetch(t *testing.T) {
	for name, headers := range map[string][]string{
		"a prefetch":                   {"Sec-Purpose", "prefetch"},
		"a prerendering":               {"Sec-Purpose", "prefetch;prerender"},
		"an anonymous prefetch":        {"Sec-Purpose", "Prefetch; anonymous-client-ip"},
		"an older browser's":           {"Purpose", "prefetch"},
		"both, the second one telling": {"Sec-Purpose", "x", "Sec-Purpose", "prefetch"},
	} {
		r := &rooms{person: ada, request: authorize.Request{Partner: "prt_a", Redirect: "https://x/?code=1"}, offer: authorize.Offer{Skip: true}}
		h := r.handler(t, "http://127.0.0.1")
		if w := sendWith(h, "GET", "/consent?challenge=c", nil, headers...); w.Code != 403 || w.Header().Get("Location") != "" || r.decided != nil {
			t.Errorf("%s: got %d to %q and the decision %+v, want 403 and none", name, w.Code, w.Header().Get("Location"), r.decided)
		}
		if w := send(h, "GET", "/consent?challenge=c", nil); w.Code != 303 || r.decided == nil {
			t.Errorf("%s: the person follows it afterwards: got %d", name, w.Code)
		}
	}
}

// TestAttackDeviceLink: a link to the question of a device, which its sender made by
// typing the code himself, opens nothing where the code was not typed.
func TestAttackDeviceLink(t *testing.T) {
	sum := func(challenge string) string {
		s := sha256.Sum256([]byte(challenge))
		return base64.RawURLEncoding.EncodeToString(s[:])
	}
	login := url.Values{"challenge": {"c"}, "email": {"a@example.com"}, "password": {"p"}}
	allow := url.Values{"challenge": {"c"}, "person": {"usr_1"}, "decision": {"allow"}, "finest": {"24h"}, "history_from": {"2025-01-01"}, "valid_until": {"2026-03-02"}}
	deny := url.Values{"challenge": {"c"}, "person": {"usr_1"}, "decision": {"deny"}}
	pages := map[string]struct {
		method, target string
		form           url.Values
		typed          string // where it goes after the code was typed; empty: a page
	}{
		"the log-in page":    {"GET", "/login?challenge=c", nil, "/consent?challenge=c"},
		"the log-in again":   {"GET", "/login?challenge=c&other", nil, ""},
		"the log-in":         {"POST", "/login", login, "/consent?challenge=c"},
		"the consent page":   {"GET", "/consent?challenge=c", nil, ""},
		"the decision":       {"POST", "/consent", allow, ""},
		"the other decision": {"POST", "/consent", deny, ""},
	}
	cookies := map[string]struct {
		header string
		opens  bool
	}{
		"no code typed":           {"", false},
		"another device's code":   {"wattgate-device=" + sum("d"), false},
		"the challenge itself":    {"wattgate-device=c", false},
		"an empty cookie":         {"wattgate-device=", false},
		"two, one planted":        {"wattgate-device=" + sum("c") + "; wattgate-device=" + sum("c"), false},
		"the session's own value": {"wattgate=" + sum("c"), false},
		"the code typed":          {"wattgate-device=" + sum("c"), true},
	}
	for page, p := range pages {
		for name, c := range cookies {
			r := &rooms{person: ada, request: authorize.Request{Partner: "prt_a", Device: "d"}, offer: authorize.Offer{Application: domain.Application{Partner: "prt_a"}}}
			w := sendWith(r.handler(t, "http://127.0.0.1"), p.method, p.target, p.form, "Cookie", c.header)
			status, to := 200, p.typed
			if !c.opens {
				to = "/device"
			}
			if to != "" {
				status = 303
			}
			if w.Code != status || w.Header().Get("Location") != to || !c.opens && (r.decided != nil || w.Header().Get("Set-Cookie") != "") {
				t.Errorf("%s, %s: got %d to %q, the decision %+v; want %d to %q", page, name, w.Code, w.Header().Get("Location"), r.decided, status, to)
			}
		}
		r := &rooms{person: ada, request: authorize.Request{Partner: "prt_a", Redirect: "https://x/"}, offer: authorize.Offer{Application: domain.Application{Partner: "prt_a"}}}
		if w := send(r.handler(t, "http://127.0.0.1"), p.method, p.target, p.form); w.Header().Get("Location") == "/device" {
			t.Errorf("%s of no device: got the page of devices", page)
		}
	}
}

// TestTheDevicesCookie is bound to one question, for as long as that waits.
func TestTheDevicesCookie(t *testing.T) {
	const value = "Ln0sA6lQeuJl7PW1NWiFpTOTogKdJBOUmXJloaJa78Y"
	for home, want := range map[string]string{
		"https://help.example.com": "__Host-wattgate-device=" + value + "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax",
		"http://127.0.0.1:8080":    "wattgate-device=" + value + "; Path=/; Max-Age=600; HttpOnly; SameSite=Lax",
	} {
		h := (&rooms{}).handler(t, home)
		w := send(h, "POST", "/device", url.Values{"user_code": {"BBBB-BBBB"}})
		if got := w.Header().Values("Set-Cookie"); w.Code != 303 || w.Header().Get("Location") != "/login?challenge=c" || len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %d and the cookies %q, want %q", home, w.Code, got, want)
		}
		for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
			if w := sendWith(h, "POST", "/device", url.Values{"user_code": {"BBBB-BBBB"}}, headers...); w.Code != 403 || w.Header().Get("Set-Cookie") != "" {
				t.Errorf("%s: another site types the code (%s): got %d and a cookie %q", home, headers, w.Code, w.Header().Get("Set-Cookie"))
			}
		}
		if w := send(h, "GET", "/device?user_code=BBBB-BBBB", nil); w.Code != 200 || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: the code in the address: got %d and a cookie %q", home, w.Code, w.Header().Get("Set-Cookie"))
		}
	}
}
