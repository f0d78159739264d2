package postgrestest_test

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	postgrestest.Stop()
	os.Exit(code)
}

func TestWith(t *testing.T) {
	for sentence, c := range map[string]struct{ address, want string }{
		"a URL":                 {"postgres://a:b%20c@h:1/d", "postgres://a:b%20c@h:1/d?dbname=other"},
		"a URL with a question": {"postgresql:///d?host=%2Ftmp&dbname=x", "postgresql:///d?dbname=other&host=%2Ftmp"},
		"words":                 {"host=/tmp dbname=x", "host=/tmp dbname=x dbname=other"},
		"nothing":               {"", " dbname=other"},
	} {
		got := postgrestest.With(c.address, "dbname", "other")
		if got != c.want {
			t.Errorf("%s: %q: got %q, want %q", sentence, c.address, got, c.want)
		}
		if config, err := pgx.ParseConfig(got); err != nil || config.Database != "other" {
			t.Errorf("%s: %q: got the database %+v (%v), want the other one", sentence, got, config, err)
		}
	}
}

// TestDatabasesAreNewAndGone: each is empty, and none is left behind.
func TestDatabasesAreNewAndGone(t *testing.T) {
	names := map[string]bool{}
	var address string
	for range 2 {
		t.Run("test", func(t *testing.T) {
			address = postgrestest.URL(t)
			var name string
			var tables int
			ask(t, address, "SELECT current_database()", &name)
			ask(t, address, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace", &tables)
			if names[name] || tables != 0 {
				t.Errorf("got the database %s with %d tables, want a new and empty one", name, tables)
			}
			names[name] = true
		})
	}
	left := 0
	for name := range names {
		ask(t, postgrestest.With(address, "dbname", "postgres"), "SELECT count(*) FROM pg_database WHERE datname = '"+name+"'", &left)
		if left != 0 {
			t.Errorf("the database %s is left", name)
		}
	}
}

func ask(t *testing.T, address, sql string, to any) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.QueryRow(t.Context(), sql).Scan(to); err != nil {
		t.Error(err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
