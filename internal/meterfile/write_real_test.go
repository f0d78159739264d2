package meterfile_test

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// TestRealFilesComeBack exports what real files hold, in every format that can
// carry it, and reads it again.
func TestRealFilesComeBack(t *testing.T) {
	came := map[meterfile.Format]int{}
	for _, folder := range []string{"nem12", "espi"} {
		err := filepath.WalkDir(data(t, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasPrefix(strings.ToUpper(d.Name()), "LICEN") {
				return err
			}
			blocks, ok := realBlocks(t, path)
			if !ok {
				return nil
			}
			for _, f := range []meterfile.Format{meterfile.CSV, meterfile.NDJSON, meterfile.ESPI, meterfile.NEM12, meterfile.CDR} {
				came[f] += comesBack(t, path, f, blocks)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("readings that came back: %v", came)
	for f, n := range came {
		if n < 30_000 {
			t.Errorf("%s: got %d readings back from all real files, want the most of them", f, n)
		}
	}
}

// realBlocks reads a file and puts it into the order of an export. What several
// files say of one day is left out, as the store would not hold it twice.
func realBlocks(t *testing.T, path string) (blocks []*meterfile.Block, ok bool) {
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
	type place struct {
		meterfile.Channel
		start int64
	}
	seen := map[place]bool{}
	err = meterfile.Each(filepath.Base(path), f, info.Size(), func(name string, r io.ReadSeeker) error {
		return meterfile.Read(name, r, func(b *meterfile.Block) error {
			if at := (place{b.Channel, b.Start.Unix()}); seen[at] {
				return nil
			} else {
				seen[at] = true
			}
			keep := *b
			keep.Values, keep.Quality = slices.Clone(b.Values), slices.Clone(b.Quality)
			keep.Channel.Zone = cmp.Or(keep.Channel.Zone, "+00:00")
			loc, err := interval.Zone(keep.Channel.Zone)
			if err != nil {
				return err
			}
			keep.Start = b.Start.In(loc)
			blocks = append(blocks, &keep)
			return nil
		})
	})
	if err != nil {
		return nil, false // TestRealFiles looks at why
	}
	slices.SortStableFunc(blocks, func(a, b *meterfile.Block) int {
		x, y := a.Channel, b.Channel
		return cmp.Or(
			strings.Compare(string(x.Market)+":"+x.Identifier, string(y.Market)+":"+y.Identifier), strings.Compare(x.Register, y.Register),
			cmp.Compare(x.Direction, y.Direction), strings.Compare(string(x.Unit), string(y.Unit)), a.Start.Compare(b.Start),
		)
	})
	return blocks, true
}

// comesBack writes blocks and compares what is read from them. What a format
// refuses is left out.
func comesBack(t *testing.T, path string, f meterfile.Format, blocks []*meterfile.Block) int {
	t.Helper()
	var file bytes.Buffer
	w, err := meterfile.NewWriter(f, &file, export)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []fact
	for _, b := range blocks {
		err := w.Write(b)
		var d *domain.Error
		switch {
		case errors.As(err, &d) && d.Kind == domain.Invalid:
			continue
		case err != nil:
			t.Fatal(err)
		}
		for _, one := range facts(b) {
			want = append(want, plainly(one, f))
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if len(want) == 0 {
		return 0
	}
	err = meterfile.ReadAs(f, "export of "+filepath.Base(path), bytes.NewReader(file.Bytes()), func(b *meterfile.Block) error {
		for _, one := range facts(b) {
			got = append(got, plainly(one, f))
		}
		return nil
	}, nil)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s as %s: got %d readings and error %v, want %d", path, f, len(got), err, len(want))
		return 0
	}
	return len(want)
}

// plainly is a reading without what a format does not say.
func plainly(one fact, f meterfile.Format) fact {
	one.Zone = ""
	if f == meterfile.ESPI {
		one.Market, one.Identifier = "", ""
		if strings.HasPrefix(string(one.Unit), "k") {
			one.Unit = one.Unit[1:]
			one.value.Coefficient *= 1000
			one.value = one.value.Trim()
		}
	}
	return one
}
