package postgres_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store"
	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

func TestMigrationsAreEmbedded(t *testing.T) {
	list, err := store.Scripts(postgres.Migrations)
	if err != nil || len(list) == 0 {
		t.Fatalf("the embedded migrations: got %d and %v", len(list), err)
	}
	files, err := os.ReadDir("migrations")
	if err != nil || len(files) != len(list) {
		t.Errorf("the folder has %d files (%v), %d are embedded", len(files), err, len(list))
	}
}

func TestEightStartersAtOnce(t *testing.T) {
	for range 3 {
		url := postgrestest.URL(t)
		var all sync.WaitGroup
		stores := make([]*postgres.Store, 8)
		for i := range stores {
			all.Go(func() {
				s, err := postgres.Open(t.Context(), url, options())
				if err != nil {
					t.Errorf("starter %d: %v", i, err)
					return
				}
				stores[i] = s
				if err := s.Check(t.Context()); err != nil {
					t.Errorf("starter %d: check: %v", i, err)
				}
			})
		}
		all.Wait()
		for _, s := range stores {
			if s == nil {
				continue
			}
			if roles, err := s.Roles(t.Context()); err != nil || len(roles) != 3 {
				t.Errorf("got the roles %v (%v), want three", roles, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestForeignSchemasAreRefused(t *testing.T) {
	for sentence, c := range map[string]struct {
		sql  string
		want string
	}{
		"a newer program's": {
			"CREATE TABLE schema_version (program text, version bigint); INSERT INTO schema_version VALUES ('wattgate', 1000)",
			"newer than this program: it has version 1000",
		},
		"another program's":              {"CREATE TABLE t (x int)", "another program"},
		"another's with versions":        {"CREATE TABLE schema_version (version bigint)", "another program"},
		"another's with the same table":  {"CREATE TABLE schema_version (program text, version bigint); INSERT INTO schema_version VALUES ('x', 1)", "another program"},
		"another's without its own mark": {"CREATE TABLE schema_version (program text, version bigint)", "another program"},
		"another's view":                 {"CREATE VIEW v AS SELECT 1 AS one", "another program"},
	} {
		url := postgrestest.URL(t)
		execute(t, url, c.sql)
		_, err := postgres.Open(t.Context(), url, options())
		e, ok := errors.AsType[*domain.Error](err)
		if !ok || e.Kind != domain.Conflict || !strings.Contains(e.Public, c.want) {
			t.Errorf("%s: got the error %v, want one with %q", sentence, err, c.want)
		}
	}
}

// TestSchemas: two installations may share a database, each in a schema of its own.
func TestSchemas(t *testing.T) {
	url := postgrestest.URL(t)
	execute(t, url, "CREATE TABLE t (x int); CREATE SCHEMA ours")
	s := open(t, postgrestest.With(url, "search_path", "ours"), options())
	if err := s.AddPartner(t.Context(), domain.Partner{ID: "prt_a", Name: "a"}, domain.Entry{ID: "aud_1"}); err != nil {
		t.Error(err)
	}
	if got, err := s.Values(t.Context(), "SELECT name FROM ours.partner"); err != nil || len(got) != 1 {
		t.Errorf("got %v (%v), want one partner", got, err)
	}
}

func TestEncoding(t *testing.T) {
	url := postgrestest.URL(t)
	execute(t, url, "DROP DATABASE IF EXISTS wattgate_test_latin")
	execute(t, url, "CREATE DATABASE wattgate_test_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
	t.Cleanup(func() { execute(t, url, "DROP DATABASE wattgate_test_latin WITH (FORCE)") })
	_, err := postgres.Open(t.Context(), postgrestest.With(url, "dbname", "wattgate_test_latin"), options())
	if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != domain.Conflict || !strings.Contains(e.Public, "LATIN1") {
		t.Errorf("got the error %v, want a conflict about the encoding", err)
	}
}

func TestAddresses(t *testing.T) {
	for sentence, c := range map[string]struct {
		url  string
		want domain.Kind
	}{
		"no address":       {"postgres://%zz:hidden@/", domain.Invalid},
		"nobody is there":  {"postgres://wattgate:hidden@127.0.0.1:1/x?connect_timeout=1", domain.Unavailable},
		"an unknown word":  {"host=/nowhere hidden", domain.Invalid},
		"a foreign scheme": {"mysql://root:hidden@localhost/x", domain.Invalid},
	} {
		_, err := postgres.Open(t.Context(), c.url, options())
		e, ok := errors.AsType[*domain.Error](err)
		if !ok || e.Kind != c.want || e.Public == "" {
			t.Errorf("%s: %q: got the error %v, want %v", sentence, c.url, err, c.want)
		}
		if err != nil && strings.Contains(c.url, ":hidden@") && strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: the error %v shows the password", sentence, err)
		}
	}
	if _, err := postgres.Open(t.Context(), "", postgres.Options{}); err == nil {
		t.Error("Open without a clock: got no error")
	}
}

// execute runs statements as somebody else would.
func execute(t *testing.T, url, sql string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // also after the test
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(ctx, sql); err != nil {
		t.Error(err)
	}
	if err := c.Close(ctx); err != nil {
		t.Error(err)
	}
}
