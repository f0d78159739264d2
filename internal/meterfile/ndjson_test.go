package meterfile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/meterfile"
)

// ndjsonInterval makes the line of an interval.
func ndjsonInterval(start, end, value string) string {
	return `{"supplyPoint":"NLD_ELECTRICITY:871685900012345678","registerId":"1","direction":"CONSUMPTION","startAt":"` + start + `","endAt":"` + end +
		`","value":` + value + `,"unit":"kwh","quality":"ACTUAL"}` + "\n"
}

func TestReadNDJSON(t *testing.T) {
	const here = "NLD_ELECTRICITY:871685900012345678 1 CONSUMPTION kwh"
	tests := map[string]struct {
		content string
		want    []string
	}{
		"lines that follow each other": {
			ndjsonInterval("2024-06-01T00:00:00+02:00", "2024-06-01T00:15:00+02:00", `"0.125"`) + ndjsonInterval("2024-06-01T00:15:00+02:00", "2024-05-31T22:30:00Z", `-1`),
			[]string{"1 2024-05-31T22:00:00Z " + here + " 15 [0.125 -1.000] [ACTUAL ACTUAL]"},
		},
		"numbers with an exponent, exactly": {
			ndjsonInterval("2024-06-01T00:00:00Z", "2024-06-01T01:00:00Z", `1E-7`) + ndjsonInterval("2024-06-01T01:00:00Z", "2024-06-01T02:00:00Z", `1.25e+2`) + ndjsonInterval("2024-06-01T02:00:00Z", "2024-06-01T03:00:00Z", `"0e0"`),
			[]string{"1 2024-06-01T00:00:00Z " + here + " 60 [0.0000001 125.0000000 0.0000000] [ACTUAL ACTUAL ACTUAL]"},
		},
		"days of 23 and 25 hours, and one that ends where spring skips midnight": {
			ndjsonInterval("2024-03-31T00:00:00+01:00", "2024-04-01T00:00:00+02:00", `1`) + ndjsonInterval("2024-10-27T00:00:00+02:00", "2024-10-28T00:00:00+01:00", `2`) + ndjsonInterval("2018-11-03T00:00:00-03:00", "2018-11-04T01:00:00-02:00", `3`),
			[]string{
				"1 2024-03-30T23:00:00Z " + here + " 1440 [1] [ACTUAL]", "2 2024-10-26T22:00:00Z " + here + " 1440 [2] [ACTUAL]",
				"3 2018-11-03T03:00:00Z " + here + " 1440 [3] [ACTUAL]",
			},
		},
		"a day of 23 and a half hours": {
			ndjsonInterval("2024-10-06T00:00:00+10:30", "2024-10-07T00:00:00+11:00", `1`),
			[]string{"1 2024-10-05T13:30:00Z " + here + " 1440 [1] [ACTUAL]"},
		},
		"an index, its members in another order, with escapes": {
			` { "readAt" : "2024-06-01T12:00:07+02:00" , "quality":"SUBSTITUTED","unit":"m3","value":"000123.456","direction":"GENERATION","registerId":"1\u002e8.1","supplyPoint":"NLD_GAS\u003aAB\u002d1"}` + "\r\n",
			[]string{"1 2024-06-01T10:00:07Z NLD_GAS:AB-1 1.8.1 GENERATION m3 0 [123.456] [SUBSTITUTED]"},
		},
		"a missing one": {
			strings.Replace(ndjsonInterval("2024-06-01T00:00:00Z", "2024-06-01T01:00:00Z", `null`), "ACTUAL", "MISSING", 1),
			nil,
		},
		"nothing": {"\n  \r\n\n", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, mark := range []string{"", "\xef\xbb\xbf"} {
				runs, err := readAs(t, meterfile.NDJSON, "f", mark+test.content)
				if got := briefs(runs); err != nil || !slices.Equal(got, test.want) {
					t.Errorf("got  %q and error %v\nwant %q", got, err, test.want)
				}
			}
		})
	}
}

func TestNDJSONRefusals(t *testing.T) {
	const wantValue = "want a number between -10000000 and 10000000 with at most 9 decimal places, got "
	const wantDate = "want an existing date-time with an offset, such as 2024-10-27T02:15:00+01:00, got "
	good := ndjsonInterval("2024-06-01T00:00:00+02:00", "2024-06-01T00:15:00+02:00", `"0.125"`)
	with := func(from, to string) string {
		if !strings.Contains(good, from) {
			panic(from)
		}
		return strings.Replace(good, from, to, 1)
	}
	tests := map[string]struct{ content, want string }{
		"an unknown member":            {with(`"unit"`, `"units"`), `field line: want the members supplyPoint, registerId, direction, unit, quality, startAt, endAt, readAt, value only, got "units"`},
		"a repeated member":            {with(`"unit"`, `"value":"1","unit"`), `field value: want one, got a second one`},
		"a repeated one, escaped":      {with(`"unit"`, `"valu\u0065":"1","unit"`), `field value: want one, got a second one`},
		"no unit":                      {with(`,"unit":"kwh"`, ``), `field unit: want a text, got no such member`},
		"an empty unit":                {with(`kwh`, ``), `field unit: want kwh, wh, m3, kvarh or varh, got nothing`},
		"an unknown unit":              {with(`kwh`, `therm`), `field unit: want kwh, wh, m3, kvarh or varh, got "therm"`},
		"no value":                     {with(`,"value":"0.125"`, ``), `field value: ` + wantValue + `nothing`},
		"a value of null":              {with(`"0.125"`, `null`), `field value: ` + wantValue + `nothing`},
		"NaN":                          {with(`"0.125"`, `NaN`), `field value: want a text or a number, got "NaN,\"unit\":\"kwh\",\"quality\":\"ACTUAL\"}"`},
		"NaN, as a text":               {with(`0.125`, `NaN`), `field value: ` + wantValue + `"NaN"`},
		"10^30":                        {with(`"0.125"`, `1e30`), `field value: ` + wantValue + `"1e30"`},
		"a great exponent":             {with(`"0.125"`, `1e999999999999999999999`), `field value: ` + wantValue + `"1e999999999999999999999"`},
		"hexadecimal":                  {with(`0.125`, `0x10`), `field value: ` + wantValue + `"0x10"`},
		"a number that begins with 0":  {with(`"0.125"`, `012`), `field value: want a text or a number, got "012,\"unit\":\"kwh\",\"quality\":\"ACTUAL\"}"`},
		"a number for a unit":          {with(`"kwh"`, `1`), `field unit: want a text, got "1,\"quality\":\"ACTUAL\"}"`},
		"a register of null":           {with(`"1"`, `null`), `field registerId: want a text, got "null,\"direction\":\"CONSUMPTION\",\"startAt\"" and 113 bytes more`},
		"an empty register":            {with(`"registerId":"1"`, `"registerId":""`), `field registerId: want 1 to 64 letters, digits or _.:-, got nothing`},
		"another market":               {with(`NLD_ELECTRICITY`, `NLD`), `field supplyPoint: want MARKET:identifier, such as NLD_ELECTRICITY:871685900000000000, got "NLD:871685900012345678"`},
		"an interval of 20 seconds":    {with(`00:15:00`, `00:00:20`), `field endAt: want an end after minutes that divide an hour, or after one day, got "2024-06-01T00:00:20+02:00"`},
		"an interval of two hours":     {with(`00:15:00`, `02:00:00`), `field endAt: want an end after minutes that divide an hour, or after one day, got "2024-06-01T02:00:00+02:00"`},
		"an interval of two days":      {with(`01T00:15:00`, `03T00:00:00`), `field endAt: want an end after minutes that divide an hour, or after one day, got "2024-06-03T00:00:00+02:00"`},
		"an end before its start":      {with(`01T00:15:00+02:00`, `01T00:15:00+03:00`), `field endAt: want an end after minutes that divide an hour, or after one day, got "2024-06-01T00:15:00+03:00"`},
		"a start without an offset":    {with(`00:00:00+02:00`, `00:00:00`), `field startAt: ` + wantDate + `"2024-06-01T00:00:00"`},
		"no end":                       {with(`"endAt":"2024-06-01T00:15:00+02:00",`, ``), `field endAt: ` + wantDate + `nothing`},
		"no time at all":               {with(`"startAt":"2024-06-01T00:00:00+02:00","endAt":"2024-06-01T00:15:00+02:00",`, ``), `field startAt: ` + wantDate + `nothing`},
		"both an index and a start":    {with(`"endAt"`, `"readAt"`), `field readAt: want startAt and endAt of an interval, or readAt of an index, got both`},
		"a quality that is none":       {with(`ACTUAL`, `GOOD`), `field quality: want ACTUAL, ESTIMATE, SUBSTITUTED or MISSING, got "GOOD"`},
		"a value that is missing":      {with(`ACTUAL`, `MISSING`), `field value: want nothing, as the quality is MISSING, got "0.125"`},
		"an array":                     {"[]\n", `field line: want {, as one object of JSON has it, got "[]"`},
		"an object inside":             {with(`"kwh"`, `{}`), `field unit: want a text, got "{},\"quality\":\"ACTUAL\"}"`},
		"nothing in it":                {"{}\n", `field supplyPoint: want a text, got no such member`},
		"two objects":                  {strings.TrimSpace(good) + "{}\n", `field line: want nothing behind }, as one object of JSON has it, got "{}"`},
		"a comma before the end":       {with(`"}`, `",}`), `field line: want a name in quotes, as one object of JSON has it, got "}"`},
		"a line that was cut off":      {good[:len(good)-4], `field quality: want a text, got "\"ACTUA"`},
		"a text with a line's end":     {with(`kwh`, `k\q`), `field unit: want a text, got "\"k\\q\",\"quality\":\"ACTUAL\"}"`},
		"a text with half an escape":   {with(`kwh`, `\u00`), `field unit: want a text, got "\"\\u00\",\"quality\":\"ACTUAL\"}"`},
		"a text with a control letter": {with(`kwh`, "k\x01"), `field unit: want a text, got "\"k\x01\",\"quality\":\"ACTUAL\"}"`},
		"a line without an end":        {strings.Repeat("x", 70_000), `field line: want at most 65536 bytes, got a longer one`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			runs, err := read(t, "f.ndjson", good+test.content)
			refusal(t, err, "f.ndjson:2: "+strings.ReplaceAll(test.want, "\x01", `\x01`))
			if len(runs) != 0 {
				t.Errorf("got %d runs beside the error", len(runs))
			}
		})
	}
}

// TestSniffJSON: the first member tells NDJSON from CDR.
func TestSniffJSON(t *testing.T) {
	for content, want := range map[string]string{
		`{"data":1}`:                 `f:1: field JSON: want one of {, got "1"`,
		"{\r\n \"links\" : {}}":      `f:2: field data.reads: want an array of reads, got no such member`,
		`{"meta":{}}`:                `f:1: field data.reads: want an array of reads, got no such member`,
		`{"dataset":1}`:              `f:1: field line: want the members supplyPoint, registerId, direction, unit, quality, startAt, endAt, readAt, value only, got "dataset"`,
		`{"supplyPoint":"X","data"}`: `f:1: field line: want a name, a colon and a value, as one object of JSON has it, got "\"data\"}"`,
	} {
		_, err := read(t, "f", content)
		refusal(t, err, want)
	}
}

func BenchmarkReadNDJSON(b *testing.B) {
	var content strings.Builder
	t := time.Date(2024, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600))
	for i := range 365 * 48 {
		end := t.Add(30 * time.Minute)
		content.WriteString(ndjsonInterval(t.Format(time.RFC3339), end.Format(time.RFC3339), fmt.Sprintf(`"0.%03d"`, i%1000)))
		t = end
	}
	benchmarkRead(b, meterfile.NDJSON, content.String())
}
