package app_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
)

const (
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // of RFC 7636 appendix B
	callback = "https://coach.example/cb?tenant=1"
)

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// browser is a person's: it keeps cookies, and stops at every redirect.
type browser struct {
	http.Client
	w *world
}

func (w *world) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{w: w}
	b.Jar = jar
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.Cleanup(b.CloseIdleConnections)
	return b
}

// seen is an answer as a browser gets it.
type seen struct {
	status int
	header http.Header
	body   string
	at     *url.URL // where it sends the browser, or nil
}

// query is a parameter of where the browser is sent.
func (s seen) query(name string) string {
	if s.at == nil {
		return ""
	}
	return s.at.Query().Get(name)
}

func (b *browser) do(t *testing.T, method, target string, fields url.Values, headers ...string) seen {
	t.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.w.urls.Auth + target
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(fields.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", urlencoded)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	a, err := b.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	s := seen{status: a.StatusCode, header: a.Header, body: string(body)}
	if to := a.Header.Get("Location"); to != "" {
		if s.at, err = r.URL.Parse(to); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (b *browser) get(t *testing.T, target string) seen { return b.do(t, "GET", target, nil) }

func (b *browser) post(t *testing.T, target string, fields url.Values, headers ...string) seen {
	return b.do(t, "POST", target, fields, headers...)
}

// values are fields as names and values in turn; a name with an empty value is
// taken away.
func values(base url.Values, more ...string) url.Values {
	out := url.Values{}
	for name, list := range base {
		out[name] = append([]string{}, list...)
	}
	for i := 0; i < len(more); i += 2 {
		if out.Del(more[i]); more[i+1] != "" {
			out.Set(more[i], more[i+1])
		}
	}
	return out
}

// coach is an application that customers allow to read, and one of its requests.
type coach struct {
	id     domain.ClientID
	secret string
	ask    url.Values
}

var coachGrants = []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, oauth.GrantDeviceCode}

func (w *world) coach(t *testing.T, n registry.NewApplication) coach {
	t.Helper()
	if n.Name == "" {
		n.Name = "Coach"
	}
	if n.Role == "" {
		n.Role = domain.RolePartnerIntegration
	}
	if n.Grants == nil {
		n.Grants = coachGrants
	}
	if n.URIs == nil {
		n.URIs = []string{callback, "https://coach.example/cb"}
	}
	id, secret := w.application(t, n)
	return coach{id, secret, url.Values{
		"response_type": {"code"}, "client_id": {string(id)}, "redirect_uri": {callback}, "scope": {"openid offline_access"}, "state": {"xyz"}, "nonce": {"n-1"},
		"code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"},
	}}
}

// begin sends a request and returns the challenge of its pages.
func (b *browser) begin(t *testing.T, ask url.Values) string {
	t.Helper()
	s := b.get(t, "/oauth2/authorize?"+ask.Encode())
	if s.status != 303 || s.at.Path != "/login" || len(s.at.Query()) != 1 {
		t.Fatalf("got %d %v %s, want 303 to /login", s.status, s.at, s.body)
	}
	return s.query("challenge")
}

// logIn logs the demo's customer in.
func (b *browser) logIn(t *testing.T, challenge string) seen {
	t.Helper()
	s := b.post(t, "/login", url.Values{"challenge": {challenge}, "email": {b.w.demo.CustomerEmail}, "password": {b.w.demo.CustomerPassword}})
	if s.status != 303 || s.at.Path != "/consent" {
		t.Fatalf("the log-in: got %d %v %s", s.status, s.at, s.body)
	}
	return s
}

var hidden = regexp.MustCompile(`name="(challenge|person|supply_point|history_from|valid_until)"[^>]* value="([^"]*)"`)

// decision are the fields of the consent page as it is filled in.
func (b *browser) decision(t *testing.T, challenge string) url.Values {
	t.Helper()
	s := b.get(t, "/consent?challenge="+challenge)
	if s.status != 200 {
		t.Fatalf("the consent page: got %d %v %s", s.status, s.at, s.body)
	}
	f := url.Values{"finest": {"30m"}, "decision": {"allow"}}
	for _, m := range hidden.FindAllStringSubmatch(s.body, -1) {
		f.Add(m[1], m[2])
	}
	return f
}

// code goes all the way from the request to the code.
func (b *browser) code(t *testing.T, ask url.Values) string {
	t.Helper()
	challenge := b.begin(t, ask)
	b.logIn(t, challenge)
	s := b.post(t, "/consent", b.decision(t, challenge))
	if s.status != 303 || s.query("code") == "" {
		t.Fatalf("the decision: got %d %v %s", s.status, s.at, s.body)
	}
	return s.query("code")
}

// redeem are the fields that change a code into tokens.
func (c coach) redeem(code string) url.Values {
	return url.Values{
		"grant_type": {oauth.GrantAuthorizationCode}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier},
		"client_id": {string(c.id)}, "client_secret": {c.secret},
	}
}
