package meterfile_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"

	"github.com/wattgate/wattgate/internal/meterfile"
)

// pack packs a text.
func pack(tb testing.TB, p meterfile.Packing, content []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch p {
	case meterfile.Gzip:
		w = gzip.NewWriter(&b)
	case meterfile.Zstd:
		w, err = zstd.NewWriter(&b)
	case meterfile.Unpacked:
		return content
	}
	if err == nil {
		_, err = w.Write(content)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

var packings = []meterfile.Packing{meterfile.Unpacked, meterfile.Gzip, meterfile.Zstd}

func TestUnpack(t *testing.T) {
	content := []byte(strings.Repeat("100,NEM12\n", 1000))
	for _, p := range packings {
		packed := pack(t, p, content)
		if got := meterfile.PackingOf(packed); got != p {
			t.Errorf("%q: it begins like %q", p, got)
		}
		var b bytes.Buffer
		n, err := meterfile.Unpack("f", &b, bytes.NewReader(packed), p, int64(len(content)))
		if err != nil || n != int64(len(content)) || !bytes.Equal(b.Bytes(), content) {
			t.Errorf("%q: got %d bytes and error %v, want the %d that were packed", p, n, err, len(content))
		}
		_, err = meterfile.Unpack("f", io.Discard, bytes.NewReader(packed), p, int64(len(content))-1)
		if refusal, ok := errors.AsType[*meterfile.Error](err); !errors.Is(err, meterfile.ErrOversize) || !ok || refusal.Want != "at most 9999 bytes" {
			t.Errorf("%q, one byte too long: got error %v, want a refusal", p, err)
		}
		broken := errors.New("broken")
		_, err = meterfile.Unpack("f", io.Discard, io.MultiReader(bytes.NewReader(packed[:len(packed)/2]), iotest.ErrReader(broken)), p, 1<<20)
		if !errors.Is(err, broken) {
			t.Errorf("%q, read from something that breaks: got error %v, want that", p, err)
		}
		_, err = meterfile.Unpack("f", brokenWriter{broken}, bytes.NewReader(packed), p, 1<<20)
		if !errors.Is(err, broken) {
			t.Errorf("%q, written to something that breaks: got error %v, want that", p, err)
		}
		if p == meterfile.Unpacked {
			continue
		}
		for name, bad := range map[string][]byte{"cut off": packed[:len(packed)-3], "none": content, "nothing": nil, "with more behind it": append(bytes.Clone(packed), "100"...)} {
			_, err := meterfile.Unpack("f", io.Discard, bytes.NewReader(bad), p, 1<<20)
			refusal, ok := errors.AsType[*meterfile.Error](err)
			if p == meterfile.Zstd && name == "nothing" {
				if err != nil { // no frame at all is a stream too; the reader of its format refuses it
					t.Errorf("%q, %s: got error %v", p, name, err)
				}
				continue
			}
			if !ok || refusal.Field != "file" || !strings.HasPrefix(refusal.Want, "one that unpacks as ") {
				t.Errorf("%q, %s: got error %v, want a refusal", p, name, err)
			}
		}
	}
}

type brokenWriter struct{ err error }

func (b brokenWriter) Write([]byte) (int, error) { return 0, b.err }

// TestBombs unpacks what is a thousand times as long as it looks, and a frame
// that asks for more memory than anybody needs.
func TestBombs(t *testing.T) {
	zeros := make([]byte, 64<<20)
	for _, p := range packings[1:] {
		packed := pack(t, p, zeros)
		if len(packed) > len(zeros)/500 {
			t.Fatalf("%q: %d bytes are no bomb", p, len(packed))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		n, err := meterfile.Unpack("f", io.Discard, bytes.NewReader(packed), p, 1<<20)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, meterfile.ErrOversize) || n > 1<<20+1 {
			t.Errorf("%q: got %d bytes and error %v, want it refused after 1 MiB", p, n, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 2*8<<20 {
			t.Errorf("%q: took %d bytes of memory", p, used)
		}
	}
	// A frame whose window is 1 GiB: RFC 8878 §3.1.1.1.2.
	window := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, 0x01, 0x00, 0x00}
	_, err := meterfile.Unpack("f", io.Discard, bytes.NewReader(window), meterfile.Zstd, 1<<20)
	if _, ok := errors.AsType[*meterfile.Error](err); !ok {
		t.Errorf("a window of 1 GiB: got error %v, want a refusal", err)
	}
}

// FuzzUnpack: whatever comes, what is unpacked is at most as long as is allowed,
// and what one of ours has packed comes back.
func FuzzUnpack(f *testing.F) {
	for _, p := range packings {
		f.Add(pack(f, p, []byte("100,NEM12\n")))
	}
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, 0x01, 0x00, 0x00})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, p := range packings {
			const most = 1 << 16
			var out bytes.Buffer
			n, err := meterfile.Unpack("f", &out, bytes.NewReader(b), p, most)
			if n != int64(out.Len()) || err == nil && n > most {
				t.Fatalf("%q: got %d bytes of %d and error %v", p, n, out.Len(), err)
			}
			var back bytes.Buffer
			if n, err := meterfile.Unpack("f", &back, bytes.NewReader(pack(t, p, b)), p, int64(len(b))); err != nil || n != int64(len(b)) || !bytes.Equal(back.Bytes(), b) {
				t.Fatalf("%q: %d bytes came back as %d, error %v", p, len(b), n, err)
			}
		}
	})
}
