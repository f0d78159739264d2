package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/bench/bare"
	"github.com/wattgate/wattgate/bench/load"
	"github.com/wattgate/wattgate/bench/meter"
)

// TestMain lets the test binary be a server process, as the bench itself is.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 2 && os.Args[1] == bareCommand:
		main()
		return
	case len(os.Args) > 1 && os.Args[1] == "demo": // a wattgate that does not come up
		os.Exit(3)
	}
	os.Exit(m.Run())
}

func TestBareServersAnswerAndEnd(t *testing.T) {
	request := tokenRequest("127.0.0.1", "", "app_x", "secret&=")
	eddsa, es256 := bare.Usual("EdDSA"), bare.Usual("ES256")
	for name, shape := range map[string]*bare.Shape{"without a signature": nil, "EdDSA": &eddsa, "ES256": &es256} {
		t.Run(name, func(t *testing.T) {
			p, err := startBare(t.Context(), shape, request)
			if err != nil {
				t.Fatal(err)
			}
			defer p.stop()
			pool, err := load.Open(t.Context(), p.Target, 2)
			if err != nil {
				t.Fatal(err)
			}
			result, err := pool.Run(t.Context(), time.Minute, 50)
			pool.Close()
			if err != nil || result.Requests != 100 {
				t.Errorf("2 connections, 50 requests each: got %d, %v, want 100", result.Requests, err)
			}
			p.stop()
			if p.err != nil {
				t.Errorf("after stop the server ended with %v, want no error", p.err)
			}
		})
	}
}

func TestRunPrintsATableAndWritesJSON(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.json")
	var out strings.Builder
	err := run(t.Context(), []string{"-meter=false", "-binary", "", "-rounds", "1", "-seconds", "0.05", "-connections", "1,2", "-json", file}, &out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"GOMAXPROCS", "EdDSA: medians", "ES256: medians", "connections", "R_sign"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got %q, want it to hold %q", out.String(), want)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), `"Connections": 2`) {
		t.Errorf("report: got %.100q, %v", text, err)
	}
}

func TestServerThatEndsEarlyIsAnErrorAtOnce(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := startOurs(t.Context(), self, "EdDSA", ""); err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("got %v, want the end of the process as an error", err)
	}
}

func TestPlanRefusesWhatCannotBeMeasured(t *testing.T) {
	for _, args := range []string{
		"-rounds 0", "-seconds 0", "-connections 0", "-connections 1,x", "-connections 1,",
		"-applications 0", "-applications 1,x", "-customers -1", "-days 0", "-days 366", "-supply-points 0", "-flat 7", "-algorithms RS256", "-algorithms EdDSA,", "-unknown", "more",
	} {
		if p, err := readPlan(strings.Fields(args)); err == nil {
			t.Errorf("%s: got %+v and no error", args, p)
		}
	}
}

func TestTokenRequestIsReadByNetHTTP(t *testing.T) {
	got := readBack(t, map[string]string{
		"WATTGATE_AUTH_URL": "http://auth.localhost:8080/base/", "PARTNER_CLIENT_ID": "app_1", "PARTNER_CLIENT_SECRET": "a+b&c=d%",
	})
	if err := got.ParseForm(); err != nil {
		t.Fatal(err)
	}
	want := "map[client_id:[app_1] client_secret:[a+b&c=d%] grant_type:[client_credentials] scope:[openid offline]]"
	if form := fmt.Sprint(got.PostForm); form != want || got.URL.Path != "/base/oauth2/token" || got.Host != "auth.localhost:8080" {
		t.Errorf("got %s at %s%s, want %s", form, got.Host, got.URL.Path, want)
	}
}

func readBack(t *testing.T, env map[string]string) *http.Request {
	t.Helper()
	to, err := target(env)
	if err != nil {
		t.Fatal(err)
	}
	if to.Address != "127.0.0.1:8080" {
		t.Errorf("address of %s: got %s, want 127.0.0.1:8080", env["WATTGATE_AUTH_URL"], to.Address)
	}
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(to.Request)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTargetRefusesAnAddressItCannotDial(t *testing.T) {
	for _, at := range []string{"", "https://127.0.0.1:1", "http://127.0.0.1", "127.0.0.1:80", "::"} {
		if got, err := target(map[string]string{"WATTGATE_AUTH_URL": at}); err == nil {
			t.Errorf("WATTGATE_AUTH_URL %q: got %s and no error", at, got.Address)
		}
	}
}

func TestParseEnv(t *testing.T) {
	tests := map[string]struct{ line, want string }{
		"plain":                {"A=b", "b"},
		"exported":             {"export A=b\n", "b"},
		"in single quotes":     {"A='b c'", "b c"},
		"in double quotes":     {"A=\"b\"\r\n", "b"},
		"with an equals sign":  {"A=b=c", "b=c"},
		"empty":                {"A=", ""},
		"one lonely quote":     {"A='", "'"},
		"after a comment":      {"# A=x\nA=y", "y"},
		"the last line counts": {"A=1\nA=2\n", "2"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := parseEnv(test.line)["A"]; got != test.want {
				t.Errorf("%q: got %q, want %q", test.line, got, test.want)
			}
		})
	}
}

func FuzzEnvReadsBackWhatItWrites(f *testing.F) {
	f.Add("PARTNER_CLIENT_SECRET", "abc=")
	f.Fuzz(func(t *testing.T, name, value string) {
		if strings.ContainsAny(name+value, "=#'\"\r\n") || strings.TrimSpace(name) != name || strings.TrimSpace(value) != value ||
			strings.HasPrefix(name, "export ") {
			return
		}
		if got := parseEnv(name + "=" + value + "\n")[name]; got != value {
			t.Errorf("%q=%q: got %q", name, value, got)
		}
	})
}

func TestSpreadOf(t *testing.T) {
	tests := map[string]struct {
		values []float64
		want   spread
	}{
		"nothing":       {nil, spread{}},
		"one":           {[]float64{3}, spread{3, 3, 3}},
		"odd, unsorted": {[]float64{9, 1, 5}, spread{5, 1, 9}},
		"even":          {[]float64{4, 1, 2, 100}, spread{3, 1, 100}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := spreadOf(test.values); got != test.want {
				t.Errorf("%v: got %v, want %v", test.values, got, test.want)
			}
		})
	}
}

func TestRatiosAreTakenWithinARound(t *testing.T) {
	r := row{
		HTTP: []sample{{Rate: 100}, {Rate: 10}, {Rate: 1000}},
		Sign: []sample{{Rate: 50}, {Rate: 5}, {Rate: 500}},
		Ours: []sample{{Rate: 40}, {Rate: 4.5}, {Rate: 450}},
	}
	r.summarize()
	if r.H != (spread{0.45, 0.4, 0.45}) || r.S != (spread{0.9, 0.8, 0.9}) {
		t.Errorf("got h %v, s %v, want 0.45 (0.4..0.45) and 0.9 (0.8..0.9)", r.H, r.S)
	}
}

func TestVerdictsOfACrowd(t *testing.T) {
	at := func(s, cpu, p99 float64) []row {
		return []row{{
			Connections: 64, S: spread{Median: s}, RSign: summary{P99: spread{Median: 1}},
			Our: summary{CPU: spread{cpu, cpu, cpu}, P99: spread{Median: p99}, Rate: spread{Median: 20_000 * s}},
		}}
	}
	r := report{Once: &once{}, Tables: []table{
		{Algorithm: "EdDSA", Applications: 10, Rows: at(0.96, 0.044, 2)},
		{Algorithm: "EdDSA", Applications: 100, Rows: at(0.90, 0.046, 4)}, // keeps 94 %
		{Door: "acting", Rows: at(0.74, 0, 1)},
		{Door: "asking", Rows: []row{{Connections: 16, Our: summary{Rate: spread{Median: 20_001}}}}},
	}}
	r.judge()
	var got []bool
	for _, v := range r.Verdicts[:8] {
		got = append(got, v.Reached)
	}
	if want := []bool{true, true, true, false, false, false, false, true}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: %+v", got, want, r.Verdicts)
	}
}

func TestVerdictsSayReachedAndMissed(t *testing.T) {
	r := report{Once: &once{BinaryBytes: 31e6, FreshStart: spread{Median: 99}, IdleBytes: 39 << 20}}
	for s, cpu := range map[float64]float64{0.85: 0.055, 0.84: 0.056} {
		r.Tables = append(r.Tables, table{Algorithm: "EdDSA", Rows: []row{{
			Connections: busy, S: spread{Median: s}, Our: summary{CPU: spread{cpu, cpu, cpu}},
		}}})
	}
	r.judge()
	reached := map[bool]int{}
	for _, v := range r.Verdicts {
		reached[v.Reached]++
	}
	if reached[true] != 4 || reached[false] != 3 {
		t.Errorf("got %d reached, %d missed, want 4 and 3: %+v", reached[true], reached[false], r.Verdicts)
	}
}

func TestMeasurementsAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.json")
	var out strings.Builder
	err := run(t.Context(), strings.Fields("-tokens=false -api=false -others=false -supply-points 6 -days 3 -reads 20 -flat 12 -json "+file), &out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"half hours of 3 days", "SQLite, one row per reading", "the limits here", "SQLite, 12 supply points, 30 days",
		"bytes/reading", "reads among 12 over reads among 6", "missed: ",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got %q, want it to hold %q", out.String(), want)
		}
	}
	if strings.Contains(out.String(), "tokens/s") {
		t.Errorf("got %q, want nothing of tokens", out.String())
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), `"Weight": `) {
		t.Errorf("report: got %.100q, %v", text, err)
	}
}

func TestVerdictsOfMeasurements(t *testing.T) {
	rate := func(perSecond float64) meter.Rate { return meter.Rate{PerSecond: perSecond} }
	p50 := func(us float64) meter.Latency { return meter.Latency{P50: us} }
	town := meter.Town{OpenDay: p50(2), OpenAll: p50(2), SealDay: p50(2), SealAll: p50(2)}
	at := func(by float64) *meter.Report { // by times what is just enough
		large := town
		large.SealAll = p50(3 * by)
		return &meter.Report{Flat: &meter.Flat{Towns: [2]meter.Town{town, large}}, Keepings: []meter.Keeping{
			{
				Name: "SQLite", Daily: rate(4e6 / by), Batches: rate(8e6 / by), Weight: 1.6 * by, Day: p50(15 * by), DayValues: p50(15 * by),
				Year: p50(80 * by), YearValues: p50(80 * by), NEM12: rate(2e6 / by), CSV: rate(5e6 / by),
			},
			{Name: "SQLite, one row per reading"},
			{Name: "PostgreSQL", Daily: rate(4e6 / by), Weight: 1.8 * by},
		}}
	}
	for by, want := range map[float64]bool{1: true, 1.01: false} {
		r := report{Meter: at(by)}
		r.judge()
		if len(r.Verdicts) != 12 {
			t.Errorf("got %d verdicts, want 12: %+v", len(r.Verdicts), r.Verdicts)
		}
		for _, v := range r.Verdicts {
			if v.Reached != want {
				t.Errorf("%v times what is just enough: got %+v, want %v", by, v, want)
			}
		}
	}
}
