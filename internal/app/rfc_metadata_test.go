package app_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/registry"
)

// TestRFC8414 holds the metadata against the RFC, and what RFC 9207 adds to it.
func TestRFC8414(t *testing.T) {
	s := newStage(t)
	const path = "/.well-known/oauth-authorization-server"
	get := request("GET", path)
	s.demand(t, map[string]must{
		"RFC 8414 §2: issuer":                                  {ask: get, status: 200, body: `"issuer":"` + s.urls.Auth + `"`},
		"RFC 8414 §2: response_types_supported":                {ask: get, status: 200, body: `"response_types_supported":\["code"\]`},
		"RFC 8414 §2: token_endpoint, authorization_endpoint":  {ask: get, status: 200, body: `"token_endpoint":"` + s.urls.Auth + `/oauth2/token"`},
		"RFC 8414 §2: algorithms where assertions are":         {ask: get, status: 200, body: `"token_endpoint_auth_signing_alg_values_supported":\["ES256"`, lacks: `auth_signing_alg_values_supported":\[[^]]*"none"`},
		"RFC 8414 §3.2: JSON, by GET":                          {ask: get, status: 200, body: `^\{.*\}$`, header: map[string]string{"Content-Type": "^application/json$"}},
		"RFC 8414 §3.2: nothing that is empty":                 {ask: get, status: 200, lacks: `\[\]|:null`},
		"RFC 8414 §3.3: the issuer is not the request's Host":  {ask: strings.Replace(get, "wattgate.test", "evil.test", 1), status: 200, lacks: "evil"},
		"RFC 8414 §5: the same as OpenID Connect's":            {ask: request("GET", "/.well-known/openid-configuration"), status: 200, body: `"issuer":"` + s.urls.Auth + `"`},
		"RFC 9207 §3: the metadata says that answers have iss": {ask: get, status: 200, body: `"authorization_response_iss_parameter_supported":true`},
	})
	var doc map[string]any
	if err := json.Unmarshal([]byte(s.ask(t, get).body), &doc); err != nil {
		t.Fatal(err)
	}
	for name, value := range doc { // RFC 8414 §2: addresses of the issuer, without fragments
		if address, ok := value.(string); ok && strings.HasSuffix(name, "_endpoint") && (!strings.HasPrefix(address, s.urls.Auth+"/") || strings.Contains(address, "#")) {
			t.Errorf("RFC 8414 §2: %s is %q, want one at %s", name, address, s.urls.Auth)
		}
	}
}

// TestRFC9207: every answer to an authorization request says whose it is, so that
// nobody takes it for another server's.
func TestRFC9207(t *testing.T) {
	w := newWorld(t)
	c := w.coach(t, registry.NewApplication{})
	b := w.browser(t)
	refuse := func() seen {
		challenge := b.begin(t, values(c.ask, "prompt", "login consent"))
		b.logIn(t, challenge)
		f := b.decision(t, challenge)
		f.Set("decision", "deny")
		return b.post(t, "/consent", f)
	}
	allow := func() seen {
		challenge := b.begin(t, values(c.ask, "prompt", "login consent"))
		b.logIn(t, challenge)
		return b.post(t, "/consent", b.decision(t, challenge))
	}
	wrong := func(more ...string) func() seen {
		return func() seen { return b.get(t, "/oauth2/authorize?"+values(c.ask, more...).Encode()) }
	}
	for name, x := range map[string]struct {
		answer func() seen
		has    string // what the answer has besides
	}{
		"RFC 9207 §2: beside a code":                   {allow, "code"},
		"RFC 9207 §2: beside the customer's refusal":   {refuse, "error"},
		"RFC 9207 §2: beside a refusal of the request": {wrong("scope", "everything"), "error"},
		"RFC 9207 §2: beside a refusal of the type":    {wrong("response_type", "token"), "error"},
	} {
		s := x.answer()
		if s.status != 303 || s.at == nil || s.query(x.has) == "" || len(s.at.Query()["iss"]) != 1 || s.query("iss") != w.urls.Auth {
			t.Errorf("%s: got %d %v, want %s and the iss %s", name, s.status, s.at, x.has, w.urls.Auth)
			continue
		}
		// RFC 9207 §2: it is the issuer of the metadata, without query and fragment.
		if u, err := url.Parse(s.query("iss")); err != nil || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("%s: got the iss %q (%v)", name, s.query("iss"), err)
		}
	}
}
