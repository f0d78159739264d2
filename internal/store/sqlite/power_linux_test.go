package sqlite_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store/sqlite"
	"github.com/wattgate/wattgate/internal/store/storetest"
)

// sendTo makes the test binary import batches into the database of that name,
// from those on that sendFrom says: a process whose files lie on a disk of ours
// must be another one, because it waits for us where Go does not know of it.
// Where sendRead is set, it also reads.
const sendTo, sendFrom, sendRead = "WATTGATE_TEST_SEND_TO", "WATTGATE_TEST_SEND_FROM", "WATTGATE_TEST_SEND_READ"

// trouble precedes what that process is told of the log, and nil once all is well
// again.
const trouble = "trouble:"

func TestMain(m *testing.M) {
	file := os.Getenv(sendTo)
	if file == "" {
		os.Exit(m.Run())
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	go func() { // until our standard input ends
		_, _ = os.Stdin.Read(make([]byte, 1))
		cancel()
	}()
	s, err := sqlite.Open(ctx, file, sqlite.Options{Now: time.Now, Trouble: func(err error) {
		fmt.Fprintln(os.Stderr, trouble, err)
	}})
	reads := &reads{to: os.Stdout, store: s}
	if err == nil {
		reads.never = os.Getenv(sendRead) == ""
		err = storetest.Send(ctx, s, time.Now, os.Getenv(sendFrom), reads)
	}
	if err == nil {
		reads.end()
		err = s.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// reads passes on what is said, and counts the lines: for some of them, somebody
// reads one picture of the database, and then nobody for some more. So the log
// can be written back in part only, and then again all of it.
type reads struct {
	to    io.Writer
	store *sqlite.Store
	never bool

	mu      sync.Mutex
	lines   int
	release func()
}

// Write passes on a line.
func (r *reads) Write(line []byte) (int, error) {
	const period, reading = 50, 40
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines++
	switch r.lines % period {
	case 1:
		if r.never {
			break
		}
		if release, err := r.store.Hold(context.Background()); err == nil { // the disk may fail
			r.release = release
		}
	case reading:
		r.stop()
	}
	return r.to.Write(line)
}

func (r *reads) stop() {
	if r.release != nil {
		r.release()
		r.release = nil
	}
}

func (r *reads) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop()
}

// send starts a process that imports into a database on the disk, listens to it
// until it ends, and calls f after each line: stop lets it close the database. It
// returns what the process says beside that.
func (d *disk) send(t *testing.T, c *storetest.Crash, f func(stop func(), line string)) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // whatever happens, nothing is left running
	defer cancel()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, executable)
	cmd.Env = append(os.Environ(), sendTo+"="+filepath.Join(d.dir, "wattgate.db"), sendFrom+"="+c.From())
	if d.read {
		cmd.Env = append(cmd.Env, sendRead+"=yes")
	}
	cmd.WaitDelay = time.Second
	var said strings.Builder
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() {
		select {
		case <-d.dark: // the power of the process has gone as well
			_ = cmd.Process.Kill() // it may be gone
		case <-ended:
		}
	})
	stop := func() { _ = in.Close() } // it may be closed
	c.Listen(t, out, func(line string) { f(stop, line) })
	close(ended)
	killer.Wait()
	if err := cmd.Wait(); err != nil && !d.gone() {
		t.Errorf("the process that sends: %v\n%s", err, said.String())
	}
	return said.String()
}

// lay writes what is left of a disk into a folder, opens it and checks it.
func lay(t *testing.T, left map[string][]byte, c *storetest.Crash) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range left {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, filepath.Join(dir, "wattgate.db"), sqlite.Options{Now: time.Now})
	c.Check(t, s, time.Now)
	for pragma, want := range map[string]string{"integrity_check": "ok", "foreign_key_check": ""} {
		if got, err := s.Values(t.Context(), "PRAGMA "+pragma); err != nil || strings.Join(got, "; ") != want {
			t.Errorf("%s: got %q (%v), want %q", pragma, got, err, want)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestPowerCuts: the power goes in the middle of imports, again and again, also
// while what the time before has left is put in order. What was acknowledged is
// there, and of the rest all or nothing.
func TestPowerCuts(t *testing.T) {
	const (
		each = 4     // of the same database
		most = 20000 // writes and synchronizations until the power goes
	)
	cuts := 12
	if detector {
		cuts = each // all of them come without it too
	}
	seed := uint64(time.Now().UnixNano())
	chance := rand.New(rand.NewPCG(seed, 0))
	begun := time.Now()
	var sum storetest.Crash
	acts := 0
	for done := 0; done < cuts && !t.Failed(); {
		var c storetest.Crash
		var left map[string][]byte
		for range each {
			d := mountDisk(t, chance, left)
			after := int(math.Pow(most, 0.3+0.7*chance.Float64())) // as often a few as many
			acts += after
			d.cut(after)
			d.send(t, &c, func(func(), string) {})
			d.unmount()
			if !d.gone() {
				t.Fatalf("the process ended before the power did, after %d of %d acts", after-d.power, after)
			}
			left = d.left
			lay(t, left, &c)
			done++
		}
		sum.Taken, sum.Lost, sum.Torn, sum.Silent = sum.Taken+c.Taken, sum.Lost+c.Lost, sum.Torn+c.Torn, sum.Silent+c.Silent
	}
	t.Logf("%d power cuts in %v after %d writes and synchronizations (seed %d): %d batches acknowledged, %d lost, %d torn, %d stored and not acknowledged any more",
		cuts, time.Since(begun), acts, seed, sum.Taken, sum.Lost, sum.Torn, sum.Silent)
	if sum.Taken < cuts {
		t.Errorf("got %d batches acknowledged before %d power cuts: did they come before anything was done?", sum.Taken, cuts)
	}
}

// TestFaultyDisk: while the disk fails, batches are refused, and nothing of them
// is stored. Once it is well again the store goes on, or refuses everything
// until it is opened anew. What it acknowledges meanwhile is there, whether the
// process ends orderly or the power goes.
func TestFaultyDisk(t *testing.T) {
	for name, f := range map[string]fault{
		"writes fail":                    {errno: syscall.EIO, writes: true},
		"synchronizing fails":            {errno: syscall.EIO, syncs: true},
		"the disk is full":               {errno: syscall.ENOSPC, grow: true},
		"the disk is full, for rewrites": {errno: syscall.ENOSPC, writes: true},
	} {
		t.Run(name, func(t *testing.T) {
			var c storetest.Crash
			var left map[string][]byte
			ends := []bool{false, true, false, true}
			if detector {
				ends = ends[1:2] // all of them come without it too
			}
			for _, powerGoes := range ends {
				left = sufferOnce(t, f, powerGoes, left, &c)
				if t.Failed() {
					return
				}
			}
			t.Logf("%d batches acknowledged, %d refused, %d lost, %d torn, %d stored and not acknowledged any more", c.Taken, c.Refused, c.Lost, c.Torn, c.Silent)
		})
	}
}

// TestFaultyWritingBack: the log cannot be written back into the database at
// first, while it grows as ever. Nobody who sends notices, and what the disk has
// forgotten by then is written once more, also what was written back without the
// rest because somebody still read an older picture.
func TestFaultyWritingBack(t *testing.T) {
	for name, test := range map[string]struct {
		fault
		read bool // somebody reads meanwhile, so that the log is written back in part
	}{
		"writes fail":                              {fault: fault{errno: syscall.EIO, writes: true, only: "wattgate.db", times: 2}},
		"synchronizing fails":                      {fault: fault{errno: syscall.EIO, syncs: true, only: "wattgate.db", times: 2}},
		"writes fail while somebody reads":         {fault{errno: syscall.EIO, writes: true, only: "wattgate.db", times: 2}, true},
		"synchronizing fails while somebody reads": {fault{errno: syscall.EIO, syncs: true, only: "wattgate.db", times: 2}, true},
	} {
		t.Run(name, func(t *testing.T) {
			const goOn = 100
			rounds := 2
			if detector {
				if rounds = 1; !test.read || !test.syncs {
					t.Log("one of them is enough for the race detector; this runs without it")
					return
				}
			}
			f := test.fault
			chance := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
			var c storetest.Crash
			var left map[string][]byte
			for range rounds {
				d := mountDisk(t, chance, left)
				d.read = test.read
				lines, after := 0, 0
				said := d.send(t, &c, func(_ func(), line string) {
					if strings.HasPrefix(line, "refused") && !d.gone() {
						t.Errorf("got %q, want no refusal: the log could be written", line)
					}
					if lines++; lines == 1 {
						d.suffer(f)
					}
					if d.met() < f.times {
						return
					}
					if after++; after == goOn {
						d.cut(1 + chance.IntN(1000))
					}
				})
				d.unmount()
				if !d.gone() {
					t.Fatalf("got %d failures in %d batches, want %d and then the end of the power", d.met(), lines, f.times)
				}
				first, then, _ := strings.Cut(said, "\n")
				if !strings.HasPrefix(first, trouble+" write the log back") || !strings.HasPrefix(then, trouble+" <nil>\n") {
					t.Errorf("got told %q, want the trouble once and then its end", said)
				}
				left = d.left
				lay(t, left, &c)
			}
			t.Logf("%d batches acknowledged, %d refused, %d lost, %d torn, %d stored and not acknowledged any more", c.Taken, c.Refused, c.Lost, c.Torn, c.Silent)
		})
	}
}

// sufferOnce lets a process import on a disk that is well, fails and is well
// again, and returns what is left of it.
func sufferOnce(t *testing.T, f fault, powerGoes bool, left map[string][]byte, c *storetest.Crash) map[string][]byte {
	t.Helper()
	const refusals, goOn = 6, 30
	chance := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	d := mountDisk(t, chance, left)
	wellFor, refused, takenAfter, lines := 5+chance.IntN(60), 0, 0, 0
	sick, healed := false, false
	d.send(t, c, func(stop func(), line string) {
		if d.gone() {
			return // its last words
		}
		lines++
		what, _, _ := strings.Cut(line, " ")
		switch {
		case what == "refused":
			refused++
			if !strings.Contains(line, " "+domain.Unavailable.String()+":") {
				t.Errorf("got %q, want %s", line, domain.Unavailable)
			}
			if !sick {
				t.Errorf("got %q while nothing had failed", line)
			}
			if refused == refusals {
				healed = true
				if d.suffer(fault{}) == 0 {
					t.Error("batches were refused, and no fault was met")
				}
			}
		case healed:
			takenAfter++
		}
		if lines == wellFor {
			sick = true
			f.after = chance.IntN(40)
			d.suffer(f)
		}
		if takenAfter != goOn && refused < 10*goOn {
			return
		}
		if powerGoes {
			d.cut(1 + chance.IntN(200))
		} else {
			stop()
		}
	})
	d.unmount()
	t.Logf("%v: %d lines, %d refused, %d taken afterwards, the power has gone: %t", f, lines, refused, takenAfter, d.gone())
	if refused < refusals || !d.gone() && powerGoes {
		t.Errorf("got %d refusals, want %d at least", refused, refusals)
	}
	if d.left == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.left = map[string][]byte{}
		for name, file := range d.files {
			d.left[name] = file.data
		}
	}
	lay(t, d.left, c)
	return d.left
}
