package app_test

import (
	"errors"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/app"
	"github.com/wattgate/wattgate/internal/oauth"
)

// quick is an installation without a listener, and a racer that asks it.
func quick(t *testing.T, data string) (*app.App, *app.Demo, *racer) {
	t.Helper()
	return quickAt(t, data, time.Now)
}

// quickAt is quick by another clock.
func quickAt(t *testing.T, data string, now func() time.Time) (*app.App, *app.Demo, *racer) {
	t.Helper()
	a, err := app.Open(t.Context(), &app.Config{Data: data}, app.World{Now: now, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.OpenDemo(t.Context())
	if err = errors.Join(err, a.OpenKeys(t.Context())); err != nil {
		t.Fatal(err)
	}
	h, err := a.Handler(app.URLs{Auth: "http://wattgate.test", Customer: "http://wattgate.test", Support: "http://wattgate.test"})
	if err != nil {
		t.Fatal(err)
	}
	return a, d, &racer{handler: h, id: string(d.PartnerClientID), secret: d.PartnerClientSecret, user: string(d.CustomerUserID)}
}

func (r *racer) client() string { return "client_id=" + r.id + "&client_secret=" + r.secret }

func (r *racer) revoke(token string) string {
	return r.ask("POST", "/oauth2/revoke", "", r.client()+"&token="+token)
}

func (r *racer) active(token string) bool {
	return strings.Contains(r.ask("POST", "/oauth2/introspect", "", r.client()+"&token="+token), `"active":true`)
}

func (r *racer) exchange(token string) string {
	return accessIn(r.ask("POST", "/oauth2/token", "", r.client()+"&grant_type="+url.QueryEscape(oauth.GrantTokenExchange)+"&subject_token="+r.user+
		"&subject_token_type="+url.QueryEscape(oauth.TokenTypeUserID)+"&actor_token="+token+"&actor_token_type="+url.QueryEscape(oauth.TokenTypeAccess)))
}

// recorded counts the entries of the audit log with an action.
func recorded(t *testing.T, a *app.App, action string) (n int) {
	t.Helper()
	for after := ""; ; {
		list, err := a.Engine().Entries(t.Context(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			if after = e.ID; e.Action == action {
				n++
			}
		}
		if len(list) < 1000 {
			return n
		}
	}
}

// TestNoTokenIsAcceptedAfterItsRevocation races 10,000 requests with tokens
// against the revocation of those tokens. Whatever was asked after the
// revocation had been answered must be refused: by the customer API, by both
// spellings of impersonation, and by introspection. What was not revoked, and
// what was made of it before, goes on.
func TestNoTokenIsAcceptedAfterItsRevocation(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	a, _, r := quick(t, data)
	const rounds, each = 20, 250 // requests before and after, in each round
	var early, late, wrong atomic.Int64
	var revoked []string
	var mate, child string
	for round := range rounds {
		own := r.token()
		mate = r.token()
		token := own
		if child = r.exchange(own); round%2 == 1 {
			token, child = child, "" // a customer's token
		}
		if !r.active(token) || child != "" && !r.opens(child) {
			t.Fatal("a fresh token is not accepted")
		}
		var answered atomic.Bool
		var before, then atomic.Int64
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				way := i % 4
				if token != own { // it makes no tokens
					way %= 2
				}
				for then.Load() < each {
					after, accepted := answered.Load(), false
					switch way {
					case 0:
						accepted = r.opens(token)
					case 1:
						accepted = r.active(token)
					case 2:
						accepted = r.impersonate(token) != ""
					case 3:
						accepted = r.exchange(token) != ""
					}
					switch {
					case after && accepted:
						wrong.Add(1)
					case after:
						late.Add(1)
					case accepted:
						early.Add(1)
					}
					if after {
						then.Add(1)
					} else {
						before.Add(1)
					}
				}
			})
		}
		for before.Load() < each {
			r.opens(mate) // something else happens meanwhile
		}
		if body := r.revoke(token); body != "" {
			t.Fatalf("a revocation was answered with %s", body)
		}
		answered.Store(true)
		if r.active(token) || r.opens(token) { // by whoever got the answer
			wrong.Add(1)
		}
		all.Wait()
		revoked = append(revoked, token)
		if !r.opens(mate) || child != "" && !r.opens(child) {
			t.Fatal("a revocation ended another token")
		}
	}
	t.Logf("%d accepted before, %d refused after the answer", early.Load(), late.Load())
	if wrong.Load() > 0 {
		t.Errorf("%d requests were accepted with a token whose revocation had been answered", wrong.Load())
	}
	if early.Load()+late.Load() < 10_000 {
		t.Error("fewer than 10,000: this shows little")
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	// What was answered is durable: another run refuses them from the start.
	a, _, r = quick(t, data)
	for i, token := range revoked {
		if r.active(token) || r.opens(token) {
			t.Fatalf("token %d is accepted again after a new start", i)
		}
	}
	if !r.opens(mate) {
		t.Error("what was not revoked is refused after a new start")
	}
	if n := recorded(t, a, "token.revoke"); n != rounds {
		t.Errorf("the audit log has %d revocations, want %d", n, rounds)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
