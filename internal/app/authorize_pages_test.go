package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
)

// TestForgedForms: what another site's page sends is refused, and changes
// nothing: not the log-in (somebody would type their secrets into the attacker's
// account), not the decision, not a device, not the log-out.
func TestForgedForms(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	b := w.browser(t)
	challenge := b.begin(t, c.ask)
	b.logIn(t, challenge)
	decision := b.decision(t, challenge)
	login := url.Values{"challenge": {challenge}, "email": {w.demo.CustomerEmail}, "password": {w.demo.CustomerPassword}}
	host := strings.TrimPrefix(w.urls.Auth, "http://")
	for name, headers := range map[string][]string{
		"another site":               {"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"},
		"another host of our domain": {"Sec-Fetch-Site: same-site", "Origin: http://x." + host},
		"an old browser":             {"Origin: https://evil.example"},
		"an old browser, in a frame": {"Origin: null"},
		"our own name elsewhere":     {"Sec-Fetch-Site: cross-site", "Origin: " + w.urls.Auth},
	} {
		for path, form := range map[string]url.Values{"/login": login, "/consent": decision, "/device": {"user_code": {"BBBB-BBBB"}}, "/logout": {}} {
			s := b.post(t, path, form, headers...)
			if s.status != 403 || s.at != nil || s.header.Get("Set-Cookie") != "" {
				t.Errorf("%s: %s: got %d %v, want 403", name, path, s.status, s.at)
			}
		}
	}
	if s := b.get(t, "/consent?decision=allow&"+decision.Encode()); s.status != 200 {
		t.Errorf("a decision by GET: got %d %v, want the page", s.status, s.at)
	}
	if s := b.post(t, "/consent", decision, "Sec-Fetch-Site: same-origin", "Origin: "+w.urls.Auth); s.status != 303 || s.query("code") == "" {
		t.Errorf("our own page: got %d %v %s", s.status, s.at, s.body)
	}
}

// TestSessionFixation: a cookie that somebody has put into the browser before the
// log-in opens nothing afterwards, and two of the name are none.
func TestSessionFixation(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	attacker, victim := w.browser(t), w.browser(t)
	attacker.logIn(t, attacker.begin(t, c.ask))
	home, err := url.Parse(w.urls.Support)
	if err != nil {
		t.Fatal(err)
	}
	planted := attacker.Jar.Cookies(home)
	if len(planted) != 1 || planted[0].Name != "wattgate" {
		t.Fatalf("the cookies are %v", planted)
	}
	victim.Jar.SetCookies(home, []*http.Cookie{{Name: "wattgate", Value: planted[0].Value, Path: "/"}})
	victim.logIn(t, victim.begin(t, c.ask))
	if got := victim.Jar.Cookies(home)[0].Value; got == planted[0].Value {
		t.Error("the session has the value that was there before the log-in")
	}
	challenge := attacker.begin(t, c.ask)
	if s := attacker.get(t, "/consent?challenge="+challenge); s.status != 303 || s.at.Path != "/login" {
		t.Errorf("the planted value after the log-in: got %d %v, want the log-in", s.status, s.at)
	}
	s := victim.do(t, "GET", "/consent?challenge="+challenge, nil, "Cookie: wattgate=x")
	if s.status != 303 || s.at.Path != "/login" {
		t.Errorf("two cookies: got %d %v, want the log-in", s.status, s.at)
	}
}

// TestOpenIDConnectCoreSection3121 is what prompt and max_age do to who is logged
// in already.
func TestOpenIDConnectCoreSection3121(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	quiet := w.coach(t, registry.NewApplication{Name: "Quiet", SkipAuthorization: true})
	for name, x := range map[string]struct {
		ask   url.Values
		age   time.Duration // of the log-in; negative: nobody is logged in
		login string        // login, consent, or an error
	}{
		"logged in":                   {c.ask, time.Minute, "consent"},
		"not logged in":               {c.ask, -1, "login"},
		"logged in too long ago":      {c.ask, 31 * time.Minute, "login"},
		"prompt=login":                {values(c.ask, "prompt", "login"), time.Minute, "login"},
		"prompt=login consent":        {values(c.ask, "prompt", "login consent"), time.Minute, "login"},
		"prompt=select_account":       {values(c.ask, "prompt", "select_account"), time.Minute, "login"},
		"prompt=consent":              {values(c.ask, "prompt", "consent"), time.Minute, "consent"},
		"prompt=none, not logged in":  {values(c.ask, "prompt", "none"), -1, "login_required"},
		"prompt=none, logged in":      {values(c.ask, "prompt", "none"), time.Minute, "consent_required"},
		"prompt=none, nothing to ask": {values(quiet.ask, "prompt", "none"), time.Minute, "code"},
		"prompt=none, too long ago":   {values(c.ask, "prompt", "none", "max_age", "59"), time.Minute, "login_required"},
		"max_age, recently enough":    {values(c.ask, "max_age", "60"), time.Minute, "consent"},
		"max_age, too long ago":       {values(c.ask, "max_age", "59"), time.Minute, "login"},
		"max_age=0":                   {values(c.ask, "max_age", "0"), time.Minute, "login"},
		"authorization is skipped":    {quiet.ask, time.Minute, "code"},
		"prompt=consent, though":      {values(quiet.ask, "prompt", "consent"), time.Minute, "consent"},
	} {
		b := w.browser(t)
		if x.age >= 0 {
			b.logIn(t, b.begin(t, c.ask))
			w.clock.move(x.age)
		}
		challenge := b.begin(t, x.ask)
		s := b.get(t, "/login?challenge="+challenge)
		got := "login"
		if s.status == 303 && s.at.Path == "/consent" {
			s = b.get(t, s.at.String())
			got = "consent"
		}
		switch {
		case s.query("code") != "":
			got = "code"
		case s.query("error") != "":
			got = s.query("error")
		case s.status != 200:
			t.Errorf("%s: got %d %v %s", name, s.status, s.at, s.body)
		}
		if got != x.login || s.status == 303 && (s.query("iss") != w.urls.Auth || s.query("state") != "xyz") {
			t.Errorf("%s: got %s (%v), want %s", name, got, s.at, x.login)
		}
		if x.login != "login" {
			continue
		}
		if s := b.get(t, "/consent?challenge="+challenge); s.status != 303 || s.at.Path != "/login" {
			t.Errorf("%s: past the log-in: got %d %v", name, s.status, s.at)
		}
		b.logIn(t, challenge) // and whoever has logged in for it is asked no more
		if s := b.get(t, "/login?challenge="+challenge); s.status != 303 || s.at.Path != "/consent" {
			t.Errorf("%s: after the log-in: got %d %v", name, s.status, s.at)
		}
	}
}

// TestWhoMayDecide: customers of the application's partner, for themselves.
func TestWhoMayDecide(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	log := func(b *browser, challenge, email, password string) seen {
		return b.post(t, "/login", url.Values{"challenge": {challenge}, "email": {email}, "password": {password}})
	}
	b := w.browser(t)
	challenge := b.begin(t, c.ask)
	wrong := log(b, challenge, "nobody@example.com", "x")
	for name, who := range map[string][2]string{
		"staff":                     {w.demo.OAuthManagerEmail, w.demo.OAuthManagerPassword},
		"an engineer":               {w.demo.APIEngineerEmail, w.demo.APIEngineerPassword},
		"another partner's":         {"customer@zuiderlicht.example", "x"},
		"a customer's wrong word":   {w.demo.CustomerEmail, w.demo.APIEngineerPassword},
		"somebody without password": {"", ""},
	} {
		s := log(b, challenge, who[0], who[1])
		if s.status != 403 || s.header.Get("Set-Cookie") != "" || strings.ReplaceAll(s.body, who[0], "") != strings.ReplaceAll(wrong.body, "nobody@example.com", "") && who[0] != "" {
			t.Errorf("%s: got %d %s, want the answer to an unknown address", name, s.status, s.body)
		}
	}
	// another partner's application, with the session of this one's customer
	id, secret, err := w.Registry.AddApplication(t.Context(), registry.By{Means: "test"}, registry.NewApplication{
		Name: "Foreign", Partner: w.demo.OtherPartner, Role: domain.RoleThirdPartyViewer, Grants: coachGrants, URIs: []string{callback},
	})
	if err != nil || secret.Empty() {
		t.Fatal(err)
	}
	b.logIn(t, challenge)
	foreign := b.begin(t, values(c.ask, "client_id", string(id.ID)))
	if s := b.get(t, "/consent?challenge="+foreign); s.status != 303 || s.at.Path != "/login" {
		t.Errorf("another partner's application: got %d %v", s.status, s.at)
	}
	if s := log(b, foreign, w.demo.CustomerEmail, w.demo.CustomerPassword); s.status != 403 {
		t.Errorf("another partner's application, log-in: got %d", s.status)
	}
	// a page that was shown to somebody else
	decision := b.decision(t, challenge)
	if s := b.post(t, "/consent", values(decision, "person", string(w.demo.OtherCustomerUserID))); s.status != 303 || s.at.Path != "/consent" {
		t.Errorf("somebody else's page: got %d %v", s.status, s.at)
	}
	for name, form := range map[string]url.Values{
		"a supply point of nobody":        values(decision, "supply_point", "NLD_ELECTRICITY:1"),
		"another customer's supply point": values(decision, "supply_point", "NLD_ELECTRICITY:"+w.demo.OtherHouseholdSupply),
		"no supply point":                 values(decision, "supply_point", ""),
		"an unknown resolution":           values(decision, "finest", "1s"),
		"no first day":                    values(decision, "history_from", "soon"),
		"an end in the past":              values(decision, "valid_until", "2026-03-01"),
		"an end beyond any sense":         values(decision, "valid_until", "9999-01-01"),
		"no decision":                     values(decision, "decision", ""),
		"another decision":                values(decision, "decision", "maybe"),
		"a supply point twice": func() url.Values {
			f := values(decision)
			f["supply_point"] = append(f["supply_point"], f["supply_point"][0])
			return f
		}(),
	} {
		if s := b.post(t, "/consent", form); s.status != 400 || s.at != nil {
			t.Errorf("%s: got %d %v, want 400", name, s.status, s.at)
		}
	}
	if s := b.get(t, "/consent?challenge=x"); s.status != 404 {
		t.Errorf("no question: got %d", s.status)
	}
	if s := b.post(t, "/consent", decision); s.status != 303 || s.query("code") == "" {
		t.Errorf("after all that: got %d %v %s", s.status, s.at, s.body)
	}
	if s := b.post(t, "/consent", decision); s.status != 404 {
		t.Errorf("a second decision: got %d", s.status)
	}
}

// TestTheHeadersOfPages: security.md's policy on every page, and no script.
func TestTheHeadersOfPages(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{Name: `"><script>alert(1)</script>`})
	b := w.browser(t)
	challenge := b.begin(t, c.ask)
	login := b.get(t, "/login?challenge="+challenge)
	b.logIn(t, challenge)
	for name, s := range map[string]seen{
		"login": login, "consent": b.get(t, "/consent?challenge="+challenge), "device": b.get(t, `/device?user_code="><script>`),
		"over": b.get(t, "/login?challenge=x"), "refused": b.get(t, "/oauth2/authorize"),
	} {
		policy := s.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, want) && !(want == "form-action 'self'" && strings.Contains(policy, "form-action 'none'")) {
				t.Errorf("%s: the policy %q lacks %s", name, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || strings.Contains(s.body, "<script") || strings.Contains(s.body, "style=") {
			t.Errorf("%s: the policy %q, the page %s", name, policy, s.body)
		}
		for header, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Content-Type": "text/html; charset=utf-8",
		} {
			if got := s.header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
	}
}

// TestRFC9126PushedRequests.
func TestRFC9126PushedRequests(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	other := w.coach(t, registry.NewApplication{Name: "Other"})
	b := w.browser(t)
	credentials := []string{"client_secret", c.secret}
	push := func() string {
		t.Helper()
		s := b.post(t, "/oauth2/par", values(c.ask, credentials...))
		_, rest, _ := strings.Cut(s.body, `"request_uri":"`)
		uri, _, _ := strings.Cut(rest, `"`)
		if s.status != 201 || !strings.HasPrefix(uri, "urn:ietf:params:oauth:request_uri:") || !strings.Contains(s.body, `"expires_in":60`) || s.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("§2.2: got %d %s", s.status, s.body)
		}
		return uri
	}
	for name, x := range map[string]struct {
		form   url.Values
		status int
		says   string
	}{
		"§2: no credentials":         {c.ask, 401, "invalid_client"},
		"§2: wrong ones":             {values(c.ask, "client_secret", "wg_test_x"), 401, "invalid_client"},
		"§2.1: another's client_id":  {values(c.ask, "client_id", string(other.id), "client_secret", c.secret), 401, "invalid_client"},
		"§2.1: a request_uri":        {values(c.ask, append(credentials, "request_uri", "urn:x")...), 400, "invalid_request"},
		"§2.3: a wrong redirect_uri": {values(c.ask, append(credentials, "redirect_uri", "https://evil.example")...), 400, "invalid_request"},
		"§2.3: a wrong scope":        {values(c.ask, append(credentials, "scope", "everything")...), 400, "invalid_scope"},
		"RFC 9700 §2.1.1: no PKCE":   {values(c.ask, append(credentials, "code_challenge", "")...), 400, "invalid_request"},
	} {
		if s := b.post(t, "/oauth2/par", x.form); s.status != x.status || !strings.Contains(s.body, x.says) || s.at != nil {
			t.Errorf("%s: got %d %s, want %d %s", name, s.status, s.body, x.status, x.says)
		}
	}
	if s := b.get(t, "/oauth2/par"); s.status != 405 || s.header.Get("Allow") != "OPTIONS, POST" {
		t.Errorf("§2.3: GET: got %d, Allow %q", s.status, s.header.Get("Allow"))
	}
	for name, x := range map[string]struct {
		later time.Duration
		ask   func(uri string) url.Values
		ok    bool
	}{
		"§4: alone":                    {0, func(uri string) url.Values { return url.Values{"client_id": {string(c.id)}, "request_uri": {uri}} }, true},
		"§2.2: at the end of its life": {time.Minute, func(uri string) url.Values { return url.Values{"client_id": {string(c.id)}, "request_uri": {uri}} }, false},
		"§7.3: by another application": {0, func(uri string) url.Values { return url.Values{"client_id": {string(other.id)}, "request_uri": {uri}} }, false},
		"without client_id":            {0, func(uri string) url.Values { return url.Values{"request_uri": {uri}} }, false},
		"§7.2: beside another redirect": {0, func(uri string) url.Values {
			return values(c.ask, "request_uri", uri, "redirect_uri", "https://coach.example/cb")
		}, false},
		"beside another scope": {0, func(uri string) url.Values { return values(c.ask, "request_uri", uri, "scope", "view:detailed-usage") }, false},
	} {
		uri := push()
		w.clock.move(x.later)
		s := b.get(t, "/oauth2/authorize?"+x.ask(uri).Encode())
		if x.ok != (s.status == 303) || !x.ok && s.status != 400 {
			t.Errorf("%s: got %d %v %s, want success %v", name, s.status, s.at, s.body, x.ok)
		}
		if x.ok { // §7.3: once
			if s := b.get(t, "/oauth2/authorize?"+x.ask(uri).Encode()); s.status != 400 {
				t.Errorf("%s, again: got %d %v", name, s.status, s.at)
			}
		}
	}
}

// TestPeopleAreNotLockedOut: who guesses a customer's password is slowed down, and
// the page says for how long.
func TestPeopleAreNotLockedOut(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	b := w.browser(t)
	challenge := b.begin(t, c.ask)
	form := url.Values{"challenge": {challenge}, "email": {w.demo.CustomerEmail}, "password": {"wrong"}}
	for range 5 {
		if s := b.post(t, "/login", form); s.status != 403 {
			t.Fatalf("got %d", s.status)
		}
	}
	s := b.post(t, "/login", values(form, "password", w.demo.CustomerPassword))
	if s.status != 429 || s.header.Get("Retry-After") != "60" || s.header.Get("Set-Cookie") != "" || !strings.Contains(s.body, "Wait before the next try") {
		t.Errorf("the sixth: got %d, Retry-After %q, %s", s.status, s.header.Get("Retry-After"), s.body)
	}
	w.clock.move(time.Minute)
	b.logIn(t, challenge)
}

// TestMixUp: the answer names who gives it (RFC 9207 §2), a success and a refusal
// alike, and the name is the issuer's exactly as the metadata has it (§2.4).
func TestMixUp(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	b := w.browser(t)
	challenge := b.begin(t, c.ask)
	b.logIn(t, challenge)
	decision := b.decision(t, challenge)
	s := b.post(t, "/consent", values(decision, "decision", "deny"))
	if s.status != 303 || s.query("error") != string(oauth.AccessDenied) || s.query("iss") != w.urls.Auth || s.query("state") != "xyz" {
		t.Errorf("refused: got %d %v", s.status, s.at)
	}
	challenge = b.begin(t, c.ask)
	s = b.post(t, "/consent", b.decision(t, challenge))
	if s.status != 303 || s.query("code") == "" || s.query("iss") != w.urls.Auth || len(s.at.Query()["state"]) != 1 || s.at.Fragment != "" {
		t.Errorf("allowed: got %d %v", s.status, s.at)
	}
}
