package authn_test

import (
	"errors"
	"testing"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// TestRFC6749Section21PublicApplications: only they come in without a proof, and
// who is refused learns nothing else than with a wrong secret.
func TestRFC6749Section21PublicApplications(t *testing.T) {
	c, _ := clients(t)
	app, err := c.Public("app_public", domain.Origin{})
	if err != nil || app == nil || app.ID != "app_public" {
		t.Errorf("a public application: got %v, %v", app, err)
	}
	for _, id := range []string{"app_good", "app_pinned", "app_closed", "app_nobody", ""} {
		app, err := c.Public(id, domain.Origin{})
		e, ok := errors.AsType[*oauth.Error](err)
		if app != nil || !ok || e.Code != oauth.InvalidClient || e.Description != "the client is unknown, or its secret is not right" {
			t.Errorf("%q: got %v, %v; want the one answer", id, app, err)
		}
	}
	c.Throttle = authn.NewThrottle(now.Add(-2 * 60 * 60 * 1e9))
	for range 50 {
		_, _ = c.Public("app_nobody", domain.Origin{Address: "192.0.2.1"})
	}
	_, err = c.Public("app_nobody", domain.Origin{Address: "192.0.2.1"})
	if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != domain.Throttled {
		t.Errorf("the 51st guess: got %v, want it throttled", err)
	}
}
