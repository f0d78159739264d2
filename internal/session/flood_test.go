package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
	"github.com/wattgate/wattgate/internal/session"
)

// TestOneAddressCannotTryEverybody: failures count for an address, too, whoever
// they are for; nobody else waits.
func TestOneAddressCannotTryEverybody(t *testing.T) {
	w := newWorld(t)
	const here, neighbour, there = "2001:db8::1", "2001:db8::2", "198.51.100.7"
	for i := range 20 {
		if _, err := w.in(t, 0, fmt.Sprintf("x%d@example.com", i), "wrong", domain.Secret{}, here); !errors.Is(err, session.ErrWrong) {
			t.Fatalf("failure %d: got %v, want the one answer", i+1, err)
		}
	}
	for name, word := range map[string]string{"a wrong password": "wrong", "the right one": password + "Alpha"} {
		for range 3 { // the wait does not grow: others may come from here, too
			_, err := w.in(t, 0, email, word, domain.Secret{}, neighbour)
			pause, _ := errors.AsType[*domain.Pause](err)
			if kind(err) != domain.Throttled || pause == nil || pause.Wait != 3*time.Second {
				t.Errorf("%s from there: got %v, want to be throttled for 3s", name, err)
			}
		}
	}
	if _, err := w.in(t, 0, email, password+"Alpha", domain.Secret{}, there); err != nil {
		t.Errorf("from another address: got %v", err)
	}
	w.now = w.now.Add(3 * time.Second)
	if _, err := w.in(t, 0, email, password+"Alpha", domain.Secret{}, here); err != nil {
		t.Errorf("after the wait: got %v", err)
	}
}

// TestOneAddressAtOnce: the limit holds for tries that come together, each for
// another account.
func TestOneAddressAtOnce(t *testing.T) {
	w := newWorld(t)
	var wrong, throttled int
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			_, err := w.LogIn(t.Context(), w.partner[0], fmt.Sprintf("x%d@example.com", i), domain.NewSecret("wrong"), domain.Secret{}, domain.Origin{Address: "192.0.2.66"})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, session.ErrWrong):
				wrong++
			case kind(err) == domain.Throttled:
				throttled++
			}
		})
	}
	all.Wait()
	if wrong != 20 || throttled != 40 {
		t.Errorf("of 60 tries at once %d were looked at and %d throttled; want 20, 40", wrong, throttled)
	}
}

// stuck is a store that does not find anybody before it is closed.
type stuck struct {
	session.Store
	until chan struct{}
}

func (s stuck) CustomerPassword(context.Context, domain.PartnerID, string) (domain.User, string, error) {
	<-s.until
	return domain.User{}, "", &domain.Error{Kind: domain.Unavailable, Public: "stuck"}
}

// TestNobodyWaitsForATurnForever: who has left, or has waited long enough, goes,
// and is told to come again.
func TestNobodyWaitsForATurnForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		until := make(chan struct{})
		k := &session.Keeper{Store: stuck{until: until}, Failures: session.NewFailures(), Now: time.Now}
		try := func(ctx context.Context) error {
			_, err := k.LogIn(ctx, "prt_a", email, domain.NewSecret("x"), domain.Secret{}, domain.Origin{Address: "192.0.2.1"})
			return err
		}
		first := make(chan error)
		go func() { first <- try(t.Context()) }()
		synctest.Wait()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		begun := time.Now()
		if err := try(gone); kind(err) != domain.Unavailable || time.Since(begun) != 0 {
			t.Errorf("who has left: got %v after %v, want unavailable at once", err, time.Since(begun))
		}
		err := try(t.Context())
		if pause, _ := errors.AsType[*domain.Pause](err); kind(err) != domain.Unavailable || pause == nil || time.Since(begun) > 10*time.Second {
			t.Errorf("who waits: got %v after %v, want unavailable with a pause, soon", err, time.Since(begun))
		}
		close(until)
		<-first
	})
}

// meanwhile is a store where something happens after the hash has been read.
type meanwhile struct {
	session.Store
	happens func(domain.User)
}

func (s meanwhile) CustomerPassword(ctx context.Context, p domain.PartnerID, e string) (domain.User, string, error) {
	u, hash, err := s.Store.CustomerPassword(ctx, p, e)
	s.happens(u)
	return u, hash, err
}

// TestWhatHappensDuringALogIn: what ended the password, the person or the partner
// while the password was looked at ends the log-in, too.
func TestWhatHappensDuringALogIn(t *testing.T) {
	for name, do := range map[string]func(*testing.T, *world, domain.User){
		"a new password": func(t *testing.T, w *world, u domain.User) {
			must(t, w.registry.SetPassword(t.Context(), registry.By{}, u.ID, registry.Password{Text: domain.NewSecret("another password"), Drawn: true}))
		},
		"the customer is disabled": func(t *testing.T, w *world, u domain.User) {
			must(t, w.registry.DisableUser(t.Context(), registry.By{}, u.ID, true))
		},
		"the partner is disabled": func(t *testing.T, w *world, u domain.User) {
			must(t, w.registry.DisablePartner(t.Context(), registry.By{}, u.Partner, true))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.Keeper.Store = meanwhile{w.store, func(u domain.User) {
				do(t, w, u)
				w.now = w.now.Add(40 * time.Millisecond)
			}}
			value, err := w.in(t, 0, email, password+"Alpha", domain.Secret{}, "192.0.2.1")
			if !errors.Is(err, session.ErrWrong) || !value.Empty() {
				t.Errorf("got %v, want the one answer", err)
			}
		})
	}
}
