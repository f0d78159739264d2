package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/bench/bare"
	"github.com/wattgate/wattgate/bench/load"
)

func TestGraphQLIsReadByNetHTTP(t *testing.T) {
	target, err := graphQL("http://api.localhost:8080/v1/graphql/", "e30.e30.x", map[string]any{"query": document, "variables": map[string]any{"first": 48}})
	if err != nil || target.Address != "127.0.0.1:8080" {
		t.Fatalf("got the address %s, %v, want 127.0.0.1:8080", target.Address, err)
	}
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(target.Request)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method != "POST" || r.URL.Path != "/v1/graphql/" || r.Host != "api.localhost:8080" || r.Header.Get("Authorization") != "Bearer e30.e30.x" ||
		r.Header.Get("Content-Type") != "application/json" || !strings.Contains(string(body), `"variables":{"first":48}`) {
		t.Errorf("got %s %s at %s with %v and %s, %v", r.Method, r.URL, r.Host, r.Header, body, err)
	}
}

func TestTheYardstickAppendsThePage(t *testing.T) {
	const body = `{"data":{"p":{"edges":[{"node":{"value":"0.230000000000000000","startAt":"2024-07-01T00:00:00+02:00","endAt":"2024-07-01T00:30:00+02:00"}}]}}}`
	page, err := bare.LearnPage(http.Header{"Cache-Control": {"no-store"}}, []byte(body), demoZone)
	if err != nil {
		t.Fatal(err)
	}
	target, err := graphQL("http://127.0.0.1:1/graphql", "x", map[string]any{"query": document})
	if err != nil {
		t.Fatal(err)
	}
	target.Check = func(status int, got []byte) error {
		if status != 200 || string(got) != body {
			t.Errorf("got %d %s, want %s", status, got, body)
		}
		return nil
	}
	p, err := startYardstick(t.Context(), bare.Order{Page: &page}, target)
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	pool, err := load.Open(t.Context(), p.Target, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if head, got, err := ask(t.Context(), p.Target); err != nil || !bytes.Equal(got, []byte(body)) || head.Get("Cache-Control") != "no-store" {
		t.Errorf("got %s with %v, %v", got, head, err)
	}
}

func TestTheTableOfTheAPI(t *testing.T) {
	rows := []apiRow{
		{What: "48 nodes", Nodes: 48, Bytes: 8000, Limit: []sample{{1000, 0.040, 1, 2}, {1000, 0.060, 1, 2}, {1000, 0.050, 1, 2}}, Ours: []sample{{700, 0.060, 1, 3}, {700, 0.120, 1, 12}, {700, 0.080, 1, 4}}},
		{What: "1488 nodes", Nodes: 1488, Bytes: 200_000, Limit: []sample{{100, 0.2, 1, 2}}, Ours: []sample{{90, 0.4, 1, 2}}},
		{What: "me", Bytes: 50, Limit: []sample{{100, 0.01, 1, 2}}, Ours: []sample{{90, 0.055, 1, 2}}},
		{What: "unknown", Bytes: 50, Limit: []sample{{100, -1, 1, 2}}, Ours: []sample{{90, -1, 1, 2}}},
	}
	for i := range rows {
		rows[i].summarize()
	}
	var out strings.Builder
	r := report{Rounds: 3, Seconds: 1, API: rows}
	if err := printAPI(&out, rows, r); err != nil {
		t.Fatal(err)
	}
	r.judge()
	if err := r.printEnd(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"1.60 (1.50..2.00)", "not available", "57×", "gqlgen 0.17.83 as generated", "another day",
		"reached: CPU over the limit, 48 nodes 1.6 (<= 1.7); p99 ms, 48 nodes 4 (< 10); CPU µs of me 55 (<= 60)", "missed: CPU over the limit, 1488 nodes 2 (<= 1.5)",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got %s, want it to hold %q", out.String(), want)
		}
	}
}
