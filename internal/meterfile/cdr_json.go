package meterfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
)

// maxNumber bounds the digits of a number in JSON.
const maxNumber = 64

// jsonScanner reads one document of JSON (RFC 8259) piece by piece; the bounds
// on a text and on the depth are those of XML.
type jsonScanner struct {
	name   string
	r      *bufio.Reader
	number int // of the line
	depth  int
	buf    []byte
}

func newJSONScanner(name string, r io.Reader) *jsonScanner {
	s := &jsonScanner{name: name, r: bufio.NewReaderSize(r, 64<<10), number: 1}
	if mark, err := s.r.Peek(len(byteOrderMark)); err == nil && bytes.Equal(mark, byteOrderMark) {
		_, _ = s.r.Discard(len(mark))
	}
	return s
}

func (s *jsonScanner) refuse(field, want, got string) error {
	return &Error{s.name, s.number, field, want, got}
}

// failure is what reading a byte failed with.
func (s *jsonScanner) failure(err error) error {
	if errors.Is(err, io.EOF) {
		return s.refuse("JSON", "the end of what was begun", "the end of the file; it may have been cut off")
	}
	return readError(s.name, err)
}

// peek returns the byte that the next piece begins with, or io.EOF.
func (s *jsonScanner) peek() (byte, error) {
	for {
		c, err := s.r.ReadByte()
		switch {
		case err != nil:
			return 0, err
		case c == '\n':
			s.number++
		case c != ' ' && c != '\t' && c != '\r':
			return c, s.r.UnreadByte()
		}
	}
}

// take reads the byte that the next piece begins with, one of those wanted.
func (s *jsonScanner) take(wanted string) (byte, error) {
	c, err := s.peek()
	if err != nil {
		return 0, s.failure(err)
	}
	if strings.IndexByte(wanted, c) < 0 {
		return 0, s.refuse("JSON", "one of "+wanted, quote(string(rune(c))))
	}
	_, err = s.r.ReadByte()
	return c, err
}

// object reads an object and calls f with the name of each member. f reads the
// member's value.
func (s *jsonScanner) object(f func(name string) error) error {
	return s.inside("{", '}', func() error {
		name, err := s.text()
		if err == nil {
			_, err = s.take(":")
		}
		if err != nil {
			return err
		}
		return f(name)
	})
}

// array reads an array and calls f at the beginning of each element, which f
// reads.
func (s *jsonScanner) array(f func() error) error { return s.inside("[", ']', f) }

func (s *jsonScanner) inside(open string, end byte, f func() error) error {
	if _, err := s.take(open); err != nil {
		return err
	}
	if s.depth++; s.depth > maxDepth {
		return s.refuse("JSON", fmt.Sprintf("at most %d objects and arrays inside each other", maxDepth), "more")
	}
	defer func() { s.depth-- }()
	for first := true; ; first = false {
		c, err := s.peek()
		switch {
		case err != nil:
			return s.failure(err)
		case first && c == end:
			_, err = s.r.ReadByte()
			return err
		}
		if err := f(); err != nil {
			return err
		}
		if c, err := s.take("," + string(end)); err != nil || c == end {
			return err
		}
	}
}

// text reads a text.
func (s *jsonScanner) text() (string, error) {
	if _, err := s.take(`"`); err != nil {
		return "", err
	}
	s.buf = s.buf[:0]
	for escaped := false; ; {
		c, err := s.r.ReadByte()
		if err != nil {
			return "", s.failure(err)
		}
		if len(s.buf) == maxText {
			return "", s.refuse("JSON", fmt.Sprintf("a text of at most %d bytes", maxText), "a longer one")
		}
		s.buf = append(s.buf, c)
		if c == '"' && !escaped {
			break
		}
		escaped = c == '\\' && !escaped
	}
	text, _, ok := jsonText(s.buf)
	if !ok {
		return "", s.refuse("JSON", "a text without control characters", quote(string(s.buf)))
	}
	return string(text), nil
}

// word reads a number, or true, false or null. It is valid until the next call.
func (s *jsonScanner) word() ([]byte, error) {
	if _, err := s.peek(); err != nil {
		return nil, s.failure(err)
	}
	s.buf = s.buf[:0]
	for {
		c, err := s.r.ReadByte()
		if err != nil {
			return nil, s.failure(err)
		}
		if strings.IndexByte(" \t\r\n,:]}[{\"", c) >= 0 {
			if len(s.buf) == 0 {
				return nil, s.refuse("JSON", "a number", quote(string(rune(c))))
			}
			return s.buf, s.r.UnreadByte()
		}
		if len(s.buf) == maxNumber {
			return nil, s.refuse("JSON", fmt.Sprintf("a number of at most %d digits", maxNumber), "a longer one")
		}
		s.buf = append(s.buf, c)
	}
}

// decimal reads a number exactly; null is none.
func (s *jsonScanner) decimal(field, want string) (v domain.Decimal, null bool, err error) {
	word, err := s.word()
	if err != nil || string(word) == "null" {
		return v, true, err
	}
	_, rest, ok := jsonNumber(word)
	if ok = ok && len(rest) == 0; ok {
		v, ok = scientific(word)
	}
	if !ok {
		return v, false, s.refuse(field, want, quote(string(word)))
	}
	return v, false, nil
}

// skip reads a value of any kind.
func (s *jsonScanner) skip() error {
	c, err := s.peek()
	if err != nil {
		return s.failure(err)
	}
	switch c {
	case '{':
		return s.object(func(string) error { return s.skip() })
	case '[':
		return s.array(s.skip)
	case '"':
		_, err := s.text()
		return err
	}
	word, err := s.word()
	if err != nil {
		return err
	}
	switch string(word) {
	case "true", "false", "null":
		return nil
	}
	if _, rest, ok := jsonNumber(word); !ok || len(rest) > 0 {
		return s.refuse("JSON", "a value", quote(string(word)))
	}
	return nil
}

// end reads to the end of the file, where nothing may follow.
func (s *jsonScanner) end() error {
	c, err := s.peek()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return readError(s.name, err)
	}
	return s.refuse("JSON", "nothing behind the object", quote(string(rune(c))))
}
