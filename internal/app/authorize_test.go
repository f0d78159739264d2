package app_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
)

// TestAuthorizationRequests goes through what RFC 6749 §4.1.1, RFC 7636 §4.3 and
// §4.4.1, RFC 9700 §2.1 and OpenID Connect Core §3.1.2 demand of a request. An
// error goes back to the application only where the application and its redirect
// URI are right; otherwise the person sees a page, and nobody is sent anywhere.
func TestAuthorizationRequests(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	other := w.coach(t, registry.NewApplication{Name: "Other", URIs: []string{"https://other.example/"}})
	noCode, _ := w.application(t, registry.NewApplication{Name: "No code", Role: domain.RoleThirdPartyViewer, URIs: []string{callback}})
	phone := w.coach(t, registry.NewApplication{Name: "Phone", Type: domain.Public, URIs: []string{"http://127.0.0.1/cb", "com.example.coach:/cb"}})
	off := w.coach(t, registry.NewApplication{Name: "Off"})
	if err := w.Registry.SetDisabled(t.Context(), registry.By{Means: "test"}, off.id, true); err != nil {
		t.Fatal(err)
	}
	const page = "page"
	b := w.browser(t)
	for name, x := range map[string]struct {
		ask  url.Values
		want string // an error code, page, or empty: on to the log-in
	}{
		"as it should be": {c.ask, ""},
		"RFC 6749 §3.1: an unknown parameter is ignored":              {values(c.ask, "ui_locales", "nl"), ""},
		"RFC 6749 §3.1: a parameter without a value counts as none":   {values(c.ask, "prompt", " "), ""},
		"RFC 6749 §3.1.1: no response_type":                           {values(c.ask, "response_type", ""), "invalid_request"},
		"RFC 9700 §2.1.2: no implicit grant":                          {values(c.ask, "response_type", "token"), "unsupported_response_type"},
		"no hybrid flow":                                              {values(c.ask, "response_type", "code id_token"), "unsupported_response_type"},
		"RFC 6749 §4.1.1: no client_id":                               {values(c.ask, "client_id", ""), page},
		"RFC 6749 §4.1.2.1: an unknown application":                   {values(c.ask, "client_id", "app_2222222222222222"), page},
		"an application that is no identifier":                        {values(c.ask, "client_id", "<script>"), page},
		"a disabled application":                                      {values(c.ask, "client_id", string(off.id)), page},
		"RFC 6749 §3.1.2.3: no redirect_uri":                          {values(c.ask, "redirect_uri", ""), page},
		"RFC 9700 §2.1: another application's redirect_uri":           {values(other.ask, "redirect_uri", callback), page},
		"redirect: a path that goes on":                               {values(c.ask, "redirect_uri", "https://coach.example/cb/x"), page},
		"redirect: a suffix of the host":                              {values(c.ask, "redirect_uri", "https://coach.example.evil.example/cb"), page},
		"redirect: a prefix of the host":                              {values(c.ask, "redirect_uri", "https://evilcoach.example/cb"), page},
		"redirect: a user before the host":                            {values(c.ask, "redirect_uri", "https://coach.example@evil.example/cb"), page},
		"redirect: the host as a user":                                {values(c.ask, "redirect_uri", "https://coach.example:x@evil.example/cb"), page},
		"redirect: a backslash":                                       {values(c.ask, "redirect_uri", `https://evil.example\@coach.example/cb`), page},
		"redirect: a backslash for a slash":                           {values(c.ask, "redirect_uri", `https:\\coach.example\cb`), page},
		"redirect: another port":                                      {values(c.ask, "redirect_uri", "https://coach.example:444/cb"), page},
		"redirect: the port that is the scheme's":                     {values(c.ask, "redirect_uri", "https://coach.example:443/cb"), page},
		"redirect: another scheme":                                    {values(c.ask, "redirect_uri", "http://coach.example/cb"), page},
		"redirect: another case":                                      {values(c.ask, "redirect_uri", "https://COACH.example/cb"), page},
		"redirect: a fragment":                                        {values(c.ask, "redirect_uri", "https://coach.example/cb#x"), page},
		"redirect: a query of one's own":                              {values(c.ask, "redirect_uri", "https://coach.example/cb?tenant=2"), page},
		"redirect: more of the query":                                 {values(c.ask, "redirect_uri", callback+"&x=1"), page},
		"redirect: dots":                                              {values(c.ask, "redirect_uri", "https://coach.example/x/../cb"), page},
		"redirect: encoded":                                           {values(c.ask, "redirect_uri", "https://coach.example/%63b"), page},
		"redirect: a line break":                                      {values(c.ask, "redirect_uri", "https://coach.example/cb\r\nX: 1"), page},
		"redirect: a script":                                          {values(c.ask, "redirect_uri", "javascript:alert(1)"), page},
		"redirect: without a scheme":                                  {values(c.ask, "redirect_uri", "//coach.example/cb"), page},
		"redirect: two in one":                                        {values(c.ask, "redirect_uri", callback+" https://evil.example/"), page},
		"RFC 8252 §7.3: another port of the own machine":              {values(phone.ask, "redirect_uri", "http://127.0.0.1:51004/cb"), ""},
		"RFC 8252 §7.3: another path there":                           {values(phone.ask, "redirect_uri", "http://127.0.0.1:51004/x"), page},
		"RFC 8252 §8.3: by the name localhost":                        {values(phone.ask, "redirect_uri", "http://localhost:51004/cb"), page},
		"RFC 8252 §7.1: a scheme of its own":                          {values(phone.ask, "redirect_uri", "com.example.coach:/cb"), ""},
		"RFC 6749 §4.1.2.1: an application without the grant":         {values(c.ask, "client_id", string(noCode)), "unauthorized_client"},
		"RFC 9700 §2.1.1: no PKCE":                                    {values(c.ask, "code_challenge", "", "code_challenge_method", ""), "invalid_request"},
		"RFC 7636 §4.3: a challenge without its method is plain":      {values(c.ask, "code_challenge_method", ""), "invalid_request"},
		"RFC 7636 §7.2: downgraded to plain":                          {values(c.ask, "code_challenge_method", "plain", "code_challenge", verifier), "invalid_request"},
		"RFC 7636 §4.2: a challenge that is none":                     {values(c.ask, "code_challenge", "short"), "invalid_request"},
		"a method without a challenge":                                {values(c.ask, "code_challenge", ""), "invalid_request"},
		"RFC 6749 §3.3: an unknown scope":                             {values(c.ask, "scope", "everything"), "invalid_scope"},
		"a scope that no customer can allow":                          {values(c.ask, "scope", "impersonate:customer"), "invalid_scope"},
		"RFC 8707 §2: an unknown resource":                            {values(c.ask, "resource", "https://evil.example/"), "invalid_target"},
		"an audience that is not a customer's":                        {values(c.ask, "audience", "auth"), "invalid_request"},
		"OpenID Connect Core §6: a request object":                    {values(c.ask, "request", "e30.e30."), "request_not_supported"},
		"OpenID Connect Core §7.2.1: a registration":                  {values(c.ask, "registration", "{}"), "registration_not_supported"},
		"another response_mode":                                       {values(c.ask, "response_mode", "fragment"), "invalid_request"},
		"OpenID Connect Core §3.1.2.1: an unknown prompt":             {values(c.ask, "prompt", "again"), "invalid_request"},
		"OpenID Connect Core §3.1.2.1: none beside another":           {values(c.ask, "prompt", "none login"), "invalid_request"},
		"OpenID Connect Core §3.1.2.1: max_age that is no number":     {values(c.ask, "max_age", "-1"), "invalid_request"},
		"RFC 9126 §4: an unknown request_uri":                         {values(url.Values{}, "client_id", string(c.id), "request_uri", "urn:ietf:params:oauth:request_uri:x"), page},
		"RFC 9101 §5.2: a request_uri that is somewhere in the world": {values(c.ask, "request_uri", "https://evil.example/request"), page},
	} {
		for _, method := range []string{"GET", "POST"} { // RFC 6749 §3.1: GET must be, POST may
			var s seen
			if method == "GET" {
				s = b.get(t, "/oauth2/authorize?"+x.ask.Encode())
			} else {
				s = b.post(t, "/oauth2/authorize", x.ask)
			}
			if got := s.header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s: a cache may keep it: %q", name, got)
			}
			switch x.want {
			case "":
				if s.status != 303 || s.at.Path != "/login" || len(s.at.Query()) != 1 {
					t.Errorf("%s (%s): got %d %v %s, want the log-in", name, method, s.status, s.at, s.body)
				}
			case page:
				if s.status != 400 || s.at != nil || !strings.Contains(s.body, "<h1>") || strings.Contains(s.body, "<script") {
					t.Errorf("%s (%s): got %d %v %s, want a page with 400", name, method, s.status, s.at, s.body)
				}
			default:
				// RFC 9700 §4.12: 303. RFC 6749 §4.1.2.1, RFC 9207 §2: with state, and who says so.
				if s.status != 303 || s.at.Host != "coach.example" || s.query("error") != x.want || s.query("state") != "xyz" ||
					s.query("iss") != w.urls.Auth || s.query("tenant") != "1" || s.query("code") != "" {
					t.Errorf("%s (%s): got %d %v %s, want %s at the application", name, method, s.status, s.at, s.body, x.want)
				}
			}
		}
	}
	for name, raw := range map[string]string{
		"RFC 6749 §3.1: state twice":        c.ask.Encode() + "&state=2",
		"RFC 6749 §3.1: redirect_uri twice": c.ask.Encode() + "&redirect_uri=https%3A%2F%2Fevil.example",
		"a query that cannot be read":       "client_id=%zz",
		"a control character":               c.ask.Encode() + "&prompt=%00",
	} {
		if s := b.get(t, "/oauth2/authorize?"+raw); s.status != 400 || s.at != nil {
			t.Errorf("%s: got %d %v, want a page with 400", name, s.status, s.at)
		}
	}
}

// TestRFC6749Section413Codes: a code is good once, for its application, redirect
// URI and verifier, for a minute; and whoever tries otherwise gets the same words.
func TestRFC6749Section413Codes(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	other := w.coach(t, registry.NewApplication{Name: "Other"})
	b, answers := w.browser(t), map[string]bool{}
	for name, x := range map[string]struct {
		change func(url.Values) url.Values
		later  time.Duration
		ok     bool
	}{
		"RFC 6749 §4.1.3: as it should be":              {nil, 0, true},
		"RFC 6749 §4.1.2: shortly before its end":       {nil, time.Minute - time.Microsecond, true},
		"RFC 6749 §4.1.2: after a minute":               {nil, time.Minute, false},
		"RFC 7636 §4.6: another verifier":               {func(f url.Values) url.Values { return values(f, "code_verifier", strings.Repeat("x", 43)) }, 0, false},
		"RFC 9700 §2.1.1: no verifier":                  {func(f url.Values) url.Values { return values(f, "code_verifier", "") }, 0, false},
		"RFC 7636 §4.6: the challenge for the verifier": {func(f url.Values) url.Values { return values(f, "code_verifier", challengeOf(verifier)) }, 0, false},
		"RFC 6749 §4.1.3: another redirect_uri":         {func(f url.Values) url.Values { return values(f, "redirect_uri", "https://coach.example/cb") }, 0, false},
		"RFC 6749 §4.1.3: no redirect_uri":              {func(f url.Values) url.Values { return values(f, "redirect_uri", "") }, 0, false},
		"code injection: another application brings it": {func(f url.Values) url.Values {
			return values(f, "client_id", string(other.id), "client_secret", other.secret)
		}, 0, false},
		"a code that nobody issued": {func(f url.Values) url.Values { return values(f, "code", "x") }, 0, false},
	} {
		form := c.redeem(b.code(t, c.ask))
		if x.change != nil {
			form = x.change(form)
		}
		w.clock.move(x.later)
		s := b.post(t, "/oauth2/token", form)
		if x.ok != (s.status == 200) {
			t.Errorf("%s: got %d %s, want success %v", name, s.status, s.body, x.ok)
		}
		if x.ok {
			continue
		}
		answers[s.body] = true
		if s.status != 400 || !strings.Contains(s.body, `"error":"invalid_grant"`) {
			t.Errorf("%s: got %d %s, want invalid_grant", name, s.status, s.body)
		}
		if again := b.post(t, "/oauth2/token", c.redeem(form.Get("code"))); again.status == 200 {
			t.Errorf("%s: the code is good afterwards", name)
		}
	}
	if len(answers) != 1 {
		t.Errorf("there are %d answers to a bad code, want one: %v", len(answers), answers)
	}
	code := b.code(t, c.ask)
	if s := b.post(t, "/oauth2/token", values(c.redeem(code), "code", "")); s.status != 400 || !strings.Contains(s.body, "invalid_request") {
		t.Errorf("no code: got %d %s", s.status, s.body)
	}
	if s := b.post(t, "/oauth2/token?code="+code, values(c.redeem(code), "code", "")); s.status != 400 || !strings.Contains(s.body, "never into the query") {
		t.Errorf("a code in the query: got %d %s", s.status, s.body)
	}
	if s := b.post(t, "/oauth2/token", values(c.redeem(code), "client_secret", "")); s.status != 401 {
		t.Errorf("RFC 6749 §3.2.1: a confidential application without its secret: got %d %s", s.status, s.body)
	}
}

// TestReplayedCode: the second use of a code ends what the first one brought
// (RFC 6749 §4.1.2), at once.
func TestReplayedCode(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	b := w.browser(t)
	form := c.redeem(b.code(t, c.ask))
	token := tokens(t, b.post(t, "/oauth2/token", form))
	who := func() int {
		return b.do(t, "GET", "/userinfo", nil, "Authorization: Bearer "+token["access_token"]).status
	}
	if got := who(); got != 200 {
		t.Fatalf("before: got %d", got)
	}
	if s := b.post(t, "/oauth2/token", form); s.status != 400 {
		t.Errorf("the second use: got %d %s", s.status, s.body)
	}
	if got := who(); got != 401 {
		t.Errorf("the access token afterwards: got %d, want 401", got)
	}
	if s := b.post(t, "/oauth2/token", c.renew(token["refresh_token"])); s.status != 400 {
		t.Errorf("the refresh token afterwards: got %d %s", s.status, s.body)
	}
}

func (c coach) renew(refresh string) url.Values {
	return url.Values{"grant_type": {oauth.GrantRefreshToken}, "refresh_token": {refresh}, "client_id": {string(c.id)}, "client_secret": {c.secret}}
}

// tokens are the texts of a token answer.
func tokens(t *testing.T, s seen) map[string]string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(s.body), &all); err != nil || s.status != 200 {
		t.Fatalf("got %d %s, want tokens", s.status, s.body)
	}
	out := map[string]string{}
	for name, value := range all {
		if text, ok := value.(string); ok {
			out[name] = text
		}
	}
	return out
}

// TestWhatATokenAnswerHolds: OpenID Connect Core §3.1.3.3 and §11, RFC 6749 §5.1
// and §4.4.3.
func TestWhatATokenAnswerHolds(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	once := w.coach(t, registry.NewApplication{Name: "Once", Grants: []string{oauth.GrantAuthorizationCode}})
	b := w.browser(t)
	for name, x := range map[string]struct {
		c           coach
		scope, path string
		id, refresh bool
		echo        string
	}{
		"openid":                        {c, "openid", "/oauth2/token", true, false, "openid"},
		"offline_access":                {c, "offline_access", "/oauth2/token", false, true, "offline_access"},
		"offline":                       {c, "offline", "/token/", false, true, "offline"},
		"both":                          {c, "openid offline_access query:property", "/token/", true, true, "openid offline_access query:property"},
		"neither":                       {c, "view:detailed-usage", "/oauth2/token", false, false, "view:detailed-usage"},
		"nothing":                       {c, "", "/token", false, false, "query:property view:detailed-usage query:user-details"},
		"not set up for refresh tokens": {once, "openid offline_access", "/oauth2/token", true, false, "openid offline_access"},
	} {
		got := tokens(t, b.post(t, x.path, x.c.redeem(b.code(t, values(x.c.ask, "scope", x.scope)))))
		if (got["id_token"] != "") != x.id || (got["refresh_token"] != "") != x.refresh || got["scope"] != x.echo {
			t.Errorf("%s: got an ID token %v, a refresh token %v, scope %q; want %v, %v, %q", name,
				got["id_token"] != "", got["refresh_token"] != "", got["scope"], x.id, x.refresh, x.echo)
		}
	}
	s := b.post(t, "/oauth2/token", url.Values{"grant_type": {oauth.GrantClientCredentials}, "scope": {"openid offline_access"}, "client_id": {string(w.demo.PartnerClientID)}, "client_secret": {w.demo.PartnerClientSecret}})
	if got := tokens(t, s); got["id_token"]+got["refresh_token"] != "" {
		t.Errorf("RFC 6749 §4.4.3: client credentials brought %v", got)
	}
}

// TestRFC6749Section6Refresh: what one door gives rotates at both, what the other
// gives lasts at both, and always only within what was allowed.
func TestRFC6749Section6Refresh(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	other := w.coach(t, registry.NewApplication{Name: "Other"})
	b := w.browser(t)
	first := tokens(t, b.post(t, "/oauth2/token", c.redeem(b.code(t, values(c.ask, "scope", "offline_access query:property view:detailed-usage")))))
	second := tokens(t, b.post(t, "/oauth2/token", values(c.renew(first["refresh_token"]), "scope", "query:property")))
	if second["refresh_token"] == first["refresh_token"] || second["scope"] != "query:property" {
		t.Errorf("§6: got %q and a rotated token: %v", second["scope"], second["refresh_token"] != first["refresh_token"])
	}
	for name, form := range map[string]url.Values{
		"§6: a wider scope":                 values(c.renew(second["refresh_token"]), "scope", "query:user-details"),
		"§10.4: another application":        values(c.renew(second["refresh_token"]), "client_id", string(other.id), "client_secret", other.secret),
		"§6: nothing":                       values(c.renew(""), "refresh_token", ""),
		"§6: garbage":                       c.renew("garbage"),
		"§5.2: an access token":             c.renew(second["access_token"]),
		"RFC 8707 §2.2: an audience beyond": values(c.renew(second["refresh_token"]), "audience", "auth"),
	} {
		if s := b.post(t, "/oauth2/token", form); s.status != 400 {
			t.Errorf("%s: got %d %s", name, s.status, s.body)
		}
	}
	third := tokens(t, b.post(t, "/token/", c.renew(second["refresh_token"]))) // which no refusal has cost
	if third["refresh_token"] == second["refresh_token"] {
		t.Error("RFC 9700 §4.14.2: a token of /oauth2/token is not rotated at /token/")
	}
	if s := b.post(t, "/token/", c.renew(second["refresh_token"])); s.status != 400 {
		t.Errorf("RFC 9700 §4.14.2: used again at /token/: got %d %s", s.status, s.body)
	}
	kraken := tokens(t, b.post(t, "/token/", c.redeem(b.code(t, c.ask))))
	for range 3 {
		again := tokens(t, b.post(t, "/token/", c.renew(kraken["refresh_token"])))
		if again["refresh_token"] != kraken["refresh_token"] {
			t.Error("/token/ rotated a refresh token")
		}
	}
	if again := tokens(t, b.post(t, "/oauth2/token", c.renew(kraken["refresh_token"]))); again["refresh_token"] != kraken["refresh_token"] {
		t.Error("/oauth2/token rotated a lasting refresh token")
	}
	w.clock.move(7 * 24 * time.Hour)
	if s := b.post(t, "/token/", c.renew(kraken["refresh_token"])); s.status != 400 || !strings.Contains(s.body, "invalid_grant") {
		t.Errorf("after seven days: got %d %s", s.status, s.body)
	}
}

// TestPublicApplications: without a secret, by what they alone know (RFC 6749
// §2.1, §3.2.1; RFC 9700 §2.1.1), and never in their own name (§4.4).
func TestPublicApplications(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{Type: domain.Public, Role: domain.RoleThirdPartyViewer})
	b := w.browser(t)
	mine := func(f url.Values) url.Values { return values(f, "client_secret", "") }
	first := tokens(t, b.post(t, "/token/", mine(c.redeem(b.code(t, c.ask)))))
	second := tokens(t, b.post(t, "/token/", mine(c.renew(first["refresh_token"]))))
	if first["refresh_token"] == second["refresh_token"] {
		t.Error("RFC 9700 §2.2.2: a public application's refresh token was not rotated")
	}
	if s := b.post(t, "/oauth2/par", mine(values(c.ask, "x", "y"))); s.status != 201 {
		t.Errorf("PAR: got %d %s", s.status, s.body)
	}
	if s := b.post(t, "/device-authorization/", url.Values{"client_id": {string(c.id)}}); s.status != 200 {
		t.Errorf("a device: got %d %s", s.status, s.body)
	}
	for name, f := range map[string]url.Values{
		"client credentials":    {"grant_type": {oauth.GrantClientCredentials}, "client_id": {string(c.id)}},
		"with a made-up secret": values(c.renew(second["refresh_token"]), "client_secret", "wg_test_x"),
	} {
		if s := b.post(t, "/oauth2/token", f); s.status != 401 {
			t.Errorf("%s: got %d %s, want 401", name, s.status, s.body)
		}
	}
	about := func(token string) url.Values { return url.Values{"token": {token}, "client_id": {string(c.id)}} }
	if s := b.post(t, "/oauth2/introspect", about(second["access_token"])); s.status != 401 {
		t.Errorf("introspection: got %d %s, want 401", s.status, s.body)
	}
	for path, token := range map[string]string{"/oauth2/revoke": second["access_token"], "/revoke-token/": second["refresh_token"]} { // RFC 7009 §2.1
		if s := b.post(t, path, about(token)); s.status != 200 || s.body != "" {
			t.Errorf("%s: got %d %q, want 200 and nothing", path, s.status, s.body)
		}
	}
	if s := b.post(t, "/oauth2/token", mine(c.renew(second["refresh_token"]))); s.status != 400 || !strings.Contains(s.body, "invalid_grant") {
		t.Errorf("a refresh token that was revoked: got %d %s", s.status, s.body)
	}
	if s := b.post(t, "/oauth2/token", mine(values(c.redeem(b.code(t, c.ask)), "code_verifier", strings.Repeat("y", 50)))); s.status != 400 {
		t.Errorf("a stolen code: got %d %s", s.status, s.body)
	}
}

// TestARefusedRenewalCostsNothing: who names a wrong audience, resource or scope
// once has not lost what the customer has allowed.
func TestARefusedRenewalCostsNothing(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	b := w.browser(t)
	for name, door := range map[string]string{"rotating": "/oauth2/token", "lasting": "/token/"} {
		first := tokens(t, b.post(t, door, c.redeem(b.code(t, c.ask))))
		form := c.renew(first["refresh_token"])
		for field, value := range map[string]string{"audience": "nonsense", "resource": "https://evil.example/", "scope": "impersonate:customer"} {
			if s := b.post(t, door, values(form, field, value)); s.status != 400 {
				t.Errorf("%s, %s: got %d %s", name, field, s.status, s.body)
			}
		}
		if s := b.post(t, door, form); s.status != 200 {
			t.Errorf("%s, afterwards: got %d %s", name, s.status, s.body)
		}
	}
}
