package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	engine "github.com/wattgate/wattgate/internal/store/sqlite"
	"github.com/wattgate/wattgate/internal/store/storetest"
)

// importing is a program that takes in batches without end: importing FILE FROM.
// It ends when it is killed, or by itself after a minute.
func importing() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := engine.Open(ctx, os.Args[1], engine.Options{Now: time.Now})
	if err == nil {
		err = storetest.Send(ctx, s, time.Now, os.Args[2], os.Stdout)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// TestKilledImports ends the process that imports, with signals that it does
// not see, at any moment: while it opens the database, in the middle of a batch,
// of a seal, of writing the log back. All batches that it has acknowledged are
// there afterwards, wholly.
func TestKilledImports(t *testing.T) {
	t.Parallel()
	const (
		each = 10 // kills of the same database
	)
	chance := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	begun := time.Now()
	var sum storetest.Crash
	kills := 60
	if detector {
		kills = each // all of them come without it too
	}
	for killed := 0; killed < kills && !t.Failed(); {
		file := filepath.Join(t.TempDir(), "wattgate.db")
		var c storetest.Crash
		for range each {
			killImports(t, file, &c, chance)
			killed++
			s, err := engine.Open(t.Context(), file, engine.Options{Now: time.Now})
			if err != nil {
				t.Fatalf("after %d kills: %v", killed, err)
			}
			c.Check(t, s, time.Now)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			checkIntegrity(t, file)
		}
		sum.Taken, sum.Lost, sum.Torn, sum.Silent = sum.Taken+c.Taken, sum.Lost+c.Lost, sum.Torn+c.Torn, sum.Silent+c.Silent
		if c.Refused > 0 {
			t.Errorf("got %d batches that were refused, want none", c.Refused)
		}
	}
	t.Logf("%d kills in %v: %d batches acknowledged, %d lost, %d torn, %d stored and not acknowledged any more",
		kills, time.Since(begun), sum.Taken, sum.Lost, sum.Torn, sum.Silent)
	if sum.Taken < kills {
		t.Errorf("got %d batches acknowledged in %d processes: were they killed before they did anything?", sum.Taken, kills)
	}
}

// killImports lets a process import, and kills it: sometimes at its start, and
// sometimes after so many batches and a little more.
func killImports(t *testing.T, file string, c *storetest.Crash, chance *rand.Rand) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // whatever happens, nothing is left running
	defer cancel()
	cmd := exec.CommandContext(ctx, "importing", file, c.From())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	batches, rest := 1+chance.IntN(30), time.Duration(chance.Int64N(int64(5*time.Millisecond)))
	if chance.IntN(4) == 0 {
		batches, rest = 0, rest*20 // it has to start first
	}
	kill := func() { time.AfterFunc(rest, func() { _ = cmd.Process.Kill() }) } // it does not end by itself
	if batches == 0 {
		kill()
	}
	c.Listen(t, out, func(string) {
		if batches--; batches == 0 {
			kill()
		}
	})
	_ = cmd.Wait() // killed is no success
}

// checkIntegrity lets SQLite look through the whole file.
func checkIntegrity(t *testing.T, file string) {
	t.Helper()
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // nothing was written
	for _, pragma := range []string{"integrity_check", "foreign_key_check"} {
		err = sqlitex.ExecuteTransient(conn, "PRAGMA "+pragma, &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
			if said := row.ColumnText(0); said != "ok" {
				t.Errorf("%s: %s", pragma, said)
			}
			return nil
		}})
		if err != nil {
			t.Errorf("%s: %v", pragma, err)
		}
	}
}
