package authorize_test

import (
	"testing"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// TestAttackSkippedDevice: one link followed by a customer must not answer a
// stranger's device, nor whoever calls itself a public application, because the
// application's authorization is skipped.
func TestAttackSkippedDevice(t *testing.T) {
	w := newWorld(t)
	quiet := w.add(t, registry.NewApplication{Name: "quiet", SkipAuthorization: true})
	public := w.add(t, registry.NewApplication{Name: "public", Type: domain.Public, SkipAuthorization: true})
	for name, c := range map[string]struct {
		app    domain.ClientID
		device bool
		prompt string
		skip   bool
	}{
		"a confidential application's browser": {quiet, false, "", true},
		"with prompt=none":                     {quiet, false, "none", true},
		"with prompt=login":                    {quiet, false, "login", true},
		"with prompt=consent":                  {quiet, false, "consent", false},
		"with prompt=login consent":            {quiet, false, "login consent", false},
		"its device":                           {quiet, true, "", false},
		"a public application's browser":       {public, false, "", false},
		"a public application's device":        {public, true, "", false},
	} {
		w.app = c.app
		p := w.params()
		p.Prompt = c.prompt
		challenge := ""
		if c.device {
			var err error
			challenge, err = w.DevicePending(t.Context(), w.device(t).UserCode)
			must(t, err)
		} else {
			challenge = w.challenge(t, p)
		}
		req, err := w.Pending(t.Context(), challenge)
		must(t, err)
		offer, err := w.Offered(t.Context(), req, w.user)
		if err != nil || offer.Skip != c.skip {
			t.Errorf("%s: got Skip %v, %v; want %v", name, offer.Skip, err, c.skip)
		}
		_, err = w.Allow(t.Context(), challenge, w.user, authorize.Decision{AuthTime: w.now()}, w.origin())
		if got, want := codeOf(err), map[bool]string{true: "", false: "invalid"}[c.skip]; got != want {
			t.Errorf("%s: an empty decision: got %q, want %q", name, got, want)
		}
	}
}
