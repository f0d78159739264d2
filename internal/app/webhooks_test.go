package app_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/wattgate/wattgate/internal/app"
	"github.com/wattgate/wattgate/internal/webhook"
)

func networks(t *testing.T, text string) webhook.Networks {
	t.Helper()
	list, bad := webhook.ParseNetworks(text)
	if bad != "" {
		t.Fatalf("%q is no network", bad)
	}
	return list
}

// The address that is dialled is what counts, whatever the name; a redirect leads
// nowhere; and an error tells nothing of our network.
func TestWhereDeliveriesGo(t *testing.T) {
	var secrets atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { secrets.Add(1) }))
	t.Cleanup(inside.Close)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		switch {
		case err != nil || string(body) != `{"id":"evt_1"}` || r.Method != http.MethodPost || r.Header.Get("X-Test") != "yes" || r.Header.Get("Authorization") != "":
			http.Error(w, "not what was sent", http.StatusTeapot)
		case r.URL.Path == "/redirect":
			http.Redirect(w, r, inside.URL+"/secret", http.StatusTemporaryRedirect)
		case r.URL.Path == "/large":
			for range 1 << 10 {
				_, _ = w.Write(make([]byte, 64<<10))
			}
		case r.URL.Path == "/cut":
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(receiver.Close)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := "http://" + nobody.Addr().String()
	if err := nobody.Close(); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(receiver.URL, "http://"))
	t.Setenv("HTTP_PROXY", inside.URL) // is not asked
	open, closed := networks(t, "127.0.0.0/8, ::1"), networks(t, "10.0.0.0/8")
	for name, c := range map[string]struct {
		networks webhook.Networks
		url      string
		want     string
	}{
		"where it is allowed":            {open, receiver.URL + "/hook", "200 <nil>"},
		"by its name":                    {open, "http://localhost:" + port + "/hook", "200 <nil>"},
		"not allowed, by its address":    {closed, receiver.URL + "/hook", "0 the address is not public"},
		"not allowed, by its name":       {nil, "http://localhost:" + port + "/hook", "0 the address is not public"},
		"an address in another dress":    {nil, "http://[::ffff:127.0.0.1]:" + port + "/hook", "0 the address is not public"},
		"a cloud's own":                  {open, "http://169.254.169.254/latest", "0 the address is not public"},
		"a redirect":                     {open, receiver.URL + "/redirect", "307 <nil>"},
		"more of an answer than is read": {open, receiver.URL + "/large", "200 <nil>"},
		"a connection that breaks":       {open, receiver.URL + "/cut", "0 the connection broke, or its certificate is not good"},
		"nobody there":                   {open, gone + "/hook", "0 no connection could be made"},
		"a name that nobody has":         {open, "http://nobody.invalid/hook", "0 no connection could be made"},
		"another protocol":               {open, strings.Replace(receiver.URL, "http:", "https:", 1), "0 the connection broke, or its certificate is not good"},
	} {
		status, err := app.NewSender(c.networks).Send(t.Context(), webhook.Request{URL: c.url, Body: []byte(`{"id":"evt_1"}`), Header: [][2]string{{"X-Test", "yes"}}})
		if got := fmt.Sprint(status, " ", err); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	if secrets.Load() != 0 {
		t.Error("what a redirect or a proxy led to was asked")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := app.NewSender(open).Send(ctx, webhook.Request{URL: receiver.URL}); err == nil {
		t.Error("it was sent after the end")
	}
}
