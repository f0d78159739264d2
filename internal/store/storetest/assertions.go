package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

var assertions = []promise{
	{"an assertion is good once, and each client names its own", func(t *testing.T, w *world) {
		use := func(h house, jti string, want bool) {
			t.Helper()
			fresh, err := w.RememberJTI(t.Context(), h.app.ID, jti, future)
			must(t, err)
			equal(t, "fresh", fresh, want)
		}
		use(w.alpha, "one", true)
		use(w.beta, "one", true)
		use(w.alpha, "one", false)
		use(w.beta, "one", false)
		use(w.alpha, "two", true)
	}},
	{"of many at once exactly one is told that it is fresh", func(t *testing.T, w *world) {
		var told atomic.Int32
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() {
				fresh, err := w.RememberJTI(t.Context(), w.alpha.app.ID, "raced", future)
				if err != nil {
					t.Error(err)
				}
				if fresh {
					told.Add(1)
				}
			})
		}
		all.Wait()
		equal(t, "times fresh", told.Load(), int32(1))
	}},
	{"what has expired while it waited is as good as used", func(t *testing.T, w *world) {
		fresh, err := w.RememberJTI(t.Context(), w.alpha.app.ID, "old", past)
		must(t, err)
		equal(t, "fresh", fresh, false)
	}},
	{"a revocation never goes back, whatever the clock does", func(t *testing.T, w *world) {
		for _, at := range []time.Time{future, past} {
			must(t, w.ChangeApplication(t.Context(), w.alpha.app.ID, func(a *domain.Application) error {
				a.RevokedBefore = at
				return nil
			}, w.entry("application.disable")))
		}
		got, err := w.FindApplication(t.Context(), w.alpha.app.ID)
		must(t, err)
		equal(t, "revoked before", got.RevokedBefore, future)
	}},
	{"the keys of an application come back as they were", func(t *testing.T, w *world) {
		a := w.alpha.app
		a.ID, a.Name, a.Keys = "app_keyed", "keyed", []byte(`{"keys":[]}`)
		must(t, w.AddApplication(t.Context(), a, nil, w.entry("application.create")))
		got, err := w.FindApplication(t.Context(), a.ID)
		must(t, err)
		equal(t, "application", got, a)
		d, err := w.Directory(t.Context())
		must(t, err)
		equal(t, "keys in the directory", string(d.Application(a.ID).Keys), string(a.Keys))
	}},
}
