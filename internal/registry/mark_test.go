package registry_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
	"github.com/wattgate/wattgate/internal/secret"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

// history is an installation whose clock is set forward and back, and what was
// issued in it.
type history struct {
	store *sqlite.Store
	*registry.Registry
	now   time.Time
	apps  []domain.ClientID
	users []domain.UserID
	// issued are the instants in jti, for each application and user ("" for none),
	// with whether they were issued after the last end of either.
	issued []issue
	stored int // how many of them were issued before the last flush
}

type issue struct {
	app   domain.ClientID
	user  domain.UserID
	at    time.Time
	alive bool
}

// start opens the registry as a process does.
func (h *history) start(t *rapid.T, master secret.Master) {
	h.Registry = &registry.Registry{
		Store: h.store, Pepper: master.Pepper(), Environment: secret.Staging, Now: func() time.Time { return h.now }, Passwords: secret.NewPasswords(1, nil),
	}
	if err := h.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.OpenMark(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// end notes what a change ends.
func (h *history) end(t *rapid.T, err error, ends func(issue) bool) {
	if err != nil {
		t.Fatal(err)
	}
	for i, one := range h.issued {
		if ends(one) {
			h.issued[i].alive = false
		}
	}
}

// check holds every token against the present picture.
func (h *history) check(t *rapid.T) {
	d := h.Directory()
	for _, one := range h.issued {
		app := d.Application(one.app)
		alive := !app.Closed && one.at.After(app.DeadUntil) && (one.user == "" || one.at.After(d.Revoked[one.user]))
		if alive && !one.alive {
			t.Fatalf("clock %v: a token of %s for %q with the instant %v lives, and was ended", h.now, one.app, one.user, one.at)
		}
		if !alive && one.alive && !app.Closed && !d.Revoked[one.user].After(h.now.AddDate(1000, 0, 0)) {
			t.Fatalf("clock %v: a token of %s for %q with the instant %v is dead, and nobody ended it (%v, %v)", h.now, one.app, one.user, one.at, app.DeadUntil, d.Revoked[one.user])
		}
	}
}

// TestWhatIsEndedStaysEnded whatever the clock does: it jumps forward and back,
// also across a restart, and tokens are issued and ended meanwhile. What was
// ended is dead for ever, and what was issued afterwards is not.
func TestWhatIsEndedStaysEnded(t *testing.T) {
	tries := 0
	rapid.Check(t, func(t *rapid.T) {
		if tries++; detector && tries > 20 {
			return
		}
		h := &history{now: time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)}
		var err error
		if h.store, err = sqlite.Open(t.Context(), "", sqlite.Options{Now: func() time.Time { return h.now }}); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := h.store.Close(); err != nil {
				t.Fatal(err)
			}
		}()
		master := secret.NewMaster(nil)
		h.start(t, master)
		partner, err := h.AddPartner(t.Context(), by, "P")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b"} {
			app, _, err := h.AddApplication(t.Context(), by, registry.NewApplication{Name: name, Partner: partner.ID, Role: domain.RolePartnerIntegration})
			if err != nil {
				t.Fatal(err)
			}
			u, _, err := h.AddUser(t.Context(), by, domain.User{Partner: partner.ID, Customer: true, Email: name + "@example.com", FirstName: "F", Surname: "S"}, registry.Password{})
			if err != nil {
				t.Fatal(err)
			}
			h.apps, h.users = append(h.apps, app.ID), append(h.users, u.ID)
		}
		app := rapid.SampledFrom(h.apps)
		user := rapid.SampledFrom(h.users)
		toggle := func(t *rapid.T, disable func(bool) error, ends func(issue) bool) {
			h.end(t, disable(true), ends)
			h.end(t, disable(false), func(issue) bool { return false })
		}
		t.Repeat(map[string]func(*rapid.T){
			"": h.check,
			"the clock is set": func(t *rapid.T) {
				h.now = h.now.Add(time.Duration(rapid.Int64Range(-7_200_000_000, 7_200_000_000).Draw(t, "by")) * time.Microsecond)
			},
			"the clock stands still": func(*rapid.T) {},
			"issue": func(t *rapid.T) {
				one := issue{app: app.Draw(t, "app"), at: h.Mark.Stamp(h.now), alive: true}
				if rapid.Bool().Draw(t, "for a user") {
					one.user = user.Draw(t, "user")
				}
				if one.at.Before(h.now) {
					t.Fatalf("the instant %v is before the clock, %v", one.at, h.now)
				}
				h.issued = append(h.issued, one)
			},
			"replace a secret": func(t *rapid.T) {
				id := app.Draw(t, "app")
				_, err := h.ReplaceSecret(t.Context(), by, id, 0)
				h.end(t, err, func(one issue) bool { return one.app == id })
			},
			"disable an application, and enable it": func(t *rapid.T) {
				id := app.Draw(t, "app")
				toggle(t, func(d bool) error { return h.SetDisabled(t.Context(), by, id, d) }, func(one issue) bool { return one.app == id })
			},
			"disable a user, and enable them": func(t *rapid.T) {
				id := user.Draw(t, "user")
				toggle(t, func(d bool) error { return h.DisableUser(t.Context(), by, id, d) }, func(one issue) bool { return one.user == id })
			},
			"disable the partner, and enable it": func(t *rapid.T) {
				toggle(t, func(d bool) error { return h.DisablePartner(t.Context(), by, partner.ID, d) }, func(issue) bool { return true })
			},
			"the process starts again": func(t *rapid.T) {
				if err := h.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				h.stored = len(h.issued)
				h.start(t, master)
			},
			"the process is killed": func(t *rapid.T) {
				h.issued = h.issued[:h.stored] // nothing is promised of those since
				h.start(t, master)
			},
		})
	})
}

// TestStampIsTheClock while the clock goes forward, and takes no memory.
func TestStampIsTheClock(t *testing.T) {
	var m registry.Mark
	now := time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	for range 100 {
		now = now.Add(time.Microsecond)
		if got := m.Stamp(now); !got.Equal(now) {
			t.Fatalf("Stamp(%v) = %v", now, got)
		}
	}
	if n := testing.AllocsPerRun(100, func() { m.Stamp(now) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkStamp(b *testing.B) {
	var m registry.Mark
	now := time.Now()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			now := now.Add(time.Microsecond)
			m.Stamp(now)
		}
	})
}
