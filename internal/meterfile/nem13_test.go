package meterfile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/meterfile"
)

const nem13Head = "100,NEM13,202403030900,A,B\n"

// nem13Record makes a 250 record of two reads, each value, time, method, reason
// and description.
func nem13Record(way, previous, current, rest string) string {
	return "250,NMI1,11,1,11,11,METER," + way + "," + previous + "," + current + "," + rest + "\n"
}

func TestNEM13(t *testing.T) {
	const first, second = "00123.5,20240101093055,A,,", "00200.25,20240401000000,E64,,"
	tests := map[string]struct {
		content string
		want    []string
	}{
		"two reads": {
			nem13Record("E", first, second, "-76.75,KWH,20240701,20240402000000,20240402000000") + "550,N,,E,\n",
			[]string{
				"2 2024-01-01T09:30:55+10:00 AUS_ELECTRICITY:NMI1 11 CONSUMPTION kwh 0 [123.5] [ACTUAL]",
				"2 2024-04-01T00:00:00+10:00 AUS_ELECTRICITY:NMI1 11 CONSUMPTION kwh 0 [200.25] [ESTIMATE]",
			},
		},
		"a register that has gone past its end, and no quantity": {
			nem13Record("I", "99990,20240101000000,S62,4,", "999999999999.00,20240401000000,N,,", ",varh,,,"),
			[]string{"2 2024-01-01T00:00:00+10:00 AUS_ELECTRICITY:NMI1 11 GENERATION varh 0 [99990] [SUBSTITUTED]"},
		},
		"padding": {
			",,\r\n" + nem13Record("E", first, "000000999999999999.00,20240401000000,F61,13,Locked Gate", "1,Wh,,,,,,"),
			[]string{
				"3 2024-01-01T09:30:55+10:00 AUS_ELECTRICITY:NMI1 11 CONSUMPTION wh 0 [123.5] [ACTUAL]",
				"3 2024-04-01T00:00:00+10:00 AUS_ELECTRICITY:NMI1 11 CONSUMPTION wh 0 [999999999999.00] [SUBSTITUTED]",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			runs, err := read(t, "f.csv", nem13Head+test.content+"900\n")
			if got := briefs(runs); err != nil || !slices.Equal(got, test.want) {
				t.Errorf("got  %q and error %v\nwant %q", got, err, test.want)
			}
		})
	}
}

func TestNEM13Refusals(t *testing.T) {
	const first, second, rest = "00123.5,20240101093055,A,,", "00200.25,20240401000000,E64,,", "76.75,KWH,,,"
	const wantIndex = "want a number of at most 18 digits, 9 of them decimal places that is not negative, got "
	good := nem13Record("E", first, second, rest)
	tests := map[string]struct{ content, want string }{
		"no end":                   {good, `3: field RecordIndicator: want 900, the record that ends a NEM13 file, got the end of the file; it may have been cut off`},
		"nothing but an end":       {"900\n", `2: field RecordIndicator: want at least one 250 record before the end, got "900"`},
		"something after it":       {good + "900\n" + good, `4: field RecordIndicator: want nothing after the 900 record, got "250"`},
		"something in it":          {good + "900,1\n", `3: field 900: want an empty end record, got "1"`},
		"a record of NEM12":        {"300,20240101\n", `2: field RecordIndicator: want 250, 550 or 900, got "300"`},
		"an order of nothing":      {"550,N\n", `2: field RecordIndicator: want 250 before the first 550, got "550"`},
		"no NMI":                   {strings.Replace(good, "NMI1", "", 1), `2: field NMI: want 1 to 64 letters and digits, got nothing`},
		"no suffix":                {"250,NMI1,11,1,,11,M,E\n", `2: field NMISuffix: want two letters or digits, such as 11, got nothing`},
		"no direction":             {nem13Record("X", first, second, rest), `2: field DirectionIndicator: want E (to the customer) or I (into the grid), got "X"`},
		"a negative index":         {nem13Record("E", "-1,20240101093055,A,,", second, rest), `2: field PreviousRegisterRead: ` + wantIndex + `"-1"`},
		"NaN":                      {nem13Record("E", first, "NaN,20240401000000,A,,", rest), `2: field CurrentRegisterRead: ` + wantIndex + `"NaN"`},
		"10^30":                    {nem13Record("E", first, "1000000000000000000000000000000,20240401000000,A,,", rest), `2: field CurrentRegisterRead: ` + wantIndex + `"1000000000000000000000000000000"`},
		"10^18":                    {nem13Record("E", first, "1000000000000000000,20240401000000,A,,", rest), `2: field CurrentRegisterRead: ` + wantIndex + `"1000000000000000000"`},
		"a time that is none":      {nem13Record("E", first, "1,20240230000000,A,,", rest), `2: field CurrentRegisterReadDateTime: want an existing time as YYYYMMDDhhmmss, got "20240230000000"`},
		"a time without seconds":   {nem13Record("E", first, "1,202402280000,A,,", rest), `2: field CurrentRegisterReadDateTime: want an existing time as YYYYMMDDhhmmss, got "202402280000"`},
		"backwards":                {nem13Record("E", second, first, rest), `2: field CurrentRegisterReadDateTime: want a later one than that of the previous read, 20240401000000, got "20240101093055"`},
		"a quality V":              {nem13Record("E", first, "1,20240401000000,V,,", rest), `2: field CurrentQualityMethod: want A, E, F, N or S, got "V"`},
		"S without a reason":       {nem13Record("E", "1,20240101000000,S64,,", second, rest), `2: field PreviousReasonCode: want a number, as the quality is S, got nothing`},
		"a quantity that is none":  {nem13Record("E", first, second, "much,KWH,,,"), `2: field Quantity: want a number, got "much"`},
		"an empty unit":            {nem13Record("E", first, second, "1,,,,"), `2: field UOM: want kWh, Wh, kvarh or varh, got nothing`},
		"MWh":                      {nem13Record("E", first, second, "1,MWh,,,"), `2: field UOM: want kWh, Wh, kvarh or varh, got "MWh"`},
		"more than there is":       {nem13Record("E", first, second, rest+",x"), `2: field 250: want nothing after MSATSLoadDateTime, got "x"`},
		"a record that is cut off": {good[:60], `2: field CurrentRegisterReadDateTime: want an existing time as YYYYMMDDhhmmss, got nothing`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, "f.csv", nem13Head+test.content)
			refusal(t, err, "f.csv:"+test.want)
		})
	}
}

// writeNEM13 writes indexes as NEM13 again, each as the first read of a record.
func writeNEM13(runs []run) string {
	var b strings.Builder
	b.WriteString(nem13Head)
	for _, r := range runs {
		way := map[string]string{"CONSUMPTION": "E", "GENERATION": "I"}[r.Direction.String()]
		flag := []string{"N,,", "A,,", "E,,", "F,1,"}[r.Quality[0]]
		fmt.Fprintf(&b, "250,%s,,,%s,,,%s,%s,%s,%s,0,21991231235959,N,,,0,%s\n", r.Identifier, r.Register, way,
			r.Values[0], strings.NewReplacer("-", "", "T", "", ":", "").Replace(r.Start[:19]), flag, r.Unit)
	}
	return b.String() + "900\n"
}

// FuzzNEM13 holds the reader to this: what it takes, written again, reads the same.
func FuzzNEM13(f *testing.F) {
	const first, second = "00123.5,20240101093055,A,,", "00200.25,20240401000000,E64,,"
	f.Add(nem13Head + nem13Record("E", first, second, "1,kWh,,,") + nem13Record("I", first, "1,20250101000000,S61,1,x", "-1,varh,,,") + "550,N\n900\n")
	f.Fuzz(func(t *testing.T, content string) {
		runs, err := readAs(t, meterfile.NEM13, "f.csv", content)
		if err != nil || len(runs) == 0 || slices.ContainsFunc(runs, func(r run) bool { return strings.HasPrefix(r.Start, "2199-12-31") }) {
			return
		}
		again, err := read(t, "again.csv", writeNEM13(runs))
		same := slices.EqualFunc(runs, again, func(a, b run) bool {
			return a.Channel == b.Channel && a.Start == b.Start && a.Values[0] == b.Values[0] && a.Quality[0] == b.Quality[0]
		})
		if err != nil || !same {
			t.Errorf("read again: error %v\ngot  %+v\nwant %+v", err, again, runs)
		}
	})
}
