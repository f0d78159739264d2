package meterfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxLine bounds a line of a text format. A NEM12 day of 5 minutes has 288
// values, so that 64 KiB leave more than 200 characters for each.
const maxLine = 64 << 10

// lines reads a text file line by line.
type lines struct {
	name   string
	r      *bufio.Reader
	number int // of the line last returned, from 1

	tooLong bool // the line last read has no end yet
}

func newLines(name string, r io.Reader) *lines {
	return &lines{name: name, r: bufio.NewReaderSize(r, maxLine)}
}

// next returns the next line without its end, and io.EOF after the last one.
func (l *lines) next() (string, error) {
	line, err := l.raw()
	return string(line), err
}

// raw is next without a copy: the line is valid until the next call. A line
// that is too long is an error, and tooLong is set; the next call goes on
// behind it.
func (l *lines) raw() ([]byte, error) {
	if l.tooLong {
		if err := l.skip(); err != nil {
			return nil, err
		}
	}
	line, err := l.r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		l.number++
		l.tooLong = true
		return nil, &Error{l.name, l.number, "line", fmt.Sprintf("at most %d bytes", maxLine), "a longer one"}
	case errors.Is(err, io.EOF) && len(line) == 0:
		return nil, io.EOF
	case err != nil && !errors.Is(err, io.EOF):
		return nil, readError(l.name, err)
	}
	if l.number == 0 {
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	l.number++
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

// skip reads to the end of a line that was too long.
func (l *lines) skip() error {
	l.tooLong = false
	for {
		switch _, err := l.r.ReadSlice('\n'); {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && !errors.Is(err, io.EOF):
			return readError(l.name, err)
		default:
			return nil
		}
	}
}

// record is a line of comma-separated fields. NEM12 knows no quoting.
type record struct {
	rest string
	more bool // there is at least one more field
}

func newRecord(line string) record { return record{rest: line, more: true} }

// next returns the next field, and false after the last one.
func (r *record) next() (string, bool) {
	if !r.more {
		return "", false
	}
	var field string
	field, r.rest, r.more = strings.Cut(r.rest, ",")
	return field, true
}

// field returns the next field, or nothing after the last one.
func (r *record) field() string {
	f, _ := r.next()
	return f
}

// blank reports whether only commas are left, as spreadsheets pad their lines.
func (r *record) blank() bool { return !r.more || strings.Trim(r.rest, ",") == "" }
