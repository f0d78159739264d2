package meterfile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/meterfile"
)

// instants tells a run as single readings, whatever joined them.
func instants(tb testing.TB, runs []run) (lines []string) {
	tb.Helper()
	for _, r := range runs {
		start, err := time.Parse(time.RFC3339, r.Start)
		if err != nil {
			tb.Fatal(err)
		}
		for i, v := range r.Values {
			at := start.Add(time.Duration(i*r.Minutes) * time.Minute)
			if strings.Contains(v, ".") {
				v = strings.TrimSuffix(strings.TrimRight(v, "0"), ".")
			}
			lines = append(lines, fmt.Sprintf("%s:%s,%s,%s,%s,%d,%s,%s,%s", r.Market, r.Identifier, r.Register, r.Direction,
				at.Format("2006-01-02T15:04:05Z"), r.Minutes, v, r.Unit, r.Quality[i]))
		}
	}
	return lines
}

// partlyAll reads a file in part and returns its readings, of which each is a
// run of its own, and how many lines were rejected.
func partlyAll(t *testing.T, f meterfile.Format, content string) (runs []run, rejected int) {
	t.Helper()
	err := meterfile.ReadAs(f, "f", strings.NewReader(content), keep(t, &runs), func(*meterfile.Error) bool { rejected++; return true })
	if err != nil {
		rejected++
	}
	for _, r := range runs {
		if len(r.Values) != 1 {
			t.Errorf("got a run of %d readings, want each reading alone", len(r.Values))
		}
	}
	return runs, rejected
}

// FuzzCSV holds the reader to this: what it takes is the same in one piece and
// line by line, and written again reads the same.
func FuzzCSV(f *testing.F) {
	f.Add(csvHead + csvLine("2024-10-27T02:45:00+02:00", "15,-0.125,kwh,ACTUAL") + csvLine("2024-10-27T02:00:00+01:00", "15,1,kwh,ESTIMATE") + csvLine("2024-10-27T02:15:00+01:00", "15,,kwh,MISSING"))
	f.Add("\xef\xbb\xbf" + csvHead + "\"NLD_GAS:g\",\"24.2.1\",GENERATION,2024-06-01T00:00:00.0+02:00,2024-05-31T22:00:00+00:00,0,\"12345678.5\",M3,SUBSTITUTED\r\n")
	f.Fuzz(func(t *testing.T, content string) {
		runs := twice(t, meterfile.CSV, content)
		alone, rejected := partlyAll(t, meterfile.CSV, content)
		if runs == nil {
			return
		}
		want := instants(t, runs)
		if got := instants(t, alone); rejected > 0 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("line by line: got %q and %d rejected, want %q", got, rejected, want)
		}
		again := csvHead
		for _, line := range want {
			field := strings.Split(line, ",")
			again += strings.Join([]string{field[0], field[1], field[2], field[3], field[3], field[4], field[5], field[6], field[7]}, ",") + "\n"
		}
		if got, err := readAs(t, meterfile.CSV, "again", again); err != nil || fmt.Sprint(instants(t, got)) != fmt.Sprint(want) {
			t.Errorf("read again: got %q and error %v, want %q", instants(t, got), err, want)
		}
	})
}

// FuzzNDJSON holds the reader to the same as FuzzCSV.
func FuzzNDJSON(f *testing.F) {
	f.Add(ndjsonInterval("2024-06-01T00:00:00+02:00", "2024-06-01T00:15:00+02:00", `"0.125"`) + ndjsonInterval("2024-06-01T00:15:00+02:00", "2024-05-31T22:30:00Z", `-1e-3`) + ndjsonInterval("2024-03-31T00:00:00+01:00", "2024-04-01T00:00:00+02:00", `1`))
	f.Add(`{"readAt":"2024-06-01T12:00:07Z","quality":"ACTUAL","unit":"m3","value":123.456,"direction":"GENERATION","registerId":"1\u002e8","supplyPoint":"NLD_GAS:x"}`)
	f.Add(`{"value":null,"readAt":"2024-06-01T12:00:07Z","quality":"MISSING","unit":"m3","direction":"GENERATION","registerId":"1","supplyPoint":"NLD_GAS:x"}`)
	f.Fuzz(func(t *testing.T, content string) {
		runs := twice(t, meterfile.NDJSON, content)
		alone, rejected := partlyAll(t, meterfile.NDJSON, content)
		if runs == nil {
			return
		}
		want := instants(t, runs)
		if got := instants(t, alone); rejected > 0 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("line by line: got %q and %d rejected, want %q", got, rejected, want)
		}
		again := ""
		for _, line := range want {
			field := strings.Split(line, ",")
			times := fmt.Sprintf(`"readAt":"%s"`, field[3])
			if field[4] != "0" {
				start, _ := time.Parse(time.RFC3339, field[3]) // as it was printed
				minutes, _ := time.ParseDuration(field[4] + "m")
				times = fmt.Sprintf(`"startAt":"%s","endAt":"%s"`, field[3], start.Add(minutes).Format(time.RFC3339))
			}
			again += fmt.Sprintf(`{"supplyPoint":%q,"registerId":%q,"direction":%q,%s,"value":%s,"unit":%q,"quality":%q}`+"\n", field[0], field[1], field[2], times, field[5], field[6], field[7])
		}
		if got, err := readAs(t, meterfile.NDJSON, "again", again); err != nil || fmt.Sprint(instants(t, got)) != fmt.Sprint(want) {
			t.Errorf("read again: got %q and error %v, want %q", instants(t, got), err, want)
		}
	})
}
