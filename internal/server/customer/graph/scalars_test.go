package graph_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
)

func written(m graphql.Marshaler) string {
	var b bytes.Buffer
	m.MarshalGQL(&b)
	return b.String()
}

func TestDecimal(t *testing.T) {
	for name, c := range map[string]struct {
		in   any
		want string // empty: refused
	}{
		"a string":                     {"0.793", `"0.793000000000000000"`},
		"a number":                     {json.Number("0.793"), `"0.793000000000000000"`},
		"a whole number of a literal":  {int64(-7), `"-7.000000000000000000"`},
		"a broken number of a literal": {0.5, `"0.500000000000000000"`},
		"the zero that others write":   {"0E-18", `"0.000000000000000000"`},
		"the other zero they write":    {"-0", `"0.000000000000000000"`},
		"a small exponent":             {"7.93e-1", `"0.793000000000000000"`},
		"a large exponent":             {"1.5E3", `"1500.000000000000000000"`},
		"an exponent with a sign":      {json.Number("1e+2"), `"100.000000000000000000"`},
		"eighteen places":              {"1E-18", `"0.000000000000000001"`},
		"nineteen places":              {"1E-19", ""},
		"nineteen places, one empty":   {"10E-19", `"0.000000000000000001"`},
		"more than an integer holds":   {"1E19", ""},
		"an endless exponent":          {"1E999999999999999999999", ""},
		"a large exponent of nothing":  {"0E900", `"0.000000000000000000"`},
		"no number":                    {"x", ""},
		"an empty exponent":            {"1E", ""},
		"a truth":                      {true, ""},
		"nothing":                      {nil, ""},
	} {
		d, err := graph.UnmarshalDecimal(c.in)
		if (err != nil) != (c.want == "") {
			t.Errorf("%s: UnmarshalDecimal(%v) = %v, %v, want %s", name, c.in, d, err, c.want)
			continue
		}
		if err == nil && written(graph.MarshalDecimal(d)) != c.want {
			t.Errorf("%s: %v is written %s, want %s", name, c.in, written(graph.MarshalDecimal(d)), c.want)
		}
	}
}

func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"0.793", "0E-18", "-0", "1e3", "-9.999E-17", "9223372036854775807", "1E-19"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := graph.UnmarshalDecimal(s)
		if err != nil {
			if d != (domain.Decimal{}) {
				t.Fatalf("%q: %v beside the error %v", s, d, err)
			}
			return
		}
		again, err := graph.UnmarshalDecimal(d.String())
		if err != nil || !again.Equal(d) {
			t.Fatalf("%q is %v, which reads back as %v, %v", s, d, again, err)
		}
	})
}

func TestDateTime(t *testing.T) {
	loc, err := interval.Zone("Pacific/Auckland")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 7, 7, 0, 0, 0, 0, loc)
	if got, want := written(graph.MarshalDateTime(graph.FormatDateTime(at))), `"2026-07-07T00:00:00+12:00"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := string(graph.FormatDateTime(at.UTC())), "2026-07-06T12:00:00+00:00"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, good := range []any{"0001-01-03T00:00:00-00:01:15", "2024-10-01T00:00:00.000", "2024-10-01T00:00:00+0000", "2024-10-01T00:00:00Z"} {
		if d, err := graph.UnmarshalDateTime(good); err != nil || string(d) != good {
			t.Errorf("UnmarshalDateTime(%v) = %q, %v, want it as it is", good, d, err)
		}
	}
	for _, bad := range []any{"2024-02-30T00:00:00", "yesterday", "", 7, nil} {
		if d, err := graph.UnmarshalDateTime(bad); err == nil || d != "" {
			t.Errorf("UnmarshalDateTime(%v) = %q, %v, want an error alone", bad, d, err)
		}
	}
}

func TestDateTimeAndUUIDScalars(t *testing.T) {
	d, err := graph.UnmarshalDate("2024-02-29")
	if err != nil || written(graph.MarshalDate(d)) != `"2024-02-29"` {
		t.Errorf("the date is %v, %v", d, err)
	}
	at, err := graph.UnmarshalTime("1984-02-29T01:00:00+01:00")
	if err != nil || written(graph.MarshalTime(at)) != `"1984-02-29T00:00:00Z"` {
		t.Errorf("the time is %v, %v", at, err)
	}
	const id = "0c1a3b5e-7f20-4a63-9a51-6f0c2d9be714"
	u, err := graph.UnmarshalUUID(id)
	if err != nil || written(graph.MarshalUUID(u)) != `"`+id+`"` {
		t.Errorf("the UUID is %v, %v", u, err)
	}
	for _, bad := range []any{"2023-02-29", "usr_0c1a3b5e7f204a639a516f0c2d9be714", 7, nil} {
		if _, err := graph.UnmarshalDate(bad); err == nil {
			t.Errorf("%v is a date, want an error", bad)
		}
		if _, err := graph.UnmarshalTime(bad); err == nil {
			t.Errorf("%v is a time, want an error", bad)
		}
		if _, err := graph.UnmarshalUUID(bad); err == nil {
			t.Errorf("%v is a UUID, want an error", bad)
		}
	}
}
