package meterfile_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/meterfile"
)

// partly reads a file in part: it tells the runs by their lines, and what was
// rejected. The consumer refuses the runs whose first value is 666.
func partly(t *testing.T, f meterfile.Format, content string, most int) (lines []int, rejected []string, err error) {
	t.Helper()
	err = meterfile.ReadAs(f, "f", strings.NewReader(content), func(b *meterfile.Block) error {
		check(t, b)
		if b.Values[0] == 666 {
			return &meterfile.Error{File: "f", Line: b.Line, Field: "value", Want: "less", Got: "666"}
		}
		lines = append(lines, b.Line)
		return nil
	}, func(e *meterfile.Error) bool {
		rejected = append(rejected, e.Error())
		return len(rejected) < most
	})
	return lines, rejected, err
}

func TestPartial(t *testing.T) {
	quarter := func(minute int, value string) string {
		return csvLine(fmt.Sprintf("2024-06-01T00:%02d:00+02:00", minute), "15,"+value+",kwh,ACTUAL")
	}
	object := func(minute int, value string) string {
		return ndjsonInterval(fmt.Sprintf("2024-06-01T00:%02d:00+02:00", minute), fmt.Sprintf("2024-06-01T00:%02d:00+02:00", minute+15), value)
	}
	const head, register = "100,NEM12,202403030900,A,B\n", "200,NMI1,E1,1,E1,,M,kWh,30,\n"
	a := func(date string) string { return day(date, 48, "A,,,,") + "\n" }
	v := func(date string) string { return day(date, 48, "V,,,,") + "\n" }
	const number = "want a number between -10000000 and 10000000 with at most 9 decimal places"
	const read13 = "250,NMI1,11,1,11,11,M,E,1,20240101000000,A,,,%s,20240201000000,A,,,1,kWh,,,\n"
	tests := map[string]struct {
		format   meterfile.Format
		content  string
		lines    []int
		rejected []string
	}{
		"CSV": {
			meterfile.CSV, csvHead + quarter(0, "1") + quarter(15, "x") + quarter(30, "666") + strings.Repeat("y", 200_000) + "\n" + "a\n" + quarter(0, "2") + quarter(15, "3"),
			[]int{2, 7, 8},
			[]string{`f:3: field value: ` + number + `, got "x"`, "f:4: field value: want less, got 666", "f:5: field line: want at most 65536 bytes, got a longer one", "f:6: field line: want 9 fields, as in the head, got 1"},
		},
		"NDJSON": {
			meterfile.NDJSON, object(0, "1") + "?\n" + object(15, "2") + object(30, "666") + object(30, "1e9") + strings.Repeat("y", 70_000),
			[]int{1, 3},
			[]string{`f:2: field line: want {, as one object of JSON has it, got "?"`, "f:4: field value: want less, got 666", `f:5: field value: ` + number + `, got "1e9"`, "f:6: field line: want at most 65536 bytes, got a longer one"},
		},
		"NEM12, days": {
			meterfile.NEM12, head + register + a("20240301") + day("20240302", 47, "A,,,,") + "\n" + a("20240302") + a("20240302") + strings.Replace(a("20240303"), ",1,", ",666,", 1) + a("20240304") + "900\n",
			[]int{3, 5, 8},
			[]string{
				`f:4: field IntervalValue48: want a number that is not negative; a day of 30 minutes has 48, got "A"`,
				"f:6: field IntervalDate: want each day of a register once, got a repeated register: E1 of NMI1 has had 2024-03-02",
				"f:7: field value: want less, got 666",
			},
		},
		"NEM12, qualities": {
			meterfile.NEM12, head + register + v("20240301") + "400,1,24,A,,\n400,26,48,A,,\n400,25,48,A,,\n" + v("20240302") + "400,1,48,S14,1,\n" + day("20240303", 48, "X") + "\n400,1,48,A,,\n" + v("20240304") + v("20240305") + "400,1,48,N,,\n900\n",
			[]int{7, 12},
			[]string{
				`f:5: field StartInterval: want 25, got "26"`, `f:9: field QualityMethod: want A, E, F, N, S or V after 48 values, a day of 30 minutes, got "X"`,
				"f:11: field QualityMethod: want 400 records for the intervals 1 to 48, got 0 covered",
			},
		},
		"NEM12, registers": {
			meterfile.NEM12, head + "200,N,E1,1,E1,,M,MWh,30,\n" + v("20240301") + "400,1,48,A,,\n500,O,S,20240301000000,1\n" + register + a("20240301") + "200,N,E1,1,E1,,M,,30,\n900\n",
			[]int{7},
			[]string{`f:2: field UOM: want kWh, Wh, kvarh or varh, got "MWh"`, `f:8: field UOM: want kWh, Wh, kvarh or varh, got nothing`},
		},
		"NEM13": {
			meterfile.NEM13, "100,NEM13,202403030900,A,B\n" + fmt.Sprintf(read13, "2") + fmt.Sprintf(read13, "x") + fmt.Sprintf(read13, "666") + "900\n",
			[]int{2, 2, 4},
			[]string{`f:3: field CurrentRegisterRead: want a number of at most 18 digits, 9 of them decimal places that is not negative, got "x"`, "f:4: field value: want less, got 666"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			lines, rejected, err := partly(t, test.format, test.content, 100)
			if err != nil || !slices.Equal(lines, test.lines) || !slices.Equal(rejected, test.rejected) {
				t.Errorf("got  runs of the lines %v, rejected %q and error %v\nwant runs of the lines %v, rejected %q and none", lines, rejected, err, test.lines, test.rejected)
			}
			_, rejected, err = partly(t, test.format, test.content, 1)
			if len(rejected) != 1 || err == nil || err.Error() != rejected[0] {
				t.Errorf("with room for none: got %q rejected and error %v, want the first one as the error", rejected, err)
			}
		})
	}
}

// TestPartialHasBounds: what concerns the whole file is refused in part, too.
func TestPartialHasBounds(t *testing.T) {
	const head, register = "100,NEM12,202403030900,A,B\n", "200,NMI1,E1,1,E1,,M,kWh,30,\n"
	tests := map[string]struct {
		format        meterfile.Format
		content, want string
	}{
		"CSV without its head":  {meterfile.CSV, "a\n", `f:1: field head: want ` + strings.TrimSpace(csvHead) + `, got "a"`},
		"NEM12 without its end": {meterfile.NEM12, head + register + day("20240301", 48, "A"), "f:4: field RecordIndicator: want 900, the record that ends a NEM12 file, got the end of the file; it may have been cut off"},
		"NEM12 of no day":       {meterfile.NEM12, head + register + "900\n", `f:3: field RecordIndicator: want at least one 300 record before the end, got "900"`},
		"NEM13 for NEM12":       {meterfile.NEM12, "100,NEM13,202403030900,A,B\n", `f:1: field VersionHeader: want NEM12, got "NEM13"`},
		"an unknown record":     {meterfile.NEM12, head + "250,X\n", `f:2: field RecordIndicator: want 200, 300, 400, 500 or 900, got "250"`},
		"CDR, which is whole":   {meterfile.CDR, `{"data":{"reads":[{}]}}`, "f:1: field servicePointId: want 1 to 64 letters and digits, got nothing"},
		"DSMR, which is whole":  {meterfile.DSMR, "/X\n\n!\n", "f:3: field telegram: want at least one register of electricity (1.8, 2.8) or of a gas meter (24.2), got none"},
		"ESPI, which is whole":  {meterfile.ESPI, "<feed/>", "f:1: field IntervalBlock: want at least one, got none"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, rejected, err := partly(t, test.format, test.content, 100)
			if refusal(t, err, test.want); len(rejected) > 0 {
				t.Errorf("got %q rejected, want the file refused", rejected)
			}
		})
	}
}

// TestPartialStopsWhereYieldDoes: only a refusal is rejected.
func TestPartialStopsWhereYieldDoes(t *testing.T) {
	full := errors.New("enough")
	for f, content := range map[meterfile.Format]string{
		meterfile.CSV:    csvHead + csvLine("2024-06-01T00:00:00+02:00", "15,1,kwh,ACTUAL"),
		meterfile.NDJSON: ndjsonInterval("2024-06-01T00:00:00Z", "2024-06-01T01:00:00Z", "1"),
		meterfile.NEM12:  "100,NEM12,202403030900,A,B\n200,NMI1,E1,1,E1,,M,kWh,30,\n" + day("20240301", 48, "A") + "\n900\n",
	} {
		err := meterfile.ReadAs(f, "f", strings.NewReader(content), func(*meterfile.Block) error { return full }, func(*meterfile.Error) bool { return true })
		if err != full {
			t.Errorf("%s: got error %v, want the one of yield", f, err)
		}
	}
}

func TestReadAsWhatIsOnlyWritten(t *testing.T) {
	for _, f := range []meterfile.Format{meterfile.JSON, meterfile.Parquet, "xlsx"} {
		if _, err := readAs(t, f, "f", "{}"); err == nil {
			t.Errorf("%s: got no error, want one: there is no reader", f)
		}
	}
}
