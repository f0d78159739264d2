package load_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/wattgate/wattgate/bench/load"
)

const good = "HTTP/1.1 200 OK\r\nDate: today\r\ncontent-length:  5 \r\nX: y\r\n\r\nhello"

func TestAnswersAreReadHoweverTheyArriveInPieces(t *testing.T) {
	long := strings.Repeat("x", 40_000)
	stream := good + "HTTP/1.1 401 \r\nContent-Length: 0\r\n\r\n" +
		"HTTP/1.1 429\r\nContent-Length: 40000\r\n\r\n" + long + good
	want := []struct {
		status int
		body   string
	}{{200, "hello"}, {401, ""}, {429, long}, {200, "hello"}}

	for size := 1; size < 200; size++ {
		src := &pieces{rest: stream, size: size, ends: []int{len(good), len("HTTP/1.1 401 \r\nContent-Length: 0\r\n\r\n"), len("HTTP/1.1 429\r\nContent-Length: 40000\r\n\r\n") + len(long), len(good)}}
		answers := load.NewReader(src)
		for i, w := range want {
			status, body, err := answers.Next()
			if err != nil || status != w.status || string(body) != w.body {
				t.Fatalf("answer %d in pieces of %d: got %d, %d bytes, %v; want %d, %d bytes",
					i, size, status, len(body), err, w.status, len(w.body))
			}
		}
	}
}

// pieces hands out a stream in pieces of one size, and never two answers in
// one piece: nobody has asked for the second before the first was read.
type pieces struct {
	rest string
	size int
	ends []int // lengths of the answers
}

func (p *pieces) Read(into []byte) (int, error) {
	if p.rest == "" {
		return 0, io.EOF
	}
	for p.ends[0] == 0 {
		p.ends = p.ends[1:]
	}
	n := copy(into, p.rest[:min(p.size, p.ends[0], len(p.rest))])
	p.rest, p.ends[0] = p.rest[n:], p.ends[0]-n
	return n, nil
}

func TestAnswersThatCannotBeCountedAreErrors(t *testing.T) {
	tests := map[string]string{
		"nothing at all":                      "",
		"the head breaks off":                 "HTTP/1.1 200 OK\r\nContent-Le",
		"the body breaks off":                 "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
		"more bytes than announced":           "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello",
		"no length":                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths that differ":             "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		"a negative length":                   "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"a length with a sign":                "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
		"a length beyond the bound":           "HTTP/1.1 200 OK\r\nContent-Length: 16777217\r\n\r\n",
		"a length beyond an integer":          "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"an empty length":                     "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
		"another version":                     "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"a status of four digits":             "HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\nhello",
		"a status of letters":                 "HTTP/1.1 abc OK\r\nContent-Length: 5\r\n\r\nhello",
		"a head that does not end":            "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 20_000),
		"something that is not HTTP in reply": "SSH-2.0-server\r\n\r\n",
	}
	for name, stream := range tests {
		t.Run(name, func(t *testing.T) {
			status, body, err := load.NewReader(strings.NewReader(stream)).Next()
			if err == nil || status != 0 || body != nil {
				t.Errorf("%.60q: got %d, %.20q, %v; want an error and nothing beside it", stream, status, body, err)
			}
		})
	}
}

func FuzzReaderReadsTheSameByteByByte(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		status, body, err := load.NewReader(iotest.OneByteReader(bytes.NewReader(stream))).Next()
		if err != nil {
			if status != 0 || body != nil {
				t.Errorf("%q: got %d, %q beside %v", stream, status, body, err)
			}
			return
		}
		// One read of everything sees the same, unless bytes follow the answer.
		cut := bytes.Index(stream, []byte("\r\n\r\n")) + 4 + len(body)
		again, whole, err := load.NewReader(bytes.NewReader(stream[:cut])).Next()
		if err != nil || again != status || !bytes.Equal(whole, body) {
			t.Errorf("%q: got %d, %q, %v in one read, want %d, %q", stream, again, whole, err, status, body)
		}
	})
}
