package storetest

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

var errNo = errors.New("no")

var applications = []promise{
	{"an application stays with its partner, and its name is unique there", func(t *testing.T, w *world) {
		err := w.ChangeApplication(t.Context(), w.alpha.app.ID, func(a *domain.Application) error {
			a.Partner = w.beta.partner.ID
			return nil
		}, w.entry("application.update"))
		refused(t, "moving an application", err, domain.Invalid)
		twin := w.alpha.app // beta has one with this name too
		twin.ID = "app_twin"
		refused(t, "a name again", w.AddApplication(t.Context(), twin, nil, w.entry("application.create")), domain.Conflict)
		twin.Name = "other"
		must(t, w.AddApplication(t.Context(), twin, nil, w.entry("application.create")))
		err = w.ChangeApplication(t.Context(), twin.ID, func(a *domain.Application) error {
			a.Name = w.alpha.app.Name
			return nil
		}, w.entry("application.update"))
		refused(t, "changing to a name that is taken", err, domain.Conflict)
		twin.ID, twin.Name = w.alpha.app.ID, "third"
		refused(t, "an identifier again", w.AddApplication(t.Context(), twin, nil, w.entry("application.create")), domain.Conflict)
	}},
	{"an application comes back as it was added", func(t *testing.T, w *world) {
		a := domain.Application{
			ID: "app_full", Name: "a full one", Partner: w.alpha.partner.ID, Type: domain.Public,
			Grants: []string{"a", "b"}, URIs: []string{"https://a", "https://b"}, SkipAuthorization: true, Reach: domain.ReachConsented,
			Role: domain.RoleThirdPartyViewer, Audiences: domain.AudienceSet(domain.AudienceMeasurements), Lifetime: 61 * time.Second,
			FAPI: true, TLSSubject: "CN=a,O=b", TrustedOnly: true,
			AuthMethod: domain.ClientSecretBasic, Disabled: true, RevokedBefore: past, CreatedAt: past, ChangedAt: future,
		}
		must(t, w.AddApplication(t.Context(), a, nil, w.entry("application.create")))
		got, err := w.FindApplication(t.Context(), a.ID)
		must(t, err)
		equal(t, "application", got, a)
		list, err := w.Applications(t.Context())
		must(t, err)
		equal(t, "applications by name", list, []domain.Application{a, w.alpha.app, w.beta.app})
		_, err = w.FindApplication(t.Context(), unknownClient)
		refused(t, "an unknown application", err, domain.NotFound)
	}},
	{"an application needs a partner and a role that exist", func(t *testing.T, w *world) {
		a := domain.Application{ID: "app_x", Name: "x", Partner: "prt_unknown", Role: domain.RoleThirdPartyViewer}
		refused(t, "an unknown partner", w.AddApplication(t.Context(), a, nil, w.entry("application.create")), domain.NotFound)
		a.Partner, a.Role = w.alpha.partner.ID, "UNKNOWN"
		refused(t, "an unknown role", w.AddApplication(t.Context(), a, nil, w.entry("application.create")), domain.NotFound)
	}},
	{"a change that fails changes nothing, and its error comes back", func(t *testing.T, w *world) {
		before := len(w.all(t))
		err := w.ChangeApplication(t.Context(), w.alpha.app.ID, func(a *domain.Application) error {
			a.Disabled = true
			return errNo
		}, w.entry("application.update"))
		if err != errNo { //nolint:errorlint // it must be the very same
			t.Errorf("got the error %v, want the change's own", err)
		}
		w.unchanged(t, before)
		err = w.ChangeApplication(t.Context(), w.alpha.app.ID, func(a *domain.Application) error {
			a.Disabled = true
			return nil
		}, w.all(t)[0]) // an entry that is in the log already
		refused(t, "a change that cannot be recorded", err, domain.Conflict)
		w.unchanged(t, before)
		err = w.ChangeApplication(t.Context(), unknownClient, func(*domain.Application) error { return nil }, w.entry("application.update"))
		refused(t, "changing what does not exist", err, domain.NotFound)
	}},
	{"changes at the same time are one after the other", func(t *testing.T, w *world) {
		const n = 64
		w.together(t, n, func(int) error {
			return w.ChangeApplication(t.Context(), w.alpha.app.ID, func(a *domain.Application) error {
				a.Lifetime -= time.Second
				return nil
			}, w.entry("application.update"))
		})
		got, err := w.FindApplication(t.Context(), w.alpha.app.ID)
		must(t, err)
		equal(t, "lifetime", got.Lifetime, w.alpha.app.Lifetime-n*time.Second)
	}},
	{"a new environment has the documented roles", func(t *testing.T, w *world) {
		got, err := w.Roles(t.Context())
		must(t, err)
		want := domain.DocumentedRoles()
		slices.SortFunc(want, func(a, b domain.Role) int { return strings.Compare(string(a.Name), string(b.Name)) })
		equal(t, "roles", got, want)
	}},
	{"a role that narrows ends the tokens of those who hold it", func(t *testing.T, w *world) {
		other := w.alpha.app
		other.ID, other.Name, other.Role = "app_other", "other", domain.RoleThirdPartyViewer
		must(t, w.AddApplication(t.Context(), other, nil, w.entry("application.create")))
		r := domain.Role{Name: w.alpha.app.Role, Permissions: domain.PermissionSet(domain.CanQueryProperty)}
		must(t, w.SetRole(t.Context(), r, future, w.entry("role.update")))
		must(t, w.SetRole(t.Context(), r, past, w.entry("role.update"))) // never back
		must(t, w.SetRole(t.Context(), r, time.Time{}, w.entry("role.update")))
		must(t, w.SetRole(t.Context(), domain.Role{Name: "NEW"}, future, w.entry("role.create")))
		d, err := w.Directory(t.Context())
		must(t, err)
		equal(t, "permissions", d.Roles[r.Name], r.Permissions)
		equal(t, "number of roles", len(d.Roles), 4)
		for id, want := range map[domain.ClientID]time.Time{w.alpha.app.ID: future, w.beta.app.ID: future, other.ID: {}} {
			equal(t, string(id)+" is dead until", d.Applications[id].DeadUntil, want)
		}
	}},
}

// unchanged checks that neither alpha's application nor the log has changed.
func (w *world) unchanged(t *testing.T, entries int) {
	t.Helper()
	got, err := w.FindApplication(t.Context(), w.alpha.app.ID)
	must(t, err)
	equal(t, "application", got, w.alpha.app)
	equal(t, "entries of the audit log", len(w.all(t)), entries)
}

// together runs f n times at the same time.
func (w *world) together(t *testing.T, n int, f func(i int) error) {
	t.Helper()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if err := f(i); err != nil {
				t.Errorf("number %d of %d at the same time: %v", i, n, err)
			}
		})
	}
	all.Wait()
}
