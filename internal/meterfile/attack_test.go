package meterfile_test

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/meterfile"
)

// TestTooManyLinks: what an entry links to is bounded, in number and in bytes,
// before it is kept.
func TestTooManyLinks(t *testing.T) {
	links := func(rel string, count, length int) *endless {
		return &endless{
			head: "<feed><entry><link rel='self' href='X'/><MeterReading/>", tail: "</entry></feed>", parts: count,
			part: func(i int) string {
				return fmt.Sprintf("<link rel='%s' href='%s%d'/>\n", rel, strings.Repeat("x", length), i)
			},
		}
	}
	const want = "field link: want at most 1000 links of one entry, got more"
	tests := map[string]struct {
		file *endless
		want string
	}{
		"a thousand, and no block":  {links("related", 1000, 3), "f:1001: field IntervalBlock: want at least one, got none"},
		"one more":                  {links("related", 1001, 3), "f:1001: " + want},
		"one more that names it up": {links("up", 1001, 3), "f:1001: " + want},
		"a hundred thousand long":   {links("up", 100_000, 4000), "f:1001: " + want},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			refusal(t, readFile(t, test.file), test.want)
			runtime.ReadMemStats(&after)
			if spent := after.TotalAlloc - before.TotalAlloc; spent > 64<<20 {
				t.Errorf("%d bytes were allocated, want at most 64 MiB", spent)
			}
		})
	}
}

// TestLinksAreBoundedTogether: many entries of a thousand long links each.
func TestLinksAreBoundedTogether(t *testing.T) {
	var entry strings.Builder
	for i := range 999 {
		fmt.Fprintf(&entry, "<link rel='related' href='%s%d'/>", strings.Repeat("x", 4000), i)
	}
	file := &endless{head: "<feed>", tail: "</feed>", parts: 30, part: func(i int) string {
		return fmt.Sprintf("<entry><link rel='self' href='M/%d'/><MeterReading/>%s</entry>", i, &entry)
	}}
	refusal(t, readFile(t, file), "f:1: field link: want at most 33554432 bytes of links and codes, got more")
}

// TestManyBlocksMayHaveLinks: what an entry of readings links to is forgotten,
// and does not count.
func TestManyBlocksMayHaveLinks(t *testing.T) {
	file := &endless{
		head: "<feed><entry><id>a</id><UsagePoint><ServiceCategory><kind>0</kind></ServiceCategory></UsagePoint></entry><entry><link rel='self' href='M/1'/><MeterReading/></entry>" +
			"<ReadingType><uom>72</uom></ReadingType>", tail: "</feed>", parts: 10_000,
		part: func(i int) string {
			return fmt.Sprintf("<entry><link rel='related' href='%s%d'/><link rel='up' href='M/1/IntervalBlock'/><IntervalBlock>%s</IntervalBlock></entry>", strings.Repeat("x", 4000), i, reading(i*900, 900, "1"))
		},
	}
	if err := readFile(t, file); err != nil {
		t.Errorf("got error %v, want none: 40 MB of links that nobody keeps", err)
	}
}

// TestLinksInNoTime reads files whose links once took minutes. The bounds are
// wide: what takes the square of what it should is far beyond them.
func TestLinksInNoTime(t *testing.T) {
	var links strings.Builder
	for i := range 999 {
		fmt.Fprintf(&links, "<link rel='related' href='%s%d'/>", strings.Repeat("x", 300), i)
	}
	const tail = "</feed>"
	const point = "<UsagePoint><ServiceCategory><kind>0</kind></ServiceCategory></UsagePoint>"
	tests := map[string]*endless{
		"the same links again and again": {head: "<feed>", tail: tail, parts: 100, part: func(int) string {
			return "<entry><link rel='self' href='X'/>" + links.String() + "<UsagePoint/></entry>"
		}},
		"the time of many meters of one home": {
			head: "<feed><entry><id>a</id><link rel='self' href='U/1'/>" + links.String() + "<link rel='related' href='L/1'/>" + point + "</entry>" +
				"<entry><link rel='self' href='L/1'/><LocalTimeParameters><tzOffset>0</tzOffset></LocalTimeParameters></entry><entry><link rel='self' href='L/2'/><LocalTimeParameters/></entry>" +
				"<ReadingType><uom>72</uom></ReadingType>",
			tail: tail, parts: 10_000, part: func(i int) string {
				return fmt.Sprintf("<entry><link rel='self' href='M/%d'/><MeterReading/></entry><entry><link rel='up' href='M/%d'/><IntervalBlock/></entry>", i, i)
			},
		},
	}
	for name, file := range tests {
		t.Run(name, func(t *testing.T) {
			from := time.Now()
			err := readFile(t, file)
			if took := time.Since(from); err == nil || took > 20*time.Second {
				t.Errorf("got error %v after %v, want a refusal for want of readings within 20 s", err, took)
			}
		})
	}
}

// readFile reads a file for its refusal.
func readFile(t *testing.T, file *endless) error {
	t.Helper()
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	return meterfile.Read("f", file, func(*meterfile.Block) error { return nil })
}

// TestSpacesAreNotKept: the spaces around a link, an identifier or a code are
// bounded only one by one.
func TestSpacesAreNotKept(t *testing.T) {
	const parts, most = 3000, 8 << 20
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for name, part := range map[string]string{
		"links":       "<entry><link rel='self' href='" + strings.Repeat(" ", 20_000) + "M/%d'/><MeterReading/></entry>",
		"identifiers": "<entry><id>" + strings.Repeat(" ", 4000) + "%d</id><MeterReading/></entry>",
		"codes":       "<ReadingType><uom>" + strings.Repeat(" ", 4000) + "%d</uom></ReadingType>",
	} {
		t.Run(name, func(t *testing.T) {
			before, after := heap(), uint64(0)
			err := readFile(t, &endless{head: "<feed>", tail: "</feed>", parts: parts, part: func(i int) string {
				if i == parts-1 {
					after = heap()
				}
				return fmt.Sprintf(part, i)
			}})
			if after > before+most {
				t.Errorf("got error %v and a heap of %d bytes after %d before, want at most %d more", err, after, before, most)
			}
		})
	}
}

// TestShortErrors: an error quotes a little of the file, whatever is in it.
func TestShortErrors(t *testing.T) {
	long := strings.Repeat("x", 4000)
	const head, register = "100,NEM12,202403030900,A,B\n", "200,NMI1,E1,1,E1,,M,kWh,30,\n"
	files := map[string]string{
		"a text":                  long,
		"a root":                  "<" + long + "/>",
		"an entity":               "<feed>&" + long + ";</feed>",
		"an end":                  "<feed></" + long + ">",
		"a tower":                 strings.Repeat("<feed>", 64) + "<" + long + ">",
		"a name of odd letters":   "<feed><\u009b31m" + long + "/></feed>",
		"a document type":         "<!DOCTYPE " + long + ">",
		"an encoding":             "<?xml version='1.0' encoding='" + long + "'?><feed/>",
		"a version":               "<?xml version='" + long + "'?><feed/>",
		"a link":                  "<feed><entry><link rel='self' href='a'/><MeterReading/></entry><entry><link rel='self' href='b'/><MeterReading/></entry><entry><link rel='up' href='" + long + "'/><IntervalBlock/></entry></feed>",
		"a service":               feed{long, "<uom>72</uom>", newYork, ""}.String(),
		"a unit":                  feed{"0", "<uom>" + long + "</uom>", newYork, ""}.String(),
		"a multiplier":            feed{"0", "<uom>72</uom><powerOfTenMultiplier>" + long + "</powerOfTenMultiplier>", newYork, ""}.String(),
		"an offset":               feed{"0", "<uom>72</uom>", "<tzOffset>" + long + "</tzOffset>", ""}.String(),
		"a value":                 feed{"0", "<uom>72</uom>", newYork, reading(0, 900, long)}.String(),
		"a quality":               feed{"0", "<uom>72</uom>", newYork, "<IntervalReading><ReadingQuality><quality>" + long + "</quality></ReadingQuality></IntervalReading>"}.String(),
		"a header":                "100," + long,
		"an indicator":            head + "2" + long,
		"an NMI":                  head + "200," + long + "\n",
		"a suffix":                head + "200,N," + long + "," + long + "," + long + "\n",
		"a unit of a register":    head + "200,N,E1,1,E1,,M," + long + "\n",
		"the rest of a register":  head + "200,N,E1,1,E1,,M,kWh,30,," + long + "\n",
		"a date":                  head + register + "300," + long + "\n",
		"an interval":             head + register + "300,20240301," + long + "\n",
		"the quality of a day":    head + register + day("20240301", 48, long) + "\n",
		"the reason of a quality": head + register + day("20240301", 48, "S14,"+long) + "\n",
		"the rest of a day":       head + register + day("20240301", 48, "A,,,,"+long) + "\n",
		"a range":                 head + register + day("20240301", 48, "V,,,,") + "\n400," + long + "\n",
		"the end of a range":      head + register + day("20240301", 48, "V,,,,") + "\n400,1," + long + "\n",
		"the end of the file":     head + register + day("20240301", 48, "A,,,,") + "\n900," + long + "\n",
	}
	for i := range 9 {
		fields := strings.Split(strings.TrimSpace(csvLine("2024-06-01T00:00:00+02:00", "15,1,kwh,ACTUAL")), ",")
		fields[i] = long
		files[fmt.Sprint("field ", i+1, " of CSV")] = csvHead + strings.Join(fields, ",") + "\n"
	}
	for _, member := range []string{"supplyPoint", "registerId", "direction", "startAt", "endAt", "unit", "quality"} {
		line := ndjsonInterval("2024-06-01T00:00:00Z", "2024-06-01T01:00:00Z", "1")
		files["the member "+member] = strings.Replace(line, `"`+member+`":"`, `"`+member+`":"`+long, 1)
		files["the name "+member] = strings.Replace(line, member, long, 1)
	}
	for _, member := range []string{"NMI1", "E1", "KWH", "2024-03-01", "intervalRead", "0.25"} {
		files["CDR with "+member] = cdr(strings.Replace(cdrRead("E1", "", numbers(48, "0.25")), member, long, 1))
	}
	for _, i := range []int{0, 3, 6, 7, 8, 9, 10, 12, 13, 14, 15, 17, 18} { // those that are looked at
		fields := strings.Split("NMI1,11,1,11,11,METER,E,1,20240101000000,S11,1,x,2,20240102000000,S11,1,x,1,kWh,,,", ",")
		fields[i] = long
		files[fmt.Sprint("field ", i+2, " of NEM13")] = nem13Head + "250," + strings.Join(fields, ",") + "\n900\n"
	}
	files["the end of NEM13"] = nem13Head + long
	for _, part := range []string{"240601120007S", "4530303434", "000123.456", "kWh", "240601115500S"} {
		files["a telegram with "+part] = telegram(strings.Replace(strings.Join([]string{dsmrTime, dsmrMeter, dsmrLow, dsmrGas}, "\r\n"), part, long, 1))
	}
	files["a long object"] = telegram(long)
	files["a long checksum"] = "/X\r\n" + dsmrTime + "\r\n!" + long
	for name, content := range files {
		_, err := read(t, "f", content)
		if err == nil || len(err.Error()) > 300 || strings.Contains(err.Error(), "\u009b") {
			t.Errorf("%s: got error %.2000q, want one of at most 300 bytes that print", name, fmt.Sprint(err))
		}
	}
	packed := archive(t, "hello", strings.Repeat("long", 1000)+"\x1b[31m.csv")
	err := meterfile.Each("f.zip", bytes.NewReader(packed), int64(len(packed)), func(name string, r io.ReadSeeker) error {
		return meterfile.Read(name, r, func(*meterfile.Block) error { return nil })
	})
	if err == nil || len(err.Error()) > 300 || !strings.HasPrefix(err.Error(), "f.zip/…") || !strings.Contains(err.Error(), "?[31m.csv:1: ") {
		t.Errorf("a long name in an archive: got error %.2000q, want the end of its name, printable", fmt.Sprint(err))
	}
}

// TestValuesAreBounded: at most 9 places and 10^7 of the unit, in both formats.
func TestValuesAreBounded(t *testing.T) {
	const head, register = "100,NEM12,202403030900,A,B\n", "200,NMI1,E1,1,E1,,M,kWh,30,\n"
	nem12 := func(value, quality string) string {
		return head + register + strings.Replace(day("20240301", 48, quality+",,,,"), ",1,", ","+value+",", 1) + "\n900\n"
	}
	espi := func(value, multiplier string) string {
		return feed{"0", "<uom>72</uom><powerOfTenMultiplier>" + multiplier + "</powerOfTenMultiplier>", newYork, reading(0, 900, value)}.String()
	}
	const want = "want a number between -10000000 and 10000000 with at most 9 decimal places"
	tests := map[string]struct{ content, want string }{
		"NEM12, the greatest":            {nem12("9999999.999999999", "A"), "9999999.999999999"},
		"NEM12, many zeros":              {nem12("0.125000000000000", "A"), "0.125"},
		"NEM12, beyond":                  {nem12("10000000", "A"), "f:3: field IntervalValue1: " + want + `, got "10000000"`},
		"NEM12, an int64":                {nem12("9223372036854775807", "A"), "f:3: field IntervalValue1: " + want + `, got "9223372036854775807"`},
		"NEM12, too fine":                {nem12("0.0000000001", "A"), "f:3: field IntervalValue1: " + want + `, got "0.0000000001"`},
		"NEM12, a filler of quality N":   {nem12("9223372036854775807", "N"), "0"},
		"ESPI, the greatest":             {espi("9999999999999999", "-9"), "9999999.999999999"},
		"ESPI, the least":                {espi("-9999999999999999", "-9"), "-9999999.999999999"},
		"ESPI, beyond":                   {espi("-10000000", "0"), "f:7: field value: " + want + `, also after × 10^0, got "-10000000"`},
		"ESPI, beyond by its multiplier": {espi("10000", "3"), "f:7: field value: " + want + `, also after × 10^3, got "10000"`},
		"ESPI, an int64":                 {espi("9223372036854775807", "0"), "f:7: field value: " + want + `, also after × 10^0, got "9223372036854775807"`},
		"ESPI, too fine":                 {espi("1", "-10"), "f:7: field value: " + want + `, also after × 10^-10, got "1"`},
		"ESPI, fine but for zeros":       {espi("10", "-10"), "0.000000001"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			runs, err := read(t, "f", test.content)
			if strings.HasPrefix(test.want, "f:") {
				refusal(t, err, test.want)
			} else if err != nil || strings.TrimRight(runs[0].Values[0], "0") != strings.TrimRight(test.want, "0") {
				t.Errorf("got %+v and error %v, want %s", runs, err, test.want)
			}
		})
	}
}
