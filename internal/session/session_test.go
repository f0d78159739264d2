package session_test

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
	"github.com/wattgate/wattgate/internal/secret"
	"github.com/wattgate/wattgate/internal/session"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

// world is a keeper on a database, with a clock that is moved and two partners
// that each have a customer with the same address.
type world struct {
	*session.Keeper
	store    *sqlite.Store
	registry *registry.Registry
	now      time.Time
	partner  [2]domain.PartnerID
	customer [2]domain.User
}

const (
	email    = "Ada@example.com"
	password = "correct horse battery"
)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	var err error
	w.store, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"), sqlite.Options{Now: clock})
	must(t, err)
	t.Cleanup(func() { must(t, w.store.Close()) })
	w.registry = &registry.Registry{
		Store: w.store, Pepper: secret.NewMaster(nil).Pepper(), Environment: secret.Staging, Now: clock, Passwords: secret.NewPasswords(2, nil),
	}
	must(t, w.registry.Refresh(t.Context()))
	for i, name := range []string{"Alpha", "Beta"} {
		p, err := w.registry.AddPartner(t.Context(), registry.By{Means: "test"}, name)
		must(t, err)
		w.partner[i] = p.ID
		w.customer[i] = w.user(t, domain.User{Partner: p.ID, Customer: true, Email: email}, password+name)
	}
	w.Keeper = &session.Keeper{Store: w.store, Passwords: w.registry.Passwords, Failures: session.NewFailures(), Now: clock}
	return w
}

// user adds a user whose password is hashed at the least cost.
func (w *world) user(t *testing.T, u domain.User, password string) domain.User {
	t.Helper()
	u.FirstName, u.Surname = "Ada", "Wit"
	u, _, err := w.registry.AddUser(t.Context(), registry.By{Means: "test"}, u, registry.Password{Text: domain.NewSecret(password), Drawn: true})
	must(t, err)
	return u
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) in(t *testing.T, partner int, mail, word string, old domain.Secret, address string) (domain.Secret, error) {
	t.Helper()
	return w.LogIn(t.Context(), w.partner[partner], mail, domain.NewSecret(word), old, domain.Origin{Address: address, RequestID: "r1"})
}

func kind(err error) domain.Kind {
	if e, ok := errors.AsType[*domain.Error](err); ok {
		return e.Kind
	}
	return domain.Internal
}

// TestOneAnswerToWhoDoesNotGetIn: nobody learns who is a customer of whom.
func TestOneAnswerToWhoDoesNotGetIn(t *testing.T) {
	w := newWorld(t)
	w.user(t, domain.User{Partner: w.partner[0], Customer: true, Staff: true, Email: "both@example.com"}, password)
	w.user(t, domain.User{Partner: w.partner[0], Staff: true, Email: "staff@example.com"}, password)
	w.user(t, domain.User{Staff: true, Email: "platform@example.com"}, password)
	gone := w.user(t, domain.User{Partner: w.partner[0], Customer: true, Email: "gone@example.com"}, password)
	must(t, w.store.DisableUser(t.Context(), gone.ID, true, w.now, domain.Entry{ID: "aud_1", At: w.now, Action: "user.disable"}))
	for name, c := range map[string]struct {
		partner    int
		mail, word string
		ok         bool
	}{
		"a customer":                   {0, email, password + "Alpha", true},
		"in another case, with spaces": {0, " aDA@EXAMPLE.com ", password + "Alpha", true},
		"the same address elsewhere":   {1, email, password + "Beta", true},
		"another partner's password":   {0, email, password + "Beta", false},
		"a wrong password":             {0, email, "wrong", false},
		"an empty password":            {0, email, "", false},
		"an endless password":          {0, email, strings.Repeat("x", 5000), false},
		"an unknown address":           {0, "nobody@example.com", password, false},
		"no address":                   {0, "", password, false},
		"a customer who is staff too":  {0, "both@example.com", password, false},
		"staff of the partner":         {0, "staff@example.com", password, false},
		"staff of the platform":        {0, "platform@example.com", password, false},
		"a disabled customer":          {0, "gone@example.com", password, false},
	} {
		value, err := w.in(t, c.partner, c.mail, c.word, domain.Secret{}, "192.0.2."+name[:1])
		if !c.ok {
			if !errors.Is(err, session.ErrWrong) || !value.Empty() {
				t.Errorf("%s: got %v, want the one answer", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		p, err := w.Person(t.Context(), value)
		if err != nil || p.ID != w.customer[c.partner].ID || !p.AuthTime.Equal(w.now) {
			t.Errorf("%s: got %+v, %v", name, p, err)
		}
	}
	if _, err := w.LogIn(t.Context(), "", email, domain.NewSecret(password+"Alpha"), domain.Secret{}, domain.Origin{}); !errors.Is(err, session.ErrWrong) {
		t.Errorf("a customer of nobody: got %v", err)
	}
}

// TestASessionEnds in each of the ways it can.
func TestASessionEnds(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(t *testing.T, w *world, value domain.Secret)
		ends bool
	}{
		"not by being used for hours": {func(t *testing.T, w *world, value domain.Secret) {
			for range 28 {
				w.now = w.now.Add(25 * time.Minute)
				if _, err := w.Person(t.Context(), value); err != nil {
					t.Fatal(w.now, err)
				}
			}
		}, false},
		"not a little before its idle time": {func(_ *testing.T, w *world, _ domain.Secret) { w.now = w.now.Add(session.Idle - time.Microsecond) }, false},
		"when it was idle":                  {func(_ *testing.T, w *world, _ domain.Secret) { w.now = w.now.Add(session.Idle) }, true},
		"after twelve hours of use": {func(t *testing.T, w *world, value domain.Secret) {
			for range 29 {
				w.now = w.now.Add(25 * time.Minute)
				_, _ = w.Person(t.Context(), value)
			}
		}, true},
		"with its log-out": {func(t *testing.T, w *world, value domain.Secret) { must(t, w.LogOut(t.Context(), value)) }, true},
		"not with another's": {func(t *testing.T, w *world, _ domain.Secret) {
			must(t, w.LogOut(t.Context(), domain.NewSecret("x")))
		}, false},
		"with a new password": {func(t *testing.T, w *world, _ domain.Secret) {
			must(t, w.registry.SetPassword(t.Context(), registry.By{}, w.customer[0].ID, registry.Password{Text: domain.NewSecret("another password"), Drawn: true}))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			value, err := w.in(t, 0, email, password+"Alpha", domain.Secret{}, "192.0.2.1")
			must(t, err)
			c.do(t, w, value)
			if _, err := w.Person(t.Context(), value); errors.Is(err, session.ErrNobody) != c.ends {
				t.Errorf("got %v, want it to have ended: %v", err, c.ends)
			}
		})
	}
}

// TestFixation: a value that was in the browser before is not worth anything
// after the log-in, and never becomes the session's.
func TestFixation(t *testing.T) {
	w := newWorld(t)
	first, err := w.in(t, 0, email, password+"Alpha", domain.NewSecret("planted"), "192.0.2.1")
	must(t, err)
	second, err := w.in(t, 0, email, password+"Alpha", first, "192.0.2.1")
	must(t, err)
	for name, value := range map[string]domain.Secret{"planted": domain.NewSecret("planted"), "the one before": first, "none": {}} {
		if _, err := w.Person(t.Context(), value); !errors.Is(err, session.ErrNobody) {
			t.Errorf("%s: got %v, want nobody", name, err)
		}
	}
	if len(second.Reveal()) != 43 || second.Reveal() == first.Reveal() {
		t.Errorf("the values are %d characters long, and alike: %v", len(second.Reveal()), second.Reveal() == first.Reveal())
	}
}

// TestGuessingIsSlowedDown, for one account from one address, and nobody is
// locked out elsewhere (RFC 9700 says nothing of people; NIST SP 800-63B-4 §3.2.2).
func TestGuessingIsSlowedDown(t *testing.T) {
	w := newWorld(t)
	const here, there = "192.0.2.1", "198.51.100.7"
	try := func(address, word string) error {
		_, err := w.in(t, 0, email, word, domain.Secret{}, address)
		return err
	}
	for i := range 5 {
		if err := try(here, "wrong"); !errors.Is(err, session.ErrWrong) {
			t.Fatalf("failure %d: got %v", i+1, err)
		}
	}
	var last time.Duration
	for range 4 { // each further one makes the wait longer, the right password too
		err := try(here, password+"Alpha")
		pause, ok := errors.AsType[*domain.Pause](err)
		if kind(err) != domain.Throttled || !ok || pause.Wait <= last {
			t.Fatalf("got %v, want a longer wait than %v", err, last)
		}
		last = pause.Wait
	}
	if err := try(there, password+"Alpha"); err != nil {
		t.Errorf("from another address: got %v", err)
	}
	if _, err := w.in(t, 1, email, password+"Beta", domain.Secret{}, here); err != nil {
		t.Errorf("another account from the same address: got %v", err)
	}
	w.now = w.now.Add(last)
	if err := try(here, password+"Alpha"); err != nil {
		t.Errorf("after the wait: got %v", err)
	}
}

// TestManyGuessesAtOnce: the limit holds for those that come together.
func TestManyGuessesAtOnce(t *testing.T) {
	w := newWorld(t)
	var wrong, throttled, other int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			_, err := w.LogIn(t.Context(), w.partner[0], email, domain.NewSecret("wrong"), domain.Secret{}, domain.Origin{Address: "2001:db8::1"})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, session.ErrWrong):
				wrong++
			case kind(err) == domain.Throttled:
				throttled++
			default:
				other++
			}
		})
	}
	all.Wait()
	if wrong != 5 || throttled != 35 || other != 0 {
		t.Errorf("of 40 guesses at once %d were looked at, %d throttled, %d neither; want 5, 35, 0", wrong, throttled, other)
	}
}

// TestWhatIsKept: neither the value nor the address of a person is in the entry,
// and a refused log-in leaves none.
func TestWhatIsKept(t *testing.T) {
	w := newWorld(t)
	value, err := w.in(t, 0, email, password+"Alpha", domain.Secret{}, "192.0.2.1")
	must(t, err)
	_, _ = w.in(t, 0, email, "wrong", domain.Secret{}, "192.0.2.1")
	list, err := w.store.Entries(t.Context(), "", 1000)
	must(t, err)
	logins := 0
	for _, e := range list {
		if e.Action == "user.login" {
			logins++
		}
		if text := e.Detail + e.Object + e.By; strings.Contains(text, value.Reveal()) || strings.Contains(strings.ToLower(text), "ada@") {
			t.Errorf("the audit log holds %+v", e)
		}
	}
	if logins != 1 {
		t.Errorf("%d log-ins are recorded, want 1", logins)
	}
}
