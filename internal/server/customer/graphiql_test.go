package customer_test

import (
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/customer"
)

const bundle = `"use strict"; // what a bundle could be`

// built is what `make web` leaves, with a page that shows all that it is told.
func built(t testing.TB) fstest.MapFS {
	t.Helper()
	return fstest.MapFS{
		"index.html":                  {Data: []byte(`<p>%GRAPHQL% %AUTH% %AWAY% %ENVIRONMENT%<script src="assets/graphiql-AB12.js">`)},
		"assets/graphiql-AB12.js.gz":  {Data: []byte(packed(t, "gzip", bundle))},
		"assets/licences-CD34.txt.gz": {Data: []byte(packed(t, "gzip", "MIT"))},
		"secret.txt.gz":               {Data: []byte(packed(t, "gzip", "beside the assets"))},
	}
}

// pageHost serves a customer host of its own, with what was built for it.
func pageHost(t testing.TB, h *customer.Host) http.Handler {
	t.Helper()
	w := newWorld(t)
	h.Usage, h.Environment = w.usage, "staging"
	if h.URL == "" {
		h.URL, h.AuthURL = "http://one.test", "http://one.test"
	}
	table, err := h.Table()
	if err != nil {
		t.Fatal(err)
	}
	hosts, err := (&server.Serving{Log: slog.New(slog.DiscardHandler), Now: time.Now}).OneOrigin(table)
	if err != nil {
		t.Fatal(err)
	}
	return hosts
}

func askPage(h http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	out := httptest.NewRecorder()
	h.ServeHTTP(out, r)
	return out
}

func TestGraphiQL(t *testing.T) {
	h := pageHost(t, &customer.Host{Web: built(t), URL: "http://api.test", AuthURL: `http://auth.test/"><b>`})
	page := askPage(h, "GET", "/graphiql/", "Cookie", "wattgate=somebody")
	want := `<p>/v1/graphql/ http://auth.test/&#34;&gt;&lt;b&gt; true staging<script src="assets/graphiql-AB12.js">`
	if page.Code != http.StatusOK || page.Body.String() != want {
		t.Errorf("the page: %d %s, want 200 %s", page.Code, page.Body, want)
	}
	policy := page.Header().Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self' ws://api.test", "frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy+";", part+";") {
			t.Errorf("the policy %q has no %q", policy, part)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
		t.Errorf("the policy %q lets in more than the page's own", policy)
	}
	for name, want := range map[string]string{"Cache-Control": "no-cache", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin", "Set-Cookie": ""} {
		if got := page.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	again := askPage(h, "GET", "/graphiql/", "If-None-Match", page.Header().Get("ETag"))
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 || again.Header().Get("Content-Security-Policy") != policy {
		t.Errorf("who has the page gets %d with %d bytes and the policy %q", again.Code, again.Body.Len(), again.Header().Get("Content-Security-Policy"))
	}
	moved := askPage(h, "GET", "/graphiql?query=secret")
	if moved.Code != http.StatusSeeOther || moved.Header().Get("Location") != "/graphiql/" {
		t.Errorf("without the slash: %d to %q", moved.Code, moved.Header().Get("Location"))
	}
	if one := askPage(pageHost(t, &customer.Host{Web: built(t)}), "GET", "/graphiql/"); !strings.Contains(one.Body.String(), " false staging") {
		t.Errorf("with one origin the page is %s, want false: the token endpoint is here", one.Body)
	}
}

func TestFilesOfGraphiQL(t *testing.T) {
	h := pageHost(t, &customer.Host{Web: built(t)})
	tests := map[string]struct {
		accept string
		packed bool
	}{
		"a browser":                  {"gzip, deflate, br, zstd", true},
		"a client of one coding":     {"GZIP", true},
		"a client of all codings":    {"*", true},
		"gzip with a weight":         {"br;q=1.0, gzip; q=0.5", true},
		"no word of it":              {"", false},
		"another coding":             {"br", false},
		"gzip refused":               {"gzip;q=0", false},
		"gzip refused, others not":   {"*, gzip;q=0.0", false},
		"everything refused":         {"*;q=0", false},
		"a weight that is none":      {"gzip;q=much", false},
		"nothing but the identity":   {"identity", false},
		"a name that begins like it": {"gzipped", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			out := askPage(h, "GET", "/graphiql/assets/graphiql-AB12.js", "Accept-Encoding", test.accept)
			body := io.Reader(out.Body)
			if got := out.Header().Get("Content-Encoding") == "gzip"; got != test.packed {
				t.Fatalf("packed is %v, want %v", got, test.packed)
			}
			if test.packed {
				var err error
				if body, err = gzip.NewReader(out.Body); err != nil {
					t.Fatal(err)
				}
			}
			text, err := io.ReadAll(body)
			if err != nil || string(text) != bundle {
				t.Errorf("got %q and %v, want %q", text, err, bundle)
			}
			for name, want := range map[string]string{"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding", "Content-Type": "text/javascript; charset=utf-8"} {
				if got := out.Header().Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
	head := askPage(h, "HEAD", "/graphiql/assets/licences-CD34.txt", "Accept-Encoding", "gzip")
	if head.Code != http.StatusOK || head.Body.Len() != 0 || head.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD: %d, %d bytes, length %q", head.Code, head.Body.Len(), head.Header().Get("Content-Length"))
	}
	for _, path := range []string{"graphiql-AB12.js.gz", "index.html", "graphiql-0000.js", "..%2fsecret.txt", "%2e%2e%2findex.html", "", "a.js/b.js", "\x00.js"} {
		out := askPage(h, "GET", "/graphiql/assets/"+strings.ReplaceAll(path, "\x00", "%00"))
		if out.Code != http.StatusNotFound || strings.Contains(out.Body.String(), "beside") {
			t.Errorf("%q: %d %s, want 404", path, out.Code, out.Body)
		}
	}
}

// Whatever a client says that it reads, it gets the file, and packed only where it
// said something of gzip or of everything.
func FuzzAcceptEncoding(f *testing.F) {
	for _, seed := range []string{"gzip", "gzip;q=0", "*;q=0.001, br", "identity;q=1, *;q=0", "gzip;q=1e309", " ;;=, gzip ; Q = 0.5"} {
		f.Add(seed)
	}
	h := pageHost(f, &customer.Host{Web: built(f)})
	f.Fuzz(func(t *testing.T, accept string) {
		r := httptest.NewRequest("GET", "/graphiql/assets/graphiql-AB12.js", nil)
		r.Header["Accept-Encoding"] = []string{accept}
		out := httptest.NewRecorder()
		h.ServeHTTP(out, r)
		body := io.Reader(out.Body)
		if out.Header().Get("Content-Encoding") == "gzip" {
			if !strings.Contains(strings.ToLower(accept), "gzip") && !strings.Contains(accept, "*") {
				t.Errorf("%q gets gzip", accept)
			}
			var err error
			if body, err = gzip.NewReader(out.Body); err != nil {
				t.Fatal(err)
			}
		}
		if text, err := io.ReadAll(body); err != nil || string(text) != bundle {
			t.Errorf("%q gets %q and %v", accept, text, err)
		}
	})
}

// A program that was built without Node says so, and how to change it.
func TestGraphiQLThatNobodyBuilt(t *testing.T) {
	for name, host := range map[string]*customer.Host{"no pages": {}, "an empty folder": {Web: fstest.MapFS{"README.md": {}}}} {
		h := pageHost(t, host)
		out := askPage(h, "GET", "/graphiql/")
		if out.Code != http.StatusNotFound || !strings.Contains(out.Body.String(), "make web") || out.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d %s, want 404 and how to build it", name, out.Code, out.Body)
		}
		if out := askPage(h, "GET", "/graphiql/assets/graphiql-AB12.js"); out.Code != http.StatusNotFound {
			t.Errorf("%s: a file of it: %d, want 404", name, out.Code)
		}
	}
}

// The examples of the page are documents of this API.
func TestExamplesOfGraphiQL(t *testing.T) {
	files, err := filepath.Glob("../../../web/src/examples/*.graphql")
	if err != nil || len(files) < 6 {
		t.Fatalf("found %d examples and %v, want six", len(files), err)
	}
	w := newWorld(t)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		document, errs := gqlparser.LoadQueryWithRules(w.api.Schema(), string(text), rules.NewDefaultRules())
		if len(errs) > 0 {
			t.Errorf("%s: %v", file, errs)
			continue
		}
		name := strings.TrimSuffix(filepath.Base(file), ".graphql")
		if len(document.Operations) != 1 || document.Operations[0].Name != name {
			t.Errorf("%s has %d operations; want one of that name", file, len(document.Operations))
		}
		for line := range strings.Lines(string(text)) {
			if comment, ok := strings.CutPrefix(line, "#"); ok && len(comment) > 54 {
				t.Errorf("%s: the comment %q is wider than the editor", file, line)
			}
		}
	}
}
