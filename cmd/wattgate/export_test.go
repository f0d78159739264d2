package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// vendor is a server that gives a token to everybody and answers exports.
func vendor(t *testing.T, answer http.HandlerFunc) world {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth2/token", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"access_token":"at"}`) })
	mux.HandleFunc("GET /v1/measurements/{file}", answer)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	env := map[string]string{
		"WATTGATE_AUTH_URL": s.URL, "WATTGATE_GRAPHQL_URL": s.URL + "/v1/graphql/", "WATTGATE_CLIENT_ID": "app_x", "WATTGATE_CLIENT_SECRET": "hush",
	}
	return world{now: time.Now, out: &bytes.Buffer{}, err: &bytes.Buffer{}, env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
}

func export(t *testing.T, w world, more ...string) int {
	t.Helper()
	return run(t.Context(), append([]string{"export", "NLD_ELECTRICITY:1", "--from", "2026-01-01", "--to", "2026-01-31"}, more...), w)
}

// What is cut off on the way leaves the file as it was, and nothing beside it.
func TestNoHalfFile(t *testing.T) {
	w := vendor(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("a line\n", 20_000))
		panic(http.ErrAbortHandler)
	})
	path := filepath.Join(t.TempDir(), "out.csv")
	for _, before := range []string{"", "what was there"} {
		if before != "" {
			if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if code := export(t, w, "--out", path); code != exitFailure {
			t.Errorf("a file that is cut off: exit code %d, want %d", code, exitFailure)
		}
		if got, _ := os.ReadFile(path); string(got) != before {
			t.Errorf("the file has %d bytes, want it as it was: %q", len(got), before)
		}
		if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); err != nil || len(left) > 0 {
			t.Errorf("%q is left (%v), want nothing", left, err)
		}
	}
	if code := export(t, w); code != exitFailure {
		t.Errorf("one that is cut off on standard output: exit code %d, want %d", code, exitFailure)
	}
}

func TestWholeFile(t *testing.T) {
	asked := make(chan *http.Request, 1)
	w := vendor(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r
		_, _ = io.WriteString(w, "all of it")
	})
	path := filepath.Join(t.TempDir(), "out.json")
	if code := export(t, w, "--out", path, "--format", "json", "--by", "DAY", "--direction", "GENERATION", "--register", "2.8.0"); code != 0 {
		t.Fatalf("exit code %d: %s", code, w.err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "all of it" {
		t.Errorf("got %q (%v), want all of it", got, err)
	}
	r := <-asked
	if got, want := r.URL.String(), "/v1/measurements/NLD_ELECTRICITY:1.json?by=DAY&direction=GENERATION&from=2026-01-01&register=2.8.0&to=2026-01-31"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
	if got := r.Header.Get("Authorization"); got != "Bearer at" {
		t.Errorf("asked as %q, want the token", got)
	}
}

func TestExitCodesOfAnExport(t *testing.T) {
	for status, want := range map[int]int{
		400: exitFailure, 401: exitNotAllowed, 403: exitNotAllowed, 404: exitNotFound, 422: exitFailure, 429: exitThrottled, 500: exitFailure, 503: exitFailure,
		307: exitFailure, // a token is not carried elsewhere
	} {
		w := vendor(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "elsewhere") {
				t.Error("a redirect was followed")
			}
			w.Header().Set("Location", "/v1/measurements/elsewhere")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"detail":"because of `+strconv.Itoa(status)+`"}`)
		})
		if code := export(t, w); code != want {
			t.Errorf("status %d: exit code %d, want %d", status, code, want)
		}
		said := w.err.(*bytes.Buffer).String()
		if !strings.Contains(said, "because of "+strconv.Itoa(status)) || strings.Contains(said, "hush") {
			t.Errorf("status %d: said %q, want the server's sentence and no secret", status, said)
		}
	}
}
