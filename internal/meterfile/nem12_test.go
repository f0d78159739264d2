package meterfile_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
)

func TestNEM12(t *testing.T) {
	content, err := os.ReadFile("testdata/two_days.nem12.csv")
	if err != nil {
		t.Fatal(err)
	}
	runs, err := read(t, "two_days.nem12.csv", string(content))
	if err != nil || len(runs) != 4 {
		t.Fatalf("got %d runs and error %v, want 4 and none", len(runs), err)
	}
	e1 := meterfile.Channel{Market: "AUS_ELECTRICITY", Identifier: "WATTGATE01", Register: "E1", Unit: domain.KilowattHour, Zone: "+10:00"}
	b1 := e1
	b1.Register, b1.Direction = "B1", domain.Generation
	for i, want := range []run{
		{Channel: e1, Line: 3, Start: "2024-03-01T00:00:00+10:00"},
		{Channel: e1, Line: 4, Start: "2024-03-02T00:00:00+10:00"},
		{Channel: b1, Line: 10, Start: "2024-03-01T00:00:00+10:00"},
		{Channel: b1, Line: 11, Start: "2024-03-02T00:00:00+10:00"},
	} {
		got := runs[i]
		if got.Channel != want.Channel || got.Line != want.Line || got.Start != want.Start || got.Minutes != 30 || len(got.Values) != 48 {
			t.Errorf("run %d: got %+v, want 48 half hours of %+v", i, got, want)
		}
	}
	v := runs[1]
	for i, want := range map[int]domain.Quality{0: 1, 19: 1, 20: 3, 29: 3, 30: 2, 39: 2, 40: 0, 47: 0} {
		if v.Quality[i] != want {
			t.Errorf("interval %d below 400 records: got %s, want %s", i+1, v.Quality[i], want)
		}
	}
	if runs[0].Values[1] != "0.306" {
		t.Errorf("second value: got %s, want 0.306, exactly", runs[0].Values[1])
	}
}

// day makes a 300 record of as many values.
func day(date string, count int, rest string) string {
	return "300," + date + strings.Repeat(",1", count) + "," + rest
}

func TestNEM12Liberal(t *testing.T) {
	const head, register = "100,NEM12,202403030900,A,B\n", "200,NMI1,E1,1,E1,,M,kWh,30,\n"
	tests := map[string]struct {
		content string
		values  int
	}{
		"a byte order mark, blank lines and padding": {
			"\xef\xbb\xbf100,NEM12,202403030900,A,B,,,,\r\n\r\n200,NMI1,E1,1,E1,,M,KWH,15,,,,,\r\n" + day("20240301", 96, "A,,,,,,,,") + "\r\n900,,,,\r\n,,\r\n", 96,
		},
		"no line end at the end":               {head + register + day("20240301", 48, "A,,,202403020000,") + "\n900", 48},
		"no next read date, no fields at all":  {head + "200,NMI1,E1,1,E1,,M,varh,30\n" + day("20240301", 48, "A") + "\n900\n", 48},
		"an empty value of quality N":          {head + register + "300,20240301" + strings.Repeat(",", 48) + ",N,,,,\n900\n", 48},
		"a value without a leading zero":       {head + register + "300,20240301,.048" + strings.Repeat(",1.5", 47) + ",A,,,,\n900\n", 48},
		"an estimate without a reason":         {head + register + day("20240301", 48, "E52,,,,") + "\n900\n", 48},
		"a substitute with one":                {head + register + day("20240301", 48, "S14,1,,,") + "\n900\n", 48},
		"a method that is not said":            {head + register + day("20240301", 48, "F,76,,,") + "\n900\n", 48},
		"another length for another day":       {head + register + day("20240301", 48, "A,,,,") + "\n200,NMI1,E1,1,E1,,M,kWh,5,\n" + day("20240302", 288, "A,,,,") + "\n900\n", 336},
		"days backwards, a gap filled":         {head + register + day("20240303", 48, "A,,,,") + "\n" + day("20240301", 48, "A,,,,") + "\n" + day("20240302", 48, "A,,,,") + "\n900\n", 144},
		"a service order where it may stand":   {head + register + day("20240301", 48, "A,,,,") + "\n500,O,S,20240301000000,1\n900\n", 48},
		"a suffix in small letters of a B one": {head + "200,NMI1,b1,1,b1,,M,kWh,30,\n" + day("20240301", 48, "A,,,,") + "\n900\n", 48},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			runs, err := read(t, "f.csv", test.content)
			values := 0
			for _, r := range runs {
				values += len(r.Values)
			}
			if err != nil || values != test.values {
				t.Errorf("got %d values and error %v, want %d and none", values, err, test.values)
			}
		})
	}
}

func TestNEM12Refusals(t *testing.T) {
	const head, register = "100,NEM12,202403030900,A,B\n", "200,NMI1,E1,1,E1,,M,kWh,30,\n"
	good := day("20240301", 48, "A,,,,") + "\n"
	tests := map[string]struct{ content, want string }{
		"no header":              {register + good + "900\n", `1: field RecordIndicator: want 100, the header of a NEM12 file, got "200"`},
		"only spaces after it":   {"100\n", `1: field VersionHeader: want NEM12, got nothing`},
		"another version":        {"100,NEM14,200401101030,A,B\n", `1: field VersionHeader: want NEM12, got "NEM14"`},
		"a header without time":  {"100,NEM12,yesterday,A,B\n", `1: field DateTime: want YYYYMMDDhhmm, got "yesterday"`},
		"nothing but ends":       {head + "900\n", `2: field RecordIndicator: want at least one 300 record before the end, got "900"`},
		"no end":                 {head + register + good, `4: field RecordIndicator: want 900, the record that ends a NEM12 file, got the end of the file; it may have been cut off`},
		"half an end":            {head + register + good + "90", `4: field RecordIndicator: want 200, 300, 400, 500 or 900, got "90"`},
		"something after it":     {head + register + good + "900\n" + register, `5: field RecordIndicator: want nothing after the 900 record, got "200"`},
		"something in it":        {head + register + good + "900,1\n", `4: field 900: want an empty end record, got "1"`},
		"an unknown record":      {head + "250,X\n", `2: field RecordIndicator: want 200, 300, 400, 500 or 900, got "250"`},
		"a day of nothing":       {head + good + "900\n", `2: field RecordIndicator: want 200 before the first 300, got "300"`},
		"an order of nothing":    {head + "500,O\n900\n", `2: field RecordIndicator: want 200 before the first 500, got "500"`},
		"no NMI":                 {head + "200,,E1,1,E1,,M,kWh,30,\n", `2: field NMI: want 1 to 64 letters and digits, got nothing`},
		"no suffix":              {head + "200,N,E1,E1,,,M,kWh,30,\n", `2: field NMISuffix: want two letters or digits, such as E1, got nothing`},
		"no unit":                {head + "200,N,E1,1,V1,,M,,10,\n", `2: field UOM: want kWh, Wh, kvarh or varh, got nothing`},
		"MWh":                    {head + "200,N,E1,1,E1,,M,MWh,30,\n", `2: field UOM: want kWh, Wh, kvarh or varh, got "MWh"`},
		"gas":                    {head + "200,N,E1,1,E1,,M,m3,30,\n", `2: field UOM: want kWh, Wh, kvarh or varh, got "m3"`},
		"10 minutes":             {head + "200,N,E1,1,E1,,M,kWh,10,\n", `2: field IntervalLength: want 5, 15 or 30 minutes, got "10"`},
		"a cut 200 record":       {head + "200,N,E1,1,E1\n", `2: field UOM: want kWh, Wh, kvarh or varh, got nothing`},
		"too much in 200":        {head + "200,N,E1,1,E1,,M,kWh,30,20240101,x\n", `2: field 200: want nothing after NextScheduledReadDate, got "x"`},
		"a day that is none":     {head + register + day("20240230", 48, "A,,,,") + "\n900\n", `3: field IntervalDate: want an existing day as YYYYMMDD, got "20240230"`},
		"a repeated register":    {head + register + good + good + "900\n", `4: field IntervalDate: want each day of a register once, got a repeated register: E1 of NMI1 has had 2024-03-01`},
		"one in other units":     {head + register + good + "200,NMI1,E1,1,E1,,M,Wh,30,\n" + good + "900\n", `5: field IntervalDate: want each day of a register once, got a repeated register: E1 of NMI1 has had 2024-03-01`},
		"a value too few":        {head + register + day("20240301", 47, "A,,,,") + "\n900\n", `3: field IntervalValue48: want a number that is not negative; a day of 30 minutes has 48, got "A"`},
		"a value too many":       {head + register + day("20240301", 49, "A,,,,") + "\n900\n", `3: field QualityMethod: want A, E, F, N, S or V after 48 values, a day of 30 minutes, got "1"`},
		"a cut day":              {head + register + "300,20240301,1,2", `3: field IntervalValue3: want a number that is not negative; a day of 30 minutes has 48, got nothing`},
		"a negative value":       {head + register + "300,20240301,1,-2" + strings.Repeat(",0", 46) + ",A\n900\n", `3: field IntervalValue2: want a number that is not negative; a day of 30 minutes has 48, got "-2"`},
		"not a number":           {head + register + "300,20240301,NaN" + strings.Repeat(",0", 47) + ",A\n900\n", `3: field IntervalValue1: want a number that is not negative; a day of 30 minutes has 48, got "NaN"`},
		"no value though actual": {head + register + "300,20240301,1,,1" + strings.Repeat(",0", 45) + ",A\n900\n", `3: field IntervalValue2: want a number, as its quality is not N, got nothing`},
		"a quality that is none": {head + register + day("20240301", 48, "X,,,,") + "\n900\n", `3: field QualityMethod: want A, E, F, N, S or V after 48 values, a day of 30 minutes, got "X"`},
		"F without a reason":     {head + register + day("20240301", 48, "F14,,,,") + "\n900\n", `3: field ReasonCode: want a number, as the quality is F, got nothing`},
		"too much in 300":        {head + register + day("20240301", 48, "A,,,,,x") + "\n900\n", `3: field 300: want nothing after MSATSLoadDateTime, got "x"`},
		"V and no 400":           {head + register + day("20240301", 48, "V,,,,") + "\n900\n", `3: field QualityMethod: want 400 records for the intervals 1 to 48, got 0 covered`},
		"V and half of it":       {head + register + day("20240301", 48, "V,,,,") + "\n400,1,24,A,,\n900\n", `3: field QualityMethod: want 400 records for the intervals 1 to 48, got 24 covered`},
		"400 with a gap":         {head + register + day("20240301", 48, "V,,,,") + "\n400,1,24,A,,\n400,26,48,A,,\n900\n", `5: field StartInterval: want 25, got "26"`},
		"400 with an overlap":    {head + register + day("20240301", 48, "V,,,,") + "\n400,1,24,A,,\n400,24,48,A,,\n900\n", `5: field StartInterval: want 25, got "24"`},
		"400 beyond the day":     {head + register + day("20240301", 48, "V,,,,") + "\n400,1,49,A,,\n900\n", `4: field EndInterval: want 1 to 48; a day of 30 minutes has 48 intervals, got "49"`},
		"400 backwards":          {head + register + day("20240301", 48, "V,,,,") + "\n400,1,0,A,,\n900\n", `4: field EndInterval: want 1 to 48; a day of 30 minutes has 48 intervals, got "0"`},
		"400 of quality V":       {head + register + day("20240301", 48, "V,,,,") + "\n400,1,48,V,,\n900\n", `4: field QualityMethod: want A, E, F, N or S, got "V"`},
		"400 S without a reason": {head + register + day("20240301", 48, "V,,,,") + "\n400,1,48,S14,,\n900\n", `4: field ReasonCode: want a number, as the quality is S, got nothing`},
		"400 without V":          {head + register + good + "400,1,48,A,,\n900\n", `4: field RecordIndicator: want 400 only below a 300 record of quality V, got "400"`},
		"a line without an end":  {head + strings.Repeat("x", 70_000), `2: field line: want at most 65536 bytes, got a longer one`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, "f.csv", test.content)
			refusal(t, err, "f.csv:"+test.want)
		})
	}
}

// write writes runs of whole days as NEM12 again. Its 400 records have one
// range for each interval, which says nothing else.
func write(runs []run) string {
	var b strings.Builder
	b.WriteString("100,NEM12,202403030900,A,B\r\n")
	for _, r := range runs {
		fmt.Fprintf(&b, "200,%s,%s,1,%s,,M,%s,%d,\r\n", r.Identifier, r.Register, r.Register, r.Unit, r.Minutes)
		fmt.Fprintf(&b, "300,%s,%s,V,,,,\r\n", strings.ReplaceAll(r.Start[:10], "-", ""), strings.Join(r.Values, ","))
		for i, q := range r.Quality {
			flag := map[domain.Quality]string{domain.Missing: "N,", domain.Actual: "A,", domain.Estimate: "E52,", domain.Substituted: "S14,1"}[q]
			fmt.Fprintf(&b, "400,%d,%d,%s,\r\n", i+1, i+1, flag)
		}
	}
	b.WriteString("900\r\n")
	return b.String()
}

// FuzzNEM12 holds the reader to this: what it takes, written again, reads the
// same, and in part too.
func FuzzNEM12(f *testing.F) {
	content, err := os.ReadFile("testdata/two_days.nem12.csv")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(content))
	f.Add("100,NEM12,202403030900,A,B\n200,NMI1,E1,1,E1,,M,kWh,30,\n" + day("20240301", 48, "V,,,,") + "\n400,1,48,N,,\n900\n")
	f.Fuzz(func(t *testing.T, content string) {
		runs, err := readAs(t, meterfile.NEM12, "f.csv", content)
		var part []run
		rejected := 0
		errPart := meterfile.ReadAs(meterfile.NEM12, "f.csv", strings.NewReader(content), keep(t, &part), func(*meterfile.Error) bool { rejected++; return true })
		if err != nil {
			return
		}
		if rejected > 0 || errPart != nil || fmt.Sprint(part) != fmt.Sprint(runs) {
			t.Errorf("in part: %d rejected, error %v\ngot  %+v\nwant %+v", rejected, errPart, part, runs)
		}
		again, err := read(t, "again.csv", write(runs))
		same := slices.EqualFunc(runs, again, func(a, b run) bool {
			return a.Channel == b.Channel && a.Start == b.Start && a.Minutes == b.Minutes && slices.Equal(a.Values, b.Values) && slices.Equal(a.Quality, b.Quality)
		})
		if err != nil || !same {
			t.Errorf("read again: error %v\ngot  %+v\nwant %+v", err, again, runs)
		}
	})
}

func BenchmarkNEM12(b *testing.B) {
	var file strings.Builder
	file.WriteString("100,NEM12,202403030900,A,B\n")
	for nmi := range 100 {
		fmt.Fprintf(&file, "200,NMI%d,E1,1,E1,,M,kWh,30,\n", nmi)
		for d := range 28 {
			fmt.Fprintf(&file, "300,202402%02d%s,A,,,20240302010000,\n", d+1, strings.Repeat(",0.1875", 48))
		}
	}
	file.WriteString("900\n")
	content := file.String()
	b.SetBytes(int64(len(content)))
	readings := 0
	for b.Loop() {
		err := meterfile.Read("f.csv", strings.NewReader(content), func(k *meterfile.Block) error {
			readings += len(k.Values)
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(readings)/b.Elapsed().Seconds(), "readings/s")
}
