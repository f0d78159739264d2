package meterfile_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/meterfile"
)

// archive packs files, whose contents are given in the order of names.
func archive(t *testing.T, content string, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.Create(name)
		if err == nil && !strings.HasSuffix(name, "/") {
			_, err = io.WriteString(f, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestEach(t *testing.T) {
	spring, err := os.ReadFile("testdata/spring_day.espi.xml")
	if err != nil {
		t.Fatal(err)
	}
	packed := archive(t, string(spring), "folder/", "folder/a.xml", "b.xml")
	for name, test := range map[string]struct {
		content []byte
		want    []string
	}{
		"a plain file": {spring, []string{"f 23"}},
		"an archive":   {packed, []string{"f/folder/a.xml 23", "f/b.xml 23"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			err := meterfile.Each("f", bytes.NewReader(test.content), int64(len(test.content)), func(name string, r io.ReadSeeker) error {
				n := 0
				err := meterfile.Read(name, r, func(b *meterfile.Block) error { n += len(b.Values); return nil })
				got = append(got, fmt.Sprint(name, " ", n))
				return err
			})
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("got %q and error %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestEachRefusals(t *testing.T) {
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprint("f", i)
	}
	long := make([]string, 2000)
	for i := range long {
		long[i] = fmt.Sprintf("%s%d", strings.Repeat("x", 5000), i)
	}
	good := archive(t, "100,NEM12", "a.csv")
	broken := bytes.Replace(good, []byte("100,NEM12"), []byte("100,NEM13"), 1)
	tests := map[string]struct {
		content []byte
		want    string
	}{
		"too many files":       {archive(t, "", many...), `f.zip:1: field archive: want 1 to 100 files, got 101`},
		"a directory too long": {archive(t, "", long...), `f.zip:1: field archive: want a zip archive of at most 100 files, got "its directory is too long"`},
		"no file":              {archive(t, ""), `f.zip:1: field archive: want 1 to 100 files, got 0`},
		"half an archive":      {good[:len(good)/2], `f.zip:1: field archive: want a zip archive of at most 100 files, got "zip: not a valid zip file"`},
		"a wrong entry":        {archive(t, "hello", "a.csv"), `f.zip/a.csv:1: field file: want NEM12 or NEM13 (100,NEM12 comes first), Green Button ESPI (XML), our CSV (supply_point comes first), NDJSON, CDR (JSON) or DSMR P1 (/ comes first), got "hello"`},
		"an entry's checksum":  {broken, ``},
		"an archive in there":  {archive(t, string(good), "b.zip"), ``},
		"a bomb of a gigabyte": {bomb(t), `f.zip/4:1: field archive: want at most 1073741824 bytes unpacked, got more`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := meterfile.Each("f.zip", bytes.NewReader(test.content), int64(len(test.content)), func(name string, r io.ReadSeeker) error {
				if strings.HasPrefix(name, "f.zip/a.csv") || strings.HasSuffix(name, ".zip") {
					return meterfile.Read(name, r, func(*meterfile.Block) error { return nil })
				}
				_, err := io.Copy(io.Discard, r)
				return err
			})
			if test.want == "" {
				if err == nil {
					t.Error("got no error")
				}
				return
			}
			refusal(t, err, test.want)
		})
	}
}

// bomb packs four entries of 300 MiB each, which together are too much. A
// mebibyte of them is packed once and repeated, so that this takes no time.
func bomb(t *testing.T) []byte {
	t.Helper()
	line := bytes.Repeat([]byte("\n"), 1<<20)
	var chunk, end, b bytes.Buffer
	for _, part := range []struct {
		to      *bytes.Buffer
		content []byte
		finish  func(*flate.Writer) error
	}{{&chunk, line, (*flate.Writer).Flush}, {&end, nil, (*flate.Writer).Close}} {
		w, err := flate.NewWriter(part.to, flate.BestCompression)
		if err == nil {
			_, err = w.Write(part.content)
		}
		if err != nil || part.finish(w) != nil {
			t.Fatal(err)
		}
	}
	const times = 300
	sum := crc32.NewIEEE()
	for range times {
		_, _ = sum.Write(line) // never fails
	}
	packed := append(bytes.Repeat(chunk.Bytes(), times), end.Bytes()...)
	w := zip.NewWriter(&b)
	for i := range 4 {
		f, err := w.CreateRaw(&zip.FileHeader{
			Name: fmt.Sprint(i + 1), Method: zip.Deflate, CRC32: sum.Sum32(),
			CompressedSize64: uint64(len(packed)), UncompressedSize64: times << 20,
		})
		if err == nil {
			_, err = f.Write(packed)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
