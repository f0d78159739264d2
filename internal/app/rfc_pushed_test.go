package app_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
)

// TestRFC9126 goes through what pushed authorization requests demand.
func TestRFC9126(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	other := w.coach(t, registry.NewApplication{Name: "Other"})
	secret := []string{"client_secret", c.secret}
	push := func(ask url.Values, more ...string) string {
		return post("/oauth2/par", urlencoded, values(ask, more...).Encode())
	}
	mine := func(more ...string) string { return push(c.ask, append(more, secret...)...) }
	w.demand(t, map[string]must{
		"RFC 9126 §2: by POST only":                             {ask: request("GET", "/oauth2/par?"+c.ask.Encode()), status: 405, header: map[string]string{"Allow": "POST"}},
		"RFC 9126 §2: the client proves who it is":              {ask: push(c.ask), status: 401, body: `"error":"invalid_client"`},
		"RFC 9126 §2: nothing of it in the query":               {ask: post("/oauth2/par?state=x", urlencoded, values(c.ask, secret...).Encode()), status: 400},
		"RFC 9126 §2.1: a request":                              {ask: mine(), status: 201},
		"RFC 9126 §2.1: request_uri is refused":                 {ask: mine("request_uri", "urn:ietf:params:oauth:request_uri:x"), status: 400, body: `"error":"(invalid_request|request_uri_not_supported)"`},
		"RFC 9126 §2.1: what the endpoint itself would refuse":  {ask: mine("redirect_uri", "https://evil.example/"), status: 400, body: `"error":"invalid_request"`},
		"RFC 9126 §2.1: another client's redirect_uri":          {ask: push(values(c.ask, "redirect_uri", "https://elsewhere.example/"), secret...), status: 400},
		"RFC 9126 §2.1: no PKCE":                                {ask: mine("code_challenge", "", "code_challenge_method", ""), status: 400, body: `"error":"invalid_request"`},
		"RFC 9126 §2.1: a client_id that is another's":          {ask: mine("client_id", string(other.id)), status: 401},
		"RFC 9126 §2.2: request_uri, expires_in":                {ask: mine(), status: 201, body: `^\{"request_uri":"urn:ietf:params:oauth:request_uri:[A-Za-z0-9_-]{22,}","expires_in":[1-9][0-9]*\}$`, header: map[string]string{"Cache-Control": "no-store", "Content-Type": "^application/json"}},
		"RFC 9126 §2.3: a scope that nobody knows":              {ask: mine("scope", "everything"), status: 400, body: `"error":"invalid_scope"`},
		"RFC 9126 §2.3: in words of the endpoint, no redirect":  {ask: mine("response_type", "token"), status: 400, body: `"error":"unsupported_response_type"`, header: map[string]string{"Location": ""}},
		"RFC 9126 §2.3: a request that is too large":            {ask: mine("scope", strings.Repeat("x", 5<<10)), status: 400, body: `"error":"invalid_request"`},
		"RFC 9126 §4, §7.3: a request_uri that nobody has made": {ask: request("GET", "/oauth2/authorize?client_id="+string(c.id)+"&request_uri=urn:ietf:params:oauth:request_uri:x"), status: 400, header: map[string]string{"Location": ""}},
	})

	uri := func() string {
		var made struct {
			URI string `json:"request_uri"`
		}
		if err := json.Unmarshal([]byte(w.ask(t, mine()).body), &made); err != nil {
			t.Fatal(err)
		}
		return made.URI
	}
	if one, two := uri(), uri(); one == two {
		t.Errorf("RFC 9126 §2.2: got %s twice", one)
	}
	b := w.browser(t)
	at := func(client, uri string) seen {
		return b.get(t, "/oauth2/authorize?"+url.Values{"client_id": {client}, "request_uri": {uri}}.Encode())
	}
	for name, x := range map[string]struct {
		ask  func() seen
		good bool
	}{
		"RFC 9126 §4: what was pushed is asked": {func() seen { return at(string(c.id), uri()) }, true},
		"RFC 9126 §4: by another client":        {func() seen { return at(string(other.id), uri()) }, false},
		"RFC 9126 §4: without its client_id":    {func() seen { return at("", uri()) }, false},
		"RFC 9126 §4: when its time is over": {func() seen {
			old := uri()
			w.clock.move(2 * time.Hour)
			return at(string(c.id), old)
		}, false},
		"RFC 9126 §7.3: a second time, when it has been decided": {func() seen {
			once := uri()
			challenge := at(string(c.id), once).query("challenge")
			b.logIn(t, challenge)
			b.post(t, "/consent", b.decision(t, challenge))
			return at(string(c.id), once)
		}, false},
	} {
		if s := x.ask(); (s.status == 303 && s.at.Path == "/login") != x.good {
			t.Errorf("%s: got %d %v, want the log-in: %v", name, s.status, s.at, x.good)
		}
	}
}

// TestRFC8628 goes through what devices demand.
func TestRFC8628(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	noGrant := w.coach(t, registry.NewApplication{Name: "Codes only", Grants: []string{oauth.GrantAuthorizationCode}})
	mine := []string{"client_id", string(c.id), "client_secret", c.secret}
	begin := func(more ...string) string {
		return post("/device-authorization/", urlencoded, form(with(mine, more)...))
	}
	private := map[string]string{"Cache-Control": "no-store", "Content-Type": "^application/json"}
	w.demand(t, map[string]must{
		"RFC 8628 §3.1: a request":                           {ask: begin("scope", "openid"), status: 200},
		"RFC 8628 §3.1: by POST only":                        {ask: request("GET", "/device-authorization/"), status: 405, header: map[string]string{"Allow": "POST"}},
		"RFC 8628 §3.1: the client proves who it is":         {ask: post("/device-authorization/", urlencoded, form("client_id", string(c.id))), status: 401, body: `"error":"invalid_client"`},
		"RFC 8628 §3.1: no client_id":                        {ask: post("/device-authorization/", urlencoded, form("scope", "openid")), status: 401, body: `"error":"invalid_client"`},
		"RFC 8628 §3.1: a client without the grant":          {ask: post("/device-authorization/", urlencoded, form("client_id", string(noGrant.id), "client_secret", noGrant.secret)), status: 400, body: `"error":"unauthorized_client"`},
		"RFC 8628 §3.1: a parameter twice":                   {ask: begin("scope", "openid", "scope", "openid"), status: 400, body: `"error":"invalid_request"`},
		"RFC 8628 §3.2: device_code, user_code, where to go": {ask: begin(), status: 200, body: `^\{"device_code":"[^"]{32,}","user_code":"[B-Z]{4}-[B-Z]{4}","verification_uri":"` + w.urls.Support + `/device"`, header: private},
		"RFC 8628 §3.2: expires_in, interval":                {ask: begin(), status: 200, body: `"expires_in":[1-9][0-9]*,"interval":5\}$`},
		"RFC 8628 §3.2: a page for both kinds of addresses":  {ask: begin(), status: 200, body: `"verification_uri_complete":"` + w.urls.Support + `/device\?user_code=[A-Z-]+"`},
	})

	type device struct {
		Code string `json:"device_code"`
		User string `json:"user_code"`
	}
	fresh := func() (d device) {
		if err := json.Unmarshal([]byte(w.ask(t, begin()).body), &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	poll := func(code string, fields []string, more ...string) string {
		return post("/oauth2/token", urlencoded, form(with([]string{"grant_type", oauth.GrantDeviceCode, "device_code", code}, fields, more)...))
	}
	other := w.coach(t, registry.NewApplication{Name: "Other"})
	d := fresh()
	w.demand(t, map[string]must{
		"RFC 8628 §3.4: no device_code":                   {ask: poll("", mine), status: 400, body: `"error":"invalid_request"`},
		"RFC 8628 §3.4: a device_code that nobody made":   {ask: poll("wg_device_x", mine), status: 400, body: `"error":"invalid_grant"`},
		"RFC 8628 §3.4: another client's":                 {ask: poll(fresh().Code, []string{"client_id", string(other.id), "client_secret", other.secret}), status: 400, body: `"error":"invalid_grant"`},
		"RFC 8628 §3.4: the client proves who it is":      {ask: poll(fresh().Code, []string{"client_id", string(c.id)}), status: 401, body: `"error":"invalid_client"`},
		"RFC 8628 §3.5: nobody has decided yet":           {ask: poll(d.Code, mine), status: 400, body: `"error":"authorization_pending"`, header: private},
		"RFC 8628 §5.4: the user code is no device code":  {ask: poll(fresh().User, mine), status: 400, body: `"error":"invalid_grant"`},
		"RFC 8628 §6.1: nor is it one with a word around": {ask: poll("wg_device_"+fresh().User, mine), status: 400, body: `"error":"invalid_grant"`},
	})
	for i, want := range []string{"slow_down", "slow_down"} { // RFC 8628 §3.5: at once again
		if a := w.ask(t, poll(d.Code, mine)); a.status != 400 || !strings.Contains(a.body, `"error":"`+want+`"`) {
			t.Errorf("RFC 8628 §3.5: too soon, %d: got %d %s, want %s", i, a.status, a.body, want)
		}
	}
	w.clock.move(time.Hour)
	if a := w.ask(t, poll(d.Code, mine)); a.status != 400 || !strings.Contains(a.body, `"error":"expired_token"`) {
		t.Errorf("RFC 8628 §3.5: its time is over: got %d %s, want expired_token", a.status, a.body)
	}
}
