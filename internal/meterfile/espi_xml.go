package meterfile

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The bounds on one XML document. What lies between two readings is forgotten;
// these bound what is held at once.
const (
	maxToken = 256 << 10 // bytes of one tag, one comment or one run of text
	maxText  = 4 << 10   // bytes of an element's text that we look at
	maxDepth = 64        // elements inside each other
)

// scanner reads XML token by token. A document type is refused, and with it
// every entity that could grow.
type scanner struct {
	name  string
	src   *bounded
	dec   *xml.Decoder
	depth int
}

func newScanner(name string, r io.Reader) *scanner {
	src := &bounded{r: bufio.NewReaderSize(r, 64<<10)}
	if mark, err := src.r.Peek(len(byteOrderMark)); err == nil && bytes.Equal(mark, byteOrderMark) {
		_, _ = src.r.Discard(len(mark))
	}
	dec := xml.NewDecoder(src)
	dec.CharsetReader = func(charset string, input io.Reader) (io.Reader, error) {
		if strings.EqualFold(charset, "us-ascii") {
			return input, nil // it is UTF-8 too
		}
		return nil, &Error{name, 1, "encoding", "UTF-8", quote(charset)}
	}
	return &scanner{name: name, src: src, dec: dec}
}

// bounded is a reader that fails when one token is too long. The decoder reads
// it byte by byte and does not read ahead.
type bounded struct {
	r    *bufio.Reader
	left int
	err  error // what the underlying reader failed with
}

var errLongToken = errors.New("token too long")

func (b *bounded) ReadByte() (byte, error) {
	if b.left == 0 {
		return 0, errLongToken
	}
	b.left--
	c, err := b.r.ReadByte()
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return c, err
}

func (b *bounded) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := b.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}

// line returns the line of the token last returned, at its end.
func (s *scanner) line() int {
	line, _ := s.dec.InputPos()
	return line
}

func (s *scanner) refuse(field, want, got string) error {
	return &Error{s.name, s.line(), field, want, got}
}

// next returns the next start, end or text, and io.EOF after the last one.
func (s *scanner) next() (xml.Token, error) {
	for {
		s.src.left = maxToken
		token, err := s.dec.Token()
		if err != nil {
			return nil, s.failure(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if s.depth++; s.depth > maxDepth {
				return nil, s.refuse("XML", fmt.Sprintf("at most %d elements inside each other", maxDepth), "more")
			}
			return t, nil
		case xml.EndElement:
			s.depth--
			return t, nil
		case xml.CharData:
			return t, nil
		case xml.Directive:
			return nil, s.refuse("XML", "a feed without a document type", quote("<!"+string(t[:min(len(t), maxText)])))
		}
	}
}

func (s *scanner) failure(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal
	}
	if errors.Is(err, errLongToken) {
		return s.refuse("XML", fmt.Sprintf("tags and texts of at most %d bytes", maxToken), "a longer one")
	}
	if s.src.err != nil {
		return readError(s.name, s.src.err)
	}
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		got := printable(syntax.Msg)
		if len(got) > maxShown {
			got = quote(got)
		}
		return &Error{s.name, syntax.Line, "XML", "well-formed XML", got}
	}
	return s.refuse("XML", "well-formed XML", quote(err.Error()))
}

// text returns the text of the element just begun and reads to its end.
func (s *scanner) text() (string, error) {
	depth := s.depth
	var b strings.Builder
	for {
		token, err := s.token()
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.CharData:
			if s.depth == depth {
				b.Write(t)
			}
			if b.Len() > maxText {
				return "", s.refuse("XML", fmt.Sprintf("a text of at most %d bytes", maxText), "a longer one")
			}
		case xml.EndElement:
			if s.depth < depth {
				return strings.TrimSpace(b.String()), nil
			}
		}
	}
}

// beginning is text that may be of any length: what is beyond maxText is left out.
func (s *scanner) beginning() (string, error) {
	depth := s.depth
	var b strings.Builder
	for {
		token, err := s.token()
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.CharData:
			b.Write(t[:min(len(t), maxText-b.Len())])
		case xml.EndElement:
			if s.depth < depth {
				return strings.TrimSpace(b.String()), nil
			}
		}
	}
}

// token is next inside an element, where the document cannot end.
func (s *scanner) token() (xml.Token, error) {
	t, err := s.next()
	if errors.Is(err, io.EOF) {
		err = s.refuse("XML", "the end of every element", "the end of the file; it may have been cut off")
	}
	return t, err
}

// children calls f with each child of the element just begun, and reads to its
// end. f may read the child, or leave it.
func (s *scanner) children(f func(xml.StartElement) error) error {
	depth := s.depth
	for {
		token, err := s.token()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if s.depth != depth+1 {
				continue // inside a child that f has left
			}
			if err := f(t); err != nil {
				return err
			}
		case xml.EndElement:
			if s.depth < depth {
				return nil
			}
		}
	}
}

// skip reads to the end of the element just begun.
func (s *scanner) skip() error {
	return s.children(func(xml.StartElement) error { return nil })
}
