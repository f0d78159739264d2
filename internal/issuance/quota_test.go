package issuance_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/token"
)

// exceeded counts the alarms in the audit log.
func (d *desk) exceeded() (n int) {
	for _, e := range d.entries {
		if e.Action == "user.impersonate.exceeded" {
			n++
		}
	}
	return n
}

// TestAQuotaOfImpersonations: over it nobody is acted for, known or not, in
// neither spelling; the audit log hears of it once an hour; others go on.
func TestAQuotaOfImpersonations(t *testing.T) {
	app, may := impersonator()
	d, at := newDesk(), now
	d.Now = func() time.Time { return at }
	d.Quota = issuance.NewQuota(3)
	d.Actors = holders{"a": may}
	act := func(user domain.UserID) error {
		_, err := d.Impersonate(t.Context(), may, user, domain.Origin{RequestID: "r", Address: "192.0.2.1"})
		return err
	}
	exchange := func() error {
		_, err := d.Exchange(t.Context(), app, issuance.Exchange{User: customer, Actor: "a"})
		return err
	}
	throttled := func(err error) time.Duration {
		e, ok := errors.AsType[*domain.Error](err)
		p, _ := errors.AsType[*domain.Pause](err)
		if !ok || e.Kind != domain.Throttled || p == nil || p.Limit != "impersonations" || p.Quota != 3 || p.Window != time.Hour {
			return 0
		}
		return p.Wait
	}
	for i, err := range []error{act(customer), act(staff), act(customer), act(staff), exchange()} { // who is none costs nothing
		if miss := i%2 == 1; throttled(err) > 0 || (err != nil) != miss {
			t.Fatalf("act %d: got %v", i, err)
		}
	}
	if n := d.exceeded(); n != 0 {
		t.Errorf("within the quota: got %d alarms", n)
	}
	for name, err := range map[string]error{"a customer": act(customer), "a member of staff": act(staff), "by an exchange": exchange()} {
		if wait := throttled(err); wait != 20*time.Minute {
			t.Errorf("%s, over the quota: got %v, want 20 minutes to wait", name, err)
		}
	}
	if n := d.exceeded(); n != 1 || len(d.signed) != 3 {
		t.Errorf("got %d alarms and %d tokens, want one and three", n, len(d.signed))
	}
	alarm := d.entries[len(d.entries)-1]
	want := domain.Entry{ID: alarm.ID, At: now, Action: "user.impersonate.exceeded", Partner: "prt_a", Client: "app_a", RequestID: alarm.RequestID, Address: alarm.Address, Detail: "more than 3 in an hour"}
	if alarm != want || alarm.ID == "" {
		t.Errorf("got the alarm %+v, want %+v", alarm, want)
	}

	other := may
	other.Client = "app_b"
	if _, err := d.Impersonate(t.Context(), other, customer, domain.Origin{}); err != nil {
		t.Errorf("another application: got %v", err)
	}
	at = now.Add(20 * time.Minute)
	if err := act(customer); err != nil {
		t.Errorf("20 minutes later: got %v", err)
	}
	if err := act(customer); throttled(err) == 0 || d.exceeded() != 1 {
		t.Errorf("and once more: got %v and %d alarms, want throttled and still one", err, d.exceeded())
	}
	at = now.Add(time.Hour)
	for range 4 {
		_ = act(customer) // until it is over it again
	}
	if n := d.exceeded(); n != 2 {
		t.Errorf("over it again an hour later: got %d alarms, want two", n)
	}
}

// TestAnAlarmThatCannotBeWrittenDown is the answer itself.
func TestAnAlarmThatCannotBeWrittenDown(t *testing.T) {
	_, may := impersonator()
	d := newDesk()
	d.Quota = issuance.NewQuota(1)
	if _, err := d.Impersonate(t.Context(), may, customer, domain.Origin{}); err != nil {
		t.Fatal(err)
	}
	d.lost = &domain.Error{Kind: domain.Unavailable, Public: "the disk is full"}
	if _, err := d.Impersonate(t.Context(), may, customer, domain.Origin{}); !errors.Is(err, d.lost) {
		t.Errorf("got %v, want %v", err, d.lost)
	}
}

// safe is a desk that many may ask at once.
type safe struct {
	mu sync.Mutex
	*desk
}

func (s *safe) Recording(_ context.Context, e domain.Entry) func() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = append(s.entries, e)
	return func() error { return nil }
}

// quiet signs and remembers nothing.
type quiet struct{}

func (quiet) SignText(prefix string, _ *token.Claims) (string, error) { return prefix + "signed", nil }

// TestAQuotaHoldsAtTheSameTime: many at once get no more than it.
func TestAQuotaHoldsAtTheSameTime(t *testing.T) {
	_, may := impersonator()
	d := newDesk()
	s := &safe{desk: d}
	d.Journal, d.Keys, d.Quota = s, quiet{}, issuance.NewQuota(10)
	var good atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if _, err := d.Impersonate(t.Context(), may, customer, domain.Origin{}); err == nil {
				good.Add(1)
			}
		})
	}
	all.Wait()
	if good.Load() != 10 || d.exceeded() != 1 {
		t.Errorf("got %d tokens and %d alarms, want ten and one", good.Load(), d.exceeded())
	}
}
