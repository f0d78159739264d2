package app_test

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// tries asks for tokens with one secret, each time from another network: who
// fails often from one network is slowed down, which is another answer than the
// one that matters here.
type tries struct {
	*racer
	n atomic.Int64
}

// with returns the status of a token request.
func (r *tries) with(secret string) int {
	n := r.n.Add(1)
	q := httptest.NewRequest("POST", "/oauth2/token", strings.NewReader("grant_type=client_credentials&client_id="+r.id+"&client_secret="+secret))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.RemoteAddr = fmt.Sprintf("10.%d.%d.1:40000", n>>8&255, n&255)
	out := httptest.NewRecorder()
	r.handler.ServeHTTP(out, q)
	return out.Code
}

// liveSecret returns the name of the secret that opens now.
func liveSecret(t *testing.T, r *registry.Registry, app domain.ClientID) domain.SecretID {
	t.Helper()
	list, err := r.Store.Secrets(t.Context(), app)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		if s.Live(time.Now()) {
			return s.ID
		}
	}
	t.Fatal("the application has no live secret")
	return ""
}

// TestNoSecretIsAcceptedAfterItsEnd races 10,000 token requests with a secret
// against its being replaced, or retired beside its successor. What is asked
// after that has returned gets no token, not once; what is asked with the
// successor gets one.
func TestNoSecretIsAcceptedAfterItsEnd(t *testing.T) {
	a, d, first := quick(t, filepath.Join(t.TempDir(), "data"))
	r := &tries{racer: first}
	by, app := registry.By{Means: "test"}, d.PartnerClientID
	const rounds, each = 20, 250 // requests before and after, in each round
	var early, late, wrong, others atomic.Int64
	old := d.PartnerClientSecret
	for round := range rounds {
		var successor string
		stop := func() error {
			fresh, err := a.Registry.ReplaceSecret(t.Context(), by, app, 0)
			successor = fresh.Reveal()
			return err
		}
		if round%2 == 1 {
			which := liveSecret(t, a.Registry, app)
			fresh, err := a.Registry.AddSecret(t.Context(), by, app, time.Hour, 0)
			if err != nil {
				t.Fatal(err)
			}
			successor = fresh.Reveal()
			stop = func() error { return a.Registry.RetireSecret(t.Context(), by, app, which) }
		}
		var answered atomic.Bool
		var before, then atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for then.Load() < each {
					after := answered.Load() // before the request begins
					status := r.with(old)
					switch {
					case after && status == 200:
						wrong.Add(1)
					case after && status == 401:
						late.Add(1)
					case after:
						others.Add(1)
					case status == 200:
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
			first.opens("x") // something else happens meanwhile
		}
		err := stop()
		answered.Store(true)
		if r.with(old) == 200 { // by whoever got the answer
			wrong.Add(1)
		}
		all.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if status := r.with(successor); status != 200 {
			t.Fatalf("round %d: the successor gets %d", round, status)
		}
		old = successor
	}
	t.Logf("counted: %d requests with a secret before its end got 200, %d after it 401, %d another refusal, %d got 200", early.Load(), late.Load(), others.Load(), wrong.Load())
	if wrong.Load() > 0 {
		t.Errorf("%d requests got a token with a secret that had ended", wrong.Load())
	}
	if others.Load() > 0 {
		t.Errorf("%d requests got neither 200 nor 401: this shows less", others.Load())
	}
	if n := early.Load() + late.Load(); n < 10_000 {
		t.Errorf("%d requests only: this shows little", n)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
