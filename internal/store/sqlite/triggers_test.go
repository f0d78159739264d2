package sqlite_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

// tampering is what somebody who can write to the file may do to the triggers.
var tampering = map[string]struct{ sql, says string }{
	"one that swallows entries": {
		`CREATE TRIGGER "quiet" BEFORE INSERT ON audit_log WHEN new.action = 'user.impersonate' BEGIN SELECT RAISE(IGNORE); END`, `"quiet"`,
	},
	"one that takes them away again": {
		`DROP TRIGGER audit_log_keeps; CREATE TRIGGER audit_log_keeps AFTER INSERT ON audit_log BEGIN DELETE FROM audit_log WHERE seq = new.seq; END`, `"audit_log_keeps"`,
	},
	"one that is missing": {`DROP TRIGGER audit_log_stays`, `lacks the trigger "audit_log_stays"`},
	"one that does less": {
		`DROP TRIGGER audit_log_stays; CREATE TRIGGER audit_log_stays BEFORE UPDATE ON audit_log WHEN 0 BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`, `"audit_log_stays"`,
	},
	"one on another table": {`CREATE TRIGGER x AFTER UPDATE ON application BEGIN UPDATE person SET disabled = 0; END`, `"x"`},
	"a view":               {`CREATE VIEW v AS SELECT * FROM person`, `"v"`},
	"a name full of tricks": {
		`CREATE TRIGGER "` + strings.Repeat("n", 200) + `" AFTER UPDATE ON role BEGIN SELECT 1; END`, `nnn…"`,
	},
}

// behind runs SQL on the file as somebody else.
func behind(t *testing.T, path, sql string) {
	t.Helper()
	conn, err := zombie.OpenConn(path, zombie.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(sqlitex.ExecScript(conn, sql), conn.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestAChangedDatabaseIsRefused: it does not open, and says what is wrong; as
// evidence it opens, and takes nothing.
func TestAChangedDatabaseIsRefused(t *testing.T) {
	for name, c := range tampering {
		path := filepath.Join(t.TempDir(), "wattgate.db")
		if err := open(t, path, options()).Close(); err != nil {
			t.Fatal(err)
		}
		behind(t, path, c.sql)
		_, err := sqlite.Open(t.Context(), path, options())
		e, ok := errors.AsType[*domain.Error](err)
		if !ok || e.Kind != domain.Conflict || !strings.Contains(e.Public, c.says) || len(e.Public) > 300 {
			t.Errorf("%s: got the error %v, want a conflict with %s", name, err, c.says)
		}
		evidence := options()
		evidence.Evidence = true
		s, err := sqlite.Open(t.Context(), path, evidence)
		if err != nil {
			t.Errorf("%s: it does not open as evidence: %v", name, err)
			continue
		}
		if err := s.Record(t.Context(), domain.Entry{ID: "aud_1", At: noon}); err == nil {
			t.Errorf("%s: evidence takes an entry", name)
		}
		if _, err := s.AuditSize(t.Context()); err != nil {
			t.Errorf("%s: the log of evidence cannot be read: %v", name, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestAChangeBehindTheBackIsFound: while the server runs, the next act is
// refused, and leaves nothing; when the trigger is gone acts are taken again.
func TestAChangeBehindTheBackIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wattgate.db")
	s := open(t, path, options())
	act := func(id string) error {
		return s.AddPartner(t.Context(), domain.Partner{ID: domain.PartnerID("prt_" + id), Name: id}, domain.Entry{ID: "aud_" + id, At: noon, Action: "partner.create"})
	}
	if err := act("before"); err != nil {
		t.Fatal(err)
	}
	behind(t, path, `CREATE TRIGGER quiet BEFORE INSERT ON audit_log BEGIN SELECT RAISE(IGNORE); END`)
	err := act("meanwhile")
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || e.Kind != domain.Unavailable || strings.Contains(e.Public, "quiet") || !strings.Contains(err.Error(), "quiet") {
		t.Errorf("an act without an entry: got the error %v, want unavailable, and the name for the operator only", err)
	}
	behind(t, path, `DROP TRIGGER quiet`)
	if err := act("after"); err != nil {
		t.Error(err)
	}
	for table, want := range map[string]string{"partner": "before,after", "audit_log": "aud_before,aud_after"} {
		column := map[string]string{"partner": "name", "audit_log": "id"}[table]
		got, err := s.Values(t.Context(), "SELECT "+column+" FROM "+table+" ORDER BY rowid")
		if err != nil || strings.Join(got, ",") != want {
			t.Errorf("%s: got %v, %v; want %s", table, got, err, want)
		}
	}
}

// TestAnEntryThatIsSwallowedIsNoEntry: even a trigger of our own connection,
// which nothing else would find, cannot make an act go without its entry.
func TestAnEntryThatIsSwallowedIsNoEntry(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "wattgate.db"), options())
	if err := s.Exec(t.Context(), `CREATE TEMP TRIGGER quiet BEFORE INSERT ON main.audit_log BEGIN SELECT RAISE(IGNORE); END`); err != nil {
		t.Fatal(err)
	}
	err := s.AddPartner(t.Context(), domain.Partner{ID: "prt_a", Name: "a"}, domain.Entry{ID: "aud_a", At: noon, Action: "partner.create"})
	if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != domain.Internal || e.Public != "" {
		t.Errorf("got the error %v, want an internal one without a sentence", err)
	}
	if list, err := s.Partners(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("the act without its entry happened: %v, %v", list, err)
	}
}
