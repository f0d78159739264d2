package supply_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/store/sqlite"
	"github.com/wattgate/wattgate/internal/supply"
)

var (
	now    = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	manage = domain.Caller{
		Partner: "prt_a", Client: "app_a", Reach: domain.ReachPartner,
		Permissions: domain.PermissionSet(domain.CanViewPersonalData, domain.CanManageCustomers),
	}
)

func newService(t *testing.T) *supply.Service {
	t.Helper()
	clock := func() time.Time { return now }
	store, err := sqlite.Open(t.Context(), ":memory:", sqlite.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := store.AddPartner(t.Context(), domain.Partner{ID: "prt_a", Name: "a", CreatedAt: now}, domain.Entry{ID: "aud_1", At: now}); err != nil {
		t.Fatal(err)
	}
	return &supply.Service{Store: store, Now: clock}
}

// bring adds a customer, with a home where a zone is given.
func bring(t *testing.T, s *supply.Service, n int, zone string) domain.UserID {
	t.Helper()
	c := supply.NewCustomer{
		Reference: fmt.Sprint(n), FirstName: "Eva", Surname: "Zon", Email: fmt.Sprintf("%d@example.org", n), BirthDate: domain.NewDate(1990, 1, 1),
	}
	if zone != "" {
		first := domain.NewDate(2025, 1, 1)
		c.Properties = []supply.NewProperty{{Address: []string{"Weg 1"}, Postcode: "1", Zone: zone, FirstDay: &first}}
	}
	got, err := s.Add(t.Context(), manage, domain.Origin{}, c)
	if err != nil {
		t.Fatal(err)
	}
	return got.ID
}

// TestAPropertyIsOnesAtATime moves people in and out of one property, at random:
// whatever is accepted is what a calendar of its days says, and whatever is
// refused has changed nothing.
func TestAPropertyIsOnesAtATime(t *testing.T) {
	const zone = "Europe/Amsterdam"
	first := domain.NewDate(2025, 3, 20) // spring forward is among the days
	n := 0
	s := newService(t)
	rapid.Check(t, func(r *rapid.T) {
		people := []domain.UserID{}
		for i := range 3 {
			home := ""
			if i == 0 {
				home = zone
			}
			n++
			people = append(people, bring(t, s, n, home))
		}
		list, err := s.Store.Occupancies(t.Context(), domain.Scope{Partner: "prt_a"}, domain.OccupancyFilter{User: people[0]})
		if err != nil || len(list) != 1 {
			r.Fatalf("got the periods %v (%v), want one", list, err)
		}
		home := list[0].Property
		for range rapid.IntRange(1, 12).Draw(r, "moves") {
			before := calendar(t, s, home, first, zone)
			who := rapid.SampledFrom(people).Draw(r, "who")
			day := first + domain.Date(rapid.IntRange(0, 20).Draw(r, "day"))
			in := rapid.Bool().Draw(r, "in")
			move := func() (c supply.Contract, err error) {
				if in {
					return s.MoveIn(t.Context(), manage, domain.Origin{}, supply.MovingIn{Customer: who, Property: home, FirstDay: day})
				}
				return s.MoveOut(t.Context(), manage, domain.Origin{}, supply.MovingOut{Customer: who, Property: home, LastDay: day})
			}
			c, err := move()
			after := calendar(t, s, home, first, zone)
			if err != nil {
				if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != domain.Conflict || before != after {
					r.Fatalf("in %v, %s on %s: refused by %v, from\n%s to\n%s", in, who, day, err, before, after)
				}
				continue
			}
			again, err := move()
			if err != nil || again.Occupancy != c.Occupancy || calendar(t, s, home, first, zone) != after {
				r.Fatalf("in %v, %s on %s: again: %+v (%v), want %+v", in, who, day, again, err, c)
			}
			list := held(t, s, home)
			if got := occupant(t, list, day, zone); got != who {
				r.Fatalf("in %v, %s on %s: then %s has it", in, who, day, got)
			}
			if in && (c.FirstDay == nil || *c.FirstDay != day) || !in && (c.LastDay == nil || *c.LastDay != day) {
				r.Fatalf("in %v on %s: the contract is %+v", in, day, c)
			}
			if !in && occupant(t, list, day+1, zone) == who {
				r.Fatalf("%s has it after %s, the last day", who, day)
			}
		}
	})
}

// held lists who has a property when.
func held(t *testing.T, s *supply.Service, home domain.PropertyID) []domain.Occupancy {
	t.Helper()
	list, err := s.Store.Occupancies(t.Context(), domain.Scope{Partner: "prt_a"}, domain.OccupancyFilter{Property: home})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// occupant returns whose a property is on a day; it fails where it is two
// people's.
func occupant(t *testing.T, list []domain.Occupancy, day domain.Date, zone string) (who domain.UserID) {
	t.Helper()
	loc, err := interval.Zone(zone)
	if err != nil {
		t.Fatal(err)
	}
	start, next := interval.Span(day, loc)
	for _, o := range list {
		if o.Holds(start) != o.Holds(next.Add(-time.Second)) {
			t.Fatalf("a period begins or ends within %s: %+v", day, o)
		}
		if !o.Holds(start) {
			continue
		}
		if who != "" {
			t.Fatalf("on %s the property is two people's: %+v", day, list)
		}
		who = o.User
	}
	return who
}

// calendar says whose a property is on each day.
func calendar(t *testing.T, s *supply.Service, home domain.PropertyID, first domain.Date, zone string) (text string) {
	t.Helper()
	list := held(t, s, home)
	for d := first - 2; d < first+23; d++ {
		text += fmt.Sprintf("%s %s\n", d, occupant(t, list, d, zone))
	}
	return text
}
