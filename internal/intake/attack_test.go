package intake_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

// gaps makes a block of every other five minutes of so many days, the latest
// first.
func gaps(days int) string {
	var b strings.Builder
	b.WriteString("<IntervalBlock>")
	first := time.Date(2024, 1, 1, 8, 0, 0, 0, time.UTC)
	for d := range days {
		for i := range 144 {
			at := first.AddDate(0, 0, -d).Add(time.Duration(i) * 10 * time.Minute)
			fmt.Fprintf(&b, "<IntervalReading><timePeriod><duration>300</duration><start>%d</start></timePeriod><value>1</value></IntervalReading>", at.Unix())
		}
	}
	b.WriteString("</IntervalBlock>")
	return b.String()
}

// TestGaps takes a file of 28,800 gaps, the days backwards, and then the same
// readings as something else, which is refused.
func TestGaps(t *testing.T) {
	days := 200
	if detector {
		days = 40 // as far back as the reading that is refused
	}
	w := newWorld(t)
	r, err := w.take(t, "f.xml", espi(gaps(days)), intake.Target{Property: home})
	if err != nil || r.Accepted != int64(days)*144 || r.From.IsZero() {
		t.Errorf("got %+v and error %v, want %d readings", r, err, days*144)
	}
	_, err = w.take(t, "f.xml", espi(gaps(days), at(t, "2023-12-01T08:00:00Z", 300, "2")), intake.Target{Property: home})
	refused(t, err, domain.Invalid, "f.xml:4: field start: want one reading for each interval, got a second one for 2023-12-01T00:00:00-08:00, 2 ACTUAL after 1 ACTUAL")
}

// BenchmarkGaps takes 200,000 gaps.
func BenchmarkGaps(b *testing.B) {
	content := espi(gaps(1389))
	for b.Loop() {
		w := newWorld(b)
		if _, err := w.take(b, "f.xml", content, intake.Target{Property: home}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestOneRevision: readings that go to and fro between two days make one
// revision of each, and no more history than if they came in order.
func TestOneRevision(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := &world{Store: s}
	w.add(t, "prt_a", domain.Property{ID: home, Zone: "America/Los_Angeles"})
	count := 1440 // readings of each of two days
	if detector {
		count = 360
	}
	readings := func(value string) []string {
		var list []string
		for i := range count {
			for d := range 2 {
				list = append(list, at(t, time.Date(2024, 1, 1+d, 8, i, 0, 0, time.UTC).Format(time.RFC3339), 60, value))
			}
		}
		return list
	}
	const head = "USA_ELECTRICITY:aa 1 CONSUMPTION wh America/Los_Angeles: "
	for i, value := range []string{"1", "2"} { // new, and all of it corrected
		r, err := w.take(t, "f.xml", espi(readings(value)...), intake.Target{Property: home})
		if err != nil || r.Days != 2 || r.Accepted+r.Corrected != int64(2*count) || w.days != 2*(i+1) {
			t.Errorf("value %s: got %+v, %d days written in all and error %v, want 2 days", value, r, w.days, err)
		}
		want := head + fmt.Sprintf("2024-01-01/%d:%d of 1440×1 2024-01-02/%d:%d of 1440×1\n", i+1, count, i+1, count)
		if got := w.stored(t, home); got != want {
			t.Errorf("value %s: stored:\n%swant:\n%s", value, got, want)
		}
	}
	if w.amended != 2*(2*count-2) {
		t.Errorf("got %d amendments, want one for each reading after the first of its day", w.amended)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > 3<<19 { // one revision for each reading would be a hundred times that
		t.Errorf("got a database of %d bytes and error %v, want at most one and a half mebibytes", info.Size(), err)
	}
}

// TestUnchangedPieceFirst: the first piece of the day changes nothing, so that
// the revision comes with the second one.
func TestUnchangedPieceFirst(t *testing.T) {
	w := newWorld(t)
	hour := func(day, hour int, value string) string {
		return at(t, time.Date(2024, 1, day, 8+hour, 0, 0, 0, time.UTC).Format(time.RFC3339), 3600, value)
	}
	for i, readings := range [][]string{
		{hour(1, 0, "1"), hour(2, 0, "1")},
		{hour(1, 0, "1"), hour(2, 0, "1"), hour(1, 1, "1"), hour(2, 1, "1"), hour(1, 2, "1")},
	} {
		r, err := w.take(t, "f.xml", espi(readings...), intake.Target{Property: home})
		if err != nil || r.Days != 2 {
			t.Errorf("file %d: got %+v and error %v, want 2 days", i, r, err)
		}
	}
	const want = "USA_ELECTRICITY:aa 1 CONSUMPTION wh America/Los_Angeles: 2024-01-01/2:3 of 24×60 2024-01-02/2:2 of 24×60\n"
	if got := w.stored(t, home); got != want || w.days != 4 || w.amended != 1 {
		t.Errorf("got %d days put and %d amended, stored:\n%swant 4, 1 and:\n%s", w.days, w.amended, got, want)
	}
}

// killed is a file whose reader goes away after some bytes.
type killed struct {
	io.ReaderAt
	cancel context.CancelFunc
	after  int64
	read   int64
}

func (k *killed) ReadAt(p []byte, off int64) (int, error) {
	n, err := k.ReaderAt.ReadAt(p, off)
	if k.read += int64(n); k.read > k.after {
		k.cancel()
	}
	return n, err
}

// TestKilledWhereNothingIsRead: a file without a reading is left as soon as
// nobody waits for it.
func TestKilledWhereNothingIsRead(t *testing.T) {
	for name, content := range map[string]string{
		"NEM12": "100,NEM12,202403010900,A,B\n200,NMI1,E1,1,E1,N1,M,kWh,30,\n" + strings.Repeat("500,,,,,\n", 1_000_000),
		"ESPI":  "<feed>" + strings.Repeat("<entry></entry>", 500_000),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			file := &killed{strings.NewReader(content), cancel, 300_000, 0}
			im := &intake.Importer{Store: w, Now: func() time.Time { return noon }}
			_, err := im.Import(ctx, intake.File{Name: "f", Content: file, Size: int64(len(content))}, intake.Target{}, nil)
			if !errors.Is(err, context.Canceled) || file.read > 1_000_000 || w.locked > 0 {
				t.Errorf("got error %v after %d of %d bytes, want cancelled soon after 300,000", err, file.read, len(content))
			}
		})
	}
}

// TestOrigin: where a file lay on somebody's disk is nobody else's business.
func TestOrigin(t *testing.T) {
	content := fixture(t, "two_days.nem12.csv")
	pack := func(entry string) string {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		f, err := z.Create(entry)
		if err == nil {
			_, err = io.WriteString(f, content)
		}
		if err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for name, test := range map[string]struct{ name, content, audit, source string }{
		"a file":                        {"home/jo/secret client/f.csv", content, `"f.csv"`, "f.csv"},
		"a file of Windows":             {`C:\Users\jo\f.csv`, content, `"f.csv"`, "f.csv"},
		"an archive":                    {"/home/jo/a.zip", pack("folder/sub/f.csv"), `"a.zip"`, "a.zip/f.csv"},
		"an archive packed on Windows":  {"../a.zip", pack(`folder\f.csv`), `"a.zip"`, "a.zip/f.csv"},
		"an archive with a strange one": {"a.zip", pack("x\x1b[2J\n" + strings.Repeat("y", 1000)), `"a.zip"`, "a.zip/" + strings.Repeat("y", 100)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r, err := w.take(t, test.name, test.content, intake.Target{})
			if err != nil || r.File != test.name {
				t.Fatalf("got %+v and error %v, want a report of the file as it was named", r, err)
			}
			if len(w.entries) != 1 || !strings.HasPrefix(w.entries[0].Detail, test.audit+": stored ") {
				t.Errorf("audit: got %+v, want one entry that begins with %s", w.entries, test.audit)
			}
			if len(w.sources) != 1 || w.sources[test.source] != 4 {
				t.Errorf("sources: got %v, want %s for all 4 days", w.sources, test.source)
			}
		})
	}
	w := newWorld(t)
	_, err := w.take(t, "home/jo/f.csv", "hello", intake.Target{})
	if err == nil || !strings.HasPrefix(err.Error(), "home/jo/f.csv:1: ") {
		t.Errorf("got error %v, want one with the name as it was given", err)
	}
}
