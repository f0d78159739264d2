package app_test

import (
	"encoding/base64"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/registry"
)

// speaksForUser reports whether a token's subject is a user.
func speaksForUser(t *testing.T, token string) bool {
	t.Helper()
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(claims), `"sub":"usr_`)
}

// TestNoTokenOutlivesItsUserOrPartner races tokens and impersonation against
// the disabling of the customer, and of the partner. Whatever was issued until
// the disabling was answered is dead then, and stays dead when they are enabled
// again: a token made in the moment between decision and effect would come back
// to life.
func TestNoTokenOutlivesItsUserOrPartner(t *testing.T) {
	// The clock jumps ahead after each round: whoever asks for a disabled customer
	// is counted as one who tries identifiers out, and would be slowed down.
	var ahead atomic.Int64
	a, d, first := quickAt(t, filepath.Join(t.TempDir(), "data"), func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	by := registry.By{Means: "test"}
	total := 0
	for round := range 10 {
		for name, c := range map[string]struct {
			disable func(bool) error
			all     bool // its own tokens end, too
		}{
			"the customer": {func(disabled bool) error { return a.Registry.DisableUser(t.Context(), by, d.CustomerUserID, disabled) }, false},
			"the partner":  {func(disabled bool) error { return a.Registry.DisablePartner(t.Context(), by, d.Partner, disabled) }, true},
		} {
			r := &racer{handler: first.handler, id: first.id, secret: first.secret, user: first.user, stop: make(chan struct{})}
			r.start(6)
			r.waitFor(t, 200)
			err := c.disable(true)
			issued := r.end()
			if err != nil {
				t.Fatal(err)
			}
			total += len(issued)
			if own := r.token(); (own == "") != c.all || own != "" && r.impersonate(own) != "" {
				t.Fatalf("round %d: after disabling %s the application gets %q, or acts as the customer", round, name, own)
			}
			for _, when := range []string{"disabled", "enabled again"} {
				for _, token := range issued[max(0, len(issued)-200):] { // the latest are the doubtful ones
					if (c.all || speaksForUser(t, token)) && r.opens(token) {
						t.Fatalf("round %d: %s is %s, and a token of before is accepted", round, name, when)
					}
				}
				if when == "disabled" {
					if err := c.disable(false); err != nil {
						t.Fatal(err)
					}
				}
			}
			ahead.Add(int64(2 * time.Minute))
			if own := r.token(); own == "" || r.impersonate(own) == "" {
				t.Fatalf("round %d: %s is enabled again, and there are no new tokens", round, name)
			}
		}
	}
	t.Logf("%d tokens raced", total)
	if total < 4_000 {
		t.Errorf("only %d tokens raced: this shows little", total)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
