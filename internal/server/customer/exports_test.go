package customer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
	"github.com/wattgate/wattgate/internal/server/customer"
	"github.com/wattgate/wattgate/internal/usage"
)

// adas is Ada's supply point, which generates too.
const adas = "NLD_ELECTRICITY:871690000000000000"

// export asks for a file.
func (v *village) export(token, file, query string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://customer.test/v1/measurements/"+file+query, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	out := httptest.NewRecorder()
	v.hosts.ServeHTTP(out, r)
	return out
}

func TestExports(t *testing.T) {
	v := newVillage(t)
	const day = "?from=2024-03-31&to=2024-03-31"
	for ending, want := range map[string]struct {
		media string
		marks []string
	}{
		"csv":    {"text/csv", []string{"supply_point,register,direction,start_local", "2024-03-31T03:00:00+02:00"}},
		"ndjson": {"application/x-ndjson", []string{"2024-03-31T03:00:00+02:00"}},
		"json":   {"application/json", []string{"Europe/Amsterdam"}},
		"xml":    {"application/atom+xml", []string{"<feed", "IntervalBlock"}},
	} {
		out := v.export("partner", adas+"."+ending, day+"&direction=consumption")
		h := out.Header()
		if out.Code != http.StatusOK || h.Get("Content-Type") != want.media {
			t.Errorf("%s: %d %s: %.200s", ending, out.Code, h.Get("Content-Type"), out.Body)
			continue
		}
		for name, value := range map[string]string{
			"Wattgate-Readings-Present": "1.000", "Wattgate-Zone": "Europe/Amsterdam", "Cache-Control": "no-store",
			"Content-Disposition": `attachment; filename="NLD_ELECTRICITY-871690000000000000-2024-03-31-2024-03-31.` + ending + `"`,
		} {
			if got := h.Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", ending, name, got, value)
			}
		}
		for _, mark := range want.marks {
			if !strings.Contains(out.Body.String(), mark) {
				t.Errorf("%s: %q is not in %.300s", ending, mark, out.Body)
			}
		}
		if ending == "json" && !json.Valid(out.Body.Bytes()) {
			t.Errorf("%s: no JSON: %.300s", ending, out.Body)
		}
	}
	for query, lines := range map[string]int{
		"?from=2024-03-31&to=2024-03-31&direction=CONSUMPTION":                            46,
		"?from=2024-10-27&to=2024-10-27&direction=CONSUMPTION":                            50,
		"?from=2024-10-27&to=2024-10-27&direction=GENERATION":                             100,
		"?from=2024-10-27&to=2024-10-27":                                                  150,
		"?from=2024-10-27&to=2024-10-27&register=Q":                                       50,
		"?from=2024-10-27&to=2024-10-28&direction=CONSUMPTION&by=DAY":                     2,
		"?from=2024-10-27&to=2024-10-27&direction=CONSUMPTION&by=hour_interval":           25,
		"?from=2024-01-01&to=2024-12-31&direction=CONSUMPTION&by=MONTH_INTERVAL":          12,
		"?from=2024-01-01&to=2024-12-31&by=RAW_INTERVAL&direction=CONSUMPTION&register=1": 17568,
		"?from=2019-01-01&to=2019-12-31":                                                  0,
	} {
		out := v.export("ada", adas+".csv", query)
		if got := strings.Count(out.Body.String(), "\n") - 1; out.Code != http.StatusOK || got != lines {
			t.Errorf("%s: %d with %d readings, want %d", query, out.Code, got, lines)
		}
	}
	if got := v.export("ada", adas+".csv", "?from=2023-12-31&to=2024-01-01&direction=CONSUMPTION").Header().Get("Wattgate-Readings-Present"); got != "0.500" {
		t.Errorf("one day of two: present is %q, want 0.500", got)
	}
}

func TestBadExports(t *testing.T) {
	v := newVillage(t)
	const days = "?from=2024-03-31&to=2024-03-31"
	for name, c := range map[string]struct {
		token, file, query string
		status             int
		detail             string
	}{
		"no days":                   {"partner", adas + ".csv", "", 400, "from and to are needed"},
		"one day only":              {"partner", adas + ".csv", "?from=2024-01-01", 400, "from and to are needed"},
		"a day that does not exist": {"partner", adas + ".csv", "?from=2024-02-30&to=2024-03-01", 400, "2024-02-30"},
		"a day in words":            {"partner", adas + ".csv", "?from=yesterday&to=2024-03-01", 400, "yesterday"},
		"the last before the first": {"partner", adas + ".csv", "?from=2024-03-02&to=2024-03-01", 400, "want 1 to 3653"},
		"more than ten years":       {"partner", adas + ".csv", "?from=2010-01-01&to=2024-03-01", 400, "want 1 to 3653"},
		"all time":                  {"partner", adas + ".csv", "?from=0001-01-01&to=9999-12-31", 400, "want 1 to 3653"},
		"an unknown parameter":      {"partner", adas + ".csv", days + "&limit=3", 400, "limit"},
		"a parameter twice":         {"partner", adas + ".csv", days + "&from=2024-01-01", 400, "more than once"},
		"no group":                  {"partner", adas + ".csv", days + "&by=MINUTE", 400, "MINUTE"},
		"an interval of an index":   {"partner", adas + ".csv", days + "&by=POINT_IN_TIME_INTERVAL", 400, "YEAR or POINT_IN_TIME"},
		"no direction":              {"partner", adas + ".csv", days + "&direction=UP", 400, "UP"},
		"a query that is none":      {"partner", adas + ".csv", days + "&by=%zz", 400, "query string"},
		"no ending":                 {"partner", adas, days, 404, ".cdr.json"},
		"another ending":            {"partner", adas + ".exe", days, 404, "there is no such file"},
		"a format only read":        {"partner", adas + ".dsmr", days, 404, "there is no such file"},
		"finer than stored":         {"partner", adas + ".csv", days + "&by=FIVE_MIN&register=1", 422, "as finely"},
		"what NEM12 cannot carry":   {"partner", adas + ".nem12", days + "&by=MONTH&register=1", 422, "nem12"},
		"what CDR cannot carry":     {"partner", adas + ".cdr.json", days, 422, "AUS_ELECTRICITY"},
		"without the permission":    {"narrowed", adas + ".csv", days, 403, "CAN_VIEW_DETAILED_USAGE"},
		"without a token":           {"", adas + ".csv", days, 401, ""},
	} {
		out := v.export(c.token, c.file, c.query)
		if out.Code != c.status || !strings.Contains(out.Body.String(), c.detail) || out.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s %s, want %d with %q", name, out.Code, out.Header().Get("Content-Type"), out.Body, c.status, c.detail)
		}
		for _, header := range []string{"Content-Disposition", "ETag", "Wattgate-Readings-Present"} {
			if got := out.Header().Get(header); got != "" {
				t.Errorf("%s: the refusal has %s %q", name, header, got)
			}
		}
	}
}

// The attacker has a token of their own and a name that they have guessed. What
// they want to know is whether somebody has such a supply point.
func TestExportsOfOthers(t *testing.T) {
	v := newVillage(t)
	const days = ".csv?from=2024-03-31&to=2024-03-31"
	for token, foreign := range map[string][]string{
		"partner": {"NLD_ELECTRICITY:871690000000000002"},
		"ada":     {"NLD_ELECTRICITY:871690000000000001", "NLD_ELECTRICITY:871690000000000002"},
		"bo":      {adas, "NLD_GAS:871690000000000009"},
		"agreed":  {adas, "NLD_ELECTRICITY:871690000000000001"},
	} {
		unknown := v.export(token, "NLD_ELECTRICITY:999990000000000000", days)
		if unknown.Code != http.StatusNotFound {
			t.Errorf("%s: an unknown supply point is %d, want 404", token, unknown.Code)
		}
		for _, name := range append(foreign, "NLD_GAS:871690000000000000", "MARS:1", ":", "871690000000000000", "NLD_ELECTRICITY:") {
			for _, query := range []string{days, days + "&by=FIVE_MIN", days + "&register=1"} {
				out := v.export(token, name, query)
				if out.Code != unknown.Code || out.Body.String() != unknown.Body.String() || fmt.Sprint(kept(out)) != fmt.Sprint(kept(unknown)) {
					t.Errorf("%s asks for %s%s: %d %s %v, and for an unknown one: %d %s %v", token, name, query, out.Code, out.Body, kept(out), unknown.Code, unknown.Body, kept(unknown))
				}
			}
		}
	}
	v.consent(t, "app_agreed", ada, func(c *domain.Consent) { c.HistoryFrom = domain.NewDate(2024, 6, 1) })
	if out := v.export("agreed", adas, ".csv?from=2024-05-01&to=2024-06-02&direction=CONSUMPTION"); out.Code != 200 || strings.Count(out.Body.String(), "\n") != 97 {
		t.Errorf("what was agreed to: %d with %d lines, want the head and two days", out.Code, strings.Count(out.Body.String(), "\n"))
	}
	if out := v.export("agreed", adas, ".csv?from=2024-05-01&to=2024-05-02"); out.Code != http.StatusForbidden {
		t.Errorf("before what was agreed to: %d %s, want 403", out.Code, out.Body)
	}
	if out := v.export("agreed", "NLD_GAS:871690000000000009", days); out.Code != http.StatusNotFound {
		t.Errorf("her gas, which was not: %d, want 404", out.Code)
	}
}

// kept are an answer's headers, but for the name of the request.
func kept(out *httptest.ResponseRecorder) http.Header {
	h := out.Header().Clone()
	h.Del("X-Request-Id")
	return h
}

func TestAnExportThatOneHas(t *testing.T) {
	v := newVillage(t)
	const query = "?from=2024-07-01&to=2024-07-31"
	first := v.export("partner", adas+".csv", query)
	tag := first.Header().Get("ETag")
	if again := v.export("partner", adas+".csv", query, "If-None-Match", tag); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("with its tag: %d with %d bytes, want 304", again.Code, again.Body.Len())
	}
	for name, other := range map[string]*httptest.ResponseRecorder{
		"another format": v.export("partner", adas+".ndjson", query, "If-None-Match", tag),
		"other days":     v.export("partner", adas+".csv", "?from=2024-07-01&to=2024-07-30", "If-None-Match", tag),
		"other groups":   v.export("partner", adas+".csv", query+"&by=DAY", "If-None-Match", tag),
		"one direction":  v.export("partner", adas+".csv", query+"&direction=GENERATION", "If-None-Match", tag),
	} {
		if other.Code != http.StatusOK {
			t.Errorf("%s with the tag: %d, want 200", name, other.Code)
		}
	}
	if out := v.export("narrowed", adas+".csv", query, "If-None-Match", tag); out.Code != http.StatusForbidden {
		t.Errorf("without the permission, with the tag: %d, want 403", out.Code)
	}
	v.correct(t, domain.NewDate(2024, 7, 3), 7)
	if out := v.export("partner", adas+".csv", query, "If-None-Match", tag); out.Code != http.StatusOK || out.Header().Get("ETag") == tag {
		t.Errorf("after a correction: %d with the tag %s, want 200 with another than %s", out.Code, out.Header().Get("ETag"), tag)
	}
}

// A file that cannot be finished must not look finished: over a real connection
// the client sees that it ended early.
func TestAnExportThatFailsIsCut(t *testing.T) {
	v := newVillage(t)
	s := httptest.NewServer(v.hosts)
	defer s.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/v1/measurements/"+adas+".csv?from=2024-01-01&to=2024-12-31", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer partner")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err := io.ReadFull(answer.Body, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if err := v.store.Close(); err != nil { // what is not yet read is gone
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, answer.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes and %v, want an end that is none", n, err)
	}
}

// What was asked for is what was written, and what stands in a header of the
// answer is plain.
func FuzzReadExport(f *testing.F) {
	f.Add(adas+".csv", "from=2024-01-01&to=2024-01-02&by=day&direction=GENERATION&register=E1")
	f.Add("AUS_ELECTRICITY:a.b.cdr.json", "from=2024-01-01&to=2024-01-02")
	f.Add("M:\"\r\n/../é.nem12", "from=2024-01-01&to=9999-12-31")
	f.Add(":.csv", "to=0001-01-01&from=0001-01-01")
	plain := regexp.MustCompile(`^[A-Za-z0-9_-]+\.[a-z0-9.]+$`)
	f.Fuzz(func(t *testing.T, file, query string) {
		point, format, name, err := customer.ReadExport(file, query)
		if err != nil {
			if e, ok := errors.AsType[*domain.Error](err); !ok || e.Public == "" || e.Kind != domain.Invalid && e.Kind != domain.NotFound {
				t.Fatalf("%q?%q: %v, want a refusal with a sentence", file, query, err)
			}
			return
		}
		if point+"."+format != file {
			t.Fatalf("%q is read as %q in the format %q", file, point, format)
		}
		if !plain.MatchString(name) {
			t.Fatalf("%q?%q: the file is called %q", file, query, name)
		}
	})
}

// However long an export is, it takes the same memory.
func TestMemoryOfAnExport(t *testing.T) {
	w := newWorld(t)
	took := func(last domain.Date) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		e, err := w.usage.Export(t.Context(), callers["partner"], domain.MarketNLDElectricity, "871690000000000000", usage.ExportQuery{First: domain.NewDate(2024, 1, 1), Last: last})
		if err != nil {
			t.Fatal(err)
		}
		out, err := meterfile.NewWriter(meterfile.CSV, io.Discard, meterfile.Export{From: e.From, To: e.To})
		if err == nil {
			err = e.Stream(t.Context(), out.Write)
		}
		if err != nil || out.Close() != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	took(domain.NewDate(2024, 12, 31)) // what is kept from the first time does not count
	if year := took(domain.NewDate(2024, 12, 31)); year > 1<<20 {
		t.Errorf("a year of two channels takes %d bytes, want less than 1 MiB", year)
	}
}

// More clients than the store has connections take their files slowly, and hold
// up nobody.
func TestSlowClientsHoldNoConnection(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	const clients = 12
	begun, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error, clients)
	for range clients {
		go func() {
			e, err := w.usage.Export(ctx, callers["partner"], domain.MarketNLDElectricity, "871690000000000000", usage.ExportQuery{First: domain.NewDate(2024, 1, 1), Last: domain.NewDate(2024, 12, 31)})
			if err == nil {
				first := true
				err = e.Stream(ctx, func(*meterfile.Block) error {
					if first {
						first = false
						begun <- struct{}{}
						<-goOn
					}
					return nil
				})
			}
			ended <- err
		}()
	}
	for range clients {
		select {
		case <-begun:
		case err := <-ended:
			t.Fatalf("an export ended before its first day: %v", err)
		}
	}
	if out := w.post("partner", `{property(id:"prop_ada"){measurements(first:1){edgeCount}}}`, nil); !strings.Contains(out.Body.String(), `"edgeCount":1`) {
		t.Errorf("beside %d slow clients: %s, want an answer", clients, out.Body)
	}
	close(goOn)
	for range clients {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// stuck is a client that takes nothing until it is let go.
type stuck struct {
	http.ResponseWriter
	begun, letGo chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	select {
	case s.begun <- struct{}{}:
	case <-s.letGo:
	}
	<-s.letGo
	return len(p), nil
}

func TestTooManyExports(t *testing.T) {
	v := newVillage(t)
	const most = 32
	begun, letGo, ended := make(chan struct{}), make(chan struct{}), make(chan struct{}, most)
	for range most {
		go func() {
			r := httptest.NewRequest(http.MethodGet, "http://customer.test/v1/measurements/"+adas+".csv?from=2024-01-01&to=2024-01-02", nil)
			r.Header.Set("Authorization", "Bearer partner")
			v.hosts.ServeHTTP(&stuck{httptest.NewRecorder(), begun, letGo}, r)
			ended <- struct{}{}
		}()
	}
	for range most {
		<-begun
	}
	out := v.export("ada", adas+".csv", "?from=2024-01-01&to=2024-01-01")
	if out.Code != http.StatusTooManyRequests || out.Header().Get("Retry-After") != "2" {
		t.Errorf("beside %d others: %d, Retry-After %q, want 429 and 2", most, out.Code, out.Header().Get("Retry-After"))
	}
	close(letGo)
	for range most {
		<-ended
	}
	if out := v.export("ada", adas+".csv", "?from=2024-01-01&to=2024-01-01"); out.Code != http.StatusOK {
		t.Errorf("after the others: %d, want 200", out.Code)
	}
}
