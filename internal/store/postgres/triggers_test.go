package postgres_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

// The functions of triggers that somebody might add.
const (
	nothing = `CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;`
	undoing = `CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM audit_log WHERE seq = new.seq; RETURN NULL; END $$;`
)

// tampering is what somebody who owns the database may do to what acts in it.
var tampering = map[string]struct{ sql, says string }{
	"one that swallows entries": {
		nothing + `CREATE TRIGGER "quiet" BEFORE INSERT ON audit_log FOR EACH ROW WHEN (new.action = 'user.impersonate') EXECUTE FUNCTION quiet()`, `trigger "audit_log.quiet"`,
	},
	"one that takes them away again": {
		undoing + `DROP TRIGGER audit_log_keeps ON audit_log; CREATE TRIGGER audit_log_keeps AFTER INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION quiet()`, `trigger "audit_log.audit_log_keeps"`,
	},
	"one that is missing": {`DROP TRIGGER audit_log_stays ON audit_log`, `lacks the trigger "audit_log.audit_log_stays"`},
	"one that does less": {
		`DROP TRIGGER audit_log_stays ON audit_log; CREATE TRIGGER audit_log_stays BEFORE UPDATE ON audit_log FOR EACH ROW WHEN (false) EXECUTE FUNCTION append_only();
		ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_stays`, `trigger "audit_log.audit_log_stays"`,
	},
	"one of another function":     {nothing + `CREATE OR REPLACE TRIGGER audit_log_keeps BEFORE DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION quiet()`, `"audit_log.audit_log_keeps"`},
	"a function that does less":   {`CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN old; END $$`, `"audit_log.audit_log_`},
	"a function of somebody else": {`ALTER FUNCTION append_only() SECURITY DEFINER`, `"audit_log.audit_log_`},
	"one that is switched off":    {`ALTER TABLE audit_log DISABLE TRIGGER audit_log_keeps`, `trigger "audit_log.audit_log_keeps"`},
	"one that is off for some":    {`ALTER TABLE audit_log ENABLE TRIGGER audit_log_lasts`, `trigger "audit_log.audit_log_lasts"`},
	"one of the history":          {`DROP TRIGGER history_keeps ON history`, `lacks the trigger "history.history_keeps"`},
	"one on another table": {
		`CREATE FUNCTION back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE person SET disabled = false; RETURN NULL; END $$;
		CREATE TRIGGER x AFTER UPDATE ON application FOR EACH ROW EXECUTE FUNCTION back()`, `trigger "application.x"`,
	},
	"a rule":                    {`CREATE RULE quiet AS ON INSERT TO audit_log DO INSTEAD NOTHING`, `rule "audit_log.quiet"`},
	"a rule on another table":   {`CREATE RULE x AS ON UPDATE TO person DO INSTEAD NOTHING`, `rule "person.x"`},
	"a policy":                  {`CREATE POLICY p ON audit_log USING (action <> 'user.impersonate'); ALTER TABLE audit_log FORCE ROW LEVEL SECURITY`, `policy "audit_log.p"`},
	"keys that check nothing":   {`ALTER TABLE account DISABLE TRIGGER ALL`, `switched-off key "account.`},
	"a view in a table's place": {`ALTER TABLE role RENAME TO former; CREATE VIEW role AS SELECT * FROM former`, `view "role"`},
	"a server that replays": {
		`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_replication_role = replica', current_database()); END $$`, `setting "session_replication_role"`,
	},
	"a name full of tricks": {
		nothing + "CREATE TRIGGER \"a\nb\x1b[31m\" AFTER UPDATE ON role FOR EACH ROW EXECUTE FUNCTION quiet()", `trigger "role.a\nb\x1b[31m"`,
	},
}

// TestAChangedDatabaseIsRefused: it does not open, and says what is wrong; as
// evidence it opens, and takes nothing.
func TestAChangedDatabaseIsRefused(t *testing.T) {
	for name, c := range tampering {
		url := postgrestest.URL(t)
		if err := open(t, url, options()).Close(); err != nil {
			t.Fatal(err)
		}
		execute(t, url, c.sql)
		_, err := postgres.Open(t.Context(), url, options())
		e, ok := errors.AsType[*domain.Error](err)
		if !ok || e.Kind != domain.Conflict || !strings.Contains(e.Public, c.says) || len(e.Public) > 300 {
			t.Errorf("%s: got the error %v, want a conflict with %s", name, err, c.says)
		}
		evidence := options()
		evidence.Evidence = true
		s := open(t, url, evidence)
		if err := s.Record(t.Context(), domain.Entry{ID: "aud_1", At: noon}); err == nil {
			t.Errorf("%s: evidence takes an entry", name)
		}
		if _, err := s.AuditSize(t.Context()); err != nil {
			t.Errorf("%s: the log of evidence cannot be read: %v", name, err)
		}
	}
}

// TestWhatIsNobodysTrick: an operator's own views and tables change nothing, and
// neither do partitions.
func TestWhatIsNobodysTrick(t *testing.T) {
	url := postgrestest.URL(t)
	if err := open(t, url, options()).Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, url, `
		CREATE VIEW report AS SELECT action, count(*) FROM audit_log GROUP BY action;
		CREATE MATERIALIZED VIEW stale AS SELECT * FROM person;
		CREATE TABLE notes (id int PRIMARY KEY, text text);
		CREATE SCHEMA other; CREATE TABLE other.audit_log (x int);
		CREATE FUNCTION other.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
		CREATE TRIGGER x BEFORE INSERT ON other.audit_log FOR EACH ROW EXECUTE FUNCTION other.f()`)
	s := open(t, url, options())
	if err := s.Record(t.Context(), domain.Entry{ID: "aud_1", At: noon, Action: "test"}); err != nil {
		t.Error(err)
	}
}

// TestTheLogOnlyGrows: nobody changes an entry without taking a trigger away,
// not even where the server believes that it replays another's changes.
func TestTheLogOnlyGrows(t *testing.T) {
	url := postgrestest.URL(t)
	s := open(t, url, options())
	if err := s.Record(t.Context(), domain.Entry{ID: "aud_1", At: noon, Action: "test"}); err != nil {
		t.Fatal(err)
	}
	execute(t, url, `INSERT INTO history (ch, day, rev, recorded_at, src, reason, data) VALUES (1, 1, 1, 1, 1, '', '')`)
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }() // the database goes as well
	for _, role := range []string{"origin", "replica"} {
		if _, err := c.Exec(t.Context(), "SET session_replication_role = "+role); err != nil {
			t.Fatal(err)
		}
		for _, sql := range []string{
			"UPDATE audit_log SET action = 'other'", "DELETE FROM audit_log", "TRUNCATE audit_log", "INSERT INTO audit_log SELECT * FROM audit_log ON CONFLICT (seq) DO UPDATE SET action = 'other'",
			"UPDATE history SET rev = 2", "DELETE FROM history", "TRUNCATE history",
		} {
			if _, err := c.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s as %s: got the error %v, want that it is append-only", sql, role, err)
			}
		}
	}
}

// TestAChangeBehindTheBackIsFound: while the server runs, the next act is
// refused, and leaves nothing; when the trigger is gone acts are taken again.
func TestAChangeBehindTheBackIsFound(t *testing.T) {
	url := postgrestest.URL(t)
	var seconds atomic.Int64
	o := options()
	o.Now = func() time.Time { return noon.Add(time.Duration(seconds.Load()) * time.Second) }
	s := open(t, url, o)
	act := func(id string) error {
		seconds.Add(1)
		return s.AddPartner(t.Context(), domain.Partner{ID: domain.PartnerID("prt_" + id), Name: id}, domain.Entry{ID: "aud_" + id, At: noon, Action: "partner.create"})
	}
	if err := act("before"); err != nil {
		t.Fatal(err)
	}
	execute(t, url, nothing+`CREATE TRIGGER quiet AFTER INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION quiet()`)
	for _, id := range []string{"meanwhile", "then"} {
		err := act(id)
		e, ok := errors.AsType[*domain.Error](err)
		if !ok || e.Kind != domain.Unavailable || strings.Contains(e.Public, "quiet") || !strings.Contains(err.Error(), "quiet") {
			t.Errorf("an act %s: got the error %v, want unavailable, and the name for the operator only", id, err)
		}
	}
	execute(t, url, `DROP TRIGGER quiet ON audit_log`)
	if err := act("after"); err != nil {
		t.Error(err)
	}
	for table, sql := range map[string]string{"partner": "SELECT 'aud_' || name FROM partner ORDER BY name DESC", "audit_log": "SELECT id FROM audit_log ORDER BY seq"} {
		got, err := s.Values(t.Context(), sql)
		if want := "aud_before,aud_after"; err != nil || strings.Join(got, ",") != want {
			t.Errorf("%s: got %v, %v; want %s", table, got, err, want)
		}
	}
}

// TestAnEntryThatIsSwallowedIsNoEntry: even a trigger that came between two
// questions cannot make an act go without its entry.
func TestAnEntryThatIsSwallowedIsNoEntry(t *testing.T) {
	url := postgrestest.URL(t)
	s := open(t, url, options())
	execute(t, url, nothing+`CREATE TRIGGER quiet BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION quiet()`)
	err := s.AddPartner(t.Context(), domain.Partner{ID: "prt_a", Name: "a"}, domain.Entry{ID: "aud_a", At: noon, Action: "partner.create"})
	if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != domain.Internal || e.Public != "" {
		t.Errorf("got the error %v, want an internal one without a sentence", err)
	}
	if list, err := s.Partners(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("the act without its entry happened: %v, %v", list, err)
	}
}
