package demo

import (
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// Person stands in for somebody with a browser: cookies, redirects, and the
// forms that a page has, filled with what their fields ask for. It knows no
// page of ours.
type Person struct {
	Email, Password string
	Code            string // what their device shows, if they have one
	browser         *http.Client
}

// Customer returns the demo's customer, who has not logged in yet.
func (s *Server) Customer(t testing.TB) *Person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Person{Email: s.Env["CUSTOMER_EMAIL"], Password: s.Env["CUSTOMER_PASSWORD"], browser: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Visit follows a link, and every form after it, until an address begins with
// until, or a page has no more form. It returns the last address.
func (p *Person) Visit(t testing.TB, address, until string) *url.URL {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 15 {
		if until != "" && strings.HasPrefix(r.URL.String(), until) {
			return r.URL
		}
		answer, err := p.browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(answer.Body)
		if err = errors.Join(err, answer.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if to, err := answer.Location(); err == nil {
			r = p.request(t, "GET", to, nil)
			continue
		}
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %s\n%s", r.Method, r.URL, answer.Status, page)
		}
		f, ok := p.fill(t, string(page))
		if !ok {
			if until != "" {
				t.Fatalf("the way to %s ends at %s:\n%s", until, r.URL, page)
			}
			return r.URL
		}
		to, err := answer.Request.URL.Parse(f.action)
		if err != nil {
			t.Fatal(err)
		}
		r = p.request(t, strings.ToUpper(f.method), to, f.fields)
	}
	t.Fatalf("still at %s after 15 pages", r.URL)
	return nil
}

func (p *Person) request(t testing.TB, method string, to *url.URL, fields url.Values) *http.Request {
	t.Helper()
	body := io.Reader(nil)
	if method == http.MethodPost {
		body = strings.NewReader(fields.Encode())
	} else if fields != nil {
		copied := *to
		copied.RawQuery = fields.Encode()
		to, method = &copied, http.MethodGet
	}
	r, err := http.NewRequestWithContext(t.Context(), method, to.String(), body)
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", to.Scheme+"://"+to.Host)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return r
}
