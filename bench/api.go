package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"

	"github.com/wattgate/wattgate/bench/bare"
	"github.com/wattgate/wattgate/bench/load"
)

// The targets of the customer API, with 16 connections: CPU of a page over that of
// a bare server that appends the same bytes, the tail of the smallest page, and
// CPU of `me`.
const (
	targetDayPage   = 1.7
	targetLargePage = 1.5
	targetPageP99   = 10 // milliseconds
	targetMe        = 60 // microseconds
)

// pageSizes are the nodes of the pages: a day, a month of 31 days, and as many as
// there may be.
var pageSizes = []int{48, 1488, 10_000}

// document selects what the manual's example does.
const document = `query readings($id: ID!, $first: Int) {
  property(id: $id) {
    measurements(first: $first) {
      edges { node { value unit ... on IntervalMeasurementType { startAt endAt } metaData { statistics { costExclTax { costCurrency estimatedAmount } value description label type } } } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}`

const aboutMe = `query me { me { firstName surname } }`

// apiRow is one kind of question over all rounds, beside the bare server that
// appends the same bytes.
type apiRow struct {
	What        string
	Nodes       int
	Bytes       int
	Limit, Ours []sample `json:"-"`
	Bare, Our   summary
	Ratio       spread // of CPU, of each round
}

// queried measures the customer API of the demo: from its file, with tokens and
// permissions.
func queried(ctx context.Context, p plan) ([]apiRow, error) {
	ours, err := startOurs(ctx, p.Binary, "EdDSA", "")
	if err != nil {
		return nil, err
	}
	defer ours.stop()
	tokens, err := apiTokens(ctx, ours)
	if err != nil {
		return nil, err
	}
	var rows []apiRow
	for _, n := range pageSizes {
		row, err := ours.page(ctx, p, apiRow{What: fmt.Sprintf("%d nodes", n), Nodes: n}, tokens.reader,
			map[string]any{"query": document, "variables": map[string]any{"id": ours.env["PROPERTY_ID"], "first": n}})
		if err != nil {
			return nil, fmt.Errorf("%d nodes: %w", n, err)
		}
		rows = append(rows, row)
	}
	row, err := ours.page(ctx, p, apiRow{What: "me"}, tokens.customer, map[string]any{"query": aboutMe})
	if err != nil {
		return nil, fmt.Errorf("me: %w", err)
	}
	return append(rows, row), nil
}

type apiToken struct{ reader, customer string }

// apiTokens fetches a third party's token, and one that speaks for the customer.
func apiTokens(ctx context.Context, ours *process) (t apiToken, err error) {
	at, address, err := authHost(ours.env)
	if err != nil {
		return t, err
	}
	reader := load.Target{Address: address, Request: tokenRequest(at.Host, at.Path, ours.env["THIRD_PARTY_CLIENT_ID"], ours.env["THIRD_PARTY_CLIENT_SECRET"])}
	if t.reader, err = accessToken(ctx, reader); err != nil {
		return t, err
	}
	partner, err := accessToken(ctx, ours.Target)
	if err != nil {
		return t, err
	}
	t.customer, err = accessToken(ctx, load.Target{Address: address, Request: fmt.Appendf(nil,
		"GET %s/v1/auth/impersonate?user_id=%s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\nAuthorization: Bearer %s\r\n\r\n",
		at.Path, ours.env["CUSTOMER_USER_ID"], at.Host, partner)})
	return t, err
}

// page measures one question in all rounds, in turns with the yardstick.
func (ours *process) page(ctx context.Context, p plan, row apiRow, token string, question map[string]any) (apiRow, error) {
	target, err := graphQL(ours.env["WATTGATE_GRAPHQL_URL"], token, question)
	if err != nil {
		return row, err
	}
	head, body, err := ask(ctx, target)
	if err != nil {
		return row, err
	}
	target.Check = func(status int, got []byte) error {
		if status != http.StatusOK || !bytes.Equal(got, body) {
			return fmt.Errorf("got status %d: %.300s, want what was answered before", status, got)
		}
		return nil
	}
	page, err := bare.LearnPage(head, body, demoZone)
	if err != nil {
		return row, fmt.Errorf("%w in %.300s", err, body)
	}
	if len(page.Nodes) != row.Nodes || bytes.Contains(body, []byte(`"errors"`)) {
		return row, fmt.Errorf("got %d nodes, want %d: %.300s", len(page.Nodes), row.Nodes, body)
	}
	row.Bytes = len(body)
	limit, err := startYardstick(ctx, bare.Order{Page: &page}, target)
	if err != nil {
		return row, err
	}
	defer limit.stop()
	asked := *ours
	asked.Target = target
	for _, server := range []*process{limit, &asked} { // warm-up
		if _, err := window(ctx, server, busy, p.Window/2); err != nil {
			return row, err
		}
	}
	for range p.Rounds {
		for _, turn := range []struct {
			server  *process
			samples *[]sample
		}{{limit, &row.Limit}, {&asked, &row.Ours}} {
			s, err := window(ctx, turn.server, busy, p.Window)
			if err != nil {
				return row, err
			}
			*turn.samples = append(*turn.samples, s)
		}
	}
	row.summarize()
	return row, nil
}

// demoZone is where the demo's household lives.
const demoZone = "Europe/Amsterdam"

// graphQL renders a question to the customer API.
func graphQL(address, token string, question map[string]any) (load.Target, error) {
	at, err := url.Parse(address)
	if err != nil {
		return load.Target{}, err
	}
	body, err := json.Marshal(question)
	if err != nil {
		return load.Target{}, err
	}
	_, dial, err := authHost(map[string]string{"WATTGATE_AUTH_URL": address})
	return load.Target{Address: dial, Request: fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\n"+
		"Authorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", at.Path, at.Host, token, len(body), body)}, err
}

func (r *apiRow) summarize() {
	r.Bare, r.Our = summarize(r.Limit), summarize(r.Ours)
	var ratios []float64
	for i, ours := range r.Ours {
		if limit := r.Limit[i]; ours.CPU >= 0 && limit.CPU > 0 {
			ratios = append(ratios, ours.CPU/limit.CPU)
		}
	}
	r.Ratio = spreadOf(ratios)
}

func printAPI(out io.Writer, rows []apiRow, r report) error {
	fmt.Fprintf(out, "\nThe customer API with %d connections, from the demo's file, with tokens and permissions: medians of %d rounds of %gs.\n"+
		"The limit is a bare server that appends the same bytes from memory\n", busy, r.Rounds, r.Seconds)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\t\t— answers/s —\t\t— CPU µs —\t\t\t—— p50/p99 ms ——\t\t")
	fmt.Fprintln(w, "question\tbytes\tlimit\tours\tlimit\tours\tours over limit\tlimit\tours\t")
	for _, row := range rows {
		ratio := "not available"
		if row.Ratio.Median > 0 {
			ratio = row.Ratio.text("%.2f")
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", row.What, row.Bytes, row.Bare.rate(), row.Our.rate(),
			row.Bare.micro(), row.Our.micro(), ratio, row.Bare.latency(), row.Our.latency())
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return printAPIPeers(out)
}

func (s summary) micro() string {
	if s.CPU.Min < 0 {
		return "not available"
	}
	return fmt.Sprintf("%.0f", s.CPU.Median*1000)
}

// apiPeers are other servers' processor time over that of this API's way of
// writing pages, 1,488 nodes from a stub instead of a store. They were measured on
// a machine like this one, but not in this run.
var apiPeers = []struct {
	Name  string
	Times float64
}{
	{"gqlgen 0.17.83 as generated", 57},
	{"mercurius 16 with JIT (Node)", 13},
	{"Apollo Server 5 (Node)", 39},
	{"graphene 2 on Django 3.2, 2 workers", 110},
}

func printAPIPeers(out io.Writer) error {
	fmt.Fprintln(out, "Others, 1,488 nodes with 16 connections, measured on such a machine on another day: processor time over ours")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, p := range apiPeers {
		fmt.Fprintf(w, "%.0f×\t  %s\t\n", p.Times, p.Name)
	}
	return w.Flush()
}

// judgeAPI compares with the targets what was measured of the customer API.
func judgeAPI(rows []apiRow, add func(figure string, got float64, target string, reached bool)) {
	most := func(what string, got, target float64) {
		add(what, got, fmt.Sprintf("<= %g", target), got <= target)
	}
	for _, row := range rows {
		if row.Our.CPU.Min < 0 {
			continue
		}
		switch {
		case row.Nodes == 0:
			most("CPU µs of "+row.What, row.Our.CPU.Median*1000, targetMe)
		case row.Nodes == pageSizes[0]:
			most("CPU over the limit, "+row.What, row.Ratio.Median, targetDayPage)
			add("p99 ms, "+row.What, row.Our.P99.Median, fmt.Sprintf("< %d", targetPageP99), row.Our.P99.Median < targetPageP99)
		default:
			most("CPU over the limit, "+row.What, row.Ratio.Median, targetLargePage)
		}
	}
}
