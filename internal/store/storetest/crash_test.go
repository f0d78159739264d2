package storetest_test

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/store/sqlite"
	"github.com/wattgate/wattgate/internal/store/storetest"
)

// complaints is a test that takes note of what a check says instead of failing.
type complaints struct {
	testing.TB
	list []string
}

func (c *complaints) Errorf(format string, args ...any) {
	c.list = append(c.list, fmt.Sprintf(format, args...))
}

// TestCrashCheckSees: a check after a crash finds what it is there for.
func TestCrashCheckSees(t *testing.T) {
	const batches = 40
	for sentence, test := range map[string]struct {
		sql        string // done to the database; none where it is empty
		unheard    int    // batches that were said to be taken and were not
		lost, torn int
		complains  bool
	}{
		"nothing where nothing is wrong":          {},
		"batches that were acknowledged and lost": {unheard: 3, lost: 3, complains: true},
		"a value that nobody has sent": {sql: `
			UPDATE register_read SET coefficient = coefficient + 1
			WHERE (ch, at, rev) = (SELECT ch, at, max(rev) FROM register_read GROUP BY ch, at LIMIT 1)`, torn: 1, complains: true},
		"a sealed month that is missing": {sql: `
			DELETE FROM seal WHERE (ch, month) = (SELECT ch, month FROM seal LIMIT 1)`, torn: 1, complains: true},
		"a register's read that is missing": {sql: `
			DELETE FROM register_read WHERE (ch, at, rev) = (SELECT ch, at, rev FROM register_read LIMIT 1)`, torn: 1, complains: true},
		"a batch that is there and not known": {sql: `
			DELETE FROM ingest_batch WHERE batch_id = (SELECT batch_id FROM ingest_batch WHERE batch_id LIKE '0-%' ORDER BY received_at DESC LIMIT 1)`, complains: true},
	} {
		t.Run(sentence, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "wattgate.db")
			s := open(t, file)
			var c storetest.Crash
			fill(t, s, &c, batches)
			for range test.unheard {
				c.Listen(t, strings.NewReader(fmt.Sprintf("taken 0 %d\n", c.Next(0))), func(string) {})
			}
			if test.sql != "" {
				tamper(t, file, test.sql)
			}
			heard := &complaints{TB: t}
			c.Check(heard, s, time.Now)
			if c.Lost != test.lost || c.Torn != test.torn || (len(heard.list) > 0) != test.complains {
				t.Errorf("got %d lost, %d torn and the complaints %q, want %d and %d", c.Lost, c.Torn, heard.list, test.lost, test.torn)
			}
		})
	}
}

func open(t *testing.T, file string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), file, sqlite.Options{Now: time.Now})
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

// fill lets senders send until so many batches are taken.
func fill(t *testing.T, s *sqlite.Store, c *storetest.Crash, batches int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	says, hears := io.Pipe()
	go func() { _ = hears.CloseWithError(storetest.Send(ctx, s, time.Now, c.From(), hears)) }() // always nil
	c.Listen(t, says, func(string) {
		if batches--; batches == 0 {
			cancel()
		}
	})
}

func tamper(t *testing.T, file, sql string) {
	t.Helper()
	conn, err := zombie.OpenConn(file, zombie.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlitex.ExecuteTransient(conn, sql, nil); err != nil {
		t.Error(err)
	}
	if conn.Changes() != 1 {
		t.Errorf("%s: got %d changes, want 1", sql, conn.Changes())
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}
