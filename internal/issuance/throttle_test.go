package issuance_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/throttle"
)

// TestSixtyMissesAMinute: who tries identifiers out is told nothing after the
// sixtieth, not even of a customer of its own; others go on, and so does who
// has had no more than one miss a second.
func TestSixtyMissesAMinute(t *testing.T) {
	d, at := newDesk(), now
	d.Now = func() time.Time { return at }
	d.Misses = throttle.New(issuance.MissesOfApplication, 1)
	caller := func(id domain.ClientID) domain.Caller {
		return domain.Caller{
			Partner: "prt_a", Client: id, Permissions: domain.PermissionSet(domain.CanImpersonate, domain.CanQueryProperty),
			Audiences: domain.AllAudiences(), Reach: domain.ReachPartner,
		}
	}
	ask := func(id domain.ClientID, user domain.UserID) (domain.Kind, time.Duration) {
		_, err := d.Impersonate(t.Context(), caller(id), user, domain.Origin{})
		e, ok := errors.AsType[*domain.Error](err)
		if !ok {
			e = &domain.Error{Kind: domain.Kind(domain.Kinds())}
		}
		p, ok := errors.AsType[*domain.Pause](err)
		if !ok {
			p = &domain.Pause{}
		}
		return e.Kind, p.Wait
	}
	none := domain.Kind(domain.Kinds())
	for i := range 60 {
		if kind, _ := ask("app_a", domain.UserID(fmt.Sprintf("usr_%032x", i))); kind != domain.NotFound {
			t.Fatalf("miss %d: got %v, want not found", i+1, kind)
		}
	}
	for _, user := range []domain.UserID{staff, customer, staff} {
		if kind, wait := ask("app_a", user); kind != domain.Throttled || wait != time.Second {
			t.Errorf("%s after sixty misses: got %v and %v to wait, want throttled and 1s", user, kind, wait)
		}
	}
	if kind, _ := ask("app_b", customer); kind != none {
		t.Errorf("another application: got %v, want a token", kind)
	}
	at = at.Add(time.Second)
	if kind, _ := ask("app_a", customer); kind != none {
		t.Errorf("a second later: got %v, want a token", kind)
	}
	for i := range 100 {
		if kind, _ := ask("app_a", staff); kind != domain.NotFound {
			t.Fatalf("miss %d, one a second: got %v, want not found", i+1, kind)
		}
		at = at.Add(time.Second)
	}
	if len(d.signed) != 2 || len(d.entries) != 2 {
		t.Errorf("%d tokens and %d entries, want 2 and 2", len(d.signed), len(d.entries))
	}
}
