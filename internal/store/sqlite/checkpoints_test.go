package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/wattgate/wattgate/internal/store/sqlite"
)

func logOf(t *testing.T, s *sqlite.Store) (pages, back uint32) {
	t.Helper()
	pages, back, err := s.Log(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return pages, back
}

// TestCheckpoints: the log is written back and begins anew; while somebody reads
// an older picture, only what came before it is, and the log grows. When the
// database is closed, nothing is left of it.
func TestCheckpoints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wattgate.db")
	s, err := sqlite.Open(t.Context(), path, options())
	if err != nil {
		t.Fatal(err)
	}
	s.CustomersRead() // nobody reads from here on
	write := func(pages int) {
		t.Helper()
		for range pages / 100 {
			if err := s.Exec(t.Context(), "INSERT INTO filler VALUES (zeroblob(100 * 8000))"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Exec(t.Context(), "CREATE TABLE filler (content BLOB)"); err != nil {
		t.Fatal(err)
	}
	most := uint32(0)
	for range 13 {
		write(100)
		pages, back := logOf(t, s)
		if most = max(most, pages); back != 0 && back != pages {
			t.Errorf("got %d of %d pages written back while nobody read, want all or none", back, pages)
		}
	}
	if most < 1000 || most > 1300 {
		t.Errorf("the log had up to %d pages, want some more than 1000 and then a new beginning", most)
	}

	write(300)
	release, err := s.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen, _ := logOf(t, s)
	write(1000)
	if pages, back := logOf(t, s); pages < seen+1000 || back != seen {
		t.Errorf("got %d of %d pages written back while somebody reads %d of them, want just those", back, pages, seen)
	}
	release()
	write(100)
	write(100)
	if pages, _ := logOf(t, s); pages > 300 {
		t.Errorf("got a log of %d pages after nobody read any more, want that it has begun anew", pages)
	}

	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path + "-wal"); err == nil {
		t.Errorf("got a log of %d bytes after the end, want none", info.Size())
	}
	s = open(t, path, options())
	if got, err := s.Values(t.Context(), "SELECT count(*) FROM filler"); err != nil || fmt.Sprint(got) != "[28]" {
		t.Errorf("got %v rows (%v), want 28", got, err)
	}
}

// TestWrittenBackAgain: where writing back has failed, nothing counts as written
// back, also for whoever reads; and the next time all of it is written.
func TestWrittenBackAgain(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "wattgate.db"), options())
	s.CustomersRead()
	for _, sql := range []string{"CREATE TABLE filler (content BLOB)", "INSERT INTO filler VALUES (zeroblob(300 * 8000))"} {
		if err := s.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	release, err := s.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := s.Exec(t.Context(), "INSERT INTO filler VALUES (zeroblob(1000 * 8000))"); err != nil {
		t.Fatal(err)
	}
	if pages, back := logOf(t, s); back == 0 || back >= pages {
		t.Fatalf("got %d of %d pages written back while somebody reads, want some", back, pages)
	}
	if err := s.WriteBackAgain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if pages, back := logOf(t, s); back != 0 {
		t.Errorf("got %d of %d pages written back, want that none counts", back, pages)
	}
	const sum = "SELECT sum(length(content)) FROM filler"
	if got, err := s.Values(t.Context(), sum); err != nil || fmt.Sprint(got) != "[10400000]" {
		t.Errorf("got %v bytes (%v) from the log, want 10400000", got, err)
	}
	if err := s.Exec(t.Context(), "INSERT INTO filler VALUES (zeroblob(100 * 8000))"); err != nil {
		t.Fatal(err)
	}
	if pages, back := logOf(t, s); back == 0 || back >= pages {
		t.Errorf("got %d of %d pages written back once more, want some", back, pages)
	}
}
