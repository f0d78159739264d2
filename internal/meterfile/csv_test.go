package meterfile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/meterfile"
)

const csvHead = "supply_point,register,direction,start_local,start_utc,minutes,value,unit,quality\n"

// csvLine makes a line that begins at an instant, in Amsterdam, and ends with
// minutes, value, unit and quality.
func csvLine(start, rest string) string {
	t, err := time.Parse(time.RFC3339, start)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("NLD_ELECTRICITY:871685900012345678,1,CONSUMPTION,%s,%s,%s\n", start, t.UTC().Format(time.RFC3339), rest)
}

// brief says of a run what a test looks at.
func (r run) brief() string {
	return fmt.Sprintf("%d %s %s:%s %s %s %s %d %v %v", r.Line, r.Start, r.Market, r.Identifier, r.Register, r.Direction, r.Unit, r.Minutes, r.Values, r.Quality)
}

func briefs(runs []run) []string {
	var all []string
	for _, r := range runs {
		all = append(all, r.brief())
	}
	return all
}

func TestReadCSV(t *testing.T) {
	const here = "NLD_ELECTRICITY:871685900012345678 1 CONSUMPTION kwh"
	quarter := func(start, value, quality string) string { return csvLine(start, "15,"+value+",kwh,"+quality) }
	tests := map[string]struct {
		content string
		want    []string
	}{
		"lines that follow each other": {
			quarter("2024-06-01T00:00:00+02:00", "0.125", "ACTUAL") + quarter("2024-06-01T00:15:00+02:00", "-1", "ESTIMATE") + quarter("2024-06-01T00:30:00+02:00", "0.5", "SUBSTITUTED"),
			[]string{"2 2024-05-31T22:00:00Z " + here + " 15 [0.125 -1.000 0.500] [ACTUAL ESTIMATE SUBSTITUTED]"},
		},
		"more places later": {
			quarter("2024-06-01T00:00:00+02:00", "1", "ACTUAL") + quarter("2024-06-01T00:15:00+02:00", "0.123456789", "ACTUAL"),
			[]string{"2 2024-05-31T22:00:00Z " + here + " 15 [1.000000000 0.123456789] [ACTUAL ACTUAL]"},
		},
		"a gap, said and unsaid": {
			quarter("2024-06-01T00:00:00+02:00", "1", "ACTUAL") + quarter("2024-06-01T00:15:00+02:00", "", "MISSING") + quarter("2024-06-01T00:30:00+02:00", "2", "ACTUAL") + quarter("2024-06-01T01:00:00+02:00", "3", "ACTUAL"),
			[]string{"2 2024-05-31T22:00:00Z " + here + " 15 [1] [ACTUAL]", "4 2024-05-31T22:30:00Z " + here + " 15 [2] [ACTUAL]", "5 2024-05-31T23:00:00Z " + here + " 15 [3] [ACTUAL]"},
		},
		"the hour that autumn repeats": {
			quarter("2024-10-27T02:45:00+02:00", "1", "ACTUAL") + quarter("2024-10-27T02:00:00+01:00", "2", "ACTUAL"),
			[]string{"2 2024-10-27T00:45:00Z " + here + " 15 [1] [ACTUAL]", "3 2024-10-27T01:00:00Z " + here + " 15 [2] [ACTUAL]"},
		},
		"a whole day, and an index of 14 digits": {
			csvLine("2024-03-31T00:00:00+01:00", "1440,12,kwh,ACTUAL") + csvLine("2024-03-31T23:59:07+02:00", "0,99999999999999.5,kwh,ACTUAL"),
			[]string{"2 2024-03-30T23:00:00Z " + here + " 1440 [12] [ACTUAL]", "3 2024-03-31T21:59:07Z " + here + " 0 [99999999999999.5] [ACTUAL]"},
		},
		"quotes, other ends of lines, and the other name of UTC": {
			"\"NLD_GAS:g\",\"24.2.1\",CONSUMPTION,2024-06-01T00:00:00.000+02:00,2024-05-31T22:00:00+00:00,60,\"0.5\",M3,\"ACTUAL\"\r\n\r\n",
			[]string{"2 2024-05-31T22:00:00Z NLD_GAS:g 24.2.1 CONSUMPTION m3 60 [0.5] [ACTUAL]"},
		},
		"nothing but its head": {"", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, mark := range []string{"", "\xef\xbb\xbf"} {
				runs, err := read(t, "f.csv", mark+csvHead+test.content)
				if got := briefs(runs); err != nil || !slices.Equal(got, test.want) {
					t.Errorf("got  %q and error %v\nwant %q", got, err, test.want)
				}
			}
		})
	}
}

// TestCSVOffset: what a line says of local time is kept, and ends a run.
func TestCSVOffset(t *testing.T) {
	var got []string
	content := csvHead + csvLine("2024-10-27T02:45:00+02:00", "15,1,kwh,ACTUAL") + csvLine("2024-10-27T02:00:00+01:00", "15,1,kwh,ACTUAL") + csvLine("2024-10-27T01:15:00Z", "15,1,kwh,ACTUAL")
	err := meterfile.Read("f.csv", strings.NewReader(content), func(b *meterfile.Block) error {
		got = append(got, fmt.Sprint(b.Offset, b.HasOffset))
		return nil
	})
	if want := []string{"7200 true", "3600 true", "0 true"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q and error %v, want %q", got, err, want)
	}
}

func TestCSVRefusals(t *testing.T) {
	const wantValue = "want a number between -10000000 and 10000000 with at most 9 decimal places, got "
	const wantDate = "want an existing date-time with an offset, such as 2024-10-27T02:15:00+01:00, got "
	good := csvLine("2024-06-01T00:00:00+02:00", "15,0.125,kwh,ACTUAL")
	// with replaces one field of a good line.
	with := func(field int, value string) string {
		fields := strings.Split(strings.TrimSpace(good), ",")
		fields[field] = value
		return strings.Join(fields, ",") + "\n"
	}
	tests := map[string]struct{ content, want string }{
		"an unknown market":              {with(0, "ABC_WATER:1"), `field supply_point: want MARKET:identifier, such as NLD_ELECTRICITY:871685900000000000, got "ABC_WATER:1"`},
		"no identifier":                  {with(0, "NLD_ELECTRICITY:"), `field supply_point: want MARKET:identifier, such as NLD_ELECTRICITY:871685900000000000, got "NLD_ELECTRICITY:"`},
		"no register":                    {with(1, ""), `field register: want 1 to 64 letters, digits or _.:-, got nothing`},
		"a direction that is none":       {with(2, "consumption"), `field direction: want CONSUMPTION or GENERATION, got "consumption"`},
		"a local time without an offset": {with(3, "2024-06-01T00:00:00"), `field start_local: ` + wantDate + `"2024-06-01T00:00:00"`},
		"a day that is none":             {with(3, "2024-02-30T00:00:00+01:00"), `field start_local: ` + wantDate + `"2024-02-30T00:00:00+01:00"`},
		"half a second":                  {with(3, "2024-06-01T00:00:00.5+02:00"), `field start_local: ` + wantDate + `"2024-06-01T00:00:00.5+02:00"`},
		"a second of 60":                 {with(3, "2024-06-01T00:00:60+02:00"), `field start_local: ` + wantDate + `"2024-06-01T00:00:60+02:00"`},
		"two instants":                   {with(4, "2024-05-31T21:00:00Z"), `field start_utc: want the same instant as start_local, "2024-06-01T00:00:00+02:00", got "2024-05-31T21:00:00Z"`},
		"a local time for UTC":           {with(4, "2024-06-01T00:00:00+02:00"), `field start_utc: want an existing date-time in UTC, such as 2024-10-27T01:15:00Z, got "2024-06-01T00:00:00+02:00"`},
		"7 minutes":                      {with(5, "7"), `field minutes: want a number that divides 60, 1440 for a day or 0 for an index, got "7"`},
		"many minutes":                   {with(5, "18446744073709551631"), `field minutes: want a number that divides 60, 1440 for a day or 0 for an index, got "18446744073709551631"`},
		"NaN":                            {with(6, "NaN"), `field value: ` + wantValue + `"NaN"`},
		"infinity":                       {with(6, "Infinity"), `field value: ` + wantValue + `"Infinity"`},
		"10^30":                          {with(6, "1000000000000000000000000000000"), `field value: ` + wantValue + `"1000000000000000000000000000000"`},
		"an exponent":                    {with(6, "1e3"), `field value: ` + wantValue + `"1e3"`},
		"hexadecimal":                    {with(6, "0x10"), `field value: ` + wantValue + `"0x10"`},
		"beyond":                         {with(6, "10000000"), `field value: ` + wantValue + `"10000000"`},
		"no value":                       {with(6, ""), `field value: ` + wantValue + `nothing`},
		"a comma in a value":             {with(6, `"0,125"`), `field value: ` + wantValue + `"0,125"`},
		"an empty unit":                  {with(7, ""), `field unit: want kwh, wh, m3, kvarh or varh, got nothing`},
		"an unknown unit":                {with(7, "MWh"), `field unit: want kwh, wh, m3, kvarh or varh, got "MWh"`},
		"gas for electricity":            {with(7, "m3"), `field unit: want one of NLD_ELECTRICITY, got "m3"`},
		"an unknown quality":             {with(8, "GOOD"), `field quality: want ACTUAL, ESTIMATE, SUBSTITUTED or MISSING, got "GOOD"`},
		"a value that is missing":        {with(8, "MISSING"), `field value: want nothing, as the quality is MISSING, got "0.125"`},
		"a field too few":                {"a,b\n", `field line: want 9 fields, as in the head, got 2`},
		"a field too many":               {strings.TrimSpace(good) + ",\n", `field line: want 9 fields, as in the head, got more`},
		"a line that was cut off":        {good[:len(good)-3], `field quality: want ACTUAL, ESTIMATE, SUBSTITUTED or MISSING, got "ACTU"`},
		"a quote without an end":         {`"` + good, `field line: want fields in quotes to end with one, "" for a quote inside, got "\"NLD_ELECTRICITY:871685900012345678,1,CO" and 76 bytes more`},
		"a line without an end":          {strings.Repeat("x", 70_000), `field line: want at most 65536 bytes, got a longer one`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			runs, err := read(t, "f.csv", csvHead+good+test.content)
			refusal(t, err, "f.csv:3: "+test.want)
			if len(runs) != 0 {
				t.Errorf("got %d runs beside the error", len(runs))
			}
		})
	}
	_, err := read(t, "f.csv", "supply_point,register\n"+good)
	refusal(t, err, `f.csv:1: field head: want `+strings.TrimSpace(csvHead)+`, got "supply_point,register"`)
}

// csvYear makes a year of half hours of some channels, one behind the other.
func csvYear(points int) string {
	var b strings.Builder
	b.WriteString(csvHead)
	zone := time.FixedZone("", 3600)
	for p := range points {
		t := time.Date(2023, 12, 31, 23, 0, 0, 0, time.UTC)
		for i := range 365 * 48 {
			fmt.Fprintf(&b, "NLD_ELECTRICITY:%018d,1,CONSUMPTION,%s,%s,30,0.%03d,kwh,ACTUAL\n", p,
				t.In(zone).Format(time.RFC3339), t.Format(time.RFC3339), i%1000)
			t = t.Add(30 * time.Minute)
		}
	}
	return b.String()
}

func BenchmarkReadCSV(b *testing.B) {
	content := csvYear(2)
	benchmarkRead(b, meterfile.CSV, content)
}

func benchmarkRead(b *testing.B, f meterfile.Format, content string) {
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	readings := 0
	for b.Loop() {
		err := meterfile.ReadAs(f, "f", strings.NewReader(content), func(k *meterfile.Block) error {
			readings += len(k.Values)
			return nil
		}, nil)
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(readings)/b.Elapsed().Seconds(), "readings/s")
}

// TestLinesAllocateNothing: a file ten times as long takes as many allocations.
func TestLinesAllocateNothing(t *testing.T) {
	line := csvLine("2024-06-01T00:00:00+02:00", "15,0.125,kwh,ACTUAL") + csvLine("2024-06-02T00:00:00+02:00", "15,0.12,kwh,ESTIMATE")
	object := ndjsonInterval("2024-06-01T00:00:00+02:00", "2024-06-01T00:15:00+02:00", `"0.125"`) + ndjsonInterval("2024-06-02T00:00:00+02:00", "2024-06-02T00:15:00+02:00", `0.12`)
	for f, part := range map[meterfile.Format][2]string{meterfile.CSV: {csvHead, line}, meterfile.NDJSON: {"", object}} {
		for mode, reject := range map[string]func(*meterfile.Error) bool{"strict": nil, "partial": func(*meterfile.Error) bool { return false }} {
			spent := func(times int) float64 {
				content := part[0] + strings.Repeat(part[1], times)
				return testing.AllocsPerRun(5, func() {
					if err := meterfile.ReadAs(f, "f", strings.NewReader(content), func(*meterfile.Block) error { return nil }, reject); err != nil {
						t.Fatal(err)
					}
				})
			}
			if short, long := spent(100), spent(1000); long > short {
				t.Errorf("%s, %s: %v allocations for 2000 lines and %v for 200, want as many", f, mode, long, short)
			}
		}
	}
}

// TestLineOf: whoever refuses a reading can name its line.
func TestLineOf(t *testing.T) {
	quarter := func(minute int) string {
		return csvLine(fmt.Sprintf("2024-06-01T00:%02d:00+02:00", minute), "15,1,kwh,ACTUAL")
	}
	for content, want := range map[string][]int{
		csvHead + quarter(0) + quarter(15) + "\n" + quarter(30) + quarter(45):                              {2, 3, 5, 6},
		"100,NEM12,202403030900,A,B\n200,NMI1,E1,1,E1,,M,kWh,30,\n" + day("20240301", 48, "A") + "\n900\n": slices.Repeat([]int{3}, 48),
	} {
		var got []int
		err := meterfile.Read("f", strings.NewReader(content), func(b *meterfile.Block) error {
			for i := range b.Values {
				got = append(got, b.LineOf(i))
			}
			return nil
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%.60q: got %v and error %v, want %v", content, got, err, want)
		}
	}
}
