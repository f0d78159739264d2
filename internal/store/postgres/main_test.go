package postgres_test

import (
	"os"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

var noon = time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) {
	code := m.Run()
	postgrestest.Stop()
	os.Exit(code)
}

func options() postgres.Options {
	return postgres.Options{Now: func() time.Time { return noon }}
}

// open opens a database, a new one for the empty address.
func open(t testing.TB, url string, o postgres.Options) *postgres.Store {
	t.Helper()
	if url == "" {
		url = postgrestest.URL(t)
	}
	s, err := postgres.Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
