package meterfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/meterfile"
)

// badFile is a file that is refused at a line, for a reason.
type badFile struct {
	content string
	line    int
	reason  string // the field and what was got
}

// TestBadInput has each kind of bad input, of every format that can have it. The
// tests of each format have the whole sentences, and many more. What only the
// store can tell is tested in package intake: readings that overlap across
// blocks, local times that the supply point's zone does not have, and the supply
// points of another partner.
func TestBadInput(t *testing.T) {
	const head, register = "100,NEM12,202403030900,A,B\n", "200,NMI1,E1,1,E1,,M,kWh,30,\n"
	nem12 := func(lines string) string { return head + register + lines + "900\n" }
	nem13 := func(value, method, unit string) string {
		return nem13Head + nem13Record("E", "1,20240101000000,A,,", value+",20240201000000,"+method+",,", "1,"+unit+",,,") + "900\n"
	}
	good := day("20240301", 48, "A") + "\n"
	line := func(rest string) string { return csvHead + csvLine("2024-06-01T00:00:00+02:00", rest) }
	object := ndjsonInterval("2024-06-01T00:00:00+02:00", "2024-06-01T00:15:00+02:00", `1`)
	with := func(from, to string) string { return strings.Replace(object, from, to, 1) }
	espi := func(readingType, block string) string { return feed{"0", readingType, newYork, block}.String() }
	answer := func(from, to string) string {
		return cdr(strings.Replace(cdrRead("E1", "", numbers(48, "1")), from, to, 1))
	}
	p1 := func(register string) string { return telegram(dsmrTime, dsmrMeter, register) }
	const thirty = "1000000000000000000000000000000"
	tests := map[string]map[string]badFile{
		"overlapping intervals in one file": {
			"NEM12": {nem12(day("20240301", 48, "V") + "\n400,1,24,A\n400,24,48,A\n"), 5, `StartInterval: want 25, got "24"`},
			"CDR":   {answer(`"aggregateValue":1`, `"readQualities":[{"startInterval":1,"endInterval":9,"quality":"SUBSTITUTE"},{"startInterval":9,"endInterval":9,"quality":"SUBSTITUTE"}]`), 2, "got 9 to 9"},
		},
		"a wrong interval length": {
			"NEM12":  {head + "200,NMI1,E1,1,E1,,M,kWh,20,\n", 2, `IntervalLength: want 5, 15 or 30 minutes, got "20"`},
			"ESPI":   {espi("<uom>72</uom>", reading(0, 7200, "1")), 7, "got 7200 seconds"},
			"CDR":    {answer(":30,", ":45,"), 2, `readIntervalLength: want minutes that divide an hour, got "45"`},
			"CSV":    {line("45,1,kwh,ACTUAL"), 2, `got "45"`},
			"NDJSON": {with("00:15:00", "00:45:00"), 1, `endAt: want an end after minutes that divide an hour, or after one day, got "2024-06-01T00:45:00+02:00"`},
		},
		"a day with 47 of 48 values": {
			"NEM12": {nem12(day("20240301", 47, "A") + "\n"), 3, `IntervalValue48: want a number that is not negative; a day of 30 minutes has 48, got "A"`},
			"CDR":   {cdr(cdrRead("E1", "", numbers(47, "1"))), 2, "intervalReads: want 48 values, as a day of 30 minutes has 48, got 47"},
		},
		"an unknown unit": {
			"NEM12":  {head + "200,NMI1,E1,1,E1,,M,therm,30,\n", 2, `UOM: want kWh, Wh, kvarh or varh, got "therm"`},
			"NEM13":  {nem13("1", "A", "therm"), 2, `UOM: want kWh, Wh, kvarh or varh, got "therm"`},
			"ESPI":   {espi("<uom>169</uom>", reading(0, 900, "1")), 4, `169 is therms, got "169"`},
			"CDR":    {answer("KWH", "therm"), 2, `unitOfMeasure: want kWh, Wh, kvarh or varh, got "therm"`},
			"CSV":    {line("15,1,therm,ACTUAL"), 2, `unit: want kwh, wh, m3, kvarh or varh, got "therm"`},
			"NDJSON": {with("kwh", "therm"), 1, `unit: want kwh, wh, m3, kvarh or varh, got "therm"`},
			"DSMR":   {p1("1-0:1.8.1(1*therm)"), 5, `1.8.1: want a number of kWh or Wh, got "1*therm"`},
		},
		"an empty unit": {
			"NEM12":  {head + "200,NMI1,E1,1,E1,,M,,30,\n", 2, "UOM: want kWh, Wh, kvarh or varh, got nothing"},
			"NEM13":  {nem13("1", "A", ""), 2, "UOM: want kWh, Wh, kvarh or varh, got nothing"},
			"ESPI":   {espi("", reading(0, 900, "1")), 4, "got no such element"},
			"CDR":    {answer("KWH", ""), 2, "unitOfMeasure: want kWh, Wh, kvarh or varh, got nothing"},
			"CSV":    {line("15,1,,ACTUAL"), 2, "unit: want kwh, wh, m3, kvarh or varh, got nothing"},
			"NDJSON": {with("kwh", ""), 1, "unit: want kwh, wh, m3, kvarh or varh, got nothing"},
			"DSMR":   {p1("1-0:1.8.1(1)"), 5, `1.8.1: want a number of kWh or Wh, got "1"`},
		},
		"a quality flag that needs a reason code without one": {
			"NEM12":              {nem12(day("20240301", 48, "S14") + "\n"), 3, "ReasonCode: want a number, as the quality is S, got nothing"},
			"NEM12, in a range":  {nem12(day("20240301", 48, "V") + "\n400,1,48,F14,,\n"), 4, "ReasonCode: want a number, as the quality is F, got nothing"},
			"NEM13":              {nem13("1", "F64", "kWh"), 2, "CurrentReasonCode: want a number, as the quality is F, got nothing"},
			"CDR, an odd one":    {answer(`"aggregateValue":1`, `"readQualities":[{"startInterval":1,"endInterval":1}]`), 2, "readQualities.quality: want SUBSTITUTE or FINAL_SUBSTITUTE, got nothing"},
			"ESPI, an odd one":   {espi("<uom>72</uom>", "<IntervalReading><ReadingQuality><quality>99</quality></ReadingQuality></IntervalReading>"), 7, `got "99"`},
			"CSV, an odd one":    {line("15,1,kwh,S14"), 2, `got "S14"`},
			"NDJSON, an odd one": {with("ACTUAL", "S14"), 1, `got "S14"`},
		},
		"NaN": {
			"NEM12":  {nem12("300,20240301" + strings.Repeat(",NaN", 48) + ",A\n"), 3, `IntervalValue1: want a number that is not negative; a day of 30 minutes has 48, got "NaN"`},
			"NEM13":  {nem13("NaN", "A", "kWh"), 2, `got "NaN"`},
			"ESPI":   {espi("<uom>72</uom>", reading(0, 900, "NaN")), 7, `got "NaN"`},
			"CDR":    {answer("[1,", "[NaN,"), 2, `got "NaN"`},
			"CSV":    {line("15,NaN,kwh,ACTUAL"), 2, `got "NaN"`},
			"NDJSON": {with(`"value":1`, `"value":"NaN"`), 1, `got "NaN"`},
			"DSMR":   {p1("1-0:1.8.1(NaN*kWh)"), 5, `got "NaN*kWh"`},
		},
		"10^30": {
			"NEM12":        {nem12("300,20240301" + strings.Repeat(","+thirty, 48) + ",A\n"), 3, `got "` + thirty + `"`},
			"NEM13":        {nem13(thirty, "A", "kWh"), 2, `got "` + thirty + `"`},
			"ESPI":         {espi("<uom>72</uom>", reading(0, 900, thirty)), 7, `got "` + thirty + `"`},
			"ESPI, a unit": {espi("<uom>72</uom><powerOfTenMultiplier>18</powerOfTenMultiplier>", reading(0, 900, "1000000000000")), 7, `also after × 10^18, got "1000000000000"`},
			"CDR":          {answer("[1,", "[1e30,"), 2, `got "1e30"`},
			"CSV":          {line("15," + thirty + ",kwh,ACTUAL"), 2, `got "` + thirty + `"`},
			"NDJSON":       {with(`"value":1`, `"value":1e30`), 1, `got "1e30"`},
			"DSMR":         {p1("1-0:1.8.1(" + thirty + "*kWh)"), 5, `got "` + thirty + `*kWh"`},
		},
		"a negative value in NEM12": {
			"NEM12":           {nem12("300,20240301" + strings.Repeat(",-1", 48) + ",A\n"), 3, `IntervalValue1: want a number that is not negative; a day of 30 minutes has 48, got "-1"`},
			"NEM13, an index": {nem13("-1", "A", "kWh"), 2, `got "-1"`},
			"DSMR, an index":  {p1("1-0:1.8.1(-1*kWh)"), 5, `got "-1*kWh"`},
		},
		"a non-existing local time": {
			"NEM12":  {nem12(day("20230229", 48, "A") + "\n"), 3, `IntervalDate: want an existing day as YYYYMMDD, got "20230229"`},
			"NEM13":  {nem13Head + nem13Record("E", "1,20230229000000,A,,", "1,20240101000000,A,,", "1,kWh"), 2, `got "20230229000000"`},
			"CDR":    {answer("2024-03-01", "2023-02-29"), 2, `readStartDate: want an existing day as YYYY-MM-DD, got "2023-02-29"`},
			"CSV":    {strings.Replace(line("15,1,kwh,ACTUAL"), "2024-06-01T", "2023-02-29T", 1), 2, `got "2023-02-29T00:00:00+02:00"`},
			"NDJSON": {with("2024-06-01T", "2023-02-29T"), 1, `got "2023-02-29T00:00:00+02:00"`},
			"DSMR":   {telegram("0-0:1.0.0(240331023000W)", dsmrMeter, dsmrLow), 3, `time: want a time that exists in Europe/Amsterdam, got "240331023000W"`},
		},
		"a duplicate register": {
			"NEM12":         {nem12(good + register + good), 5, "got a repeated register: E1 of NMI1 has had 2024-03-01"},
			"DSMR":          {telegram(dsmrTime, dsmrMeter, dsmrLow, dsmrLow), 6, `got a repeated register: "000123.456*kWh"`},
			"CDR, a member": {answer(`"readUType"`, `"registerSuffix":"E2","readUType"`), 2, "registerSuffix: want one, got a second one"},
		},
		"a truncated file": {
			"NEM12":                 {head + register + good, 4, "got the end of the file; it may have been cut off"},
			"NEM12, within a day":   {head + register + good[:50], 3, "got nothing"},
			"NEM13":                 {nem13Head + nem13Record("E", "1,20240101000000,A,,", "1,20240201000000,A,,", "1,kWh"), 3, "got the end of the file; it may have been cut off"},
			"ESPI":                  {espi("<uom>72</uom>", reading(0, 900, "1"))[:500], 6, "XML: want"},
			"CDR":                   {cdr(cdrRead("E1", "", numbers(48, "1")))[:200], 2, "got the end of the file; it may have been cut off"},
			"CSV":                   {strings.TrimSuffix(line("15,1,kwh,ACTUAL"), "AL\n"), 2, `got "ACTU"`},
			"NDJSON":                {object[:len(object)-9], 1, "quality: want a text"},
			"DSMR":                  {telegram(dsmrTime, dsmrMeter, dsmrLow)[:80], 5, "object: want"},
			"DSMR, of its checksum": {strings.TrimSuffix(p1(dsmrLow), "\r\n")[:len(p1(dsmrLow))-5], 6, "checksum"},
		},
	}
	for kind, files := range tests {
		for format, file := range files {
			t.Run(kind+"/"+format, func(t *testing.T) {
				_, err := read(t, "f", file.content)
				var e *meterfile.Error
				if !errors.As(err, &e) || e.File != "f" || e.Line != file.line || !strings.Contains(err.Error(), file.reason) {
					t.Errorf("got error %v, want f:%d and %q", err, file.line, file.reason)
				}
			})
		}
	}
	t.Run("a zip bomb", func(t *testing.T) {
		packed := bomb(t)
		err := meterfile.Each("f", bytes.NewReader(packed), int64(len(packed)), func(name string, r io.ReadSeeker) error {
			_, err := io.Copy(io.Discard, r)
			return err
		})
		if want := "f/4:1: field archive: want at most 1073741824 bytes unpacked, got more"; fmt.Sprint(err) != want {
			t.Errorf("got error %v, want %s", err, want)
		}
	})
}
