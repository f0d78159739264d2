package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

var directory = []promise{
	{"a disabled partner closes its own applications only", func(t *testing.T, w *world) {
		closed := domain.Partner{ID: "prt_closed", Name: "closed", Disabled: true, RevokedBefore: past}
		must(t, w.AddPartner(t.Context(), closed, w.entry("partner.create")))
		a := w.alpha.app
		a.ID, a.Partner = "app_closed", closed.ID
		must(t, w.AddApplication(t.Context(), a, nil, w.entry("application.create")))
		b := w.alpha.app
		b.ID, b.Partner, b.RevokedBefore = "app_later", closed.ID, future
		b.Name = "later"
		must(t, w.AddApplication(t.Context(), b, nil, w.entry("application.create")))
		must(t, w.ChangeApplication(t.Context(), w.beta.app.ID, func(a *domain.Application) error {
			a.Disabled = true
			return nil
		}, w.entry("application.disable")))
		d, err := w.Directory(t.Context())
		must(t, err)
		for id, want := range map[domain.ClientID]struct {
			closed bool
			dead   time.Time
		}{
			w.alpha.app.ID: {false, time.Time{}},
			w.beta.app.ID:  {true, time.Time{}},
			a.ID:           {true, past},
			b.ID:           {true, future},
		} {
			l := d.Application(id)
			if l == nil {
				t.Fatalf("%s is not in the directory", id)
			}
			equal(t, string(id)+" is closed", l.Closed, want.closed)
			equal(t, string(id)+" is dead until", l.DeadUntil, want.dead)
		}
	}},
	{"it has the application, its role's permissions and its secrets", func(t *testing.T, w *world) {
		old, overlap, live, expired := secret(w, "old"), secret(w, "overlap"), secret(w, "live"), secret(w, "expired")
		old.RetiredAt, overlap.RetiredAt, expired.ExpiresAt = past, future, past
		w.setSecrets(t, old, overlap, live, expired)
		d, err := w.Directory(t.Context())
		must(t, err)
		l := d.Application(w.alpha.app.ID)
		equal(t, "application", l.Application, w.alpha.app)
		equal(t, "permissions", l.Permissions, domain.DocumentedRoles()[1].Permissions)
		now := past.Add(time.Hour)
		got := map[domain.SecretID]bool{}
		for _, s := range l.Secrets {
			if s.Live(now) {
				got[s.ID] = true
			}
		}
		equal(t, "live secrets", got, map[domain.SecretID]bool{overlap.ID: true, live.ID: true})
		if other := d.Application(w.beta.app.ID); len(other.Secrets) != 0 {
			t.Errorf("beta's application has the secrets %v, want none", other.Secrets)
		}
		equal(t, "unknown application", d.Application(unknownClient), (*domain.Listing)(nil))
	}},
	{"it has the users whose tokens are refused, and no others", func(t *testing.T, w *world) {
		disabled := domain.User{ID: "usr_" + domain.UserID(strings.Repeat("a", 32)), Staff: true, Disabled: true, RevokedBefore: past}
		revoked := domain.User{ID: "usr_" + domain.UserID(strings.Repeat("b", 32)), Partner: w.alpha.partner.ID, Customer: true, RevokedBefore: past}
		must(t, w.AddUser(t.Context(), disabled, "", nil, w.entry("user.create")))
		must(t, w.AddUser(t.Context(), revoked, "", nil, w.entry("user.create")))
		d, err := w.Directory(t.Context())
		must(t, err)
		equal(t, "number of users", len(d.Revoked), 2)
		equal(t, "a revoked user is dead until", d.Revoked[revoked.ID], past)
		if until := d.Revoked[disabled.ID]; !until.After(future) {
			t.Errorf("a disabled user is dead until %v, want the far future", until)
		}
	}},
}
