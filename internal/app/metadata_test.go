package app_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/app"
)

var documents = []string{
	"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/.well-known/oauth-protected-resource",
}

// TestEverythingThatTheMetadataListsIsThere calls it all.
func TestEverythingThatTheMetadataListsIsThere(t *testing.T) {
	w := newWorld(t)
	called := 0
	for _, path := range documents {
		var doc map[string]any
		a := w.ask(t, request("GET", path, "Connection: close"))
		if err := json.Unmarshal([]byte(a.body), &doc); err != nil || a.status != 200 {
			t.Fatalf("%s: got %d %s", path, a.status, a.body)
		}
		for name, value := range doc {
			address, _ := value.(string)
			target, ours := strings.CutPrefix(address, w.urls.Auth)
			if !ours || name == "issuer" || name == "resource" {
				continue
			}
			called++
			ask := request("GET", target, "Connection: close")
			if strings.HasSuffix(name, "_endpoint") && name != "authorization_endpoint" {
				ask = post(target, urlencoded, "", "Connection: close")
			}
			if a := w.ask(t, ask); a.status == 404 || a.status == 405 || a.status >= 500 {
				t.Errorf("%s lists %s %s, which answers %d %s", path, name, address, a.status, a.body)
			}
		}
		if a := w.ask(t, request("GET", path, "If-None-Match: W/"+a.header.Get("ETag"), "Connection: close")); a.status != 304 || a.body != "" {
			t.Errorf("%s, known already: got %d %s", path, a.status, a.body)
		}
		if a := w.ask(t, request("HEAD", path+"/", "Connection: close")); a.status != 200 || a.body != "" {
			t.Errorf("HEAD %s/: got %d %s", path, a.status, a.body)
		}
		for _, issuer := range list(doc["authorization_servers"]) {
			if issuer != w.urls.Auth {
				t.Errorf("%s: the authorization server is %s, want %s", path, issuer, w.urls.Auth)
			}
		}
	}
	if called < 6 {
		t.Errorf("called %d addresses only: the test looks in the wrong place", called)
	}
}

// TestListedMethodsAuthenticate uses each way that the metadata lists.
func TestListedMethodsAuthenticate(t *testing.T) {
	w := newWorld(t)
	id, secret := w.demo.PartnerClientID, w.demo.PartnerClientSecret
	ways := map[string]func(path string, fields ...string) string{
		"client_secret_basic": func(path string, fields ...string) string {
			return post(path, urlencoded, form(fields...), basic(id, secret), "Connection: close")
		},
		"client_secret_post": func(path string, fields ...string) string {
			return post(path, urlencoded, form(append(fields, credentials(id, secret)...)...), "Connection: close")
		},
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(w.ask(t, request("GET", documents[0], "Connection: close")).body), &doc); err != nil {
		t.Fatal(err)
	}
	fields := map[string][]string{
		"token_endpoint": grant, "revocation_endpoint": {"token", "x"}, "introspection_endpoint": {"token", "x"},
	}
	for endpoint, body := range fields {
		address, _ := doc[endpoint].(string)
		if address == "" {
			continue
		}
		methods := list(doc[endpoint+"_auth_methods_supported"])
		if len(methods) == 0 {
			t.Errorf("%s has no methods", endpoint)
		}
		for _, m := range methods {
			way, known := ways[m]
			if !known {
				continue // it has tests of its own
			}
			if a := w.ask(t, way(strings.TrimPrefix(address, w.urls.Auth), body...)); a.status != 200 {
				t.Errorf("%s by %s: got %d %s", endpoint, m, a.status, a.body)
			}
		}
	}
}

func list(value any) (out []string) {
	all, _ := value.([]any)
	for _, x := range all {
		text, _ := x.(string)
		out = append(out, text)
	}
	return out
}

// TestMetadataOfAHostEach: with a URL for each host the documents are where
// their host is, and name the others.
func TestMetadataOfAHostEach(t *testing.T) {
	a := open(t, 1, &clock{}, nil)
	err := a.OpenKeys(t.Context())
	urls := app.URLs{Auth: "https://auth.example.com", Customer: "https://api.example.com", Support: "https://help.example.com"}
	h, err2 := a.Handler(urls)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	for _, c := range []struct {
		host, path string
		status     int
		want       []string
	}{
		{"auth.example.com", documents[0], 200, []string{`"issuer":"https://auth.example.com"`, `"token_endpoint":"https://auth.example.com/oauth2/token"`}},
		{"auth.example.com", documents[1], 200, []string{`"jwks_uri":"https://auth.example.com/.well-known/jwks.json"`}},
		{"auth.example.com", documents[2], 404, nil},
		{"api.example.com", documents[0], 404, nil},
		{"api.example.com", documents[2], 200, []string{
			`"resource":"https://api.example.com"`, `"authorization_servers":["https://auth.example.com"]`, `"bearer_methods_supported":["header"]`,
			`"scopes_supported":["query:property","view:detailed-usage","query:user-details","impersonate:customer","manage:customers","manage:webhooks"]`,
		}},
		{"help.example.com", documents[0], 404, nil},
		{"auth.example.com", "/", 200, nil}, // service_documentation
	} {
		r := httptest.NewRequest(http.MethodGet, c.path, nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		body, _ := io.ReadAll(w.Body)
		if w.Code != c.status {
			t.Errorf("%s%s: got %d %s, want %d", c.host, c.path, w.Code, body, c.status)
		}
		for _, want := range c.want {
			if !strings.Contains(string(body), want) {
				t.Errorf("%s%s lacks %s: %s", c.host, c.path, want, body)
			}
		}
	}
}
