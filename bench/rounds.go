package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/wattgate/wattgate/bench/bare"
	"github.com/wattgate/wattgate/bench/cost"
	"github.com/wattgate/wattgate/bench/load"
)

// sample is what one server did in one round.
type sample struct {
	Rate     float64 // answers a second
	CPU      float64 // server's processor seconds per 1,000 answers; negative: not available
	P50, P99 float64 // milliseconds
}

// row is all rounds with one number of connections. A server that was not
// measured has no samples.
type row struct {
	Connections       int
	HTTP, Sign, Ours  []sample `json:"-"`
	RHTTP, RSign, Our summary
	H, S              spread // of the ratios of each round
}

// table is all rows of one algorithm.
type table struct {
	Algorithm    string
	Applications int    `json:",omitempty"` // beside those of the demo
	Door         string `json:",omitempty"` // empty: the token endpoint
	Rows         []row
	Written      float64 // bytes that ours had written to disk for each answer; negative: not available
}

// measure runs all rounds for one algorithm, with the installation in a data
// folder; empty: a new one. It fills o's memory figures if they are not known
// yet.
func measure(ctx context.Context, p plan, algorithm, data string, o *once) (table, error) {
	shape := bare.Usual(algorithm)
	request := tokenRequest("127.0.0.1", "", "app_01hzy3v7q6r9m2k8w4t5x1c0de", "0123456789abcdef0123456789abcdef0123456789a")
	var ours *process
	if p.Binary != "" {
		var err error
		if ours, err = startOurs(ctx, p.Binary, algorithm, data); err != nil {
			return table{}, err
		}
		defer ours.stop()
		if o.IdleBytes == 0 {
			if err := pause(ctx, 2*time.Second); err != nil {
				return table{}, err
			}
			o.IdleBytes = resident(ours)
		}
		if shape, err = learn(ctx, ours.Target, algorithm); err != nil {
			return table{}, err
		}
		request = ours.Request // the very same bytes for all three
	}
	plain, err := startBare(ctx, nil, request)
	if err != nil {
		return table{}, err
	}
	defer plain.stop()
	signing, err := startBare(ctx, &shape, request)
	if err != nil {
		return table{}, err
	}
	defer signing.stop()

	before := written(ours)
	t, err := rounds(ctx, p, plain, signing, ours)
	if err != nil {
		return table{}, err
	}
	t.Algorithm, t.Written = algorithm, -1
	if after := written(ours); before >= 0 && after >= 0 {
		t.Written = float64(after-before) / t.answers(p.Window)
	}
	if ours != nil && o.AfterLoad == 0 {
		o.AfterLoad = resident(ours)
	}
	return t, nil
}

// written is what a server has written to disk so far; negative: not available.
func written(p *process) int64 {
	if p == nil {
		return -1
	}
	n, err := cost.Written(p.pid)
	if err != nil {
		return -1
	}
	return n
}

// answers is how many of ours there were in all rounds.
func (t table) answers(window time.Duration) float64 {
	var n float64
	for _, row := range t.Rows {
		for _, s := range row.Ours {
			n += s.Rate * window.Seconds()
		}
	}
	return n
}

// learn asks our server once, to give the signing yardstick the same bytes to
// sign and the same answer to write.
func learn(ctx context.Context, target load.Target, algorithm string) (bare.Shape, error) {
	head, body, err := ask(ctx, target)
	if err != nil {
		return bare.Shape{}, err
	}
	shape, err := bare.Learn(head, body)
	if err != nil {
		return bare.Shape{}, err
	}
	if shape.Algorithm != algorithm {
		return bare.Shape{}, fmt.Errorf("the token is signed with %s", shape.Algorithm)
	}
	return shape, nil
}

func ask(ctx context.Context, target load.Target) (http.Header, []byte, error) {
	parsed, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(target.Request)))
	if err != nil {
		return nil, nil, err
	}
	request, err := http.NewRequestWithContext(ctx, parsed.Method, "http://"+target.Address+parsed.RequestURI, parsed.Body)
	if err != nil {
		return nil, nil, err
	}
	request.Host, request.Header, request.ContentLength = parsed.Host, parsed.Header, parsed.ContentLength
	client := &http.Client{Timeout: grace, Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	answer, err := client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("first token: got status %d: %.200s", answer.StatusCode, body)
	}
	return answer.Header, body, err
}

// rounds takes the servers in turns, so that a slow minute of the machine hits
// all of them.
func rounds(ctx context.Context, p plan, plain, signing, ours *process) (table, error) {
	most := p.Connections[len(p.Connections)-1]
	for _, server := range []*process{plain, signing, ours} { // warm-up
		if _, err := window(ctx, server, most, p.Window/2); err != nil {
			return table{}, err
		}
	}
	t := table{Rows: make([]row, len(p.Connections))}
	for range p.Rounds {
		for i, connections := range p.Connections {
			r := &t.Rows[i]
			r.Connections = connections
			for _, turn := range []struct {
				server  *process
				samples *[]sample
			}{{plain, &r.HTTP}, {signing, &r.Sign}, {ours, &r.Ours}} {
				if turn.server == nil {
					continue
				}
				s, err := window(ctx, turn.server, connections, p.Window)
				if err != nil {
					return table{}, err
				}
				*turn.samples = append(*turn.samples, s)
			}
		}
	}
	for i := range t.Rows {
		t.Rows[i].summarize()
	}
	return t, nil
}

// window measures one server for one stretch of time.
func window(ctx context.Context, server *process, connections int, length time.Duration) (sample, error) {
	if server == nil {
		return sample{}, nil
	}
	pool, err := load.Open(ctx, server.Target, connections)
	if err != nil {
		return sample{}, err
	}
	defer pool.Close()
	before, noCPU := cost.CPU(server.pid)
	result, err := pool.Run(ctx, length, 0)
	if err != nil {
		return sample{}, err
	}
	s := sample{
		Rate: result.Rate(),
		CPU:  -1,
		P50:  milliseconds(result.Latency.Quantile(0.50)),
		P99:  milliseconds(result.Latency.Quantile(0.99)),
	}
	if after, err := cost.CPU(server.pid); err == nil && noCPU == nil {
		s.CPU = (after - before).Seconds() * 1000 / float64(result.Requests)
	}
	return s, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
