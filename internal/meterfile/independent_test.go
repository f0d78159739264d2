package meterfile_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// The readers of plain_test.go are the plainest there can be: the standard
// library splits the file, and the rest believes what it says. What ours takes
// must add up to the same.

// ledger is what a file holds: the sum of each day, or an index, by its name.
type ledger map[string]*big.Rat

func (l ledger) add(t *testing.T, name, value string) {
	t.Helper()
	v, ok := new(big.Rat).SetString(value)
	if !ok {
		t.Fatalf("%s: %q is no number", name, value)
	}
	if l[name] == nil {
		l[name] = new(big.Rat)
	}
	l[name].Add(l[name], v)
}

// set notes an index; the same may stand in a file several times, and where it
// does not say the same, both are kept.
func (l ledger) set(t *testing.T, name, value string) {
	t.Helper()
	v, ok := new(big.Rat).SetString(value)
	if !ok {
		t.Fatalf("%s: %q is no number", name, value)
	}
	for l[name] != nil && l[name].Cmp(v) != 0 {
		name += " again"
	}
	l[name] = v
}

// ours is what our reader makes of a file; ok is false where it refuses it.
func ours(t *testing.T, path string) (l ledger, ok bool) {
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
	l = ledger{}
	err = meterfile.Each(filepath.Base(path), f, info.Size(), func(name string, r io.ReadSeeker) error {
		return meterfile.Read(name, r, func(b *meterfile.Block) error { l.block(t, b); return nil })
	})
	return l, err == nil
}

// block adds a block, by the days of its zone.
func (l ledger) block(t *testing.T, b *meterfile.Block) {
	t.Helper()
	zone := b.Start.Location()
	if strings.Contains(b.Channel.Zone, "/") {
		var err error
		if zone, err = time.LoadLocation(b.Channel.Zone); err != nil {
			t.Fatal(err)
		}
	}
	c := b.Channel
	name := fmt.Sprintf("%s %s %s %s", c.Identifier, c.Register, c.Direction, c.Unit)
	for i, v := range b.Values {
		at, value := b.Start.Add(time.Duration(i*b.Minutes)*time.Minute), domain.Decimal{Coefficient: v, Scale: b.Scale}.String()
		switch {
		case b.Quality[i] == domain.Missing:
		case b.Minutes == meterfile.Index:
			l.set(t, name+" at "+at.UTC().Format(time.RFC3339), value)
		default:
			l.add(t, name+" on "+at.In(zone).Format(time.DateOnly), value)
		}
	}
}

// same compares two ledgers.
func (l ledger) same(t *testing.T, file string, want ledger) {
	t.Helper()
	if maps.EqualFunc(l, want, func(a, b *big.Rat) bool { return a.Cmp(b) == 0 }) {
		return
	}
	for name, v := range want {
		if l[name] == nil || l[name].Cmp(v) != 0 {
			t.Errorf("%s: %s: got %v, the independent reader has %s", file, name, l[name], v.FloatString(9))
		}
	}
	for name, v := range l {
		if want[name] == nil {
			t.Errorf("%s: %s: got %s, the independent reader has nothing", file, name, v.FloatString(9))
		}
	}
}

// TestIndependentReaders compares every real file that we take.
func TestIndependentReaders(t *testing.T) {
	for folder, reader := range map[string]struct {
		read  func(*testing.T, ledger, []byte)
		least int // files that we take
	}{"nem12": {plainNEM, 150}, "espi": {plainESPI, 20}, "dsmr": {plainDSMR, 6}} {
		t.Run(folder, func(t *testing.T) {
			taken := 0
			err := filepath.WalkDir(data(t, folder), func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() || strings.HasPrefix(strings.ToUpper(d.Name()), "LICEN") {
					return err
				}
				got, ok := ours(t, path)
				if !ok {
					return nil // TestRealFiles says why
				}
				want := ledger{}
				for _, content := range contents(t, path) {
					reader.read(t, want, content)
				}
				taken++
				if folder == "espi" {
					got = got.perDay(t)
				}
				if len(want) == 0 {
					t.Errorf("%s: the independent reader found nothing", path)
				}
				got.same(t, filepath.Base(path), want)
				return nil
			})
			if err != nil || taken < reader.least {
				t.Errorf("got %d files and error %v, want at least %d to compare", taken, err, reader.least)
			}
		})
	}
}

// contents returns what a file holds, or each file of an archive.
func contents(t *testing.T, path string) (all [][]byte) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return [][]byte{content}
	}
	for _, file := range archive.File {
		r, err := file.Open()
		if err == nil {
			content, err = io.ReadAll(r)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content)
	}
	return all
}

// perDay leaves nothing of names but the day: the real feeds have one usage
// point each, or repeat it.
func (l ledger) perDay(t *testing.T) ledger {
	t.Helper()
	days := ledger{}
	for name, v := range l {
		_, day, _ := strings.Cut(name, " on ")
		days.add(t, day, v.RatString())
	}
	return days
}

// TestIndependentLines compares CSV, NDJSON and CDR, of which there are no real
// files, with what encoding/csv and encoding/json find in ours.
func TestIndependentLines(t *testing.T) {
	csvText := csvYear(2)
	rows, err := csv.NewReader(strings.NewReader(csvText)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := ledger{}
	var ndjson strings.Builder
	for _, f := range rows[1:] {
		want.add(t, strings.TrimPrefix(f[0], "NLD_ELECTRICITY:")+" "+f[1]+" "+f[2]+" "+f[7]+" on "+f[4][:10], f[6])
		start, _ := time.Parse(time.RFC3339, f[3]) // as it was printed
		line, err := json.Marshal(map[string]any{
			"supplyPoint": f[0], "registerId": f[1], "direction": f[2], "startAt": f[3], "endAt": start.Add(30 * time.Minute),
			"value": json.Number(f[6]), "unit": f[7], "quality": f[8],
		})
		if err != nil {
			t.Fatal(err)
		}
		ndjson.Write(append(line, '\n'))
	}
	for name, content := range map[string]string{"CSV": csvText, "NDJSON": ndjson.String()} {
		got := ledger{}
		if err := meterfile.Read(name, strings.NewReader(content), func(b *meterfile.Block) error { got.block(t, b); return nil }); err != nil {
			t.Fatal(err)
		}
		got.same(t, name, want)
	}
	answer := cdr(cdrRead("E1", "", numbers(47, "0.25")+",0.3"), cdrRead("B1", `"readEndDate":"2024-03-02",`, numbers(96, "-1.125")))
	var decoded struct {
		Data struct {
			Reads []struct {
				ServicePointID, RegisterSuffix, UnitOfMeasure, ReadStartDate string
				IntervalRead                                                 struct{ IntervalReads []json.Number }
			}
		}
	}
	if err := json.Unmarshal([]byte(answer), &decoded); err != nil {
		t.Fatal(err)
	}
	want = ledger{}
	for _, r := range decoded.Data.Reads {
		day, _ := time.Parse(time.DateOnly, r.ReadStartDate) // as it was printed
		for i, v := range r.IntervalRead.IntervalReads {
			way, value := "CONSUMPTION", v.String()
			if r.RegisterSuffix == "B1" {
				way, value = "GENERATION", strings.TrimPrefix(value, "-")
			}
			want.add(t, r.ServicePointID+" "+r.RegisterSuffix+" "+way+" "+strings.ToLower(r.UnitOfMeasure)+" on "+day.AddDate(0, 0, i/48).Format(time.DateOnly), value)
		}
	}
	got := ledger{}
	if err := meterfile.Read("CDR", strings.NewReader(answer), func(b *meterfile.Block) error { got.block(t, b); return nil }); err != nil || len(got) != 3 {
		t.Fatalf("got %d days and error %v, want 3", len(got), err)
	}
	got.same(t, "CDR", want)
}
