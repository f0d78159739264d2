package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// The bounds of an answer. They are ours: an answer of the token endpoint has
// about 2.5 KB, with the token in the head and in the body, and a page of 10,000
// readings about 2 MB.
const (
	headLimit = 16 << 10
	bodyLimit = 16 << 20
)

// Reader reads HTTP/1.1 answers one after the other from a connection that
// stays open, and no more of HTTP than a generator needs: the status line and
// Content-Length (RFC 9112 §4, §6.2). It works on one buffer and allocates
// nothing per answer.
type Reader struct {
	src        io.Reader
	buf        []byte
	start, end int // what has been read and not yet handed out
}

// NewReader returns a Reader of the answers that come from src.
func NewReader(src io.Reader) *Reader {
	return &Reader{src: src, buf: make([]byte, headLimit)}
}

// Next reads one answer and returns its status and its body, which is valid
// until the next call. It is an error if the answer has no Content-Length, if
// it closes the connection before its end, or if bytes follow the answer: a
// generator that sends one request at a time has asked for none of them.
func (r *Reader) Next() (status int, body []byte, err error) {
	head, err := r.head()
	if err != nil {
		return 0, nil, err
	}
	status, length, err := parseHead(head)
	if err != nil {
		return 0, nil, err
	}
	if err := r.fill(length); err != nil {
		return 0, nil, fmt.Errorf("load: body of %d bytes: %w", length, err)
	}
	body = r.buf[r.start : r.start+length]
	if r.start += length; r.start != r.end {
		return 0, nil, fmt.Errorf("load: %d bytes after the answer", r.end-r.start)
	}
	r.start, r.end = 0, 0
	return status, body, nil
}

// head reads up to the empty line and returns what stands before it.
func (r *Reader) head() ([]byte, error) {
	searched := 0
	for {
		if i := bytes.Index(r.buf[r.start+searched:r.end], []byte("\r\n\r\n")); i >= 0 {
			head := r.buf[r.start : r.start+searched+i]
			r.start += searched + i + 4
			return head, nil
		}
		// The empty line may be split over two reads: keep three bytes back.
		searched = max(r.end-r.start-3, 0)
		if r.end == len(r.buf) {
			return nil, errors.New("load: the head of the answer does not end")
		}
		if err := r.more(); err != nil {
			return nil, err
		}
	}
}

// fill reads until n bytes are there to be handed out.
func (r *Reader) fill(n int) error {
	if need := r.start + n; need > len(r.buf) {
		r.buf = append(r.buf, make([]byte, need-len(r.buf))...)
	}
	for r.end-r.start < n {
		if err := r.more(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) more() error {
	n, err := r.src.Read(r.buf[r.end:])
	r.end += n
	if n > 0 {
		return nil
	}
	if err == io.EOF || err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}

// parseHead reads the status and the length of the body from the lines of an
// answer's head.
func parseHead(head []byte) (status, length int, err error) {
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	text, ok := bytes.CutPrefix(line, []byte("HTTP/1.1 "))
	if !ok || len(text) < 3 || (len(text) > 3 && text[3] != ' ') {
		return 0, 0, fmt.Errorf("load: status line %.40q", line)
	}
	if status, err = number(text[:3], 999); err != nil {
		return 0, 0, fmt.Errorf("load: status line %.40q", line)
	}
	length = -1
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(":"))
		if !bytes.EqualFold(name, []byte("Content-Length")) {
			continue
		}
		n, err := number(bytes.Trim(value, " \t"), bodyLimit)
		if err != nil || (length >= 0 && n != length) {
			return 0, 0, fmt.Errorf("load: header line %.60q", line)
		}
		length = n
	}
	if length < 0 {
		return 0, 0, errors.New("load: the answer has no Content-Length")
	}
	return status, length, nil
}

// number reads decimal digits, nothing else, up to most.
func number(digits []byte, most int) (int, error) {
	if len(digits) == 0 || len(digits) > 9 {
		return 0, strconv.ErrSyntax
	}
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, strconv.ErrSyntax
		}
		n = n*10 + int(c-'0')
	}
	if n > most {
		return 0, strconv.ErrRange
	}
	return n, nil
}
