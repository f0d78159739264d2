package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/store"
	"github.com/wattgate/wattgate/internal/store/sqlite"
	"github.com/wattgate/wattgate/internal/token"
)

// TestKeysFromBeforeTheyHadTimes: a key of the first schema signs since it was made.
func TestKeysFromBeforeTheyHadTimes(t *testing.T) {
	scripts, err := store.Scripts(sqlite.Migrations)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "old.db")
	conn, err := zombie.OpenConn(path, zombie.OpenReadWrite|zombie.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	err = sqlitex.ExecScript(conn, scripts[0]+`
		INSERT INTO signing_key (id, algorithm, created_at, state, sealed, public) VALUES ('old', 'ES256', 1000000, 'active', x'01', x'02');
		PRAGMA application_id = 1466004596;
		PRAGMA user_version = 1;`)
	if err := errors.Join(err, conn.Close()); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), path, options())
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.SigningKeys(t.Context())
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].State != token.Active || list[0].ActiveFrom.Unix() != 1 || !list[0].RemovedAt.IsZero() {
		t.Errorf("got %+v, want the key, active since it was made", list)
	}
}
