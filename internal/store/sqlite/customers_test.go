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
// random and asks both after every change. Each try has partners of its own.
func TestTheMemoryOfCustomersSaysWhatTheFileSays(t *testing.T) {
	s := open(t, "", options())
	s.CustomersRead()
	m := memory{Store: s}
	rapid.Check(t, func(r *rapid.T) {
		m.begin(t, r)
		for range rapid.IntRange(1, 25).Draw(r, "steps") {
			m.step(t, r)
			m.compare(t, r, true)
		}
	})
}

// TestCustomersThatComeWhileAllAreRead opens a database anew, again and again,
// and changes people at once.
func TestCustomersThatComeWhileAllAreRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wattgate.db")
	rounds := 0
	rapid.Check(t, func(r *rapid.T) {
		if rounds++; rounds > 20 {
			return // opening is slow
		}
		s, err := sqlite.Open(t.Context(), path, options())
		if err != nil {
			r.Fatal(err)
		}
		defer s.Close()
		m := memory{Store: s, people: rounds * 1000, entries: rounds * 1000}
		m.begin(t, r)
		for range 5 {
			m.step(t, r)
			m.compare(t, r, false)
		}
		s.CustomersRead()
		m.compare(t, r, true)
	})
}

// memory is what is changed and asked.
type memory struct {
	*sqlite.Store
	partners      []domain.PartnerID
	first, people int // numbers of the people of this try
	entries       int
}

func (m *memory) entry() domain.Entry {
	m.entries++
	return domain.Entry{ID: fmt.Sprintf("aud_%d", m.entries)}
}

func (m *memory) begin(t *testing.T, r *rapid.T) {
	m.first, m.partners = m.people, nil
	for _, name := range []string{"a", "b"} {
		p := domain.PartnerID(fmt.Sprintf("prt_%s%d", name, m.entries))
		if err := m.AddPartner(t.Context(), domain.Partner{ID: p, Name: string(p)}, m.entry()); err != nil {
			r.Fatal(err)
		}
		m.partners = append(m.partners, p)
	}
}

func (m *memory) step(t *testing.T, r *rapid.T) {
	p := rapid.SampledFrom(m.partners).Draw(r, "partner")
	somebody := user(rapid.IntRange(m.first, m.people).Draw(r, "somebody"))
	var err error
	switch rapid.SampledFrom([]string{"add", "add", "disable", "enable", "close", "open", "move"}).Draw(r, "act") {
	case "add":
		u := domain.User{
			ID: user(m.people), Partner: p, Customer: rapid.Bool().Draw(r, "customer"),
			Staff: rapid.IntRange(0, 3).Draw(r, "staff") == 0, Disabled: rapid.IntRange(0, 3).Draw(r, "disabled") == 0,
		}
		err = m.AddUser(t.Context(), u, "", nil, m.entry())
		m.people++
	case "disable":
		_ = m.DisableUser(t.Context(), somebody, true, noon, m.entry()) // who is not there stays away
	case "enable":
		_ = m.DisableUser(t.Context(), somebody, false, time.Time{}, m.entry())
	case "close":
		err = m.DisablePartner(t.Context(), p, true, noon, m.entry())
	case "open":
		err = m.DisablePartner(t.Context(), p, false, time.Time{}, m.entry())
	case "move":
		err = m.Exec(t.Context(), fmt.Sprintf("UPDATE person SET partner = '%s' WHERE id = '%s'", p, somebody))
	}
	if err != nil {
		r.Fatal(err)
	}
}

// compare asks both about everybody. settled: the memory must answer.
func (m *memory) compare(t *testing.T, r *rapid.T, settled bool) {
	rows, err := m.Values(t.Context(), `SELECT person.partner || ' ' || person.id FROM person JOIN partner p ON p.id = person.partner
		WHERE customer = 1 AND staff = 0 AND person.disabled = 0 AND p.disabled = 0`)
	if err != nil {
		r.Fatal(err)
	}
	want := map[string]bool{}
	for _, row := range rows {
		want[row] = true
	}
	for _, p := range m.partners {
		for n := m.first; n <= m.people; n++ {
			_, err := m.ImpersonableCustomer(t.Context(), p, user(n))
			if got := err == nil; got != want[string(p)+" "+string(user(n))] {
				r.Fatalf("%s of %s: got %v, %v, want %v", user(n), p, got, err, !got)
			}
			if _, known := m.Known(p, user(n)); settled && !known {
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

// TestMoreChangesThanAreKept: the memory is not trusted any more, and the file
// says the same.
func TestMoreChangesThanAreKept(t *testing.T) {
	s := open(t, "", options())
	if err := s.AddPartner(t.Context(), domain.Partner{ID: "prt_a", Name: "a"}, domain.Entry{ID: "aud_1"}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddUser(t.Context(), domain.User{ID: user(1), Partner: "prt_a", Customer: true}, "", nil, domain.Entry{ID: "aud_2"}); err != nil {
		t.Fatal(err)
	}
	s.CustomersRead()
	for _, sql := range []string{
		`UPDATE person SET disabled = 1`,
		`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100001) INSERT INTO person_changed (id) SELECT 'usr_x' FROM n`,
	} {
		if err := s.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Values(t.Context(), `SELECT count(*) FROM person_changed`); err != nil || got[0] != "100000" {
		t.Errorf("got %v changes, %v, want 100000", got, err)
	}
	if _, known := s.Known("prt_a", user(1)); known {
		t.Error("the memory is asked, and more has changed than it can know")
	}
	if _, err := s.ImpersonableCustomer(t.Context(), "prt_a", user(1)); err == nil {
		t.Error("a disabled customer is found")
	}
}
