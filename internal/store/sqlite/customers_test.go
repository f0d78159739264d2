package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"
	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

func user(n int) domain.UserID { return domain.UserID(fmt.Sprintf("usr_%032x", n)) }

// TestTheMemoryOfCustomersSaysWhatTheFileSays changes people and partners at
// random and asks both after every change.
func TestTheMemoryOfCustomersSaysWhatTheFileSays(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s, err := sqlite.Open(t.Context(), "", options())
		if err != nil {
			r.Fatal(err)
		}
		defer s.Close()
		partners, people, entries := []domain.PartnerID{"prt_a", "prt_b"}, 0, 0
		entry := func() domain.Entry {
			entries++
			return domain.Entry{ID: fmt.Sprintf("aud_%d", entries)}
		}
		for _, p := range partners {
			if err := s.AddPartner(t.Context(), domain.Partner{ID: p, Name: string(p)}, entry()); err != nil {
				r.Fatal(err)
			}
		}
		// A part of it happens while everything is read for the first time.
		early := rapid.IntRange(0, 5).Draw(r, "early")
		for step := range rapid.IntRange(1, 25).Draw(r, "steps") {
			if step == early {
				s.CustomersRead()
			}
			p := rapid.SampledFrom(partners).Draw(r, "partner")
			somebody := user(rapid.IntRange(0, people).Draw(r, "somebody"))
			switch rapid.SampledFrom([]string{"add", "add", "disable", "enable", "close", "open", "move"}).Draw(r, "act") {
			case "add":
				u := domain.User{
					ID: user(people), Partner: p, Customer: rapid.Bool().Draw(r, "customer"),
					Staff: rapid.IntRange(0, 3).Draw(r, "staff") == 0, Disabled: rapid.IntRange(0, 3).Draw(r, "disabled") == 0,
				}
				if err := s.AddUser(t.Context(), u, "", nil, entry()); err != nil {
					r.Fatal(err)
				}
				people++
			case "disable":
				_ = s.DisableUser(t.Context(), somebody, true, noon, entry()) // who is not there stays away
			case "enable":
				_ = s.DisableUser(t.Context(), somebody, false, time.Time{}, entry())
			case "close":
				err = s.DisablePartner(t.Context(), p, true, noon, entry())
			case "open":
				err = s.DisablePartner(t.Context(), p, false, time.Time{}, entry())
			case "move":
				err = s.Exec(t.Context(), fmt.Sprintf("UPDATE person SET partner = '%s' WHERE id = '%s'", p, somebody))
			}
			if err != nil {
				r.Fatal(err)
			}
			compare(t, r, s, partners, people, step >= early)
		}
	})
}

func compare(t *testing.T, r *rapid.T, s *sqlite.Store, partners []domain.PartnerID, people int, settled bool) {
	rows, err := s.Values(t.Context(), `SELECT person.partner || ' ' || person.id FROM person JOIN partner p ON p.id = person.partner
		WHERE customer = 1 AND staff = 0 AND person.disabled = 0 AND p.disabled = 0`)
	if err != nil {
		r.Fatal(err)
	}
	want := map[string]bool{}
	for _, row := range rows {
		want[row] = true
	}
	for _, p := range partners {
		for n := range people + 1 {
			_, err := s.ImpersonableCustomer(t.Context(), p, user(n))
			if got := err == nil; got != want[string(p)+" "+string(user(n))] {
				r.Fatalf("%s of %s: got %v, %v, want %v", user(n), p, got, err, !got)
			}
			if _, known := s.Known(p, user(n)); settled && !known {
				r.Fatalf("%s is not answered from memory", user(n))
			}
		}
	}
}

// TestAnotherProcessDisablesACustomer holds what issuance relies on: an act's
// entry comes with everything that was committed before it.
func TestAnotherProcessDisablesACustomer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wattgate.db")
	s := open(t, path, options())
	if err := s.AddPartner(t.Context(), domain.Partner{ID: "prt_a", Name: "a"}, domain.Entry{ID: "aud_1"}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddUser(t.Context(), domain.User{ID: user(1), Partner: "prt_a", Customer: true}, "", nil, domain.Entry{ID: "aud_2"}); err != nil {
		t.Fatal(err)
	}
	s.CustomersRead()
	conn, err := zombie.OpenConn(path, zombie.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := sqlitex.ExecuteTransient(conn, "UPDATE person SET disabled = 1", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Recording(t.Context(), domain.Entry{ID: "aud_3"})(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ImpersonableCustomer(t.Context(), "prt_a", user(1)); err == nil {
		t.Error("after an entry of ours the customer who was disabled elsewhere is still found")
	}
}
