// Package load answers one question: how fast does a server answer one kind of
// request?
//
// It is made to be light, because it shares its cores with the server that it
// measures: requests are rendered beforehand, every connection has one
// goroutine, and of an answer only the status and the length are looked at,
// once the first answer of the connection has been read in full.
package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// Target is what is measured: who is asked, and the bytes of the request.
type Target struct {
	Address string // host:port
	Request []byte // a whole HTTP/1.1 request that leaves the connection open
	// Others are asked in turns with Request, each connection beginning at
	// another one; their answers are as long as its answer.
	Others [][]byte
	// Check looks at the first answer of a connection; nil: it is a token.
	Check func(status int, body []byte) error
}

// request is what a connection asks as its nth request.
func (t Target) request(connection, n int) []byte {
	if len(t.Others) == 0 {
		return t.Request
	}
	// Connections are far apart, so that no two ask the same for a while.
	return t.Others[(connection*7919+n)%len(t.Others)]
}

// Result is what a run has seen.
type Result struct {
	Requests int64
	Elapsed  time.Duration // from the first request to the last answer
	Latency  *Histogram
}

// Rate is the number of answers in a second.
func (r Result) Rate() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(r.Requests) / r.Elapsed.Seconds()
}

// slack is by how many bytes an answer may differ from the first one of its
// connection: numbers and identifiers in a token vary a little in length.
const slack = 32

// patience bounds the wait for a connection, and for answers beyond the
// planned time of a run.
const patience = 10 * time.Second

// Pool is a set of open connections to a target, each of which has had one
// answer that was checked in full.
type Pool struct {
	target Target
	conns  []*connection
}

type connection struct {
	net.Conn
	answers *Reader
	length  int // of the first answer's body
}

// Open dials the connections and asks once on each. It is an error if that
// answer is not what the target's Check wants: without one, a 200 with a JSON
// object whose access_token has the three parts of a JWS (RFC 7515 §7.1).
func Open(ctx context.Context, target Target, connections int) (*Pool, error) {
	p := &Pool{target: target}
	for range connections {
		c, err := open(ctx, target)
		if err != nil {
			p.Close()
			return nil, err
		}
		p.conns = append(p.conns, c)
	}
	return p, nil
}

func open(ctx context.Context, target Target) (*connection, error) {
	dialer := net.Dialer{Timeout: patience}
	conn, err := dialer.DialContext(ctx, "tcp", target.Address)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	c := &connection{Conn: conn, answers: NewReader(conn)}
	if err := c.first(target); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *connection) first(target Target) error {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	if _, err := c.Write(target.Request); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	status, body, err := c.answers.Next()
	if err != nil {
		return err
	}
	c.length = len(body)
	if target.Check != nil {
		return target.Check(status, body)
	}
	return checkToken(status, body)
}

func checkToken(status int, body []byte) error {
	if status != 200 {
		return fmt.Errorf("load: got status %d, want 200: %.200s", status, body)
	}
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("load: answer is no JSON object: %w", err)
	}
	if n := strings.Count(answer.Token, "."); n != 2 {
		return fmt.Errorf("load: got an access_token of %d parts, want 3", n+1)
	}
	return nil
}

// Close ends all connections.
func (p *Pool) Close() {
	for _, c := range p.conns {
		c.Conn.Close()
	}
}

// Run asks on all connections at once, one request at a time on each, for the
// given time, or until each has asked most times where most is not zero. The
// first wrong answer ends the run with an error; so does the end of ctx.
func (p *Pool) Run(ctx context.Context, length time.Duration, most int) (Result, error) {
	stop := context.AfterFunc(ctx, p.Close)
	defer stop()
	for _, c := range p.conns {
		if err := c.SetDeadline(time.Now().Add(length + patience)); err != nil {
			return Result{}, fmt.Errorf("load: %w", err)
		}
	}

	seen := make([]Histogram, len(p.conns))
	errs := make([]error, len(p.conns))
	var group sync.WaitGroup
	start := time.Now()
	for i, c := range p.conns {
		group.Go(func() { errs[i] = c.ask(p.target, i, start, length, most, &seen[i]) })
	}
	group.Wait()

	result := Result{Elapsed: time.Since(start), Latency: &Histogram{}}
	for i := range seen {
		if errs[i] != nil {
			return Result{}, errs[i]
		}
		result.Latency.Merge(&seen[i])
	}
	result.Requests = result.Latency.Count()
	return result, nil
}

// ask is the inner loop. The instant of an answer is that of the next request,
// which saves one reading of the clock.
func (c *connection) ask(target Target, number int, start time.Time, length time.Duration, most int, seen *Histogram) error {
	last := time.Duration(0)
	for n := 0; last < length && (most == 0 || n < most); n++ {
		if _, err := c.Write(target.request(number, n)); err != nil {
			return fmt.Errorf("load: %w", err)
		}
		status, body, err := c.answers.Next()
		if err != nil {
			return err
		}
		if status != 200 || len(body) < c.length-slack || len(body) > c.length+slack {
			return fmt.Errorf("load: got status %d with %d bytes, want 200 with about %d: %.200s",
				status, len(body), c.length, body)
		}
		now := time.Since(start)
		seen.Add(now - last)
		last = now
	}
	return nil
}
