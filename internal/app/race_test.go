package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/app"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// TestNothingOutlivesItsEnd races token requests against the replacing of the
// secret they are made with, the disabling of the application and the narrowing
// of its role. Whatever was issued, at the token endpoint or by impersonation,
// must be dead when the change has been answered: a token made in the moment
// between the decision and its effect would give whoever stole the secret
// another hour.
func TestNothingOutlivesItsEnd(t *testing.T) {
	a, err := app.Open(t.Context(), &app.Config{Data: t.TempDir()}, app.World{Now: time.Now, Log: io.Discard})
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
	by := registry.By{Means: "test"}
	secret := d.PartnerClientSecret
	rounds := map[string]func() error{
		"replace": func() error {
			fresh, err := a.Registry.ReplaceSecret(t.Context(), by, d.PartnerClientID, 0)
			secret = fresh.Reveal()
			return err
		},
		"disable": func() error { return a.Registry.SetDisabled(t.Context(), by, d.PartnerClientID, true) },
		"narrow the role": func() error {
			return a.Registry.SetRole(t.Context(), by, domain.Role{Name: domain.RolePartnerIntegration, Permissions: domain.PermissionSet(domain.CanImpersonate, domain.CanViewPersonalData)})
		},
	}
	total := 0
	for round := range 8 {
		for name, change := range rounds {
			r := &racer{handler: h, id: string(d.PartnerClientID), secret: secret, user: string(d.CustomerUserID), stop: make(chan struct{})}
			r.start(6)
			r.waitFor(t, 200)
			err := change()
			issued := r.end()
			if err != nil {
				t.Fatal(err)
			}
			total += len(issued)
			if name == "disable" {
				err = a.Registry.SetDisabled(t.Context(), by, d.PartnerClientID, false)
			} else if name == "narrow the role" {
				err = a.Registry.SetRole(t.Context(), by, domain.DocumentedRoles()[1])
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, token := range issued[max(0, len(issued)-150):] { // the latest are the doubtful ones
				if r.opens(token) {
					t.Fatalf("round %d: a token survives: %s", round, name)
				}
			}
		}
	}
	t.Logf("%d tokens raced", total)
	if total < 5_000 {
		t.Errorf("only %d tokens raced: this shows little", total)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// racer asks for tokens until it is stopped.
type racer struct {
	handler          http.Handler
	id, secret, user string
	stop             chan struct{}
	done             sync.WaitGroup

	mu     sync.Mutex
	issued []string
	enough sync.Cond
}

func (r *racer) start(n int) {
	r.enough.L = &r.mu
	for i := range n {
		r.done.Go(func() {
			for {
				select {
				case <-r.stop:
					return
				default:
				}
				token := r.token()
				if token != "" && i%2 == 1 {
					token = r.impersonate(token)
				}
				r.mu.Lock()
				if token != "" {
					r.issued = append(r.issued, token)
				}
				r.enough.Broadcast()
				r.mu.Unlock()
			}
		})
	}
}

// waitFor waits until so many tokens are there.
func (r *racer) waitFor(t *testing.T, n int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.issued) < n {
		r.enough.Wait()
	}
}

// end stops asking and returns what was issued.
func (r *racer) end() []string {
	close(r.stop)
	r.done.Wait()
	return r.issued
}

func (r *racer) ask(method, target, authorization, body string) string {
	q := httptest.NewRequest(method, target, strings.NewReader(body))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if strings.HasPrefix(body, "{") {
		q.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		q.Header.Set("Authorization", authorization)
	}
	out := httptest.NewRecorder()
	r.handler.ServeHTTP(out, q)
	return out.Body.String()
}

func (r *racer) token() string {
	return accessIn(r.ask("POST", "/oauth2/token", "", fmt.Sprintf("grant_type=client_credentials&client_id=%s&client_secret=%s", r.id, r.secret)))
}

func (r *racer) impersonate(token string) string {
	return accessIn(r.ask("GET", "/v1/auth/impersonate?user_id="+r.user, token, ""))
}

// opens reports whether a token opens anything at the customer API.
func (r *racer) opens(token string) bool {
	answer := r.ask("POST", "/graphql", token, `{"query":"{ property(id: \"prop_none\") { id } }"}`)
	return !strings.Contains(answer, "KT-CT-1111")
}

func accessIn(body string) string {
	var answer struct {
		Token string `json:"access_token"`
	}
	if json.Unmarshal([]byte(body), &answer) != nil {
		return ""
	}
	return answer.Token
}
