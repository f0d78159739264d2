package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/store"
	"github.com/wattgate/wattgate/internal/store/sqlite"
	"github.com/wattgate/wattgate/internal/store/storetest"
)

var noon = time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)

func options() sqlite.Options {
	return sqlite.Options{Now: func() time.Time { return noon }}
}

func open(t *testing.T, path string, o sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, o)
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

func TestNameless(t *testing.T) {
	if detector {
		t.Log("what TestFile promises is enough for the race detector; this runs without it")
		return
	}
	storetest.Run(t, func(t *testing.T) store.Engine { return open(t, ":memory:", options()) })
}

func TestFile(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Engine {
		return open(t, filepath.Join(t.TempDir(), "a file?with#odd%20letters.db"), options())
	})
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wattgate.db")
	s := open(t, path, options())
	want := domain.Partner{ID: "prt_a", Name: "a", CreatedAt: noon}
	if err := s.AddPartner(t.Context(), want, domain.Entry{ID: "aud_1"}); err != nil {
		t.Fatal(err)
	}
	other := open(t, path, options()) // as another process would
	checkPartners(t, "beside the writer", other, want)
	if err := errors.Join(s.Close(), other.Close()); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(path + "*")
	if err != nil || !reflect.DeepEqual(left, []string{path}) {
		t.Errorf("after Close: got the files %v (%v), want only %s", left, err, path)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has the mode %v (%v), want 0600", info.Mode(), err)
	}
	checkPartners(t, "reopened", open(t, path, options()), want)
}

func checkPartners(t *testing.T, name string, s *sqlite.Store, want domain.Partner) {
	t.Helper()
	got, err := s.Partners(t.Context())
	if err != nil || !reflect.DeepEqual(got, []domain.Partner{want}) {
		t.Errorf("%s: got the partners %v (%v), want %v", name, got, err, want)
	}
	roles, err := s.Roles(t.Context())
	if err != nil || len(roles) != len(domain.DocumentedRoles()) {
		t.Errorf("%s: got the roles %v (%v), want the documented ones", name, roles, err)
	}
}

func TestNamelessLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := open(t, "", options())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("got %v (%v), want an empty folder", left, err)
	}
}

func TestSettings(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "wattgate.db"), options())
	err := s.Change(t.Context(), func(conn *zombie.Conn) error {
		for pragma, want := range map[string]string{
			"page_size": "8192", "auto_vacuum": "2", "journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "application_id": "1466004596",
		} {
			got := ""
			err := sqlitex.ExecuteTransient(conn, "PRAGMA "+pragma, &sqlitex.ExecOptions{ResultFunc: func(row *zombie.Stmt) error {
				got = row.ColumnText(0)
				return nil
			}})
			if err != nil || got != want {
				t.Errorf("%s: got %q (%v), want %q", pragma, got, err, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := s.Values(t.Context(), "DELETE FROM role"); err == nil {
		t.Error("a reader has written")
	}
	for _, sql := range []string{"UPDATE audit_log SET at = 1", "DELETE FROM audit_log"} {
		if err := s.Record(t.Context(), domain.Entry{ID: "aud_" + sql[:1]}); err != nil {
			t.Fatal(err)
		}
		if err := s.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s: got no error, want an append-only log", sql)
		}
	}
	if _, err := sqlite.Open(t.Context(), "", sqlite.Options{}); err == nil {
		t.Error("Open without a clock: got no error")
	}
}

func TestHistoryKeepsWhatWasReplaced(t *testing.T) {
	s := open(t, "", options())
	if err := s.AddPartner(t.Context(), domain.Partner{ID: "prt_a"}, domain.Entry{ID: "aud_1"}); err != nil {
		t.Fatal(err)
	}
	err := s.TakeIn(t.Context(), func(tx intake.Tx) error {
		p, err := tx.AddSupplyPoint(domain.SupplyPoint{Partner: "prt_a", Market: domain.MarketNLDGas, Identifier: "1"})
		if err != nil {
			return err
		}
		c, err := tx.AddChannel(domain.Channel{SupplyPoint: p, Unit: domain.CubicMetre, Zone: "Europe/Amsterdam"})
		if err != nil {
			return err
		}
		for _, text := range []string{"one", "two", "three"} {
			if err := tx.PutDay(c.ID, domain.Day{Date: 20000, Data: []byte(text)}, domain.Provenance{Source: "file " + text}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Values(t.Context(), `
		SELECT h.day || ' ' || h.rev || ' ' || h.recorded_at || ' ' || s.name || ' ' || CAST(h.data AS TEXT)
		FROM history h JOIN source s ON s.id = h.src ORDER BY h.rev`)
	want := []string{"20000 1 1793880000000000 file one one", "20000 2 1793880000000000 file two two"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("history: got %q (%v), want %q", got, err, want)
	}
}

// TestAmendments: they leave no history, and an earlier transaction's day alone.
func TestAmendments(t *testing.T) {
	now := noon
	s := open(t, "", sqlite.Options{Now: func() time.Time { return now }})
	if err := s.AddPartner(t.Context(), domain.Partner{ID: "prt_a"}, domain.Entry{ID: "aud_1"}); err != nil {
		t.Fatal(err)
	}
	var c domain.Channel
	err := s.TakeIn(t.Context(), func(tx intake.Tx) error {
		p, err := tx.AddSupplyPoint(domain.SupplyPoint{Partner: "prt_a", Market: domain.MarketNLDGas, Identifier: "1"})
		if err != nil {
			return err
		}
		if c, err = tx.AddChannel(domain.Channel{SupplyPoint: p, Unit: domain.CubicMetre, Zone: "Europe/Amsterdam"}); err != nil {
			return err
		}
		return tx.PutDay(c.ID, domain.Day{Date: 20000, Data: []byte("old")}, domain.Provenance{Source: "first"})
	})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	err = s.TakeIn(t.Context(), func(tx intake.Tx) error {
		err := tx.AmendDay(c.ID, domain.Day{Date: 20000, Data: []byte("forged")})
		if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != domain.NotFound {
			t.Errorf("an earlier transaction's day: got the error %v, want not found", err)
		}
		if err := tx.PutDay(c.ID, domain.Day{Date: 20000, Data: []byte("half")}, domain.Provenance{Source: "second"}); err != nil {
			return err
		}
		return tx.AmendDay(c.ID, domain.Day{Date: 20000, Data: []byte("all")})
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Values(t.Context(), `
		SELECT d.rev || ' ' || s.name || ' ' || CAST(d.data AS TEXT) FROM
			(SELECT rev, src, data FROM history UNION ALL SELECT rev, src, data FROM hot) d
		JOIN source s ON s.id = d.src ORDER BY d.rev`)
	want := []string{"1 first old", "2 second all"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("history and day: got %q (%v), want %q", got, err, want)
	}
}

func TestPanicIsItsCallersFailure(t *testing.T) {
	s := open(t, "", options())
	err := s.Change(t.Context(), func(*zombie.Conn) error { panic("oh no") })
	if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != domain.Internal || !strings.Contains(e.Error(), "oh no") {
		t.Errorf("got the error %v, want an internal one about the panic", err)
	}
	if err := s.Record(t.Context(), domain.Entry{ID: "aud_1"}); err != nil {
		t.Errorf("the change after a panic: %v", err)
	}
}

func TestFullDisk(t *testing.T) {
	s := open(t, "", options())
	if err := s.Exec(t.Context(), "PRAGMA max_page_count = 1"); err != nil { // as small as it is now
		t.Fatal(err)
	}
	long := strings.Repeat("x", 100_000)
	err := s.Record(t.Context(), domain.Entry{ID: "aud_1", Detail: long})
	if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != domain.Unavailable || strings.Contains(e.Public, "full") {
		t.Errorf("got the error %v, want an unavailable one", err)
	}
	if err := s.Exec(t.Context(), "PRAGMA max_page_count = 100000"); err != nil {
		t.Fatal(err)
	}
	if err := s.Record(t.Context(), domain.Entry{ID: "aud_1", Detail: long}); err != nil {
		t.Errorf("the same entry with room for it: %v", err)
	}
}

func TestAnotherProcessWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wattgate.db")
	o := options()
	o.Busy = 30 * time.Millisecond
	s := open(t, path, o)
	conn, err := zombie.OpenConn(path, zombie.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := sqlitex.ExecuteTransient(conn, "BEGIN IMMEDIATE", nil); err != nil {
		t.Fatal(err)
	}
	err = s.Record(t.Context(), domain.Entry{ID: "aud_1"})
	if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != domain.Unavailable {
		t.Errorf("while another process writes: got the error %v, want an unavailable one", err)
	}
	if err := sqlitex.ExecuteTransient(conn, "ROLLBACK", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Record(t.Context(), domain.Entry{ID: "aud_1"}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestWaitingChangesShareOneFate(t *testing.T) {
	s := open(t, "", options())
	inside, release := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- s.Change(t.Context(), func(*zombie.Conn) error {
			close(inside)
			<-release
			return nil
		})
	}()
	<-inside
	const n = 32
	answers := make(chan error, n)
	for i := range n {
		go func() {
			answers <- s.Change(t.Context(), func(conn *zombie.Conn) error {
				if i > 0 {
					return sqlitex.Execute(conn, "INSERT INTO source (name) VALUES (?1)", &sqlitex.ExecOptions{Args: []any{i}})
				}
				// This one is found out when the transaction commits.
				return sqlitex.ExecScript(conn, `PRAGMA defer_foreign_keys = ON;
					INSERT INTO secret_use (secret, last_used, tokens) VALUES ('unknown', 0, 0)`)
			})
		}()
	}
	for s.Waiting() < n {
		runtime.Gosched()
	}
	close(release)
	if err := <-first; err != nil {
		t.Errorf("the transaction before: %v", err)
	}
	for range n {
		if err := <-answers; err == nil {
			t.Error("a change in a transaction that was not committed: got no error")
		}
	}
	if got, err := s.Values(t.Context(), "SELECT name FROM source"); err != nil || len(got) > 0 {
		t.Errorf("got the sources %v (%v), want none", got, err)
	}
	if err := s.Record(t.Context(), domain.Entry{ID: "aud_1"}); err != nil {
		t.Errorf("the change after it: %v", err)
	}
}
