package meterfile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
)

func TestESPISpringDay(t *testing.T) {
	content, err := os.ReadFile("testdata/spring_day.espi.xml")
	if err != nil {
		t.Fatal(err)
	}
	runs, err := read(t, "spring_day.espi.xml", string(content))
	if err != nil || len(runs) != 1 || len(runs[0].Values) != 23 {
		t.Fatalf("got %+v and error %v, want one run of 23 hours", runs, err)
	}
	want := meterfile.Channel{
		Market: "USA_ELECTRICITY", Identifier: "6d1c1c1a-6f7e-4a53-8a0e-3a4b5c6d7e01", Register: "01",
		Unit: domain.WattHour, Zone: "America/New_York",
	}
	got := runs[0]
	if got.Channel != want || got.Start != "2024-03-10T05:00:00Z" || got.Minutes != 60 || got.Line != 17 {
		t.Errorf("got %+v, want hours of %+v from 2024-03-10T05:00:00Z, line 17", got, want)
	}
	if got.Values[1] != "468.750" || got.Quality[7] != domain.Estimate || got.Quality[8] != domain.Actual {
		t.Errorf("got value %s and qualities %v, want 468.750 and an estimate at 7 only", got.Values[1], got.Quality)
	}
}

// TestESPIRealSpringDay: 11 March 2012 has 92 quarters in New York.
func TestESPIRealSpringDay(t *testing.T) {
	path := filepath.Join(data(t, "espi"), "openespi", "test_usage_data_11.xml")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := read(t, "test_usage_data_11.xml", string(content))
	if err != nil || len(runs) != 1 || len(runs[0].Values) != 92 || runs[0].Minutes != 15 || runs[0].Zone != "America/New_York" {
		t.Errorf("got %d runs and error %v, want one of 92 quarters in America/New_York", len(runs), err)
	}
}

// feed makes a feed of one meter; the parts may be replaced.
type feed struct{ kind, readingType, localTime, block string }

func (f feed) String() string {
	return `<feed>
<entry><id>urn:uuid:AA-1</id><link rel="self" href="U/1"/><content><UsagePoint><ServiceCategory><kind>` + f.kind + `</kind></ServiceCategory></UsagePoint></content></entry>
<entry><link rel="self" href="U/1/MeterReading/7"/><content><MeterReading/></content></entry>
<entry><content><ReadingType>` + f.readingType + `</ReadingType></content></entry>
<entry><content><LocalTimeParameters>` + f.localTime + `</LocalTimeParameters></content></entry>
<entry><link rel="self" href="U/1/MeterReading/7/IntervalBlock/1"/><content><IntervalBlock>
` + f.block + `
</IntervalBlock></content></entry></feed>`
}

// reading makes an IntervalReading at so many seconds after 2024-01-01T05:00Z.
func reading(after, seconds int, value string) string {
	start := time.Date(2024, 1, 1, 5, 0, 0, 0, time.UTC).Unix() + int64(after)
	return fmt.Sprintf("<IntervalReading><timePeriod><duration>%d</duration><start>%d</start></timePeriod><value>%s</value></IntervalReading>", seconds, start, value)
}

const newYork = "<tzOffset>-18000</tzOffset><dstOffset>3600</dstOffset>"

func TestESPIMeaning(t *testing.T) {
	tests := map[string]struct {
		feed
		want string // of the first run
		runs int
	}{
		"watt hours with a multiplier of 3":    {feed{"0", "<uom>72</uom><powerOfTenMultiplier>3</powerOfTenMultiplier>", newYork, reading(0, 3600, "12")}, "USA_ELECTRICITY aa-1 7 CONSUMPTION wh America/New_York 60 [12000] [ACTUAL]", 1},
		"a multiplier of -3 and a point":       {feed{"0", "<uom>72</uom><powerOfTenMultiplier>-3</powerOfTenMultiplier>", newYork, reading(0, 3600, "12.5")}, "USA_ELECTRICITY aa-1 7 CONSUMPTION wh America/New_York 60 [0.0125] [ACTUAL]", 1},
		"the reverse direction and a negative": {feed{"0", "<uom>72</uom><flowDirection>19</flowDirection>", newYork, reading(0, 900, "-7")}, "USA_ELECTRICITY aa-1 7 GENERATION wh America/New_York 15 [-7] [ACTUAL]", 1},
		"reactive energy":                      {feed{"0", "<uom>73</uom>", newYork, reading(0, 900, "7")}, "USA_ELECTRICITY aa-1 7 CONSUMPTION varh America/New_York 15 [7] [ACTUAL]", 1},
		"gas, and no summer time":              {feed{"1", "<uom>42</uom>", "<tzOffset>-25200</tzOffset><dstOffset>0</dstOffset>", reading(0, 3600, "7")}, "USA_GAS aa-1 7 CONSUMPTION m3 -07:00 60 [7] [ACTUAL]", 1},
		"the day of autumn, in one":            {feed{"0", "<uom>72</uom>", newYork, reading(0, 90000, "7")}, "USA_ELECTRICITY aa-1 7 CONSUMPTION wh America/New_York 1440 [7] [ACTUAL]", 1},
		"a gap":                                {feed{"0", "<uom>72</uom>", newYork, reading(0, 900, "1") + reading(900, 900, "2") + reading(2700, 900, "3")}, "USA_ELECTRICITY aa-1 7 CONSUMPTION wh America/New_York 15 [1 2] [ACTUAL ACTUAL]", 2},
		"several lengths":                      {feed{"0", "<uom>72</uom>", newYork, reading(0, 900, "1") + reading(900, 300, "2")}, "USA_ELECTRICITY aa-1 7 CONSUMPTION wh America/New_York 15 [1] [ACTUAL]", 2},
		"a reading without a value":            {feed{"0", "<uom>72</uom>", newYork, reading(0, 900, "1") + reading(900, 900, "") + reading(1800, 900, "3")}, "USA_ELECTRICITY aa-1 7 CONSUMPTION wh America/New_York 15 [1] [ACTUAL]", 2},
		"readings without times": {
			feed{
				"0", "<uom>72</uom><intervalLength>900</intervalLength><defaultQuality>14</defaultQuality>", newYork,
				"<interval><start>1704085200</start></interval><IntervalReading><value>1</value></IntervalReading><IntervalReading><value>2</value><ReadingQuality><quality>9</quality></ReadingQuality></IntervalReading>",
			},
			"USA_ELECTRICITY aa-1 7 CONSUMPTION wh America/New_York 15 [1 2] [ACTUAL ESTIMATE]", 1,
		},
		"several qualities": {
			feed{
				"0", "<uom>72</uom><intervalLength>900</intervalLength>", newYork,
				"<interval><start>1704085200</start></interval><IntervalReading><ReadingQuality><quality>17</quality></ReadingQuality><ReadingQuality><quality>7</quality></ReadingQuality><value>1</value></IntervalReading>",
			},
			"USA_ELECTRICITY aa-1 7 CONSUMPTION wh America/New_York 15 [1] [SUBSTITUTED]", 1,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			runs, err := read(t, "f.xml", test.feed.String())
			if err != nil || len(runs) != test.runs {
				t.Fatalf("got %+v and error %v, want %d runs", runs, err, test.runs)
			}
			r := runs[0]
			got := fmt.Sprint(r.Market, " ", r.Identifier, " ", r.Register, " ", r.Direction, " ", r.Unit, " ", r.Zone, " ", r.Minutes, " ", r.Values, " ", r.Quality)
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestESPIRefusals(t *testing.T) {
	const uoms = "want 72 (Wh), 73 (VArh) or 42 (m3)"
	one := reading(0, 900, "1")
	tests := map[string]struct {
		file fmt.Stringer
		want string
	}{
		"demand":               {feed{"0", "<uom>38</uom>", newYork, one}, `4: field ReadingType.uom: ` + uoms + `; 38 is watt, which is demand, got "38"`},
		"therms":               {feed{"1", "<uom>169</uom>", newYork, one}, `4: field ReadingType.uom: ` + uoms + `; 169 is therms, got "169"`},
		"no unit":              {feed{"1", "", newYork, one}, `4: field ReadingType.uom: ` + uoms + `, got no such element`},
		"gas of electricity":   {feed{"0", "<uom>42</uom>", newYork, one}, `4: field ReadingType.uom: want 72 (Wh) or 73 (VArh), as the service is electricity, got "42"`},
		"water":                {feed{"2", "<uom>42</uom>", newYork, one}, `2: field UsagePoint.ServiceCategory.kind: want 0 (electricity) or 1 (gas), got "2"`},
		"net flow":             {feed{"0", "<uom>72</uom><flowDirection>4</flowDirection>", newYork, one}, `4: field ReadingType.flowDirection: want 1 (forward, delivered to the customer) or 19 (reverse), got "4"`},
		"index readings":       {feed{"0", "<uom>72</uom><accumulationBehaviour>3</accumulationBehaviour>", newYork, one}, `4: field ReadingType.accumulationBehaviour: want 4 (delta data); the others are index readings, sums or powers, got "3"`},
		"a huge multiplier":    {feed{"0", "<uom>72</uom><powerOfTenMultiplier>99</powerOfTenMultiplier>", newYork, one}, `4: field ReadingType.powerOfTenMultiplier: want a number from -18 to 18, got "99"`},
		"said twice":           {feed{"0", "<uom>72</uom><uom>73</uom>", newYork, one}, `4: field ReadingType.uom: want one, got a second one`},
		"summer time of India": {feed{"0", "<uom>72</uom>", "<tzOffset>19800</tzOffset><dstOffset>3600</dstOffset>", one}, `5: field LocalTimeParameters.tzOffset: want one of North America beside a dstOffset of 3600: -12600, -14400, -18000, -21600, -25200, -28800 or -32400, got "19800"`},
		"Europe's rule":        {feed{"0", "<uom>72</uom>", newYork + "<dstEndRule>A0000000</dstEndRule>", one}, `5: field LocalTimeParameters.dstEndRule: want a rule of North America, from March to November, got "A0000000"`},
		"a month":              {feed{"0", "<uom>72</uom>", newYork, reading(0, 2592000, "1")}, `7: field timePeriod.duration: want minutes that divide an hour, or one day; a bill's period is no reading, got 2592000 seconds`},
		"a fraction":           {feed{"0", "<uom>72</uom>", newYork, "<IntervalReading><timePeriod><start>1.5</start></timePeriod></IntervalReading>"}, `7: field timePeriod.start: want whole seconds from 0 to 7258118400, got "1.5"`},
		"no length":            {feed{"0", "<uom>72</uom>", newYork, "<IntervalReading><timePeriod><start>1704085200</start></timePeriod></IntervalReading>"}, `7: field timePeriod.duration: want minutes that divide an hour, or one day; a bill's period is no reading, got 0 seconds`},
		"no start":             {feed{"0", "<uom>72</uom>", newYork, "<IntervalReading><timePeriod><duration>900</duration></timePeriod></IntervalReading>"}, `7: field timePeriod.start: want seconds since 1970, got nothing`},
		"a word for a value":   {feed{"0", "<uom>72</uom>", newYork, reading(0, 900, "much")}, `7: field value: want a number between -10000000 and 10000000 with at most 9 decimal places, also after × 10^0, got "much"`},
		"a value that grows":   {feed{"0", "<uom>72</uom><powerOfTenMultiplier>18</powerOfTenMultiplier>", newYork, reading(0, 900, "10")}, `7: field value: want a number between -10000000 and 10000000 with at most 9 decimal places, also after × 10^18, got "10"`},
		"quality 1":            {feed{"0", "<uom>72</uom>", newYork, "<IntervalReading><ReadingQuality><quality>1</quality></ReadingQuality></IntervalReading>"}, `7: field ReadingQuality.quality: want 0 or 7 to 19, a code of QualityOfReading, got "1"`},
		"no reading":           {feed{"0", "<uom>72</uom>", newYork, ""}, `8: field IntervalReading: want at least one reading with a value, got none`},
		"no block":             {text("<feed></feed>"), `1: field IntervalBlock: want at least one, got none`},
		"an end too early":     {text("<feed><entry>"), `1: field XML: want well-formed XML, got unexpected EOF`},
		"ends that cross":      {text("<feed><entry></feed>"), `1: field XML: want well-formed XML, got element <entry> closed by </feed>`},
		"a document type":      {text("<!DOCTYPE feed [<!ENTITY a \"b\">]>\n<feed/>"), `1: field XML: want a feed without a document type, got "<!DOCTYPE feed [<!ENTITY a \"b\">]"`},
		"an entity":            {text("<feed>&a;</feed>"), `1: field XML: want well-formed XML, got invalid character entity &a;`},
		"another encoding":     {text(`<?xml version="1.0" encoding="utf-7"?><feed/>`), `1: field encoding: want UTF-8, got "utf-7"`},
		"a tower of elements":  {text(strings.Repeat("<feed>", 70)), `1: field XML: want at most 64 elements inside each other, got more`},
		"an endless text":      {text("<feed>" + strings.Repeat("x", 300_000)), `1: field XML: want tags and texts of at most 262144 bytes, got a longer one`},
		"a long value":         {feed{"0", "<uom>72</uom>", newYork, reading(0, 900, strings.Repeat("1", 5000))}, `7: field XML: want a text of at most 4096 bytes, got a longer one`},
		"two meters, no link": {text("<feed>" + strings.Repeat("<entry><link rel='self' href='M/%d'/><MeterReading/></entry>", 2) +
			"<entry><link rel='self' href='Z/IntervalBlock/1'/><IntervalBlock/></entry></feed>"), `1: field IntervalBlock: want a link to one of the file's MeterReadings, got "Z/IntervalBlock/1"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			content := test.file.String()
			if strings.Contains(content, "M/%d") {
				content = fmt.Sprintf(content, 1, 2)
			}
			_, err := read(t, "f.xml", content)
			refusal(t, err, "f.xml:"+test.want)
		})
	}
}

type text string

func (t text) String() string { return string(t) }

// TestESPILinks: two meters of two homes, whose entries say in several ways
// what belongs to what.
func TestESPILinks(t *testing.T) {
	entry := func(links, content string) string {
		return "<entry><content>" + content + "</content>" + links + "</entry>\n"
	}
	self := func(href string) string { return `<link rel="self" href="` + href + `"/>` }
	up := func(href string) string { return `<link rel="up" href="` + href + `"/>` }
	related := func(href string) string { return `<link rel="related" href="` + href + `"/>` }
	point := func(kind string) string {
		return "<UsagePoint><ServiceCategory><kind>" + kind + "</kind></ServiceCategory></UsagePoint>"
	}
	typ := func(uom string) string { return "<ReadingType><uom>" + uom + "</uom></ReadingType>" }
	block := func(value string) string { return "<IntervalBlock>" + reading(0, 900, value) + "</IntervalBlock>" }
	const meter = "<MeterReading/>"
	tests := map[string]string{
		"by up, the children first": entry(up("U/a/MeterReading/1"), block("1")) + entry(up("U/b/MeterReading/1"), block("2")) +
			entry(self("T/1"), typ("72")) + entry(self("T/2"), typ("42")) +
			entry(self("U/a/MeterReading/1")+up("U/a")+related("T/1"), meter) + entry(self("U/b/MeterReading/1")+up("U/b")+related("T/2"), meter) +
			entry(self("U/a"), point("0")) + entry(self("U/b"), point("1")),
		"by the collections that parents name": entry(self("U/a")+related("X/a/MeterReading"), point("0")) + entry(self("U/b")+related("X/b/MeterReading"), point("1")) +
			entry(self("T/1")+up("Ma/1"), typ("72")) + entry(self("T/2")+up("Mb/1"), typ("42")) +
			entry(self("Ma/1")+up("X/a/MeterReading")+related("X/a/1/IntervalBlock"), meter) + entry(self("Mb/1")+up("X/b/MeterReading")+related("X/b/1/IntervalBlock"), meter) +
			entry(self("X/b/1/IntervalBlock/9")+up("X/b/1/IntervalBlock"), block("2")) + entry(self("X/a/1/IntervalBlock/9")+up("X/a/1/IntervalBlock"), block("1")),
		"by the addresses alone": entry(self("U/a"), point("0")) + entry(self("U/b"), point("1")) +
			entry(self("U/a/MeterReading/1")+related("T/1"), meter) + entry(self("U/b/MeterReading/1")+related("T/2"), meter) +
			entry(self("T/1"), typ("72")) + entry(self("T/2"), typ("42")) +
			entry(self("U/b/MeterReading/1/IntervalBlock/1"), block("2")) + entry(self("U/a/MeterReading/1/IntervalBlock/1"), block("1")),
		"by order, without links": entry("<id>a</id>", point("0")) + entry("<id>1</id>", meter) + entry("", typ("72")) + entry("", block("1")) +
			entry("<id>b</id>", point("1")) + entry("<id>1</id>", meter) + entry("", typ("42")) + entry("", block("2")),
	}
	for name, content := range tests {
		t.Run(name, func(t *testing.T) {
			runs, err := read(t, "f.xml", "<feed>"+content+"</feed>")
			got := map[string]string{}
			for _, r := range runs {
				got[r.Identifier+" "+r.Register+" "+string(r.Market)+" "+string(r.Unit)] = r.Values[0]
			}
			if err != nil || len(got) != 2 || got["a 1 USA_ELECTRICITY wh"] != "1" || got["b 1 USA_GAS m3"] != "2" {
				t.Errorf("got %v and error %v, want electricity of 1 at a and gas of 2 at b", got, err)
			}
		})
	}
}

// FuzzESPI holds the reader to this: it never panics, a block is always as its
// documentation says, and whatever is taken reads the same a second time.
func FuzzESPI(f *testing.F) {
	content, err := os.ReadFile("testdata/spring_day.espi.xml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(content))
	f.Add(feed{"0", "<uom>72</uom>", newYork, reading(0, 900, "1") + reading(900, 300, "-2.5")}.String())
	f.Add(feed{"1", "<uom>42</uom><powerOfTenMultiplier>-3</powerOfTenMultiplier>", "", reading(0, 86400, "1")}.String())
	f.Fuzz(func(t *testing.T, content string) {
		runs, err := readAs(t, meterfile.ESPI, "f.xml", content)
		var refused *meterfile.Error
		if err != nil && (!errors.As(err, &refused) || refused.Line < 1 || refused.Field == "" || refused.Want == "" || refused.Got == "") {
			t.Errorf("got error %#v, want one with file, line, field and what was expected", err)
		}
		again, errAgain := readAs(t, meterfile.ESPI, "f.xml", content)
		if fmt.Sprint(runs, err) != fmt.Sprint(again, errAgain) {
			t.Errorf("read again: got %v %v, want %v %v", again, errAgain, runs, err)
		}
		if err == nil && len(runs) == 0 {
			t.Error("no error and no run")
		}
	})
}
