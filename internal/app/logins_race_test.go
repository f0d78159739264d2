package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/registry"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

// addresses counts the addresses that log in: each may so often only.
var addresses atomic.Uint32

// obtainKraken asks for a token by the inside of the input object, and returns it
// with its refresh token; empty where there is none.
func (r *racer) obtainKraken(input string) login {
	text, _ := json.Marshal(map[string]string{"query": `mutation { obtainKrakenToken(input: {` + input + `}) { token refreshToken } }`})
	q := httptest.NewRequest(http.MethodPost, "/v1/graphql/", bytes.NewReader(text))
	q.Header.Set("Content-Type", "application/json")
	n := addresses.Add(1)
	q.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:4711", byte(n>>16), byte(n>>8), byte(n))
	out := httptest.NewRecorder()
	r.handler.ServeHTTP(out, q)
	var body struct {
		Data struct{ ObtainKrakenToken *login }
	}
	if json.Unmarshal(out.Body.Bytes(), &body) != nil || body.Data.ObtainKrakenToken == nil {
		return login{}
	}
	return *body.Data.ObtainKrakenToken
}

// TestNoLogInOutlivesWhatItDependsOn races renewals, and log-ins by key, against
// what ends them. Whatever was issued until the end was answered is dead then, and
// stays dead when it is undone: no token is made in the moment between decision
// and effect that would come back to life.
func TestNoLogInOutlivesWhatItDependsOn(t *testing.T) {
	a, d, r := quick(t, filepath.Join(t.TempDir(), "data"))
	by := registry.By{Means: "test"}
	byPassword := func() login {
		return r.obtainKraken(fmt.Sprintf(`email: %q, password: %q`, d.CustomerEmail, d.CustomerPassword))
	}
	total := 0
	for round := range 6 {
		for name, c := range map[string]func(end bool) error{
			"the customer is disabled": func(end bool) error { return a.Registry.DisableUser(t.Context(), by, d.CustomerUserID, end) },
			"the partner is disabled":  func(end bool) error { return a.Registry.DisablePartner(t.Context(), by, d.Partner, end) },
			"everything of theirs ends": func(end bool) error {
				if !end {
					return nil
				}
				return a.Registry.EndTokens(t.Context(), d.Partner, d.CustomerUserID, by.Origin)
			},
		} {
			first := byPassword()
			if first.Token == "" || !r.opens(first.Token) {
				t.Fatalf("round %d: no token before %s", round, name)
			}
			stop, enough := make(chan struct{}), make(chan struct{})
			var once sync.Once
			var mu sync.Mutex
			var issued []string
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						l := r.obtainKraken(`refreshToken: "` + first.RefreshToken + `"`)
						mu.Lock()
						if l.Token != "" {
							issued = append(issued, l.Token)
						}
						if len(issued) >= 100 {
							once.Do(func() { close(enough) })
						}
						mu.Unlock()
					}
				})
			}
			<-enough
			err := c(true)
			close(stop)
			all.Wait()
			if err != nil {
				t.Fatal(err)
			}
			total += len(issued)
			for _, when := range []string{"then", "when it is undone"} {
				for _, token := range append(issued[max(0, len(issued)-100):], first.Token) {
					if r.opens(token) {
						t.Fatalf("round %d: %s, and a token of before is accepted %s", round, name, when)
					}
				}
				if l := r.obtainKraken(`refreshToken: "` + first.RefreshToken + `"`); l.Token != "" {
					t.Fatalf("round %d: %s, and the refresh token of before is accepted %s", round, name, when)
				}
				if err := c(false); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	t.Logf("%d tokens raced", total)
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestLogInsAtNodes: a log-in of one node counts at the other, and what ends it at
// one ends it at the other within the time that a node may not have heard.
func TestLogInsAtNodes(t *testing.T) {
	database := postgrestest.URL(t)
	data := t.TempDir()
	a, d := openNode(t, data, database, time.Now)
	b, _ := openNode(t, copyFolder(t, data), database, time.Now)
	if got := until(func() bool { return b.token() != "" }); got > authn.MaxFeedAge {
		t.Fatalf("the second node gives out no token after %v", got)
	}
	input := fmt.Sprintf(`email: %q, password: %q`, d.CustomerEmail, d.CustomerPassword)
	mutation := func(n *node, token, text string) string {
		body, _ := json.Marshal(map[string]string{"query": "mutation { " + text + " }"})
		return n.ask("POST", "/v1/graphql/", token, string(body))
	}
	for name, end := range map[string]func(login) string{
		"one log-in": func(l login) string {
			return mutation(a, l.Token, `invalidateRefreshToken(input: {refreshToken: "`+l.RefreshToken+`"}) { token { key } }`)
		},
		"all of them": func(l login) string {
			return mutation(a, l.Token, `forceReauthentication(input: {includeThirdParties: false}) { tokensInvalidated }`)
		},
		"all that speaks": func(l login) string {
			return mutation(a, l.Token, `forceReauthentication(input: {includeThirdParties: true}) { tokensInvalidated }`)
		},
	} {
		var l login
		if took := until(func() bool { l = a.obtainKraken(input); return l.Token != "" && b.opens(l.Token) }); took > authn.MaxFeedAge {
			t.Fatalf("%s: a log-in of one node does not count at the other", name)
		}
		if again := b.obtainKraken(`refreshToken: "` + l.RefreshToken + `"`); again.Token == "" || !a.opens(again.Token) {
			t.Fatalf("%s: the refresh token of one node does not count at the other", name)
		}
		end(l)
		if a.opens(l.Token) {
			t.Errorf("%s: the token is still accepted where it ended", name)
		}
		took := until(func() bool { return !b.opens(l.Token) })
		t.Logf("%s: at the other node after %v", name, took)
		if took > authn.MaxFeedAge {
			t.Errorf("%s: the other node still accepts the token after %v", name, took)
		}
		if again := b.obtainKraken(`refreshToken: "` + l.RefreshToken + `"`); again.Token != "" {
			t.Errorf("%s: the other node still takes the refresh token", name)
		}
	}
}
