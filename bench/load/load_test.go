package load_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/bench/load"
)

const request = "POST /oauth2/token HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na=b"

func serve(t *testing.T, handler http.HandlerFunc) load.Target {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return load.Target{Address: server.Listener.Addr().String(), Request: []byte(request)}
}

func TestRunCountsWhatTheServerHasAnswered(t *testing.T) {
	var asked atomic.Int64
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err != nil || string(body) != "a=b" {
			t.Errorf("body: got %q, %v, want a=b", body, err)
		}
		asked.Add(1)
		io.WriteString(w, `{"access_token":"a.b.c"}`)
	})
	pool, err := load.Open(t.Context(), target, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for run := range 2 {
		result, err := pool.Run(t.Context(), time.Minute, 50)
		if err != nil || result.Requests != 200 || result.Rate() <= 0 || result.Latency.Quantile(0.5) <= 0 {
			t.Errorf("run %d of 4 connections, 50 requests each: got %+v, %v, want 200 requests", run, result.Requests, err)
		}
	}
	if got, want := asked.Load(), int64(4+2*200); got != want {
		t.Errorf("the server was asked %d times, want %d", got, want)
	}
}

func TestOpenRefusesAnAnswerThatIsNoToken(t *testing.T) {
	tests := map[string]struct {
		status int
		body   string
	}{
		"a refusal":                 {401, `{"error":"invalid_client"}`},
		"no JSON":                   {200, "<html>"},
		"no token":                  {200, `{}`},
		"an opaque token":           {200, `{"access_token":"opaque"}`},
		"a token of four parts":     {200, `{"access_token":"a.b.c.d"}`},
		"a token that is no string": {200, `{"access_token":1}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			target := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(test.status)
				io.WriteString(w, test.body)
			})
			if pool, err := load.Open(t.Context(), target, 1); err == nil {
				pool.Close()
				t.Errorf("status %d, body %q: got no error", test.status, test.body)
			}
		})
	}
}

func TestRunEndsAtTheFirstWrongAnswer(t *testing.T) {
	token := `{"access_token":"a.b.c` + strings.Repeat("c", 100) + `"}`
	tests := map[string]struct {
		status int
		body   string
	}{
		"a refusal":                   {503, token},
		"an answer of another length": {200, token + strings.Repeat(" ", 50)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			target := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) < 10 {
					io.WriteString(w, token)
					return
				}
				w.WriteHeader(test.status)
				io.WriteString(w, test.body)
			})
			pool, err := load.Open(t.Context(), target, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			if result, err := pool.Run(t.Context(), time.Minute, 50); err == nil {
				t.Errorf("status %d, %d bytes: got %+v and no error", test.status, len(test.body), result)
			}
		})
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var asked atomic.Int64
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 10 {
			cancel()
		}
		io.WriteString(w, `{"access_token":"a.b.c"}`)
	})
	pool, err := load.Open(ctx, target, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Run(ctx, time.Hour, 0); err == nil {
		t.Error("a run whose context has ended: got no error")
	}
}
