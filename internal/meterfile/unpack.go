package meterfile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Packing says how a stream is packed, in the words of Content-Encoding
// (RFC 9110 §8.4.1).
type Packing string

// The packings.
const (
	Unpacked Packing = ""
	Gzip     Packing = "gzip"
	Zstd     Packing = "zstd"
)

// maxWindow bounds what unpacking zstd remembers. It is what RFC 9659 §3 lets
// senders ask of receivers.
const maxWindow = 8 << 20

// PackingLength is how many bytes of a file [PackingOf] looks at.
const PackingLength = 4

// PackingOf tells a packing by how a file begins.
func PackingOf(head []byte) Packing {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}): // RFC 1952 §2.3.1
		return Gzip
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}): // RFC 8878 §3.1.1
		return Zstd
	}
	return Unpacked
}

// ErrOversize is in the chain of the refusal of a stream that is too long,
// packed or unpacked.
var ErrOversize = errors.New("too long")

// Unpack copies what a stream holds, at most so many bytes, and returns how many
// they are. It holds little memory, whatever the stream says. A stream that is
// no such packing, or is too long, is an [*Error]; what reading and writing
// return is returned as it is.
func Unpack(name string, w io.Writer, r io.Reader, p Packing, most int64) (int64, error) {
	src := &source{r: &io.LimitedReader{R: r, N: most + most>>8 + 1<<10}, most: most} // what cannot be packed grows a little
	content, closing, err := unpacking(src, p)
	if err != nil {
		return 0, src.explain(name, p, err)
	}
	defer closing()
	dst := &sink{w: w}
	n, err := io.Copy(dst, io.LimitReader(content, most+1))
	switch {
	case dst.err != nil:
		return n, dst.err
	case err != nil:
		return n, src.explain(name, p, err)
	case n > most:
		return n, oversize(name, most)
	}
	return n, nil
}

// unpacking returns a reader of the content, and what ends it.
func unpacking(r io.Reader, p Packing) (io.Reader, func(), error) {
	switch p {
	case Gzip:
		z, err := gzip.NewReader(r)
		return z, func() {}, err
	case Zstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	case Unpacked:
		return r, func() {}, nil
	}
	return nil, nil, fmt.Errorf("there is no packing %q", string(p))
}

// source remembers why reading failed: a decoder may say it in other words.
type source struct {
	r    *io.LimitedReader
	most int64
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// explain returns the reason behind a decoder's error.
func (s *source) explain(name string, p Packing, err error) error {
	switch {
	case s.err != nil:
		return s.err
	case s.r.N <= 0:
		return oversize(name, s.most)
	case p == Unpacked:
		return err
	}
	return &Error{name, 1, "file", "one that unpacks as " + string(p), quote(err.Error())}
}

func oversize(name string, most int64) error {
	return fmt.Errorf("%w: %w", ErrOversize, &Error{name, 1, "file", fmt.Sprintf("at most %d bytes", most), "more"})
}

// sink remembers why writing failed.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil {
		s.err = err
	}
	return n, err
}
