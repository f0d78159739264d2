package meterfile_test

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// run is a block that may be kept.
type run struct {
	meterfile.Channel
	Line    int
	Start   string
	Minutes int
	Values  []string
	Quality []domain.Quality
}

// read reads a file and keeps all of it.
func read(tb testing.TB, name, content string) ([]run, error) {
	tb.Helper()
	var runs []run
	err := meterfile.Read(name, strings.NewReader(content), keep(tb, &runs))
	return runs, err
}

// readAs is read for a file whose format is known.
func readAs(tb testing.TB, f meterfile.Format, name, content string) ([]run, error) {
	tb.Helper()
	var runs []run
	err := meterfile.ReadAs(f, name, strings.NewReader(content), keep(tb, &runs), nil)
	return runs, err
}

// keep returns a function that keeps the runs that it gets.
func keep(tb testing.TB, runs *[]run) func(*meterfile.Block) error {
	return func(b *meterfile.Block) error {
		tb.Helper()
		check(tb, b)
		r := run{b.Channel, b.Line, b.Start.Format("2006-01-02T15:04:05Z07:00"), b.Minutes, nil, nil}
		for i, v := range b.Values {
			r.Values = append(r.Values, domain.Decimal{Coefficient: v, Scale: b.Scale}.String())
			r.Quality = append(r.Quality, b.Quality[i])
		}
		*runs = append(*runs, r)
		return nil
	}
}

// check holds a block to what its documentation promises.
func check(tb testing.TB, b *meterfile.Block) {
	tb.Helper()
	divides := b.Minutes >= 1 && b.Minutes <= 60 && 60%b.Minutes == 0 || (b.Minutes == meterfile.WholeDay || b.Minutes == meterfile.Index) && len(b.Values) == 1
	if !divides || len(b.Values) == 0 || len(b.Values) != len(b.Quality) || b.Scale > domain.MaxScale || b.Line < 1 {
		tb.Fatalf("impossible block %+v", b)
	}
	for i, q := range b.Quality {
		most, fits := domain.Decimal{Coefficient: 10_000_000}.Rescale(b.Scale)
		if bounded := fits && b.Values[i] < most.Coefficient && b.Values[i] > -most.Coefficient; !bounded && b.Minutes != meterfile.Index {
			tb.Fatalf("line %d interval %d: value %d at scale %d", b.Line, i, b.Values[i], b.Scale)
		}
		if !q.Valid() || q == domain.Missing && b.Values[i] != 0 {
			tb.Fatalf("line %d interval %d: quality %d with value %d", b.Line, i, q, b.Values[i])
		}
	}
	for _, s := range []string{b.Channel.Identifier, b.Channel.Register} {
		if s == "" || len(s) > 64 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-") != "" {
			tb.Fatalf("line %d: name %q", b.Line, s)
		}
	}
}

// refusals fails unless err is an [meterfile.Error] with this text, and public.
func refusal(t *testing.T, err error, want string) {
	t.Helper()
	var e *meterfile.Error
	if !errors.As(err, &e) || e.Error() != want {
		t.Errorf("got error %v\nwant      %s", err, want)
	}
	var d *domain.Error
	if !errors.As(err, &d) || d.Kind != domain.Invalid || d.Public != want {
		t.Errorf("got domain error %#v, want an invalid one that says %s", d, want)
	}
}

func TestRead(t *testing.T) {
	const want = "want NEM12 or NEM13 (100,NEM12 comes first), Green Button ESPI (XML), our CSV (supply_point comes first), NDJSON, CDR (JSON) or DSMR P1 (/ comes first), got "
	tests := map[string]struct{ content, want string }{
		"an empty file":           {"", want + "an empty file"},
		"a file of spaces":        {"  \r\n\n", want + "nothing"},
		"a text":                  {"Dear customer, 100 kWh", want + `"Dear customer, 100 kWh"`},
		"an archive in an archve": {"PK\x03\x04", want + `"PK\x03\x04"`},
		"UTF-16":                  {"\xff\xfe1\x000\x000\x00", want + `"\xff\xfe1\x000\x000\x00"`},
		"a web page":              {"<html>", `FIELD field root element: want feed, of a Green Button ESPI file, got "html"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			text := "f.dat:1: field file: " + test.want
			if rest, ok := strings.CutPrefix(test.want, "FIELD "); ok {
				text = "f.dat:1: " + rest
			}
			runs, err := read(t, "f.dat", test.content)
			refusal(t, err, text)
			if len(runs) != 0 {
				t.Errorf("got %d runs beside the error", len(runs))
			}
		})
	}
}

func TestReadStopsWhereYieldDoes(t *testing.T) {
	full := errors.New("enough")
	for _, file := range []string{"testdata/two_days.nem12.csv", "testdata/spring_day.espi.xml"} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		calls := 0
		err = meterfile.Read(file, bytes.NewReader(content), func(*meterfile.Block) error { calls++; return full })
		if err != full || calls != 1 {
			t.Errorf("%s: got error %v after %d calls, want the one of yield after 1", file, err, calls)
		}
	}
}

// data returns the folder of real files: a skip where it is missing, and a
// failure under CI=true.
func data(t *testing.T, folder string) string {
	t.Helper()
	root := cmp.Or(os.Getenv("WATTGATE_TEST_DATA"), filepath.Join("..", "shared", "data"))
	if !filepath.IsAbs(root) {
		root = filepath.Join("..", "..", root)
	}
	path := filepath.Join(root, folder)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the folder of real meter files is missing: %s", path)
		}
		t.Skipf("the folder of real meter files is missing: %s (WATTGATE_TEST_DATA names another)", path)
	}
	return path
}

// TestRealFiles holds every real file to testdata/real.txt: how many readings
// it has, or why it is refused.
func TestRealFiles(t *testing.T) {
	var got strings.Builder
	for _, folder := range []string{"nem12", "espi", "dsmr"} {
		root, sum := data(t, folder), 0
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasPrefix(strings.ToUpper(d.Name()), "LICEN") {
				return err
			}
			n, indexes, err := count(t, path)
			sum += n + indexes
			name, _ := filepath.Rel(filepath.Dir(root), path)
			switch {
			case err != nil:
				fmt.Fprintf(&got, "%s\n\trefused: %v\n", filepath.ToSlash(name), err)
			case indexes > 0:
				fmt.Fprintf(&got, "%s\n\t%d readings and %d indexes\n", filepath.ToSlash(name), n, indexes)
			default:
				fmt.Fprintf(&got, "%s\n\t%d readings\n", filepath.ToSlash(name), n)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%s: %d readings in all\n", folder, sum)
	}
	const golden = "testdata/real.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the real files read differently from %s; go test -update rewrites it. got:\n%s", golden, got.String())
	}
}

// count reads a file or an archive and returns how many readings have a value,
// and how many indexes there are; none where it is refused.
func count(t *testing.T, path string) (n, indexes int, err error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	err = meterfile.Each(filepath.Base(path), f, info.Size(), func(name string, r io.ReadSeeker) error {
		return meterfile.Read(name, r, func(b *meterfile.Block) error {
			check(t, b)
			for _, q := range b.Quality {
				switch {
				case b.Minutes == meterfile.Index:
					indexes++
				case q != domain.Missing:
					n++
				}
			}
			return nil
		})
	})
	if err != nil {
		var e *meterfile.Error
		if !errors.As(err, &e) || e.Line < 1 || e.Field == "" || e.Want == "" || e.Got == "" {
			t.Errorf("%s: got error %v, want one with file, line, field and what was expected", path, err)
		}
		return 0, 0, err
	}
	return n, indexes, nil
}
