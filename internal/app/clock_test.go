package app_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/app"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// TestAClockThatWasAhead: somebody got tokens while the clock was two hours
// ahead. It is set back, and the secret is replaced. Those tokens must not come
// to life when their time has come, also when the server was started again in
// between; what is issued afterwards works at once.
func TestAClockThatWasAhead(t *testing.T) {
	for _, restart := range []bool{false, true} {
		c := &clock{}
		c.micros.Store(noon.UnixMicro())
		data := filepath.Join(t.TempDir(), "data")
		var a *app.App
		r := &racer{}
		start := func() {
			a = open(t, 1, c, nil, "data", data)
			d, err := a.OpenDemo(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := a.OpenKeys(t.Context()); err != nil {
				t.Fatal(err)
			}
			if r.handler, err = a.Handler(app.URLs{Auth: "http://wattgate.test", Customer: "http://wattgate.test", Support: "http://wattgate.test"}); err != nil {
				t.Fatal(err)
			}
			r.id, r.user = string(d.PartnerClientID), string(d.CustomerUserID)
			if r.secret == "" {
				r.secret = d.PartnerClientSecret
			}
		}
		start()
		c.move(2 * time.Hour)
		stolen := r.token()
		child := r.impersonate(stolen)
		if !r.opens(stolen) || !r.opens(child) {
			t.Fatal("a fresh token is not accepted")
		}
		c.move(-2 * time.Hour)
		if restart {
			if err := a.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			start()
		}
		secret, err := a.Registry.ReplaceSecret(t.Context(), registry.By{Means: "test"}, domain.ClientID(r.id), 0)
		if err != nil {
			t.Fatal(err)
		}
		old := r.secret
		if r.secret = secret.Reveal(); r.token() == "" {
			t.Fatalf("restart %v: the new secret brings no token", restart)
		}
		own := r.token()
		if !r.opens(own) || !r.opens(r.impersonate(own)) {
			t.Errorf("restart %v: a token of the new secret is not accepted", restart)
		}
		if again := (&racer{handler: r.handler, id: r.id, secret: old}).token(); again != "" {
			t.Errorf("restart %v: the old secret still works", restart)
		}
		c.move(2*time.Hour + time.Second)
		if r.opens(stolen) || r.opens(child) {
			t.Errorf("restart %v: a token from the future has come to life", restart)
		}
		if !r.opens(r.token()) {
			t.Errorf("restart %v: later there are no tokens", restart)
		}
		if err := a.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
