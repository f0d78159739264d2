package postgres_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
	"github.com/wattgate/wattgate/internal/store/storetest"
)

// TestEngine gives each promise a schema of its own, which is half as dear as a
// database, in a database that compares texts as people do.
func TestEngine(t *testing.T) {
	url, n := english(t), 0
	storetest.Run(t, func(t *testing.T) store.Engine {
		n++
		schema := fmt.Sprintf("promise_%d", n)
		execute(t, url, "CREATE SCHEMA "+schema)
		t.Cleanup(func() { execute(t, url, "DROP SCHEMA "+schema+" CASCADE") })
		return open(t, postgrestest.With(url, "search_path", schema), options())
	})
}

// english is the address of a database with the rules of a language. It is
// compared by them wherever a statement or a column does not say otherwise.
func english(t *testing.T) string {
	t.Helper()
	url := postgrestest.URL(t)
	execute(t, url, "DROP DATABASE IF EXISTS wattgate_test_english WITH (FORCE)")
	execute(t, url, "CREATE DATABASE wattgate_test_english TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
	t.Cleanup(func() { execute(t, url, "DROP DATABASE wattgate_test_english WITH (FORCE)") })
	return postgrestest.With(url, "dbname", "wattgate_test_english")
}

// TestOrder: lists have the order of bytes, as in every engine.
func TestOrder(t *testing.T) {
	s := open(t, english(t), options())
	want := []string{"B", "a", "a b", "ab", "b", "É", "é"}
	for i, name := range []string{"a", "é", "b", "B", "ab", "a b", "É"} {
		p := domain.Partner{ID: domain.PartnerID(fmt.Sprint("prt_", i)), Name: name}
		if err := s.AddPartner(t.Context(), p, domain.Entry{ID: fmt.Sprint("aud_", i)}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.Partners(t.Context())
	got := []string{}
	for _, p := range list {
		got = append(got, p.Name)
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("partners: got %q (%v), want %q", got, err, want)
	}
	// What is not ordered by its own rules today may be tomorrow.
	left, err := s.Values(t.Context(), `
		SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = current_schema() AND data_type = 'text' AND collation_name IS NULL
			AND column_name IN ('id', 'name', 'partner', 'partner_id', 'person', 'client', 'email', 'number', 'account', 'property',
				'market', 'identifier', 'direction', 'register', 'unit')
			AND table_name NOT IN ('source', 'installation')`)
	if err != nil || len(left) > 0 {
		t.Errorf("got %q (%v), want the order of bytes for all of them", left, err)
	}
}
