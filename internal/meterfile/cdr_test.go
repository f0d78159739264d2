package meterfile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/meterfile"
)

// cdr makes an answer of reads, each on a line of its own from line 2 on.
func cdr(reads ...string) string {
	return `{"data":{"reads":[` + "\n" + strings.Join(reads, ",\n") + `]},"links":{"self":"https://example.com/"},"meta":{"totalRecords":1,"totalPages":1}}`
}

// cdrRead makes a read of intervals; the members may be more than one day's.
func cdrRead(suffix, more, values string) string {
	return `{"servicePointId":"NMI1","registerId":"1","registerSuffix":"` + suffix + `","unitOfMeasure":"KWH","readStartDate":"2024-03-01",` + more +
		`"readUType":"intervalRead","intervalRead":{"readIntervalLength":30,"aggregateValue":1,"intervalReads":[` + values + `]}}`
}

// numbers repeats a number, with commas.
func numbers(n int, value string) string {
	return strings.TrimSuffix(strings.Repeat(value+",", n), ",")
}

func TestReadCDR(t *testing.T) {
	all := func(n int, s string) string { return "[" + strings.TrimSpace(strings.Repeat(s+" ", n)) + "]" }
	const here = "AUS_ELECTRICITY:NMI1"
	tests := map[string]struct {
		content string
		want    []string
	}{
		"a day": {
			cdr(cdrRead("E1", "", numbers(48, "0.25"))),
			[]string{"2 2024-03-01T00:00:00+10:00 " + here + " E1 CONSUMPTION kwh 30 " + all(48, "0.25") + " " + all(48, "ACTUAL")},
		},
		"what is sent into the grid, two days": {
			cdr(cdrRead("B1", `"readEndDate":"2024-03-02",`, numbers(95, "-0.25")+",1e-1")),
			[]string{
				"2 2024-03-01T00:00:00+10:00 " + here + " B1 GENERATION kwh 30 " + all(48, "0.25") + " " + all(48, "ACTUAL"),
				"2 2024-03-02T00:00:00+10:00 " + here + " B1 GENERATION kwh 30 " + strings.Replace(all(47, "0.25"), "]", " -0.10]", 1) + " " + all(48, "ACTUAL"),
			},
		},
		"members in another order, qualities, a gap": {
			cdr(`{"intervalRead":{"readQualities":[{"startInterval":4,"endInterval":24,"quality":"FINAL_SUBSTITUTE"},{"quality":"SUBSTITUTE","startInterval":1,"endInterval":2}],"intervalReads":[null,` +
				numbers(23, "1") + `],"readIntervalLength":60,"aggregateValue":23},"readUType":"intervalRead","readEndDate":"2024-03-01","readStartDate":"2024-03-01","unitOfMeasure":"kvarh","registerSuffix":"Q1","servicePointId":"NMI1","controlledLoad":false,"meterId":"M","x":[{"y":null}]}`),
			[]string{"2 2024-03-01T00:00:00+10:00 " + here + " Q1 CONSUMPTION kvarh 60 [0" + strings.Repeat(" 1", 23) + "] [MISSING SUBSTITUTED ACTUAL" + strings.Repeat(" SUBSTITUTED", 21) + "]"},
		},
		"basic reads of a day": {
			cdr(`{"servicePointId":"NMI1","registerSuffix":"11","unitOfMeasure":"Wh","readStartDate":"2024-03-01","readUType":"basicRead","basicRead":{"value":12.5}}`,
				`{"servicePointId":"NMI1","registerSuffix":"11","unitOfMeasure":"Wh","readStartDate":"2024-02-29","readUType":"basicRead","basicRead":{"value":13,"quality":"SUBSTITUTE"}}`),
			[]string{
				"2 2024-03-01T00:00:00+10:00 " + here + " 11 CONSUMPTION wh 1440 [12.5] [ACTUAL]",
				"3 2024-02-29T00:00:00+10:00 " + here + " 11 CONSUMPTION wh 1440 [13] [SUBSTITUTED]",
			},
		},
		"no reads": {`{"links":{},"data":{"x":"\"]}","reads":[]}}`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, mark := range []string{"", "\xef\xbb\xbf"} {
				runs, err := read(t, "f.json", mark+test.content)
				if got := briefs(runs); err != nil || !slices.Equal(got, test.want) {
					t.Errorf("got  %q and error %v\nwant %q", got, err, test.want)
				}
			}
		})
	}
}

func TestCDRRefusals(t *testing.T) {
	const wantValue = "want a number between -10000000 and 10000000 with at most 9 decimal places, got "
	good := cdrRead("E1", "", numbers(48, "0.25"))
	with := func(from, to string) string {
		if !strings.Contains(good, from) {
			panic(from)
		}
		return cdr(strings.Replace(good, from, to, 1))
	}
	qualities := func(ranges string) string {
		return with(`"aggregateValue":1`, `"readQualities":[`+ranges+`]`)
	}
	basic := func(members, value string) string {
		return cdr(`{"servicePointId":"N","registerSuffix":"11","unitOfMeasure":"Wh","readStartDate":"2024-03-01",` + members + `"readUType":"basicRead","basicRead":{` + value + `}}`)
	}
	tests := map[string]struct{ content, want string }{
		"47 values of a day":            {cdr(cdrRead("E1", "", numbers(47, "1"))), `2: field intervalReads: want 48 values, as a day of 30 minutes has 48, got 47`},
		"one day's values for two":      {with(`"readUType"`, `"readEndDate":"2024-03-02","readUType"`), `2: field intervalReads: want 96 values, as a day of 30 minutes has 48, got 48`},
		"a length that is none":         {with(`:30,`, `:25,`), `2: field readIntervalLength: want minutes that divide an hour, got "25"`},
		"no length":                     {with(`"readIntervalLength":30,`, ``), `2: field readIntervalLength: want minutes that divide an hour, got nothing`},
		"no values":                     {with(`"intervalReads"`, `"reads"`), `2: field intervalReads: want the value of each interval; their sum is no reading, got no such member`},
		"NaN":                           {with(`[0.25`, `[NaN`), `2: field intervalReads: ` + wantValue + `"NaN"`},
		"10^30":                         {with(`[0.25`, `[1e30`), `2: field intervalReads: ` + wantValue + `"1e30"`},
		"beyond":                        {with(`[0.25`, `[1e7`), `2: field intervalReads: ` + wantValue + `"10000000"`},
		"a text for a value":            {with(`[0.25`, `["0.25"`), `2: field JSON: want a number, got "\""`},
		"a very long number":            {with(`[0.25`, `[`+strings.Repeat("1", 100)), `2: field JSON: want a number of at most 64 digits, got a longer one`},
		"an empty unit":                 {with(`"KWH"`, `""`), `2: field unitOfMeasure: want kWh, Wh, kvarh or varh, got nothing`},
		"no unit":                       {with(`"unitOfMeasure":"KWH",`, ``), `2: field unitOfMeasure: want kWh, Wh, kvarh or varh, got nothing`},
		"an unknown unit":               {with(`"KWH"`, `"MWh"`), `2: field unitOfMeasure: want kWh, Wh, kvarh or varh, got "MWh"`},
		"gas":                           {with(`"KWH"`, `"m3"`), `2: field unitOfMeasure: want kWh, Wh, kvarh or varh, got "m3"`},
		"no service point":              {with(`"NMI1"`, `""`), `2: field servicePointId: want 1 to 64 letters and digits, got nothing`},
		"no register":                   {with(`"registerSuffix":"E1",`, ``), `2: field registerSuffix: want 1 to 64 letters and digits, such as E1, got nothing`},
		"a day that is none":            {with(`2024-03-01`, `2024-02-30`), `2: field readStartDate: want an existing day as YYYY-MM-DD, got "2024-02-30"`},
		"an end before the start":       {with(`"readUType"`, `"readEndDate":"2024-02-29","readUType"`), `2: field readEndDate: want an existing day as YYYY-MM-DD, and not before 2024-03-01, got "2024-02-29"`},
		"another kind":                  {with(`"readUType":"intervalRead"`, `"readUType":"profile"`), `2: field readUType: want intervalRead or basicRead, got "profile"`},
		"the other kind":                {with(`"readUType":"intervalRead"`, `"readUType":"basicRead"`), `2: field basicRead.value: want a number, got no such member`},
		"said twice":                    {with(`"readUType"`, `"registerSuffix":"E2","readUType"`), `2: field registerSuffix: want one, got a second one`},
		"values said twice":             {with(`"aggregateValue"`, `"intervalReads":[],"aggregateValue"`), `2: field intervalRead.intervalReads: want one, got a second one`},
		"a quality that is none":        {qualities(`{"startInterval":1,"endInterval":1,"quality":"GOOD"}`), `2: field readQualities.quality: want SUBSTITUTE or FINAL_SUBSTITUTE, got "GOOD"`},
		"a quality beyond the day":      {qualities(`{"startInterval":1,"endInterval":49,"quality":"SUBSTITUTE"}`), `2: field readQualities: want startInterval and endInterval between 1 and 48, one range behind the other, got 1 to 49`},
		"qualities that overlap":        {qualities(`{"startInterval":4,"endInterval":9,"quality":"SUBSTITUTE"},{"startInterval":1,"endInterval":4,"quality":"SUBSTITUTE"}`), `2: field readQualities: want startInterval and endInterval between 5 and 48, one range behind the other, got 4 to 9`},
		"a quality from 0":              {qualities(`{"startInterval":0}`), `2: field readQualities.startInterval: want the number of an interval, from 1, got "0"`},
		"a basic read of a month":       {basic(`"readEndDate":"2024-03-31",`, `"value":1`), `2: field readEndDate: want the one day of a basicRead; what was used in a longer time is no reading, got "2024-03-31"`},
		"a basic read of nothing":       {basic(``, `"quality":"ACTUAL"`), `2: field basicRead.value: want a number, got no such member`},
		"a basic quality that is none":  {basic(``, `"value":1,"quality":"MIXED"`), `2: field basicRead.quality: want ACTUAL, SUBSTITUTE or FINAL_SUBSTITUTE, got "MIXED"`},
		"a file that is cut off":        {cdr(good)[:300], `2: field JSON: want the end of what was begun, got the end of the file; it may have been cut off`},
		"a file that is cut off early":  {`{"data"`, `1: field JSON: want the end of what was begun, got the end of the file; it may have been cut off`},
		"something behind it":           {cdr(good) + "\n{}", `3: field JSON: want nothing behind the object, got "{"`},
		"no reads":                      {`{"data":{}}`, `1: field data.reads: want an array of reads, got no such member`},
		"two reads":                     {`{"data":{"reads":[],"reads":[]}}`, `1: field data.reads: want one, got a second one`},
		"a tower":                       {`{"data":` + strings.Repeat("[", 70), `1: field JSON: want one of {, got "["`},
		"a tower elsewhere":             {`{"meta":` + strings.Repeat("[", 70), `1: field JSON: want at most 64 objects and arrays inside each other, got more`},
		"a long text":                   {`{"meta":"` + strings.Repeat("x", 5000), `1: field JSON: want a text of at most 4096 bytes, got a longer one`},
		"a text with the end of a line": {"{\"meta\":\"\n\"}", `1: field JSON: want a text without control characters, got "\n\""`},
		"a word that is none":           {`{"meta":yes}`, `1: field JSON: want a value, got "yes"`},
		"more than a year of quarters":  {cdr(cdrRead("E1", "", numbers(366*96+1, "1"))), `2: field intervalReads: want at most 35136 values of one read, got more`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, "f.json", test.content)
			refusal(t, err, "f.json:"+test.want)
		})
	}
}

// FuzzCDR holds the reader to this: it never panics, a block is always as its
// documentation says, and whatever is taken reads the same a second time, also
// when its first byte is not where it was.
func FuzzCDR(f *testing.F) {
	f.Add(cdr(cdrRead("E1", "", numbers(48, "0.25"))))
	f.Add(cdr(`{"servicePointId":"N","registerSuffix":"B1","unitOfMeasure":"Wh","readStartDate":"2024-03-01","readUType":"basicRead","basicRead":{"value":-1.25e1,"quality":"SUBSTITUTE"}}`))
	f.Add(`{"data":{"reads":[{"intervalRead":{"readQualities":[{"startInterval":4,"endInterval":24,"quality":"SUBSTITUTE"}],"intervalReads":[null,` + numbers(23, "1") +
		`],"readIntervalLength":60},"readUType":"intervalRead","readEndDate":"2024-03-01","readStartDate":"2024-03-01","unitOfMeasure":"kvarh","registerSuffix":"Q1","servicePointId":"\u004eMI1"}]}}`)
	f.Fuzz(func(t *testing.T, content string) {
		runs := twice(t, meterfile.CDR, content)
		spaced, err := readAs(t, meterfile.CDR, "f", " \r\t"+content+" ")
		if runs != nil && (err != nil || fmt.Sprint(runs) != fmt.Sprint(spaced)) {
			t.Errorf("with spaces around it: got %v and error %v, want %v", spaced, err, runs)
		}
	})
}
