package postgres_test

import (
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store"
	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

// TestPropertiesKeepWhoseTheyAre: a database from before moves were kept. Whoever
// has a property there has had it ever since.
func TestPropertiesKeepWhoseTheyAre(t *testing.T) {
	texts, err := store.Scripts(postgres.Migrations)
	if err != nil {
		t.Fatal(err)
	}
	url := postgrestest.URL(t)
	const before = 4 // migrations that such a database has seen
	execute(t, url, strings.Join(texts[:before], "\n")+`
		UPDATE schema_version SET version = 4;
		INSERT INTO partner (id, name, disabled, revoked_before, created_at) VALUES ('prt_a', 'a', false, 0, 0);
		INSERT INTO person (id, partner, customer, staff, permissions, email, first_name, middle_name, surname, phone, birth_date,
			customer_number, disabled, revoked_before, created_at, password_hash)
		VALUES ('usr_a', 'prt_a', true, false, '', 'a@example.com', 'A', '', 'B', '', 0, '1', false, 0, 0, '');
		INSERT INTO account (partner, number, person) VALUES ('prt_a', 'A-1', 'usr_a');
		INSERT INTO property (id, partner, account, label, address, postcode, zone) VALUES
			('prop_1', 'prt_a', 'A-1', '', '[]', '', 'Europe/Amsterdam'), ('prop_2', 'prt_a', 'A-1', '', '[]', '', 'UTC'), ('prop_0', 'prt_a', NULL, '', '[]', '', 'UTC');`)
	s := open(t, url, options())
	scope := domain.Scope{Partner: "prt_a", User: "usr_a"}
	got, err := s.Occupancies(t.Context(), scope, domain.OccupancyFilter{User: "usr_a"})
	if err != nil || len(got) != 2 || got[0].ID == got[1].ID {
		t.Fatalf("got the periods %+v (%v), want two", got, err)
	}
	for i, want := range []domain.Occupancy{{Property: "prop_1", Zone: "Europe/Amsterdam"}, {Property: "prop_2", Zone: "UTC"}} {
		want.Partner, want.Account, want.User, want.ID = "prt_a", "A-1", "usr_a", got[i].ID
		if id, err := domain.ParseOccupancyID(got[i].ID.UUID()); err != nil || id != got[i].ID {
			t.Errorf("the identifier %s is the UUID %q (%v)", got[i].ID, got[i].ID.UUID(), err)
		}
		if got[i] != want {
			t.Errorf("got %+v, want %+v", got[i], want)
		}
		if _, err := s.Property(t.Context(), scope, want.Property); err != nil {
			t.Errorf("%s: %v", want.Property, err)
		}
	}
	if _, err := s.Property(t.Context(), scope, "prop_0"); err == nil {
		t.Error("a property of nobody is found by a customer")
	}
}
