package customer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/server/customer"
)

// A Decimal is written as [domain.Decimal.Append] writes it.
func TestAppendValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := domain.Decimal{Coefficient: rapid.Int64().Draw(t, "coefficient"), Scale: rapid.Uint8Range(0, domain.MaxScale).Draw(t, "scale")}
		if rapid.Bool().Draw(t, "small") {
			d.Coefficient %= 100_000
		}
		got := string(customer.AppendValue(nil, d.Coefficient, d.Scale))
		if want := `"` + string(d.Append(nil, domain.MaxScale)) + `"`; got != want {
			t.Fatalf("%+v: got %s, want %s", d, got, want)
		}
	})
}

// A moment is written as [interval.FormatMoment] writes it, wherever one comes
// from: in the order of time, over changes of the clock, and far apart.
func TestClock(t *testing.T) {
	zones := []string{"Europe/Amsterdam", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "Africa/Monrovia", "+10:00"}
	rapid.Check(t, func(t *rapid.T) {
		zone, err := interval.Zone(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatalf("%v", err)
		}
		at := rapid.OneOf(
			rapid.Int64Range(-62_135_596_800, 253_402_300_799), // the years 1 to 9999
			rapid.Int64Range(1_700_000_000, 1_800_000_000),
			rapid.Int64Range(-3_000_000_000, -1_000_000_000),
			rapid.SampledFrom([]int64{1729990800 - 86400, 1711846800 - 86400, 1325203200 - 86400, 1735646400 - 86400}), // changes, and an end of a leap year
		).Draw(t, "at")
		step := rapid.SampledFrom([]int64{60, 1800, 3600, 86400, 7_777_777}).Draw(t, "step")
		write := customer.NewClock(zone)
		for range 120 {
			got := string(write(at))
			if want := `"` + interval.FormatMoment(time.Unix(at, 0).In(zone)) + `"`; got != want {
				t.Fatalf("%d in %v: got %s, want %s", at, zone, got, want)
			}
			at += step
		}
	})
}

// The body of a request is read as encoding/json would read it, and refused where
// it would refuse it.
func TestDecode(t *testing.T) {
	for body, want := range map[string]string{
		`{"query":"{me{id}}"}`: `{me{id}}  map[] <nil>`,
		" \n{ \"query\" : \"a\\n\\\"\\u00e9\" , \"variables\" : { \"n\" : [1, {\"x\":\"]}\"}] } , \"operationName\":\"q\" }\t": "a\n\"é q map[n:[1 map[x:]}]]] <nil>",
		`{"\u0071uery":"escaped name","other":[{"query":"no"},"}",-1.5e3,true,null],"extensions":null}`:                        `escaped name  map[] <nil>`,
		`{"query":"twice","query":"once","variables":{"a":1},"variables":{"b":2}}`:                                             `once  map[b:2] <nil>`,
		`{"query":"n","variables":{"first":10000000000000001}}`:                                                                `n  map[first:10000000000000001] <nil>`,
		`{"Query":"in capitals"}`:               ` the parameter query is missing: it holds the GraphQL document`,
		`{}`:                                    ` the parameter query is missing: it holds the GraphQL document`,
		`{"query":null}`:                        ` the parameter query is missing: it holds the GraphQL document`,
		`{"query":7}`:                           ` query must be a string`,
		`{"query":"x","operationName":{}}`:      ` operationName must be a string`,
		`{"query":"x","variables":"{}"}`:        ` variables must be an object`,
		`{"query":"x","variables":[{}]}`:        ` variables must be an object`,
		`{"query":"x","extensions":3}`:          ` extensions must be an object`,
		`[{"query":"x"}]`:                       ` the body must be one JSON object`,
		`{"query":"x"}{}`:                       ` the body must be one JSON object`,
		`{"query":"x",}`:                        ` the body must be one JSON object`,
		`{"query":"x"`:                          ` the body must be one JSON object`,
		``:                                      ` the body must be one JSON object`,
		`null`:                                  ` the body must be one JSON object`,
		"{\"query\":\"a control \x01\"}":        ` the body must be one JSON object`,
		"{\"query\":\"no UTF-8 \xff\"}":         "no UTF-8 \ufffd  map[] <nil>",
		`{"query":"\ud83d\ude00 \ud800 alone"}`: "😀 \ufffd alone  map[] <nil>",
	} {
		query, name, variables, err := customer.Decode([]byte(body))
		got := fmt.Sprintf("%s %s %v %v", query, name, variables, err)
		if err != nil {
			got = " " + err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", body, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"query":"a\n","variables":{"n":[1,{"x":"]}"}]},"operationName":"q"}`))
	f.Add([]byte(`{"a":[],"b":{},"c":"\"","query":7,"query":"x","variables":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		query, name, variables, err := customer.Decode(body)
		var (
			fields map[string]json.RawMessage
			q, n   string
			v, x   map[string]any
		)
		wrong := json.Unmarshal(body, &fields)
		for field, into := range map[string]any{"query": &q, "operationName": &n, "variables": &v, "extensions": &x} {
			if raw, ok := fields[field]; ok {
				wrong = errors.Join(wrong, json.Unmarshal(raw, into))
			}
		}
		if wrong == nil && q == "" && x["persistedQuery"] == nil {
			wrong = errors.New("no query")
		}
		if (err == nil) != (wrong == nil) {
			t.Fatalf("%q: got %v, want %v", body, err, wrong)
		}
		if err == nil && (query != q || name != n || len(variables) != len(v)) {
			t.Fatalf("%q: got %q, %q, %v, want %q, %q, %v", body, query, name, variables, q, n, v)
		}
	})
}

// Whoever has gone is not written for: the page ends within a thousand rows, and
// nothing of it stays in the answer.
func TestAPageEndsWithItsRequest(t *testing.T) {
	w := newTwins(t)
	for name, query := range map[string]string{
		"in blocks":  `{property(id:"prop_ada"){measurements(first:2000,utilityFilters:[{electricityFilters:{readingDirection:GENERATION}}]){edges{node{value}}}}}`,
		"one by one": `{property(id:"prop_ada"){measurements(first:2000,utilityFilters:[{electricityFilters:{readingDirection:null}}]){edges{node{value}}}}}`,
	} {
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequest("POST", "/", strings.NewReader(fmt.Sprintf(`{"query":%q}`, query))).WithContext(ctx)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "partner")
		text, err := customer.Interrupted(w.hot.api, r, cancel)
		if err != nil || !strings.HasSuffix(text, `"data":{"property":{"measurements":null}}}`) || !strings.Contains(text, `"path":["property","measurements"]`) {
			t.Errorf("%s: got %.300s, %v, want null and an error at its place", name, text, err)
		}
	}
}
