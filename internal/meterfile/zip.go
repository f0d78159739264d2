package meterfile

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The bounds on an archive.
const (
	maxEntries   = 100
	maxUnpacked  = 1 << 30 // bytes of all entries together
	maxDirectory = 8 << 20 // bytes that listing the entries may read
)

// Each calls fn with the file itself, or, where it is a zip archive, with each
// file in it under a name such as archive.zip/entry.csv. It stops at the first
// error. An archive may have 100 entries and unpack to 1 GiB; it is unpacked
// while it is read, nothing is written anywhere.
func Each(name string, r io.ReaderAt, size int64, fn func(name string, r io.ReadSeeker) error) error {
	var magic [4]byte
	if n, err := r.ReadAt(magic[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", name, err)
	} else if s := string(magic[:n]); s != "PK\x03\x04" && s != "PK\x05\x06" {
		return fn(name, io.NewSectionReader(r, 0, size))
	}
	refuse := func(field, want, got string) error { return &Error{name, 1, field, want, got} }
	budget := &budgetReader{r: r, left: maxDirectory}
	archive, err := zip.NewReader(budget, size)
	if err != nil {
		return refuse("archive", fmt.Sprintf("a zip archive of at most %d files", maxEntries), quote(err.Error()))
	}
	budget.left = -1
	var files []*zip.File
	for _, f := range archive.File {
		if !strings.HasSuffix(f.Name, "/") { // a folder
			files = append(files, f)
		}
	}
	if len(files) == 0 || len(archive.File) > maxEntries {
		return refuse("archive", fmt.Sprintf("1 to %d files", maxEntries), fmt.Sprint(len(archive.File)))
	}
	left := int64(maxUnpacked)
	for _, f := range files {
		e := &entry{name: name + "/" + entryName(f.Name), file: f, most: left}
		err := fn(e.name, e)
		if closeErr := e.close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return err
		}
		left -= e.longest
	}
	return nil
}

// entryName returns an entry's name as errors may show it: its end, where it
// is long.
func entryName(name string) string {
	name = printable(name)
	if len(name) > maxShown {
		name = "…" + strings.ToValidUTF8(name[len(name)-maxShown:], "")
	}
	return name
}

// budgetReader bounds how much is read in all while left is not negative.
type budgetReader struct {
	r    io.ReaderAt
	left int64
}

func (b *budgetReader) ReadAt(p []byte, off int64) (int, error) {
	if b.left >= 0 {
		if b.left -= int64(len(p)); b.left < 0 {
			b.left = 0
			return 0, errors.New("its directory is too long")
		}
	}
	return b.r.ReadAt(p, off)
}

// entry reads one file of an archive. It can go back to its beginning, which
// unpacks it again, and nowhere else.
type entry struct {
	name    string
	file    *zip.File
	open    io.ReadCloser
	most    int64 // how long it may be
	done    int64
	longest int64
}

func (e *entry) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekStart {
		return 0, errors.New("an entry of an archive goes back to its beginning only")
	}
	e.done = 0
	return 0, e.close()
}

func (e *entry) close() error {
	if e.open == nil {
		return nil
	}
	err := e.open.Close()
	e.open = nil
	return err
}

func (e *entry) Read(p []byte) (int, error) {
	if e.open == nil {
		open, err := e.file.Open()
		if err != nil {
			return 0, e.refuse(err)
		}
		e.open = open
	}
	n, err := e.open.Read(p)
	e.done += int64(n)
	e.longest = max(e.longest, e.done)
	if e.done > e.most {
		return 0, &Error{e.name, 1, "archive", fmt.Sprintf("at most %d bytes unpacked", int64(maxUnpacked)), "more"}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, e.refuse(err)
	}
	return n, err
}

func (e *entry) refuse(err error) error {
	return &Error{e.name, 1, "archive", "an entry that unpacks", quote(err.Error())}
}
