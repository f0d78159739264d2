package registry_test

import (
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// TestWhatIsDisabledEnds: the tokens die at once, a disabled partner's
// applications get none, and enabling brings none back.
func TestWhatIsDisabledEnds(t *testing.T) {
	w := newWorld(t)
	app, secret := w.app(t, registry.NewApplication{})
	person := domain.User{Partner: w.partner, Customer: true, FirstName: "Ada", Surname: "Wit"}
	person.Email = "ada@example.com"
	ada, _, err := w.AddUser(t.Context(), by, person, registry.Password{})
	must(t, err)
	person.Email = "bea@example.com"
	bea, _, err := w.AddUser(t.Context(), by, person, registry.Password{})
	must(t, err)
	user := func(disabled bool) error { return w.DisableUser(t.Context(), by, ada.ID, disabled) }
	partner := func(disabled bool) error { return w.DisablePartner(t.Context(), by, w.partner, disabled) }
	for name, c := range map[string]struct {
		disable          func(bool) error
		opens, own, beas bool // while it is disabled, and those of before when it is enabled again
	}{
		"a user":    {user, true, true, true},
		"a partner": {partner, false, false, false},
	} {
		own, adas, beas := w.token(t, app.ID, ""), w.token(t, app.ID, ada.ID), w.token(t, app.ID, bea.ID)
		check := func(when string, opens bool) {
			t.Helper()
			if got := w.opens(app.ID, secret); got != opens {
				t.Errorf("%s, %s: the secret opens is %v, want %v", name, when, got, opens)
			}
			for _, one := range []struct {
				whose, raw string
				want       bool
			}{{"the application", own, c.own}, {"Ada", adas, false}, {"Bea", beas, c.beas}} {
				if _, got := w.counts(one.raw); got != one.want {
					t.Errorf("%s, %s: the token of %s counts is %v, want %v", name, when, one.whose, got, one.want)
				}
			}
		}
		must(t, c.disable(true))
		check("disabled", c.opens)
		w.now = w.now.Add(time.Second)
		if _, got := w.counts(w.token(t, app.ID, ada.ID)); got {
			t.Errorf("%s, disabled: a fresh token for Ada counts", name)
		}
		must(t, c.disable(false))
		check("enabled again", true)
		if _, got := w.counts(w.token(t, app.ID, ada.ID)); !got {
			t.Errorf("%s, enabled again: a fresh token for Ada does not count", name)
		}
		w.now = w.now.Add(time.Second)
	}
	if got := kind(w.DisableUser(t.Context(), by, "usr_00000000000040008000000000000000", true)); got != domain.NotFound {
		t.Errorf("an unknown user: %v, want not found", got)
	}
	if got := kind(w.DisablePartner(t.Context(), by, "prt_nobody", true)); got != domain.NotFound {
		t.Errorf("an unknown partner: %v, want not found", got)
	}
	seen := map[string]int{}
	for _, a := range w.actions(t) {
		seen[a]++
	}
	for _, a := range []string{"user.disable", "user.enable", "partner.disable", "partner.enable"} {
		if seen[a] != 1 {
			t.Errorf("the audit log has %d entries %s, want 1", seen[a], a)
		}
	}
}
