package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Khan/genqlient/generate"
	"github.com/Khan/genqlient/graphql"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/wattgate/wattgate/test/clients/year"
	"github.com/wattgate/wattgate/test/demo"
)

var update = flag.Bool("update", false, "write the generated client anew")

// TestYear: clients that have never heard of each other page through a year of
// half-hours, forwards and backwards, while what they have read, what they read
// and what they will read is being corrected. None of them loses or repeats an
// interval, and each sees corrections.
func TestYear(t *testing.T) {
	s := demo.Start(t)
	y := spanOf(t, s)
	id, secret := s.Application(t, "--name", "Metering", "--role", "METERING_INTEGRATION", "--audience", "measurements")
	y.metering = application(s, id, secret, "measurements").Client(t.Context())
	for i, client := range []struct {
		name string
		read func(t *testing.T, s *demo.Server, env []string)
	}{
		{"genqlient", readByGenqlient}, {"requests", readByRequests}, {"urql", readByUrql},
	} {
		t.Run(client.name, func(t *testing.T) {
			t.Parallel()
			front, done := y.correct(t, s, i)
			client.read(t, s, []string{
				"WATTGATE_GRAPHQL_URL=" + front, "YEAR_FROM=" + y.from.Format(time.DateOnly), "YEAR_TO=" + y.to.Format(time.DateOnly),
				"YEAR_START=" + y.start.Format(time.RFC3339), "YEAR_INTERVALS=" + strconv.Itoa(y.intervals),
			})
			if batches := done(); batches < y.intervals/yearPage {
				t.Errorf("got %d batches of corrections meanwhile, want one for each page", batches)
			}
		})
	}
}

const (
	yearDays = 365
	yearPage = 1000 // intervals
	halfHour = 30 * time.Minute
)

// span is the last year of the demo's household, both days included.
type span struct {
	from, to  time.Time // midnights at the household
	start     time.Time // of the first interval
	intervals int
	metering  *http.Client
}

// spanOf asks until when there are readings.
func spanOf(t *testing.T, s *demo.Server) *span {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	latest, err := year.Year(t.Context(), graphql.NewClient(s.Env["WATTGATE_GRAPHQL_URL"], thirdParty(t, s)), s.Env["PROPERTY_ID"], "", "", 0, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	edges := latest.Property.Measurements.Edges
	if len(edges) != 1 {
		t.Fatalf("got %d readings, want the latest one", len(edges))
	}
	last := interval(t, edges[0]).StartAt.In(zone)
	y := &span{to: time.Date(last.Year(), last.Month(), last.Day(), 0, 0, 0, 0, zone)}
	y.from = y.to.AddDate(0, 0, 1-yearDays)
	y.start = y.from.UTC()
	y.intervals = int(y.to.AddDate(0, 0, 1).Sub(y.from) / halfHour)
	return y
}

// correct stands before the server: after each answer and before the client has
// it, readings of some days are corrected. It returns the address of the API
// there, and a function that tells how often that was. Each client has a number.
func (y *span) correct(t *testing.T, s *demo.Server, client int) (graphQL string, done func() int) {
	t.Helper()
	target, err := url.Parse(s.Env["WATTGATE_GRAPHQL_URL"])
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	batches := 0
	front := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: target.Scheme, Host: target.Host}) },
		ModifyResponse: func(answer *http.Response) error {
			mu.Lock()
			defer mu.Unlock()
			batches++
			return y.send(answer.Request.Context(), s, client, batches)
		},
	})
	t.Cleanup(front.Close)
	return front.URL + target.Path, func() int {
		mu.Lock()
		defer mu.Unlock()
		return batches
	}
}

// send corrects a day of each month, another one in each batch.
func (y *span) send(ctx context.Context, s *demo.Server, client, batch int) error {
	var lines bytes.Buffer
	n := 0
	for month := range 12 {
		day := y.from.AddDate(0, 0, month*30+(batch*7+month)%30)
		for at := day.UTC(); at.Before(day.AddDate(0, 0, 1)); at = at.Add(halfHour) {
			fmt.Fprintf(&lines, `{"supplyPoint":%q,"registerId":"1.8.0","direction":"CONSUMPTION","startAt":%q,"endAt":%q,"value":"%d.%03d","unit":"kwh","quality":"ACTUAL"}`+"\n",
				s.Env["SUPPLY_POINT_ID"], at.Format(time.RFC3339), at.Add(halfHour).Format(time.RFC3339), 7+client, batch)
			n++
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Env["WATTGATE_CUSTOMER_URL"]+"/v1/measurements", &lines)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-ndjson")
	r.Header.Set("Idempotency-Key", fmt.Sprintf("%d-%d", client, batch))
	answer, err := y.metering.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	var taken struct{ Corrected int }
	if err := json.Unmarshal(body, &taken); err != nil || answer.StatusCode != http.StatusOK || taken.Corrected != n {
		return fmt.Errorf("%d corrections were answered %d %s (%v)", n, answer.StatusCode, body, err)
	}
	return nil
}

func application(s *demo.Server, id, secret, audience string) *clientcredentials.Config {
	return &clientcredentials.Config{
		ClientID: id, ClientSecret: secret, TokenURL: s.Env["WATTGATE_AUTH_URL"] + "/oauth2/token", EndpointParams: url.Values{"audience": {audience}},
	}
}

func thirdParty(t *testing.T, s *demo.Server) *http.Client {
	return application(s, s.Env["THIRD_PARTY_CLIENT_ID"], s.Env["THIRD_PARTY_CLIENT_SECRET"], "customer").Client(t.Context())
}

// interval is the measurement of an edge.
func interval(t *testing.T, e year.Edge) *year.MeasurementIntervalMeasurementType {
	t.Helper()
	node, ok := e.Node.(*year.MeasurementIntervalMeasurementType)
	if !ok {
		t.Fatalf("got %T at %s, want an interval", e.Node, e.Cursor)
	}
	return node
}

// github.com/Khan/genqlient, with the code that it makes of our schema.
func readByGenqlient(t *testing.T, s *demo.Server, env []string) {
	set := map[string]string{}
	for _, line := range env {
		name, value, _ := strings.Cut(line, "=")
		set[name] = value
	}
	want, err := time.Parse(time.RFC3339, set["YEAR_START"])
	if err != nil {
		t.Fatal(err)
	}
	client := graphql.NewClient(set["WATTGATE_GRAPHQL_URL"], thirdParty(t, s))
	cursors, corrected := map[string]bool{}, 0
	for after, more := "", true; more; {
		page, err := year.Year(t.Context(), client, s.Env["PROPERTY_ID"], set["YEAR_FROM"], set["YEAR_TO"], yearPage, 0, after)
		if err != nil {
			t.Fatal(err)
		}
		m := page.Property.Measurements
		if got := strconv.Itoa(m.TotalCount); got != set["YEAR_INTERVALS"] {
			t.Errorf("got a total of %s, want %s", got, set["YEAR_INTERVALS"])
		}
		for _, e := range m.Edges {
			node := interval(t, e)
			if !node.StartAt.Equal(want) || cursors[e.Cursor] {
				t.Fatalf("got %v after %d intervals, want %v with another cursor", node.StartAt, len(cursors), want)
			}
			want = want.Add(halfHour)
			cursors[e.Cursor] = true
			if node.Revision > 1 {
				corrected++
			}
		}
		after, more = m.PageInfo.EndCursor, m.PageInfo.HasNextPage
	}
	if strconv.Itoa(len(cursors)) != set["YEAR_INTERVALS"] || corrected == 0 {
		t.Errorf("got %d intervals, %d of them corrected, want %s and some", len(cursors), corrected, set["YEAR_INTERVALS"])
	}
	t.Logf("counted: %s: %d intervals, %d of them corrected meanwhile", t.Name(), len(cursors), corrected)
}

// Debian's python3-requests.
func readByRequests(t *testing.T, s *demo.Server, env []string) {
	if err := exec.CommandContext(t.Context(), debianPython, "-c", "import requests").Run(); err != nil {
		missing(t, "Debian's python3-requests")
	}
	cmd := exec.CommandContext(t.Context(), debianPython, "-B", "-m", "unittest", "-v", "requests_client")
	cmd.Dir = "python"
	cmd.Env = s.Environ(env...)
	report(t, cmd, unittest)
}

// npm's urql.
func readByUrql(t *testing.T, s *demo.Server, env []string) {
	runNode(t, s, "@urql/core", "urql", env...)
}

// runNode runs the tests of a file in node against a server, which the package
// is for.
func runNode(t *testing.T, s *demo.Server, library, file string, env ...string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node")
	}
	if _, err := os.Stat("node_modules/" + library); err != nil {
		missing(t, "the npm package "+library+" (make clients installs it)")
	}
	cmd := exec.CommandContext(t.Context(), node, "--test", "--test-reporter=tap", "node/"+file+".test.mjs")
	cmd.Env = s.Environ(env...)
	report(t, cmd, tap)
}

// TestGenerated: the code in the folder year is what genqlient makes of the
// schema that the server publishes.
func TestGenerated(t *testing.T) {
	s := demo.Start(t)
	schema := filepath.Join(t.TempDir(), "schema.graphql")
	write(t, schema, published(t, s))
	c := &generate.Config{
		Schema: generate.StringList{schema}, Operations: generate.StringList{"year.graphql"}, Generated: "generated.go", Package: "year",
		Bindings: map[string]*generate.TypeBinding{"Date": {Type: "string"}, "DateTime": {Type: "time.Time"}},
	}
	dir, err := filepath.Abs("year")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ValidateAndFillDefaults(dir); err != nil {
		t.Fatal(err)
	}
	files, err := generate.Generate(c)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 1 {
		t.Errorf("got %d generated files, want one", len(files))
	}
	for name, want := range files {
		if *update {
			write(t, name, want)
		}
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what genqlient makes of the schema (%v): run go test -run TestGenerated -update", name, err)
		}
	}
}

// published is the schema that everybody may read.
func published(t *testing.T, s *demo.Server) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Env["WATTGATE_GRAPHQL_URL"]+"schema.graphql", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || len(text) == 0 {
		t.Fatalf("the schema: got %d and %v, want 200", answer.StatusCode, err)
	}
	return text
}
