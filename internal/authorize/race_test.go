package authorize_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/registry"
)

func join(names []string) string { return strings.Join(names, " ") }

func codeIn(t testing.TB, to string) string {
	t.Helper()
	u, err := url.Parse(to)
	must(t, err)
	return u.Query().Get("code")
}

// TestTenThousandRacingCalls sends fifty requests for each of a hundred codes and
// a hundred refresh tokens, as many at once as the scheduler likes. Each is
// accepted at most once; and since each came back, all its tokens are dead when
// the last answer is there.
func TestTenThousandRacingCalls(t *testing.T) {
	const things, racers = raced, 50
	w := newWorld(t)
	// Nobody is asked, so that a hundred families of one person live at once.
	w.app = w.add(t, registry.NewApplication{Name: "own", SkipAuthorization: true})
	app := w.listing()
	for name, prepare := range map[string]func() (use func() (authorize.Grant, error)){
		"code": func() func() (authorize.Grant, error) {
			code := w.code(t)
			return func() (authorize.Grant, error) {
				return w.Redeem(t.Context(), app, code, callback, verifier, w.origin())
			}
		},
		"refresh token": func() func() (authorize.Grant, error) {
			_, refresh := w.grant(t)
			return func() (authorize.Grant, error) {
				g, _, err := w.Renew(t.Context(), app, refresh, "", nil, w.origin())
				return g, err
			}
		},
	} {
		type thing struct {
			use      func() (authorize.Grant, error)
			accepted atomic.Int32
			access   atomic.Value
		}
		all := make([]*thing, things)
		for i := range all {
			all[i] = &thing{use: prepare()}
		}
		var racing sync.WaitGroup
		for range racers {
			racing.Go(func() {
				for _, one := range all {
					g, err := one.use()
					if err == nil {
						one.accepted.Add(1)
						made, err := w.issuer.ForUser(t.Context(), app, userGrant(g), w.origin())
						if err != nil {
							t.Error(err)
						}
						one.access.Store(made.Access)
					} else if codeOf(err) != "invalid_grant" {
						t.Error(fmt.Errorf("%s: %w", name, err))
					}
				}
			})
		}
		racing.Wait()
		for i, one := range all {
			if one.accepted.Load() != 1 {
				t.Errorf("%s %d was accepted %d times", name, i, one.accepted.Load())
			}
			if access, _ := one.access.Load().(string); w.opens(access) {
				t.Errorf("%s %d: its access token outlives its second use", name, i)
			}
		}
		t.Logf("counted: %d calls for %d of %s, each accepted once", things*racers, len(all), name)
	}
}
