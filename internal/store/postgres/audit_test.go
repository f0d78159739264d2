package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/audit"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

// touched is a database whose audit log somebody changes behind our back, and
// what the outside still knows of it.
type touched struct {
	somebody *pgx.Conn
	witness  []audit.Checkpoint
	evidence *postgres.Store
}

// recorded makes a log of some entries with a checkpoint now and then, and one
// at the end. Somebody keeps a copy, and takes away what guards the log.
func recorded(t *testing.T, size int) touched {
	t.Helper()
	url := postgrestest.URL(t)
	s := open(t, url, options())
	var w touched
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
	var err error
	if w.somebody, err = pgx.Connect(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.somebody.Close(context.Background()) }) // the database goes as well
	w.run(t, `
		CREATE TABLE kept AS SELECT * FROM audit_log;
		DROP TRIGGER audit_log_stays ON audit_log; DROP TRIGGER audit_log_keeps ON audit_log; DROP TRIGGER audit_log_lasts ON audit_log;
		ALTER TABLE audit_log DROP CONSTRAINT audit_log_seq_check, DROP CONSTRAINT audit_log_id_check, DROP CONSTRAINT audit_log_hashes_check`)
	evidence := options()
	evidence.Evidence = true
	w.evidence = open(t, url, evidence)
	return w
}

func (w touched) run(t *testing.T, sql string) {
	t.Helper()
	if _, err := w.somebody.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// verify verifies the log after it was made as it was and changed by the SQL.
func (w touched) verify(t *testing.T, sql string) *audit.Report {
	t.Helper()
	w.run(t, "TRUNCATE audit_log; INSERT INTO audit_log SELECT * FROM kept ORDER BY seq; "+sql)
	r, err := audit.Verify(t.Context(), w.evidence, w.witness)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// everything but the number and the hashes
const columns = "id, at, action, partner, client, person, object, allowed_by, request_id, address, detail"

// TestEveryMutationIsFound: whatever is changed, dropped, put in another order,
// inserted or cut off is found, and named.
func TestEveryMutationIsFound(t *testing.T) {
	const size, rounds = 100, 440
	w := recorded(t, size)
	if r := w.verify(t, "SELECT 1"); len(r.Faults) > 0 || r.Vouched != size || r.Checkpoints != len(w.witness) {
		t.Fatalf("untouched: got %+v", r)
	}
	chance := rand.New(rand.NewPCG(1, 2))
	kinds := mutations(chance, size)
	for round := range rounds {
		m := kinds[round%len(kinds)]()
		r := w.verify(t, m.sql)
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
	blob := func(length string) string {
		return fmt.Sprintf("decode(repeat('%02x', %s), 'hex')", chance.IntN(256), length)
	}
	list := []func() mutation{
		func() mutation {
			n := number()
			return mutation{"another instant", fmt.Sprintf("UPDATE audit_log SET at = at + %d", 1-2*chance.IntN(2)) + row(n), n}
		},
		func() mutation {
			n := number()
			return mutation{"other hashes", "UPDATE audit_log SET hashes = " + blob("length(hashes)") + row(n), n}
		},
		func() mutation {
			n := number() | 1 // it completes a subtree, which begins one before or earlier
			return mutation{"other inner hashes", "UPDATE audit_log SET hashes = substr(hashes, 1, 32) || " + blob("length(hashes) - 32") + row(n), n - 1}
		},
		func() mutation {
			n := number()
			return mutation{"one more hash", "UPDATE audit_log SET hashes = hashes || hashes" + row(n), n}
		},
		func() mutation {
			n := number()
			return mutation{"no hashes", "UPDATE audit_log SET hashes = ''" + row(n), n}
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
			change := []string{"%[1]s || 'a'", "'b' || %[1]s", "%[1]s || chr(1)", "CASE %[1]s WHEN '' THEN ' ' ELSE '' END"}[chance.IntN(4)]
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
		w.verify(t, c.sql)
		entries, err := w.evidence.AuditLeaves(t.Context(), audit.Filter{Limit: size})
		if err != nil {
			t.Fatal(err)
		}
		after := open(t, "", options())
		for _, l := range entries {
			if err := after.Record(t.Context(), l.Entry); err != nil {
				t.Fatal(err)
			}
		}
		r, err := audit.Verify(t.Context(), after, nil)
		if err != nil || len(r.Faults) > 0 {
			t.Errorf("%s: without a witness: got %+v (%v), and this test shows nothing", name, r, err)
		}
		for _, witness := range [][]audit.Checkpoint{w.witness, w.witness[len(w.witness)-1:]} {
			r, err := audit.Verify(t.Context(), after, witness)
			want := c.want
			if len(witness) == 1 && want != 40 && want != 59 {
				want = 0 // a single checkpoint cannot say where
			}
			if err != nil || len(r.Faults) == 0 || len(witness) > 1 && r.Faults[0].Number != want {
				t.Errorf("%s, with %d checkpoints: got %+v (%v), want something at %d", name, len(witness), r, err, want)
			}
		}
	}
}

// TestNodesShareOneTree: entries of several nodes, of transactions beside the
// writers' and of such that fail are one log without a gap.
func TestNodesShareOneTree(t *testing.T) {
	const each = 12
	url := postgrestest.URL(t)
	nodes := []*postgres.Store{open(t, url, options()), open(t, url, options()), open(t, url, options())}
	taken := domain.Entry{ID: "aud_taken", At: noon, Action: "test"}
	if err := nodes[0].Record(t.Context(), taken); err != nil {
		t.Fatal(err)
	}
	failing := errors.New("given up")
	var all sync.WaitGroup
	for i, s := range nodes {
		beside := func(id string, end error) error {
			return s.ChangeAlone(t.Context(), func(ctx context.Context, c postgres.Conn) error {
				for j := range 2 {
					if err := s.RecordIn(ctx, c, domain.Entry{ID: fmt.Sprint(id, "_", j), At: noon, Action: "test"}); err != nil {
						return err
					}
				}
				return end
			})
		}
		for g := range 4 {
			all.Go(func() {
				for n := range each {
					var err error
					switch id := fmt.Sprintf("aud_%d_%d_%d", i, g, n); g {
					case 0, 1:
						err = s.Record(t.Context(), domain.Entry{ID: id, At: noon, Action: "test"})
					case 2:
						err = beside(id, nil)
					case 3:
						if s.Record(t.Context(), taken) == nil || beside(id, failing) == nil {
							err = errors.New("what fails was recorded")
						}
					}
					if err != nil {
						t.Errorf("node %d: %v", i, err)
					}
				}
			})
		}
	}
	all.Wait()
	r, err := audit.Verify(t.Context(), nodes[0], nil)
	if want := int64(1 + len(nodes)*each*4); err != nil || r.Size != want || len(r.Faults) > 0 {
		t.Errorf("got %+v (%v), want %d sound entries", r, err, want)
	}
}

// TestWhoGivesUpAndFailsLeavesNothing: in a shared transaction neither the change
// nor the entry of one that fails stays, whatever became of its caller.
func TestWhoGivesUpAndFailsLeavesNothing(t *testing.T) {
	s := open(t, "", options())
	before := mark(t, s)
	release := hold(t, s)
	own, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		err := s.Change(own, func(ctx context.Context, c postgres.Conn) error {
			cancel()
			err := s.RecordIn(ctx, c, domain.Entry{ID: "aud_failed", At: noon, Action: "test"})
			return errors.Join(err, statement(raise)(ctx, c), errors.New("refused"))
		})
		if err == nil {
			t.Error("a change that failed: got no error")
		}
	})
	all.Go(func() {
		if err := s.Record(t.Context(), domain.Entry{ID: "aud_good", At: noon, Action: "test"}); err != nil {
			t.Error(err)
		}
	})
	for s.Waiting() < 2 {
		runtime.Gosched()
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	all.Wait()
	got, err := s.Values(t.Context(), "SELECT id FROM audit_log")
	if after := mark(t, s); err != nil || strings.Join(got, ",") != "aud_good" || after != before {
		t.Errorf("got the entries %v and the mark %s (%v), want aud_good and %s", got, after, err, before)
	}
}

// TestATreeThatWasCut: a node that goes on after somebody has cut the log off
// does not go on from what it remembers.
func TestATreeThatWasCut(t *testing.T) {
	url := postgrestest.URL(t)
	s := open(t, url, options())
	record := func(id string) {
		if err := s.Record(t.Context(), domain.Entry{ID: id, At: noon, Action: "test"}); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	for i := range 11 {
		record(fmt.Sprint("aud_", i))
	}
	for round, sql := range []string{"DELETE FROM audit_log WHERE seq > 7", "DELETE FROM audit_log"} {
		execute(t, url, "ALTER TABLE audit_log DISABLE TRIGGER audit_log_keeps; "+sql+"; ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_keeps")
		for i := range 6 {
			record(fmt.Sprint("aud_", round, "_", i))
		}
		r, err := audit.Verify(t.Context(), s, nil)
		if want := []int64{13, 6}[round]; err != nil || len(r.Faults) > 0 || r.Size != want {
			t.Errorf("%s: got %+v (%v), want a tree of %d", sql, r, err, want)
		}
	}
	execute(t, url, "ALTER TABLE audit_log DISABLE TRIGGER audit_log_stays; UPDATE audit_log SET hashes = decode(repeat('00', 32 * 100), 'hex')")
	record("aud_last") // hashes that no tree has are nobody's end
}

// TestTextsInTheAuditLog: an act is recorded whatever is in its texts, and its
// hash is about what is stored.
func TestTextsInTheAuditLog(t *testing.T) {
	s := open(t, "", options())
	given := map[string]string{"a\x00b": "a\uFFFDb", "a\xffb": "a\uFFFDb", "\"quoted\" 'too' \\ %": "\"quoted\" 'too' \\ %", "Ä€": "Ä€"}
	i := 0
	for text, want := range given {
		i++
		e := domain.Entry{ID: fmt.Sprint("aud_", i), At: noon, Action: text, User: domain.UserID(text), Detail: text, Address: text}
		if err := s.Record(t.Context(), e); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		list, err := s.AuditLeaves(t.Context(), audit.Filter{Newest: true, Limit: 1})
		if err != nil || len(list) != 1 || list[0].Entry.Detail != want || string(list[0].Entry.User) != want || list[0].Entry.Action != want || list[0].Entry.Address != want {
			t.Errorf("%q: got %+v (%v), want %q", text, list, err, want)
		}
	}
	if r, err := audit.Verify(t.Context(), s, nil); err != nil || len(r.Faults) > 0 || r.Size != int64(len(given)) {
		t.Errorf("got %+v (%v), want sound entries", r, err)
	}
}

// TestPatterns: only * and ? stand for others.
func TestPatterns(t *testing.T) {
	s := open(t, "", options())
	for i, action := range []string{"user.add", "user_add", "user%add", `user\add`, "User.add"} {
		if err := s.Record(t.Context(), domain.Entry{ID: fmt.Sprint("aud_", i), At: noon, Action: action}); err != nil {
			t.Fatal(err)
		}
	}
	for pattern, want := range map[string]string{
		"": "0 1 2 3 4", "*": "0 1 2 3 4", "user.*": "0", "user?add": "0 1 2 3", "user_add": "1", "user%add": "2", `user\add`: "3", "us%": "", "?ser.add": "0 4",
	} {
		list, err := s.AuditLeaves(t.Context(), audit.Filter{Action: pattern, Limit: 10})
		var got []string
		for _, l := range list {
			got = append(got, fmt.Sprint(l.Number))
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: got %v (%v), want %s", pattern, got, err, want)
		}
	}
}
