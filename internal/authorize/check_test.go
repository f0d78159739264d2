package authorize_test

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
)

func TestRFC6749Section411TheRequest(t *testing.T) {
	w := newWorld(t)
	p := w.params()
	p.Prompt, p.MaxAge, p.Audience = "login consent", "60", []string{"customer"}
	got, err := w.Check(p)
	want := authorize.Request{
		Client: w.app, Partner: w.user.Partner, Redirect: callback, Scope: p.Scope, Audience: p.Audience, State: p.State, Nonce: p.Nonce,
		Challenge: pkce, Prompt: p.Prompt, MaxAge: p.MaxAge, At: w.now(),
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Check(%+v) = %+v, %v; want %+v", p, got, err, want)
	}
}

// TestRefusedRequests has one case for every rule. Who refuses goes back to the
// application only where both application and redirect URI are right.
func TestRefusedRequests(t *testing.T) {
	w := newWorld(t)
	closed := w.add(t, registry.NewApplication{Name: "closed"})
	must(t, w.registry.SetDisabled(t.Context(), by, closed, true))
	machine := w.add(t, registry.NewApplication{Name: "machine", Grants: []string{oauth.GrantClientCredentials}})
	meter := w.add(t, registry.NewApplication{Name: "meter", Role: domain.RoleMeteringIntegration})
	for name, c := range map[string]struct {
		change func(*authorize.Params)
		code   oauth.Code
		page   bool
	}{
		"RFC 6749 §4.1.1: no client_id":                              {func(p *authorize.Params) { p.ClientID = "" }, oauth.InvalidRequest, true},
		"RFC 6749 §4.1.2.1: an unknown client":                       {func(p *authorize.Params) { p.ClientID = "app_none" }, oauth.UnauthorizedClient, true},
		"RFC 6749 §4.1.2.1: a disabled client":                       {func(p *authorize.Params) { p.ClientID = string(closed) }, oauth.UnauthorizedClient, true},
		"RFC 6749 §3.1.2.3: no redirect_uri":                         {func(p *authorize.Params) { p.RedirectURI = "" }, oauth.InvalidRequest, true},
		"RFC 9700 §2.1: a longer redirect_uri":                       {func(p *authorize.Params) { p.RedirectURI += "/" }, oauth.InvalidRequest, true},
		"RFC 9700 §2.1: another case":                                {func(p *authorize.Params) { p.RedirectURI = strings.ToUpper(callback) }, oauth.InvalidRequest, true},
		"RFC 9700 §2.1: another query":                               {func(p *authorize.Params) { p.RedirectURI += "?x" }, oauth.InvalidRequest, true},
		"RFC 9126 §2.1: request_uri":                                 {func(p *authorize.Params) { p.RequestURI = "urn:ietf:params:oauth:request_uri:x" }, oauth.InvalidRequest, true},
		"RFC 6749 §3.1.1: no response_type":                          {func(p *authorize.Params) { p.ResponseType = "" }, oauth.InvalidRequest, false},
		"RFC 9700 §2.1.2: the implicit grant":                        {func(p *authorize.Params) { p.ResponseType = "token" }, oauth.UnsupportedResponseType, false},
		"OpenID Connect Core §3.3: hybrid":                           {func(p *authorize.Params) { p.ResponseType = "code id_token" }, oauth.UnsupportedResponseType, false},
		"RFC 6749 §4.1.2.1: a client without the grant":              {func(p *authorize.Params) { p.ClientID = string(machine) }, oauth.UnauthorizedClient, false},
		"a role with nothing of a customer's":                        {func(p *authorize.Params) { p.ClientID = string(meter) }, oauth.UnauthorizedClient, false},
		"response_mode fragment":                                     {func(p *authorize.Params) { p.ResponseMode = "fragment" }, oauth.InvalidRequest, false},
		"RFC 9700 §2.1.1: no code_challenge":                         {func(p *authorize.Params) { p.CodeChallenge = "" }, oauth.InvalidRequest, false},
		"RFC 7636 §4.4.1: plain":                                     {func(p *authorize.Params) { p.CodeChallengeMethod = "plain" }, oauth.InvalidRequest, false},
		"RFC 7636 §4.3: no method, which is plain":                   {func(p *authorize.Params) { p.CodeChallengeMethod = "" }, oauth.InvalidRequest, false},
		"RFC 7636 §4.2: a challenge that is too short":               {func(p *authorize.Params) { p.CodeChallenge = pkce[1:] }, oauth.InvalidRequest, false},
		"RFC 7636 §4.2: a challenge with padding":                    {func(p *authorize.Params) { p.CodeChallenge += "=" }, oauth.InvalidRequest, false},
		"RFC 7636 §4.2: a challenge in another spelling":             {func(p *authorize.Params) { p.CodeChallenge = pkce[:42] + "N" }, oauth.InvalidRequest, false},
		"RFC 6749 §A.5: a state with a line break":                   {func(p *authorize.Params) { p.State = "a\r\nb" }, oauth.InvalidRequest, false},
		"a state without end":                                        {func(p *authorize.Params) { p.State = strings.Repeat("s", 2049) }, oauth.InvalidRequest, false},
		"a nonce without end":                                        {func(p *authorize.Params) { p.Nonce = strings.Repeat("n", 513) }, oauth.InvalidRequest, false},
		"OpenID Connect Core §3.1.2.1: prompt none and login":        {func(p *authorize.Params) { p.Prompt = "none login" }, oauth.InvalidRequest, false},
		"OpenID Connect Core §3.1.2.1: a prompt that does not exist": {func(p *authorize.Params) { p.Prompt = "create" }, oauth.InvalidRequest, false},
		"OpenID Connect Core §3.1.2.1: max_age of another kind":      {func(p *authorize.Params) { p.MaxAge = "-1" }, oauth.InvalidRequest, false},
		"RFC 6749 §3.3: an unknown scope":                            {func(p *authorize.Params) { p.Scope = "openid email" }, oauth.InvalidScope, false},
		"RFC 6749 §3.3: a scope that the role does not hold":         {func(p *authorize.Params) { p.Scope = "query:user-details" }, oauth.InvalidScope, false},
		"a scope without end":                                        {func(p *authorize.Params) { p.Scope = strings.Repeat("openid ", 200) }, oauth.InvalidScope, false},
		"an audience that is not granted":                            {func(p *authorize.Params) { p.Audience = []string{"auth"} }, oauth.InvalidRequest, false},
		"RFC 8707 §2: an unknown resource":                           {func(p *authorize.Params) { p.Resource = []string{"https://evil.example"} }, oauth.InvalidTarget, false},
	} {
		p := w.params()
		c.change(&p)
		got, err := w.Check(p)
		refused, ok := errors.AsType[*authorize.Refused](err)
		if !ok || refused.Code != string(c.code) || (refused.Redirect == "") != c.page || !reflect.DeepEqual(got, authorize.Request{}) {
			t.Errorf("%s: Check(%+v) = %+v, %v; want %s, on a page: %t", name, p, got, err, c.code, c.page)
			continue
		}
		if to := w.Return(refused); (to == "") != c.page {
			t.Errorf("%s: returns to %q, want a page: %t", name, to, c.page)
		}
	}
}

func TestRFC9207AndRFC6749Section4121TheRefusalGoesBack(t *testing.T) {
	w := newWorld(t)
	for redirect, want := range map[string]string{
		callback:          callback + "?error=access_denied&error_description=a+b&state=s+t&iss=https%3A%2F%2Fauth.example.com",
		callback + "?a=b": callback + "?a=b&error=access_denied&error_description=a+b&state=s+t&iss=https%3A%2F%2Fauth.example.com",
		"":                "",
	} {
		got := w.Return(&authorize.Refused{Redirect: redirect, State: "s t", Code: "access_denied", Description: "a b"})
		if got != want {
			t.Errorf("Return to %q = %q, want %q", redirect, got, want)
		}
	}
}

func TestRedirectURIs(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		kind       domain.ClientType
		registered string
		asked      string
		want       bool
	}{
		"RFC 8252 §7.3: any port of a native application": {domain.Public, "http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", true},
		"RFC 8252 §7.3: another than the registered port": {domain.Public, "http://127.0.0.1:80/cb", "http://127.0.0.1:51004/cb", true},
		"RFC 8252 §7.3: version 6":                        {domain.Public, "http://[::1]/cb", "http://[::1]:51004/cb", true},
		"RFC 8252 §7.3: the other version":                {domain.Public, "http://[::1]/cb", "http://127.0.0.1/cb", false},
		"RFC 8252 §7.3: another path":                     {domain.Public, "http://127.0.0.1/cb", "http://127.0.0.1:51004/cb2", false},
		"RFC 8252 §7.3: a confidential application":       {domain.Confidential, "http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", false},
		"RFC 8252 §8.3: the name":                         {domain.Public, "http://localhost/cb", "http://localhost:51004/cb", false},
		"RFC 8252 §8.3: the name, exactly":                {domain.Public, "http://localhost:3000/cb", "http://localhost:3000/cb", true},
		"RFC 8252 §7.1: a private scheme":                 {domain.Public, "com.example.app:/cb", "com.example.app:/cb", true},
		"a host that begins alike":                        {domain.Public, "http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", false},
		"a port that is a name":                           {domain.Public, "http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb", false},
		"a name that is no host":                          {domain.Public, "http://127.0.0.1/cb", "http://127.0.0.1@evil.example/cb", false},
		"a port beyond all":                               {domain.Public, "http://127.0.0.1/cb", "http://127.0.0.1:65536/cb", false},
		"no port after the colon":                         {domain.Public, "http://127.0.0.1/cb", "http://127.0.0.1:/cb", false},
		"a backslash":                                     {domain.Public, "http://127.0.0.1/cb", `http://127.0.0.1:80\@evil.example/cb`, false},
		"a fragment":                                      {domain.Confidential, "https://app.example.com/cb", "https://app.example.com/cb#x", false},
		"a folder up":                                     {domain.Confidential, "https://app.example.com/cb", "https://app.example.com/cb/../evil", false},
		"the same, escaped":                               {domain.Confidential, "https://app.example.com/cb", "https://app.example.com/%63b", false},
	} {
		id := w.add(t, registry.NewApplication{Name: name, Type: c.kind, URIs: []string{c.registered}})
		p := w.params()
		p.ClientID, p.RedirectURI = string(id), c.asked
		req, err := w.Check(p)
		if (err == nil) != c.want || err == nil && req.Redirect != c.asked {
			t.Errorf("%s: registered %s, asked %s: got %+v, %v; want %t", name, c.registered, c.asked, req, err, c.want)
		}
	}
}

// FuzzRedirectURI tries every text as redirect_uri of an application with three.
// What is taken leads to the same machine as one of them, by another parser's
// reading.
func FuzzRedirectURI(f *testing.F) {
	w := newWorld(f)
	id := w.add(f, registry.NewApplication{Name: "native", Type: domain.Public, URIs: []string{"http://127.0.0.1/cb", "http://[::1]:1/cb", callback}})
	for _, seed := range []string{callback, "http://127.0.0.1:1/cb", "http://[::1]/cb", "http://127.0.0.1:1@x/cb", "http://127.0.0.1\\@x/cb", "http://127.0.0.1:/cb"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		p := w.params()
		p.ClientID, p.RedirectURI = string(id), uri
		req, err := w.Check(p)
		if err != nil {
			if r, ok := errors.AsType[*authorize.Refused](err); !ok || r.Redirect != "" {
				t.Fatalf("%q: got %v", uri, err)
			}
			return
		}
		u, err := url.Parse(req.Redirect)
		if err != nil || u.User != nil || u.Fragment != "" || req.Redirect != uri {
			t.Fatalf("%q was taken and reads as %+v, %v", uri, u, err)
		}
		if uri != callback && (u.Scheme != "http" || u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" || u.Path != "/cb" || u.RawQuery != "") {
			t.Fatalf("%q was taken and reads as %+v", uri, u)
		}
		back, err := url.Parse(w.Return(&authorize.Refused{Redirect: uri, Code: "x"}))
		if err != nil || back.Host != u.Host || back.Query().Get("error") != "x" {
			t.Fatalf("%q: leads back to %+v, %v", uri, back, err)
		}
	})
}

func TestRFC9126PushedRequests(t *testing.T) {
	w := newWorld(t)
	req, err := w.Check(w.params())
	must(t, err)
	push := func() string {
		uri, err := w.Push(t.Context(), w.listing(), req)
		must(t, err)
		return uri
	}
	other := w.add(t, registry.NewApplication{Name: "other"})
	if _, err := w.Push(t.Context(), w.registry.Directory().Application(other), req); codeOf(err) != "invalid_request" {
		t.Errorf("§2.1: a request of another client: got %v", err)
	}
	uri := push()
	if !strings.HasPrefix(uri, "urn:ietf:params:oauth:request_uri:") {
		t.Errorf("§2.2: request_uri = %q", uri)
	}
	for name, p := range map[string]authorize.Params{
		"§4: another client":    {ClientID: string(other), RequestURI: uri},
		"§4: no client":         {RequestURI: uri},
		"§4: another uri":       {ClientID: string(w.app), RequestURI: uri[:len(uri)-1]},
		"§4: another parameter": {ClientID: string(w.app), RequestURI: uri, RedirectURI: "https://evil.example"},
		"§4: another scope":     {ClientID: string(w.app), RequestURI: uri, Scope: "openid"},
	} {
		if got, err := w.Pushed(t.Context(), p); err == nil || codeOf(err) != "invalid_request" && codeOf(err) != "invalid_request_uri" || w.Return(err.(*authorize.Refused)) != "" {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	same := w.params()
	same.RequestURI = uri
	if got, err := w.Pushed(t.Context(), same); err != nil || !reflect.DeepEqual(got, req) {
		t.Errorf("§4: got %+v, %v; want %+v", got, err, req)
	}
	alone := authorize.Params{ClientID: string(w.app), RequestURI: uri}
	if _, err := w.Pushed(t.Context(), alone); codeOf(err) != "invalid_request_uri" {
		t.Errorf("§4: a second use: got %v", err)
	}
	alone.RequestURI = push()
	w.pass(authorize.PushedLifetime)
	if _, err := w.Pushed(t.Context(), alone); codeOf(err) != "invalid_request_uri" {
		t.Errorf("§2.2: too late: got %v", err)
	}
	alone.RequestURI = push()
	must(t, w.registry.SetDisabled(t.Context(), by, w.app, true))
	if _, err := w.Pushed(t.Context(), alone); codeOf(err) != "unauthorized_client" {
		t.Errorf("a disabled application: got %v", err)
	}
}
