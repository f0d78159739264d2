package sqlite_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/audit"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

// touched is a copy of a database whose audit log somebody changes behind our
// back, and what the outside still knows of it.
type touched struct {
	path    string
	witness []audit.Checkpoint
	size    int
}

// recorded makes a log of some entries with a checkpoint now and then, and one
// at the end.
func recorded(t *testing.T, size int) touched {
	t.Helper()
	w := touched{path: filepath.Join(t.TempDir(), "wattgate.db"), size: size}
	s, err := sqlite.Open(t.Context(), w.path, options())
	if err != nil {
		t.Fatal(err)
	}
	for i := range size {
		e := domain.Entry{
			ID: fmt.Sprintf("aud_%03d", i), At: noon.Add(time.Duration(i) * time.Second), Action: "user.impersonate", Partner: "prt_a",
			Client: "app_a", User: domain.UserID(fmt.Sprint(i % 3)), Object: fmt.Sprintf("usr_%d", i), By: "CAN_IMPERSONATE",
			RequestID: "r", Address: "ip_1", Detail: strings.Repeat("x", i%4),
		}
		if err := s.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if i%17 == 0 || i == size-1 {
			c, err := audit.Next(t.Context(), s, audit.Checkpoint{}, noon)
			if err != nil {
				t.Fatal(err)
			}
			w.witness = append(w.witness, c)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return w
}

// verify verifies the copy at path.
func (w touched) verify(t *testing.T, path string, witness []audit.Checkpoint) *audit.Report {
	t.Helper()
	evidence := options()
	evidence.Evidence = true
	s, err := sqlite.Open(t.Context(), path, evidence)
	if err != nil {
		t.Fatal(err)
	}
	r, err := audit.Verify(t.Context(), s, witness)
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return r
}

// with returns a copy of the database that SQL was run on, with the guards off.
func (w touched) with(t *testing.T, name, sql string) string {
	t.Helper()
	b, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(w.path), "copy.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	conn, err := zombie.OpenConn(path, zombie.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	for _, pragma := range []string{"PRAGMA synchronous = OFF", "PRAGMA ignore_check_constraints = ON"} {
		if err := sqlitex.ExecuteTransient(conn, pragma, nil); err != nil {
			t.Fatal(err)
		}
	}
	err = sqlitex.ExecuteScript(conn, "DROP TRIGGER audit_log_stays; DROP TRIGGER audit_log_keeps; "+sql, nil)
	if err := errors.Join(err, conn.Close()); err != nil {
		t.Fatalf("%s: %s: %v", name, sql, err)
	}
	return path
}

// everything but the number and the hashes
const columns = "id, at, action, partner, client, person, object, allowed_by, request_id, address, detail"

// TestEveryMutationIsFound: whatever is changed, dropped, put in another order,
// inserted or cut off is found, and named.
func TestEveryMutationIsFound(t *testing.T) {
	const size = 100
	rounds := 1200
	if detector {
		rounds = 60 // all of them run without it too
	}
	w := recorded(t, size)
	if r := w.verify(t, w.with(t, "nothing", "SELECT 1"), w.witness); len(r.Faults) > 0 || r.Vouched != size || r.Checkpoints != len(w.witness) {
		t.Fatalf("untouched: got %+v", r)
	}
	chance := rand.New(rand.NewPCG(1, 2))
	kinds := mutations(chance, size)
	for round := range rounds {
		m := kinds[round%len(kinds)]()
		r := w.verify(t, w.with(t, m.name, m.sql), w.witness)
		if len(r.Faults) == 0 {
			t.Errorf("%s: %s: not found", m.name, m.sql)
			continue
		}
		// Entries that were moved with their hashes are found by the hash over a
		// pair, which may begin one before.
		if got := r.Faults[0].Number; got != m.number && (got != m.number-1 || m.name != "two swapped") {
			t.Errorf("%s: %s: found at %d, want %d: %+v", m.name, m.sql, got, m.number, r.Faults)
		}
	}
}

// mutation is what is done, and the number of the first entry that it is about.
type mutation struct {
	name, sql string
	number    int64
}

func mutations(chance *rand.Rand, size int) []func() mutation {
	texts := strings.Split(strings.ReplaceAll(columns, " at,", ""), ", ")
	row := func(n int64) string { return fmt.Sprintf(" WHERE seq = %d", n+1) }
	number := func() int64 { return chance.Int64N(int64(size)) }
	list := []func() mutation{
		func() mutation {
			n := number()
			return mutation{"another instant", fmt.Sprintf("UPDATE audit_log SET at = at + %d", 1-2*chance.IntN(2)) + row(n), n}
		},
		func() mutation {
			n := number()
			return mutation{"other hashes", "UPDATE audit_log SET hashes = randomblob(length(hashes))" + row(n), n}
		},
		func() mutation {
			n := number() | 1 // it completes a subtree, which begins one before or earlier
			return mutation{"other inner hashes", "UPDATE audit_log SET hashes = CAST(substr(hashes, 1, 32) || randomblob(length(hashes) - 32) AS BLOB)" + row(n), n - 1}
		},
		func() mutation {
			n := number()
			return mutation{"one more hash", "UPDATE audit_log SET hashes = CAST(hashes || hashes AS BLOB)" + row(n), n}
		},
		func() mutation {
			n := number()
			return mutation{"no hashes", "UPDATE audit_log SET hashes = x''" + row(n), n}
		},
		func() mutation {
			n := chance.Int64N(int64(size) - 1)
			return mutation{"dropped", "DELETE FROM audit_log" + row(n), n}
		},
		func() mutation {
			n := chance.Int64N(int64(size) - 1)
			return mutation{"dropped, and the numbers closed up", fmt.Sprintf("DELETE FROM audit_log%s; UPDATE audit_log SET seq = -seq WHERE seq > %d; UPDATE audit_log SET seq = -seq - 1 WHERE seq < 0", row(n), n+1), n}
		},
		func() mutation {
			a, b := number(), number()
			if a == b {
				b = (a + 1) % int64(size)
			}
			return mutation{"two swapped", fmt.Sprintf("UPDATE audit_log SET seq = -1%s; UPDATE audit_log SET seq = %d%s; UPDATE audit_log SET seq = %d WHERE seq = -1", row(a), a+1, row(b), b+1), min(a, b)}
		},
		func() mutation {
			n := number()
			return mutation{"cut off", fmt.Sprintf("DELETE FROM audit_log WHERE seq > %d", n), n}
		},
		func() mutation {
			n := number()
			return mutation{"inserted", fmt.Sprintf("UPDATE audit_log SET seq = -seq WHERE seq > %d; UPDATE audit_log SET seq = 1 - seq WHERE seq < 0; INSERT INTO audit_log SELECT %d, 'aud_new', at, action, partner, client, person, object, allowed_by, request_id, address, detail, hashes FROM audit_log WHERE seq <> %d ORDER BY seq LIMIT 1", n, n+1, n+1), n}
		},
		func() mutation {
			return mutation{"put at the end", "INSERT INTO audit_log SELECT seq + 1, 'aud_new', at, action, partner, client, person, object, allowed_by, request_id, address, detail, hashes FROM audit_log ORDER BY seq DESC LIMIT 1", int64(size)}
		},
		func() mutation {
			n := number()
			return mutation{"another number", fmt.Sprintf("UPDATE audit_log SET seq = seq + %d", 1000+chance.IntN(1000)) + row(n), n}
		},
	}
	for _, column := range texts {
		list = append(list, func() mutation {
			n := number()
			change := []string{"%[1]s || 'a'", "'b' || %[1]s", "CAST(%[1]s || char(0) AS TEXT)", "CASE %[1]s WHEN '' THEN ' ' ELSE '' END"}[chance.IntN(4)]
			return mutation{"another " + column, fmt.Sprintf("UPDATE audit_log SET "+column+" = "+change, column) + row(n), n}
		})
	}
	return list
}

// TestARewrittenLogNeedsAWitness: whoever computes all hashes anew is found by
// what was signed before, and by nothing else.
func TestARewrittenLogNeedsAWitness(t *testing.T) {
	const size = 60
	w := recorded(t, size)
	for name, c := range map[string]struct {
		sql  string
		want int64
	}{
		"cut off":    {"DELETE FROM audit_log WHERE seq > 40", 40},
		"an act out": {"DELETE FROM audit_log WHERE seq = 31", 18}, // after the checkpoint of 18 entries
		"another":    {"UPDATE audit_log SET object = 'usr_other' WHERE seq = 10", 1},
		"the newest": {"DELETE FROM audit_log WHERE seq = 60", 59},
		"all":        {"DELETE FROM audit_log", 0},
	} {
		evidence := options()
		evidence.Evidence = true
		before := open(t, w.with(t, name, c.sql), evidence)
		var entries []audit.Leaf
		entries, err := before.AuditLeaves(t.Context(), audit.Filter{Limit: size})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "rewritten.db")
		after := open(t, path, options())
		for _, l := range entries {
			if err := after.Record(t.Context(), l.Entry); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(before.Close(), after.Close()); err != nil {
			t.Fatal(err)
		}
		if r := w.verify(t, path, nil); len(r.Faults) > 0 {
			t.Errorf("%s: without a witness: got %+v, and this test shows nothing", name, r.Faults)
		}
		for _, witness := range [][]audit.Checkpoint{w.witness, w.witness[len(w.witness)-1:]} {
			r := w.verify(t, path, witness)
			want := c.want
			if len(witness) == 1 && want != 40 && want != 59 {
				want = 0 // a single checkpoint cannot say where
			}
			if len(r.Faults) == 0 || len(witness) > 1 && r.Faults[0].Number != want {
				t.Errorf("%s, with %d checkpoints: got %+v, want something at %d", name, len(witness), r.Faults, want)
			}
		}
	}
}

// TestEntriesFromBeforeTheTree are put into it once, without their addresses.
func TestEntriesFromBeforeTheTree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wattgate.db")
	texts, err := store.Scripts(sqlite.Migrations)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := zombie.OpenConn(path, zombie.OpenReadWrite|zombie.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	script := strings.Join(texts[:3], ";") + `;
		INSERT INTO audit_log SELECT value * 3, 'aud_' || value, value, 'test', '', '', '', '', '', '', '192.0.2.1', '' FROM json_each('[1,2,3,4,5,6,7]');
		PRAGMA application_id = 1466004596; PRAGMA user_version = 3;`
	if err := errors.Join(sqlitex.ExecuteScript(conn, script, nil), conn.Close()); err != nil {
		t.Fatal(err)
	}
	o := options()
	o.Pseudonym = func(string) string { return "ip_1" }
	s := open(t, path, o)
	if err := s.Record(t.Context(), domain.Entry{ID: "aud_8", Address: "192.0.2.1"}); err != nil {
		t.Fatal(err)
	}
	r, err := audit.Verify(t.Context(), s, nil)
	if err != nil || r.Size != 8 || len(r.Faults) > 0 {
		t.Errorf("got %+v and %v, want eight sound entries", r, err)
	}
	got, err := s.Values(t.Context(), "SELECT id || ' ' || address FROM audit_log ORDER BY seq")
	if want := "aud_1 ip_1,aud_2 ip_1,aud_3 ip_1,aud_4 ip_1,aud_5 ip_1,aud_6 ip_1,aud_7 ip_1,aud_8 ip_1"; err != nil || strings.Join(got, ",") != want {
		t.Errorf("got %v (%v), want %s", got, err, want)
	}
	if got, err := s.Values(t.Context(), "SELECT name FROM sqlite_schema WHERE name = 'audit_before'"); err != nil || len(got) > 0 {
		t.Errorf("got %v (%v), want no table of before", got, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || strings.Contains(string(text), "192.0.2.1") {
		t.Errorf("the address is still in the file (%v)", err)
	}
}
