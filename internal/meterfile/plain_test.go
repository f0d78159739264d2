package meterfile_test

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// plainNEM reads NEM12 and NEM13.
func plainNEM(t *testing.T, l ledger, content []byte) {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	records, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var name string
	var length int
	var date string
	var values []string
	finish := func() {
		for _, v := range values {
			if v != "" {
				l.add(t, name+" on "+date, v)
			}
		}
		values = nil
	}
	way := map[bool]string{false: "CONSUMPTION", true: "GENERATION"}
	for _, f := range records {
		switch f[0] {
		case "200":
			finish()
			name = fmt.Sprintf("%s %s %s %s", f[1], f[4], way[strings.HasPrefix(f[4], "B")], strings.ToLower(f[7]))
			length, _ = strconv.Atoi(f[8])
		case "300":
			finish()
			n := 1440 / length
			date, values = f[1][:4]+"-"+f[1][4:6]+"-"+f[1][6:], f[2:2+n]
			if f[2+n] == "N" {
				values = nil
			}
		case "400":
			from, _ := strconv.Atoi(f[1])
			to, _ := strconv.Atoi(f[2])
			for i := from - 1; i < to && f[3] == "N"; i++ {
				values[i] = ""
			}
		case "250":
			name := fmt.Sprintf("%s %s %s %s", f[1], f[4], way[f[7] == "I"], strings.ToLower(f[19]))
			for i, method := range map[int]string{8: f[10], 13: f[15]} {
				at, err := time.Parse("20060102150405-07:00", f[i+1]+"+10:00")
				if err != nil {
					t.Fatal(err)
				}
				if method != "N" {
					l.set(t, name+" at "+at.UTC().Format(time.RFC3339), f[i])
				}
			}
		}
	}
	finish()
}

// plainESPI reads Green Button feeds whose reading types all say Wh, which
// those are that we take.
func plainESPI(t *testing.T, l ledger, content []byte) {
	t.Helper()
	var feed struct {
		Entries []struct {
			Units  []string `xml:"content>ReadingType>uom"`
			Powers []string `xml:"content>ReadingType>powerOfTenMultiplier"`
			Offset *int64   `xml:"content>LocalTimeParameters>tzOffset"`
			Blocks []struct {
				Readings []struct {
					Start int64  `xml:"timePeriod>start"`
					Value string `xml:"value"`
				} `xml:"IntervalReading"`
			} `xml:"content>IntervalBlock"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal(content, &feed); err != nil {
		t.Fatal(err)
	}
	var offset *int64
	for _, e := range feed.Entries {
		for i, unit := range e.Units {
			if unit != "72" || e.Powers[i] != "0" {
				t.Fatalf("unit %s × 10^%s, want Wh: this reader knows no other", unit, e.Powers[i])
			}
		}
		if e.Offset != nil {
			offset = e.Offset
		}
	}
	for _, e := range feed.Entries {
		for _, b := range e.Blocks {
			for _, r := range b.Readings {
				at := time.Unix(r.Start, 0).UTC()
				if offset != nil {
					if at = at.Add(time.Duration(*offset) * time.Second); americanSummer(at) {
						at = at.Add(time.Hour)
					}
				}
				l.add(t, at.Format(time.DateOnly), r.Value)
			}
		}
	}
}

// americanSummer reports whether clocks that show standard time are an hour
// ahead of it: from two o'clock on the second Sunday of March to one o'clock on
// the first of November.
func americanSummer(standard time.Time) bool {
	sunday := func(month time.Month, day int) time.Time {
		d := time.Date(standard.Year(), month, day, 0, 0, 0, 0, time.UTC)
		return d.AddDate(0, 0, (7-int(d.Weekday()))%7)
	}
	return !standard.Before(sunday(time.March, 8).Add(2*time.Hour)) && standard.Before(sunday(time.November, 1).Add(time.Hour))
}

var (
	telegramTime     = regexp.MustCompile(`(?m)^0-0:1\.0\.0\((\d{12})([WS])\)`)
	telegramMeter    = regexp.MustCompile(`(?m)^0-0:96\.1\.[01]\(([0-9A-F]+)\)`)
	telegramRegister = regexp.MustCompile(`(?m)^1-0:([12]\.8\.\d)\(([0-9.]+)\*(\w+)\)`)
	telegramGasMeter = regexp.MustCompile(`(?m)^0-(\d):96\.1\.[01]\(([0-9A-F]+)\)`)
	telegramGas      = regexp.MustCompile(`(?m)^0-(\d):(24\.2\.[13])\((\d{12})([WS])\)\(([0-9.]+)\*m3\)`)
	telegramGasKind  = regexp.MustCompile(`(?m)^0-(\d):24\.1\.0\(003\)`)
)

// plainDSMR reads one telegram.
func plainDSMR(t *testing.T, l ledger, content []byte) {
	t.Helper()
	text := strings.ReplaceAll(string(content), "\r\n", "\n")
	at := func(digits, letter string) string {
		moment, err := time.Parse("060102150405-07:00", digits+map[string]string{"W": "+01:00", "S": "+02:00"}[letter])
		if err != nil {
			t.Fatal(err)
		}
		return " at " + moment.UTC().Format(time.RFC3339)
	}
	now, meter := telegramTime.FindStringSubmatch(text), telegramMeter.FindStringSubmatch(text)
	for _, r := range telegramRegister.FindAllStringSubmatch(text, -1) {
		way := map[byte]string{'1': "CONSUMPTION", '2': "GENERATION"}[r[1][0]]
		l.set(t, meter[1]+" "+r[1]+" "+way+" "+strings.ToLower(r[3])+at(now[1], now[2]), r[2])
	}
	kind, meters := map[string]bool{}, map[string]string{}
	for _, m := range telegramGasKind.FindAllStringSubmatch(text, -1) {
		kind[m[1]] = true
	}
	for _, m := range telegramGasMeter.FindAllStringSubmatch(text, -1) {
		meters[m[1]] = m[2]
	}
	for _, g := range telegramGas.FindAllStringSubmatch(text, -1) {
		if kind[g[1]] {
			l.set(t, meters[g[1]]+" "+g[2]+" CONSUMPTION m3"+at(g[3], g[4]), g[5])
		}
	}
}
