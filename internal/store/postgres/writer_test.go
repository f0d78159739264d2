package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

// kind fails where an error is of another kind.
func kind(t *testing.T, doing string, err error, want domain.Kind) {
	t.Helper()
	if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != want {
		t.Errorf("%s: got the error %v, want %v", doing, err, want)
	}
}

// mark is the only row of a table that nobody refers to.
func mark(t *testing.T, s *postgres.Store) string {
	t.Helper()
	got, err := s.Values(t.Context(), "SELECT latest::text FROM mark")
	if err != nil || len(got) != 1 {
		t.Fatalf("the mark: got %v (%v)", got, err)
	}
	return got[0]
}

const raise = "UPDATE mark SET latest = latest + 1"

// hold keeps the writer busy until its answer is called, which returns the error
// of the change that it was busy with.
func hold(t *testing.T, s *postgres.Store) (release func() error) {
	t.Helper()
	inside, leave, first := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		first <- s.Change(t.Context(), func(context.Context, postgres.Conn) error {
			close(inside)
			<-leave
			return nil
		})
	}()
	<-inside
	return func() error {
		close(leave)
		return <-first
	}
}

// together runs changes that all wait before the first of them begins.
func together(t *testing.T, s *postgres.Store, changes ...func(context.Context, postgres.Conn) error) []error {
	t.Helper()
	release := hold(t, s)
	answers := make([]error, len(changes))
	var all sync.WaitGroup
	for i, change := range changes {
		all.Go(func() { answers[i] = s.Change(t.Context(), change) })
		for s.Waiting() <= i {
			runtime.Gosched()
		}
	}
	if err := release(); err != nil {
		t.Errorf("the transaction before: %v", err)
	}
	all.Wait()
	return answers
}

func statement(sql string) func(context.Context, postgres.Conn) error {
	return func(ctx context.Context, c postgres.Conn) error {
		_, err := c.Exec(ctx, sql)
		return err
	}
}

func TestChangesThatShareATransactionStayApart(t *testing.T) {
	s := open(t, "", options())
	runs := 0
	got := together(t, s,
		statement(raise),
		statement("INSERT INTO secret_use VALUES ('unknown', 0, 0)"),
		func(ctx context.Context, c postgres.Conn) error {
			runs++
			if err := statement(raise)(ctx, c); err != nil {
				return err
			}
			return &domain.Error{Kind: domain.Conflict, Public: "as I like it"}
		},
		func(ctx context.Context, c postgres.Conn) error { // goes on after an error
			_ = statement("no statement at all")(ctx, c)
			return nil
		},
		func(context.Context, postgres.Conn) error { panic("oh no") },
		statement(raise),
	)
	kind(t, "what belongs to nobody", got[1], domain.Internal) // insert would say more
	kind(t, "a refusal", got[2], domain.Conflict)
	kind(t, "a change that goes on after an error", got[3], domain.Internal)
	kind(t, "a panic", got[4], domain.Internal)
	if got[4] == nil || !strings.Contains(got[4].Error(), "oh no") {
		t.Errorf("a panic: got the error %v, want what it said", got[4])
	}
	if got[0] != nil || got[5] != nil {
		t.Errorf("the others: got the errors %v and %v, want none", got[0], got[5])
	}
	if now := mark(t, s); now != "2" {
		t.Errorf("got %s raises, want 2 of three", now)
	}
	if runs < 1 || runs > 4 {
		t.Errorf("a change ran %d times", runs)
	}
}

func TestPanicLeavesNothingOpen(t *testing.T) {
	s := open(t, "", options())
	for doing, change := range map[string]func(func(context.Context, postgres.Conn) error) error{
		"shared": func(f func(context.Context, postgres.Conn) error) error { return s.Change(t.Context(), f) },
		"alone":  func(f func(context.Context, postgres.Conn) error) error { return s.ChangeAlone(t.Context(), f) },
		"read":   func(f func(context.Context, postgres.Conn) error) error { return s.Read(t.Context(), f) },
	} {
		func() {
			defer func() {
				if r := recover(); (r != nil) != (doing == "read") {
					t.Errorf("%s: got the panic %v", doing, r)
				}
			}()
			err := change(func(ctx context.Context, c postgres.Conn) error {
				if _, err := c.Query(ctx, "SELECT * FROM generate_series(1, 100000)"); err != nil {
					return err
				}
				panic("in the middle of rows")
			})
			kind(t, doing, err, domain.Internal)
		}()
	}
	for range 10 { // more than there are connections
		if err := s.Exec(t.Context(), raise); err != nil {
			t.Errorf("a change after a panic: %v", err)
		}
		mark(t, s)
	}
}

// TestRepeats: what only the moment was to blame for is done again, once.
func TestRepeats(t *testing.T) {
	for sentence, c := range map[string]struct{ once string }{
		"the connection is lost":     {"SELECT pg_terminate_backend(pg_backend_pid())"},
		"a serialization failure":    {"DO $$ BEGIN RAISE 'x' USING ERRCODE = '40001'; END $$"},
		"a deadlock":                 {"DO $$ BEGIN RAISE 'x' USING ERRCODE = '40P01'; END $$"},
		"the server is shut down":    {"DO $$ BEGIN RAISE 'x' USING ERRCODE = '57P01'; END $$"},
		"more connections than ever": {"DO $$ BEGIN RAISE 'x' USING ERRCODE = '53300'; END $$"},
	} {
		t.Run(sentence, func(t *testing.T) {
			s := open(t, "", options())
			failing := func() func(context.Context, postgres.Conn) error {
				runs := 0
				return func(ctx context.Context, conn postgres.Conn) error {
					if err := statement(raise)(ctx, conn); err != nil {
						return err
					}
					if runs++; runs == 1 {
						return statement(c.once)(ctx, conn)
					}
					return nil
				}
			}
			for i, err := range together(t, s, statement(raise), failing(), statement(raise)) {
				if err != nil {
					t.Errorf("change %d: %v", i, err)
				}
			}
			if err := s.ChangeAlone(t.Context(), failing()); err != nil {
				t.Errorf("alone: %v", err)
			}
			if got := mark(t, s); got != "4" {
				t.Errorf("got %s raises, want each of four once", got)
			}
			always := 0
			err := s.Change(t.Context(), func(ctx context.Context, conn postgres.Conn) error {
				always++
				return statement(c.once)(ctx, conn)
			})
			kind(t, "again and again", err, domain.Unavailable)
			if always != 3 {
				t.Errorf("got %d attempts, want 3", always)
			}
		})
	}
}

// TestCallersNetworkIsNotOurs: an upload that breaks off is not the database's
// failure, and nothing is read from it twice.
func TestCallersNetworkIsNotOurs(t *testing.T) {
	s := open(t, "", options())
	if err := s.AddPartner(t.Context(), domain.Partner{ID: "prt_a", Name: "a"}, domain.Entry{ID: "aud_1"}); err != nil {
		t.Fatal(err)
	}
	a := domain.Application{ID: "app_a", Partner: "prt_a", Name: "a", Role: domain.RolePartnerIntegration}
	if err := s.AddApplication(t.Context(), a, nil, domain.Entry{ID: "aud_2"}); err != nil {
		t.Fatal(err)
	}
	runs := 0
	err := s.ChangeApplication(t.Context(), a.ID, func(*domain.Application) error {
		runs++
		return io.ErrUnexpectedEOF
	}, domain.Entry{ID: "aud_3"})
	if err != io.ErrUnexpectedEOF || runs != 1 { //nolint:errorlint // it comes back as it was
		t.Errorf("got the error %v after %d runs, want the caller's own after one", err, runs)
	}
}

// TestNobodyKnows: what breaks while it is committed is not repeated.
func TestNobodyKnows(t *testing.T) {
	s := open(t, "", options())
	if err := s.Exec(t.Context(), `
		CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER breaks AFTER UPDATE ON mark DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION break()`); err != nil {
		t.Fatal(err)
	}
	for doing, change := range map[string]func(context.Context, func(context.Context, postgres.Conn) error) error{
		"shared": s.Change, "alone": s.ChangeAlone,
	} {
		runs := 0
		err := change(t.Context(), func(ctx context.Context, c postgres.Conn) error {
			runs++
			return statement(raise)(ctx, c)
		})
		kind(t, doing, err, domain.Unavailable)
		if runs != 1 || err == nil || !strings.Contains(err.Error(), "nobody knows") {
			t.Errorf("%s: got %v after %d runs, want one run of which nobody knows", doing, err, runs)
		}
	}
	if err := s.Exec(t.Context(), "DROP TRIGGER breaks ON mark"); err != nil {
		t.Errorf("the change after it: %v", err)
	}
}

// TestNodesTakeTurns: what a change has read is still true when it writes.
func TestNodesTakeTurns(t *testing.T) {
	const nodes, each = 3, 50
	url := postgrestest.URL(t)
	var stores [nodes]*postgres.Store
	for i := range stores {
		stores[i] = open(t, url, options())
	}
	var all sync.WaitGroup
	for _, s := range stores {
		all.Go(func() {
			for range each {
				err := s.Change(t.Context(), func(ctx context.Context, c postgres.Conn) error {
					var latest int64
					if err := c.QueryRow(ctx, "SELECT latest FROM mark").Scan(&latest); err != nil {
						return err
					}
					_, err := c.Exec(ctx, "UPDATE mark SET latest = $1", latest+1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got, want := mark(t, stores[0]), fmt.Sprint(nodes*each); got != want {
		t.Errorf("got %s, want %s: changes were lost", got, want)
	}
}

func TestWithdrawn(t *testing.T) {
	s := open(t, "", options())
	release := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	var ran atomic.Bool
	answer := make(chan error, 1)
	go func() {
		answer <- s.Change(ctx, func(context.Context, postgres.Conn) error {
			ran.Store(true)
			return nil
		})
	}()
	for s.Waiting() == 0 {
		runtime.Gosched()
	}
	cancel()
	err := <-answer
	kind(t, "a change whose caller went away", err, domain.Unavailable)
	if !errors.Is(err, context.Canceled) || ran.Load() {
		t.Errorf("got the error %v (it ran: %v), want the context's", err, ran.Load())
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}

// TestOneCallerDoesNotBreakTheOthers: the end of a running change's context ends
// neither it nor the connection.
func TestOneCallerDoesNotBreakTheOthers(t *testing.T) {
	s := open(t, "", options())
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Change(ctx, func(ctx context.Context, c postgres.Conn) error {
		cancel()
		return statement(raise)(ctx, c)
	})
	if err != nil || mark(t, s) != "1" {
		t.Errorf("got the error %v and the mark %s, want a change that is stored", err, mark(t, s))
	}
	ctx, cancel = context.WithCancel(t.Context())
	err = s.ChangeAlone(ctx, func(ctx context.Context, c postgres.Conn) error {
		cancel()
		return statement(raise)(ctx, c)
	})
	kind(t, "alone it does", err, domain.Unavailable)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got the error %v, want the context's", err)
	}
}

// TestFailedAndGone: of a change that fails while its caller goes away nothing
// stays, also where it shares its transaction.
func TestFailedAndGone(t *testing.T) {
	s := open(t, "", options())
	release := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	answers := make(chan error, 2)
	go func() { answers <- s.Exec(t.Context(), raise) }()
	go func() {
		answers <- s.Change(ctx, func(ctx context.Context, c postgres.Conn) error {
			if err := statement(raise)(ctx, c); err != nil {
				return err
			}
			cancel()
			return &domain.Error{Kind: domain.Conflict, Public: "as I like it"}
		})
	}()
	for s.Waiting() < 2 {
		runtime.Gosched()
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	if failed := errors.Join(<-answers, <-answers); failed == nil {
		t.Error("got no error, want that of one of them")
	}
	if got := mark(t, s); got != "1" {
		t.Errorf("got %s raises, want that of the other one only", got)
	}
}

func TestClosed(t *testing.T) {
	s := open(t, "", options())
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	kind(t, "read", s.Check(t.Context()), domain.Unavailable)
	kind(t, "change", s.Exec(t.Context(), raise), domain.Unavailable)
	kind(t, "change alone", s.ChangeAlone(t.Context(), statement(raise)), domain.Unavailable)
}
