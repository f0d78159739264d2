package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

func TestMigrationsAreEmbedded(t *testing.T) {
	list, err := store.Scripts(sqlite.Migrations)
	if err != nil || len(list) == 0 {
		t.Fatalf("the embedded migrations: got %d and %v", len(list), err)
	}
	files, err := os.ReadDir("migrations")
	if err != nil || len(files) != len(list) {
		t.Errorf("the folder has %d files (%v), %d are embedded", len(files), err, len(list))
	}
}

func TestEightStartersAtOnce(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "wattgate.db")
		var all sync.WaitGroup
		stores := make([]*sqlite.Store, 8)
		for i := range stores {
			all.Go(func() {
				s, err := sqlite.Open(t.Context(), path, options())
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

func TestForeignFilesAreRefused(t *testing.T) {
	for sentence, c := range map[string]struct {
		sql  string
		want string
	}{
		"a newer program's": {"PRAGMA application_id = 1466004596; PRAGMA user_version = 1000; CREATE TABLE t (x)", "newer than this program"},
		"another program's": {"CREATE TABLE t (x)", "another program"},
		"another's, marked": {"PRAGMA application_id = 5; CREATE TABLE t (x)", "another program"},
		"another's, empty":  {"PRAGMA application_id = 5", "another program"},
	} {
		path := filepath.Join(t.TempDir(), "other.db")
		conn, err := zombie.OpenConn(path, zombie.OpenReadWrite|zombie.OpenCreate)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(sqlitex.ExecScript(conn, c.sql), conn.Close()); err != nil {
			t.Fatal(err)
		}
		_, err = sqlite.Open(t.Context(), path, options())
		e, ok := errors.AsType[*domain.Error](err)
		if !ok || e.Kind != domain.Conflict || !strings.Contains(e.Public, c.want) {
			t.Errorf("%s: got the error %v, want one with %q", sentence, err, c.want)
		}
	}
	path := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path, options()); err == nil || strings.Contains(err.Error(), "%!") {
		t.Errorf("a text file: got the error %v", err)
	}
}
