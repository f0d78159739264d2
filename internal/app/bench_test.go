package app_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/app"
)

// handler is a demo's, without the network.
func handler(b *testing.B) (http.Handler, *app.Demo) {
	b.Helper()
	c := &clock{}
	c.micros.Store(noon.UnixMicro())
	a := open(b, 1, c, io.Discard, "token-alg", "EdDSA")
	d, err := a.OpenDemo(b.Context())
	if err = errors.Join(err, a.OpenKeys(b.Context())); err != nil {
		b.Fatal(err)
	}
	h, err := a.Handler(app.URLs{Auth: "http://wattgate.test", Customer: "http://wattgate.test", Support: "http://wattgate.test"})
	if err != nil {
		b.Fatal(err)
	}
	return h, d
}

// BenchmarkTokenRequest is the whole way of a request for a token through our
// handler, without the network.
func BenchmarkTokenRequest(b *testing.B) {
	h, d := handler(b)
	form := form(with(grant, credentials(d.PartnerClientID, d.PartnerClientSecret), []string{"scope", "openid offline"})...)
	text := body{strings.NewReader(form)}
	r := &http.Request{
		Method: "POST", URL: &url.URL{Path: "/oauth2/token"}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: "127.0.0.1:4711",
		Header: http.Header{"Content-Type": {urlencoded}}, ContentLength: int64(len(form)), Body: text, Host: "wattgate.test",
	}
	w := &reused{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		text.Reset(form)
		clear(w.header)
		r.Form, r.PostForm = nil, nil
		h.ServeHTTP(w, r)
	}
	if w.status != http.StatusOK {
		b.Fatalf("got status %d", w.status)
	}
}

// BenchmarkImpersonation is the whole way of an impersonation, its entry in the
// audit log on disk, with 64 under way at a time.
func BenchmarkImpersonation(b *testing.B) {
	h, d := handler(b)
	asked := httptest.NewRequest("POST", "http://wattgate.test/oauth2/token",
		strings.NewReader(form(with(grant, credentials(d.PartnerClientID, d.PartnerClientSecret))...)))
	asked.Header.Set("Content-Type", urlencoded)
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, asked)
	bearer := answer.Header().Get("Authorization")
	b.ReportAllocs()
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		w := &reused{header: http.Header{}}
		for pb.Next() {
			r := &http.Request{
				Method: "GET", URL: &url.URL{Path: "/v1/auth/impersonate", RawQuery: "user_id=" + string(d.CustomerUserID)},
				Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: "127.0.0.1:4711",
				Header: http.Header{"Authorization": {bearer}}, Host: "wattgate.test",
			}
			clear(w.header)
			h.ServeHTTP(w, r)
			if w.status != http.StatusOK {
				b.Errorf("got status %d", w.status)
				return
			}
		}
	})
}
