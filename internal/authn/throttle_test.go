package authn_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/secret"
)

// door is the clients with a throttle and a clock that moves. It has been open
// for long enough to know where everybody comes from.
type door struct {
	*authn.Clients
	right, wrong string
	now          time.Time
}

func newDoor(t *testing.T) *door {
	t.Helper()
	c, clear := clients(t)
	d := &door{Clients: c, right: clear, wrong: secret.New(nil, environment).Reveal(), now: now}
	c.Now = func() time.Time { return d.now }
	c.Throttle = authn.NewThrottle(now.Add(-time.Hour))
	return d
}

// try authenticates, and returns one of "in", "no" and the wait.
func (d *door) try(id, secret, address string) string {
	app, err := d.Client(id, domain.NewSecret(secret), domain.ClientSecretPost, domain.Origin{Address: address})
	if err == nil && string(app.ID) == id {
		return "in"
	}
	if e, ok := errors.AsType[*oauth.Error](err); ok && e.Code == oauth.InvalidClient {
		return "no"
	}
	if p, ok := errors.AsType[*domain.Pause](err); ok {
		return p.Limit + " " + p.Wait.String()
	}
	return fmt.Sprint(err)
}

// is demands an outcome.
func (d *door) is(t *testing.T, want, id, secret, address string) {
	t.Helper()
	if got := d.try(id, secret, address); got != want {
		t.Fatalf("%s from %s: got %q, want %q", id, address, got, want)
	}
}

const (
	office  = "198.51.100.7" // where the partner's server is
	attack  = "203.0.113.9"  // where the guesses come from
	nearby  = "203.0.113.77" // in the same /24
	another = "2001:db8:1:2::9"
)

// TestTenFailuresThenWait: the eleventh failure of a minute waits, and the wait
// grows for who does not.
func TestTenFailuresThenWait(t *testing.T) {
	d := newDoor(t)
	for range 10 {
		d.is(t, "no", "app_good", d.wrong, attack)
	}
	d.is(t, "client 12s", "app_good", d.wrong, attack)
	d.is(t, "client 18s", "app_good", d.wrong, attack)
	d.is(t, "client 24s", "app_good", d.right, attack) // not looked at
	d.is(t, "client 30s", "app_good", d.wrong, nearby) // the next address of the range does not help
	d.now = d.now.Add(30*time.Second - time.Microsecond)
	d.is(t, "client 6.000001s", "app_good", d.right, attack)
	d.now = d.now.Add(6*time.Second + time.Microsecond)
	d.is(t, "in", "app_good", d.right, attack)
}

// TestFewerThanTenFailuresAMinute is what the contract promises.
func TestFewerThanTenFailuresAMinute(t *testing.T) {
	d := newDoor(t)
	for range 100 {
		for range 9 {
			d.is(t, "no", "app_good", d.wrong, attack)
		}
		d.is(t, "in", "app_good", d.right, attack)
		d.now = d.now.Add(time.Minute)
	}
}

// TestNobodyIsLockedOut: whatever others do, the right secret passes from
// where it passed before, and from where nobody guesses.
func TestNobodyIsLockedOut(t *testing.T) {
	d := newDoor(t)
	d.is(t, "in", "app_good", d.right, office)
	guess := func(address string) {
		for range 200 {
			d.try("app_good", d.wrong, address)
		}
	}
	guess(attack)
	d.is(t, "in", "app_good", d.right, office)
	d.is(t, "in", "app_good", d.right, another) // where nobody knows it yet, nor guesses
	guess(office)                               // through the same proxy
	d.is(t, "in", "app_good", d.right, office)
	d.is(t, "client 1m6s", "app_good", d.wrong, office)
	d.is(t, "in", "app_overlap", d.right, office) // another client behind it, seen for the first time
	d.now = d.now.Add(7 * 24 * time.Hour)
	guess(office)
	d.is(t, "in", "app_good", d.right, office)
	d.now = d.now.Add(8 * 24 * time.Hour)
	guess(office)
	d.is(t, "client 1m6s", "app_good", d.right, office) // it was long ago
}

// TestNobodyIsKnownAfterAStart: for an hour the right secret passes from
// everywhere, and the wrong one is slowed down all the same.
func TestNobodyIsKnownAfterAStart(t *testing.T) {
	d := newDoor(t)
	d.Throttle = authn.NewThrottle(d.now)
	for range 100 {
		d.try("app_good", d.wrong, attack)
	}
	d.is(t, "client 1m6s", "app_good", d.wrong, attack)
	d.is(t, "in", "app_good", d.right, attack)
}

// TestOneAddressManyClients: made-up names are counted for the address, and an
// unknown client is slowed down exactly as a known one: the limit tells nobody
// which there are.
func TestOneAddressManyClients(t *testing.T) {
	for name, ids := range map[string]func(int) string{
		"made-up clients": func(i int) string { return fmt.Sprint("app_", i) },
		"no client":       func(int) string { return "" },
	} {
		d := newDoor(t)
		for i := range 30 {
			d.is(t, "no", ids(i), d.wrong, attack)
		}
		if got := d.try(ids(31), d.wrong, attack); got != "address 4s" {
			t.Errorf("%s: the 31st got %q, want the address to wait 4s", name, got)
		}
		d.is(t, "in", "app_good", d.right, attack) // few failures of its own
	}
	known, unknown := newDoor(t), newDoor(t)
	for i := range 60 {
		a, b := known.try("app_good", known.wrong, attack), unknown.try("app_nobody", unknown.wrong, attack)
		if a != b {
			t.Fatalf("try %d: a wrong secret got %q, an unknown client %q", i+1, a, b)
		}
	}
}

// TestEveryRefusalCounts: who has a right secret that opens nothing is slowed
// down like everybody who is refused; whoever is asked to come again is not.
func TestEveryRefusalCounts(t *testing.T) {
	for _, id := range []string{"app_closed", "app_public", "app_pinned", "app_expired", "app_retired"} {
		d := newDoor(t)
		for range 10 {
			d.is(t, "no", id, d.right, attack)
		}
		d.is(t, "client 12s", id, d.right, attack)
	}
	d := newDoor(t)
	d.Directory.Directory().Application("app_good").Held = true
	for range 100 {
		d.is(t, "this application is being changed; try again", "app_good", d.right, attack)
	}
}

// TestEqualWorkWhenThrottled counts allocations of refused attempts.
func TestEqualWorkWhenThrottled(t *testing.T) {
	for name, minute := range map[string]time.Duration{"refused": time.Minute, "throttled": 0} {
		d := newDoor(t)
		cost := func(id string) float64 {
			for range 60 { // until it is as it will be
				d.now = d.now.Add(minute)
				d.try(id, d.wrong, attack)
			}
			return allocations(func() {
				d.now = d.now.Add(minute)
				d.try(id, d.wrong, attack)
			})
		}
		if known, unknown := cost("app_good"), cost("app_nobody"); known != unknown {
			t.Errorf("%s: a wrong secret costs %.0f allocations, an unknown client %.0f", name, known, unknown)
		}
	}
}

// TestSuccessCostsNothing: who is right pays for the throttle in nanoseconds.
func TestSuccessCostsNothing(t *testing.T) {
	d := newDoor(t)
	given := domain.NewSecret(d.right)
	cost := func() float64 {
		return allocations(func() {
			if _, err := d.Client("app_good", given, domain.ClientSecretPost, domain.Origin{Address: office}); err != nil {
				t.Fatal(err)
			}
		})
	}
	with := cost()
	for range 20 {
		d.try("app_nobody", d.wrong, attack)
	}
	busy := cost()
	d.Throttle = nil
	if without := cost(); with != without || busy != without {
		t.Errorf("%.0f allocations with a throttle, %.0f while somebody guesses, %.0f without one", with, busy, without)
	}
}

func BenchmarkClient(b *testing.B) {
	for name, throttle := range map[string]*authn.Throttle{"without a throttle": nil, "with one": authn.NewThrottle(now)} {
		b.Run(name, func(b *testing.B) {
			c, clear := clients(b)
			c.Throttle = throttle
			given := domain.NewSecret(clear)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Client("app_good", given, domain.ClientSecretPost, domain.Origin{Address: office}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestManyPlacesAreKnown: a client that comes from a thousand ranges is known
// in all of them, and a new one is learned while the table is full.
func TestManyPlacesAreKnown(t *testing.T) {
	d := newDoor(t)
	place := func(i int) string { return fmt.Sprintf("10.%d.%d.7", i>>8, i&255) }
	for i := range 1000 {
		d.is(t, "in", "app_good", d.right, place(i))
	}
	d.now = d.now.Add(time.Hour)
	for i := range 1000 {
		for range 20 {
			d.try("app_good", d.wrong, place(i))
		}
		d.is(t, "in", "app_good", d.right, place(i))
	}
	for i := range 1 << 16 { // as many ranges as there is room for
		d.now = d.now.Add(time.Millisecond)
		d.is(t, "in", "app_good", d.right, place(i))
	}
	d.now = d.now.Add(time.Hour)
	d.is(t, "in", "app_good", d.right, office)
	for range 20 {
		d.try("app_good", d.wrong, office)
	}
	d.is(t, "in", "app_good", d.right, office)
}

// TestThrottledGuessesNameTheirClient: for the audit log, looked at or not; the
// operator's text names nothing that was merely sent.
func TestThrottledGuessesNameTheirClient(t *testing.T) {
	d := newDoor(t)
	for i := range 40 {
		_, err := d.Client("app_good", domain.NewSecret(d.wrong), domain.ClientSecretPost, domain.Origin{Address: attack})
		cause := err
		if p, ok := errors.AsType[*domain.Pause](err); ok {
			cause = p.Err
		}
		r, ok := errors.AsType[interface {
			error
			Refusal() (string, domain.ClientID)
		}](cause)
		if !ok {
			t.Fatalf("try %d: %v has no reason", i+1, err)
		}
		if why, client := r.Refusal(); client != "app_good" || why != "wrong secret" && why != "not looked at" {
			t.Errorf("try %d: got %q about %q", i+1, why, client)
		}
		if i > 30 && strings.Contains(err.Error(), "app_good") {
			t.Errorf("try %d was not looked at, and its text names what was sent: %v", i+1, err)
		}
	}
}
