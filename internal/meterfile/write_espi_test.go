package meterfile_test

import (
	"bytes"
	"encoding/xml"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
)

const (
	atomSpace = "http://www.w3.org/2005/Atom"
	espiSpace = "http://naesb.org/espi"
)

// child is one element of a sequence of the schema.
type child struct {
	name     string
	required bool
	many     bool
}

// one, maybe and many make a sequence of them.
func one(name string) child   { return child{name: name, required: true} }
func maybe(name string) child { return child{name: name} }
func many(name string) child  { return child{name: name, many: true} }

// sequences are the complex types of NAESB REQ.21's espi.xsd that a feed of ours
// uses: which children an element has, in which order.
var sequences = map[string][]child{
	"UsagePoint":          {maybe("roleFlags"), maybe("ServiceCategory"), maybe("status"), maybe("ServiceDeliveryPoint")},
	"ServiceCategory":     {one("kind")},
	"LocalTimeParameters": {one("dstEndRule"), one("dstOffset"), one("dstStartRule"), one("tzOffset")},
	"MeterReading":        {},
	"ReadingType": {
		maybe("accumulationBehaviour"), maybe("commodity"), maybe("consumptionTier"), maybe("currency"), maybe("dataQualifier"), maybe("defaultQuality"),
		maybe("flowDirection"), maybe("intervalLength"), maybe("kind"), maybe("phase"), maybe("powerOfTenMultiplier"), maybe("timeAttribute"), maybe("tou"),
		maybe("uom"), maybe("cpp"), maybe("interharmonic"), maybe("measuringPeriod"), maybe("argument"),
	},
	"IntervalBlock":   {maybe("interval"), many("IntervalReading")},
	"interval":        {maybe("duration"), maybe("start")},
	"timePeriod":      {maybe("duration"), maybe("start")},
	"IntervalReading": {maybe("cost"), many("ReadingQuality"), maybe("timePeriod"), maybe("value"), maybe("consumptionTier"), maybe("tou"), maybe("cpp")},
	"ReadingQuality":  {one("quality")},
}

// leaves are the simple types: DstRuleType, UInt8 to UInt32, TimeType and Int48.
var leaves = map[string]*regexp.Regexp{
	"kind": word, "uom": word, "commodity": word, "dataQualifier": word, "defaultQuality": word, "flowDirection": word, "phase": word, "timeAttribute": word,
	"accumulationBehaviour": word, "quality": word, "intervalLength": word, "duration": word,
	"start": number, "tzOffset": number, "dstOffset": number, "value": number, "powerOfTenMultiplier": number,
	"dstStartRule": regexp.MustCompile(`^[0-9A-F]{8}$`), "dstEndRule": regexp.MustCompile(`^[0-9A-F]{8}$`),
}

var (
	word   = regexp.MustCompile(`^\d{1,9}$`)
	number = regexp.MustCompile(`^-?\d{1,15}$`)
	urn    = regexp.MustCompile(`^urn:uuid:[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}$`)
)

// node is an element of a document.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []node     `xml:",any"`
}

func (n *node) all(name string) []*node {
	var found []*node
	for i := range n.Children {
		if n.Children[i].XMLName.Local == name {
			found = append(found, &n.Children[i])
		}
	}
	return found
}

func (n *node) text(t *testing.T, path ...string) string {
	t.Helper()
	for _, name := range path {
		list := n.all(name)
		if len(list) != 1 {
			t.Fatalf("%s: got %d elements %s, want one", n.XMLName.Local, len(list), name)
		}
		n = list[0]
	}
	return strings.TrimSpace(n.Text)
}

func (n *node) links(rel string) []string {
	var found []string
	for _, l := range n.all("link") {
		var is, href string
		for _, a := range l.Attrs {
			switch a.Name.Local {
			case "rel":
				is = a.Value
			case "href":
				href = a.Value
			}
		}
		if is == rel {
			found = append(found, href)
		}
	}
	return found
}

// valid holds an element to its sequence.
func (n *node) valid(t *testing.T) {
	t.Helper()
	name := n.XMLName.Local
	if n.XMLName.Space != espiSpace {
		t.Errorf("%s: got namespace %q, want %q", name, n.XMLName.Space, espiSpace)
	}
	sequence, known := sequences[name]
	if !known {
		if leaf := leaves[name]; leaf == nil || !leaf.MatchString(n.Text) || len(n.Children) > 0 {
			t.Errorf("%s: got %q and %d children, want a text like %v", name, n.Text, len(n.Children), leaf)
		}
		return
	}
	rest := n.Children
	for _, c := range sequence {
		count := 0
		for len(rest) > 0 && rest[0].XMLName.Local == c.name {
			rest[0].valid(t)
			rest = rest[1:]
			count++
		}
		if count == 0 && c.required || count > 1 && !c.many {
			t.Errorf("%s: got %d elements %s", name, count, c.name)
		}
	}
	if len(rest) > 0 {
		t.Errorf("%s: got %s where the schema has none", name, rest[0].XMLName.Local)
	}
}

// TestESPIFeed holds feeds to the structure of the schemas of ESPI and Atom, and
// their links to each other.
func TestESPIFeed(t *testing.T) {
	spring := sample(t, "USA_ELECTRICITY", "6d1c1c1a-6f7e-4a53-8a0e-3a4b5c6d7e01", "America/New_York", "2024-03-09T00:00:00-05:00", "2024-03-10T00:00:00-05:00", 60, 23)
	gas := *spring[1]
	gas.Channel.Market, gas.Channel.Unit, gas.Channel.Register = "USA_GAS", domain.CubicMetre, "1"
	exact := *spring[1]
	exact.Scale, exact.Start = 9, exact.Start.AddDate(0, 0, 1)
	quarters := exact
	quarters.Minutes, quarters.Start = 15, exact.Start.AddDate(0, 0, 1)
	back := *spring[1]
	back.Start = quarters.Start.AddDate(0, 0, 1)
	for name, blocks := range map[string][]*meterfile.Block{
		"two channels":                   spring,
		"two supply points":              {spring[0], &gas},
		"more places and other lengths":  {spring[0], &exact, &quarters, &back, spring[2]},
		"a zone that nobody would read":  sample(t, "NLD_ELECTRICITY", "1", "Europe/Amsterdam", "2024-10-26T00:00:00+02:00", "2024-10-27T00:00:00+02:00", 15, 25),
		"names with signs":               sample(t, "NLD_ELECTRICITY", `<&">'`, "+10:00", "2024-10-26T00:00:00+10:00", "2024-10-27T00:00:00+10:00", 30, 24),
		"one block, of which half is no": spring[:1],
	} {
		t.Run(name, func(t *testing.T) {
			var file bytes.Buffer
			compose(t, meterfile.ESPI, &file, blocks...)
			var feed node
			if err := xml.Unmarshal(file.Bytes(), &feed); err != nil {
				t.Fatal(err)
			}
			if feed.XMLName != (xml.Name{Space: atomSpace, Local: "feed"}) || len(feed.links("self")) != 1 || feed.text(t, "author", "name") == "" || feed.text(t, "title") == "" {
				t.Errorf("got a feed %v without its own link, author or title", feed.XMLName)
			}
			selves, kinds := map[string]string{}, map[string]int{}
			ids := []string{feed.text(t, "id")}
			for _, e := range feed.all("entry") {
				ids = append(ids, e.text(t, "id"))
				_ = e.text(t, "title")
				if _, err := time.Parse(time.RFC3339, e.text(t, "updated")); err != nil {
					t.Error(err)
				}
				if e.text(t, "published") != "2024-11-05T08:30:15Z" {
					t.Errorf("got an entry published at %s, want when the file was made", e.text(t, "published"))
				}
				content := e.all("content")
				if len(content) != 1 || len(content[0].Children) != 1 || len(e.links("self")) != 1 || len(e.links("up")) != 1 {
					t.Fatalf("got entry %v, want one content, one self and one up", e)
				}
				resource := &content[0].Children[0]
				resource.valid(t)
				kinds[resource.XMLName.Local]++
				selves[e.links("self")[0]] = resource.XMLName.Local
			}
			for _, id := range ids {
				if !urn.MatchString(id) {
					t.Errorf("got id %q, want the URN of a UUID", id)
				}
			}
			if slices.Sort(ids); len(slices.Compact(ids)) != len(feed.all("entry"))+1 || len(selves) != len(feed.all("entry")) {
				t.Errorf("got ids or addresses twice: %d and %d of %d entries", len(slices.Compact(ids)), len(selves), len(feed.all("entry")))
			}
			for _, kind := range []string{"UsagePoint", "MeterReading", "ReadingType", "IntervalBlock"} {
				if kinds[kind] == 0 {
					t.Errorf("got no %s", kind)
				}
			}
			if kinds["IntervalBlock"] != len(blocks) {
				t.Errorf("got %d blocks, want one for each of %d days", kinds["IntervalBlock"], len(blocks))
			}
			espiLinks(t, &feed, selves)
			espiBlocks(t, &feed, blocks)
		})
	}
}

// espiLengths returns the interval length that each address of blocks stands
// for, in seconds.
func espiLengths(t *testing.T, feed *node) map[string]string {
	t.Helper()
	types, lengths := map[string]string{}, map[string]string{}
	for _, e := range feed.all("entry") {
		if resource := &e.all("content")[0].Children[0]; resource.XMLName.Local == "ReadingType" {
			types[e.links("self")[0]] = resource.text(t, "intervalLength")
		}
	}
	for _, e := range feed.all("entry") {
		if e.all("content")[0].Children[0].XMLName.Local == "MeterReading" {
			for _, href := range e.links("related") {
				if length, ok := types[href]; ok {
					lengths[e.links("self")[0]+"/IntervalBlock"] = length
				}
			}
		}
	}
	return lengths
}

// espiLinks follows the links of every entry.
func espiLinks(t *testing.T, feed *node, selves map[string]string) {
	t.Helper()
	for _, e := range feed.all("entry") {
		up, related := e.links("up")[0], e.links("related")
		leads := func(kind string) bool {
			return slices.ContainsFunc(related, func(href string) bool { return selves[href] == kind })
		}
		switch kind := e.all("content")[0].Children[0].XMLName.Local; kind {
		case "MeterReading":
			if selves[strings.TrimSuffix(up, "/MeterReading")] != "UsagePoint" || !leads("ReadingType") || !slices.Contains(related, e.links("self")[0]+"/IntervalBlock") {
				t.Errorf("got MeterReading below %s with %v, want a UsagePoint, a ReadingType and its blocks", up, related)
			}
		case "IntervalBlock":
			if selves[strings.TrimSuffix(up, "/IntervalBlock")] != "MeterReading" {
				t.Errorf("got IntervalBlock below %s, want a MeterReading", up)
			}
		case "UsagePoint":
			if !slices.Contains(related, e.links("self")[0]+"/MeterReading") || leads("LocalTimeParameters") != slices.Contains(values(selves), "LocalTimeParameters") {
				t.Errorf("got UsagePoint with %v, want its meter readings, and its local time where the feed has it", related)
			}
		default:
			if !strings.HasSuffix(up, "/"+kind) {
				t.Errorf("got %s below %s", kind, up)
			}
		}
	}
}

func values(m map[string]string) []string {
	var list []string
	for _, v := range m {
		list = append(list, v)
	}
	return list
}

// espiBlocks compares the span of each IntervalBlock with its readings and with
// the day.
func espiBlocks(t *testing.T, feed *node, blocks []*meterfile.Block) {
	t.Helper()
	n, lengths := 0, espiLengths(t, feed)
	for _, e := range feed.all("entry") {
		block := &e.all("content")[0].Children[0]
		if block.XMLName.Local != "IntervalBlock" {
			continue
		}
		b := blocks[n]
		n++
		from, length := seconds(t, block.text(t, "interval", "start")), seconds(t, block.text(t, "interval", "duration"))
		if from != b.Start.Unix() || length != int64(len(b.Values)*b.Minutes*60) {
			t.Errorf("got a block of %d seconds from %d, want %d intervals of %d minutes from %d", length, from, len(b.Values), b.Minutes, b.Start.Unix())
		}
		if got := lengths[e.links("up")[0]]; got != strconv.Itoa(b.Minutes*60) {
			t.Errorf("got intervalLength %q of the type of readings of %d minutes", got, b.Minutes)
		}
		readings := block.all("IntervalReading")
		if len(readings) != len(facts(b)) {
			t.Errorf("got %d readings, want %d", len(readings), len(facts(b)))
		}
		last := from
		for _, r := range readings {
			start, duration := seconds(t, r.text(t, "timePeriod", "start")), seconds(t, r.text(t, "timePeriod", "duration"))
			if start < last || start+duration > from+length || duration != int64(b.Minutes*60) {
				t.Errorf("got a reading of %d seconds from %d behind %d, in a block of %d from %d", duration, start, last, length, from)
			}
			last = start + duration
		}
	}
}

func seconds(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestESPIIdentifier: a supply point that came from ESPI keeps its UUID; another
// one gets the same UUID in every feed, and no two the same.
func TestESPIIdentifier(t *testing.T) {
	read := func(market domain.Market, identifier, zone string) meterfile.Channel {
		blocks := sample(t, market, identifier, zone, "2024-03-09T05:00:00Z", "2024-03-10T05:00:00Z", 60, 23)
		var file bytes.Buffer
		compose(t, meterfile.ESPI, &file, blocks...)
		runs, err := read(t, "f.xml", file.String())
		if err != nil {
			t.Fatal(err)
		}
		return runs[0].Channel
	}
	const uuid = "6d1c1c1a-6f7e-4a53-8a0e-3a4b5c6d7e01"
	if got := read("USA_ELECTRICITY", uuid, "America/New_York"); got.Identifier != uuid || got.Market != "USA_ELECTRICITY" || got.Zone != "America/New_York" {
		t.Errorf("got %+v, want the UUID, the market and the zone as they were", got)
	}
	for _, c := range []struct {
		market     domain.Market
		identifier string
	}{
		{"NLD_ELECTRICITY", uuid},
		{"NLD_ELECTRICITY", "1"},
		{"BEL_ELECTRICITY", "1"},
		{"USA_ELECTRICITY", "1"},
		{"USA_ELECTRICITY", strings.ToUpper(uuid)},
		{"USA_ELECTRICITY", "6d1c1c1a6f7e4a538a0e3a4b5c6d7e01"},
	} {
		if got := read(c.market, c.identifier, "+00:00"); got.Market != c.market || got.Identifier != c.identifier {
			t.Errorf("%s:%s: got %s:%s back", c.market, c.identifier, got.Market, got.Identifier)
		}
	}
}

// TestESPIOfOthers: a title alone does not make a usage point one of ours.
func TestESPIOfOthers(t *testing.T) {
	blocks := sample(t, "NLD_ELECTRICITY", "1", "+00:00", "2024-03-09T05:00:00Z", "2024-03-10T05:00:00Z", 60, 23)
	var file bytes.Buffer
	compose(t, meterfile.ESPI, &file, blocks...)
	for sentence, title := range map[string]string{
		"another supply point": "NLD_ELECTRICITY:2", "gas": "NLD_GAS:1", "no supply point": "Home", "a long one": strings.Repeat("NLD_ELECTRICITY:1", 1000), "none": "",
	} {
		text := strings.Replace(file.String(), "<title>NLD_ELECTRICITY:1</title>", "<title>"+title+"</title>", 1)
		runs, err := read(t, "f.xml", text)
		if err != nil {
			t.Errorf("%s: %v", sentence, err)
			continue
		}
		if got := runs[0].Channel; got.Market != domain.MarketUSAElectricity || len(got.Identifier) != len("6d1c1c1a-6f7e-4a53-8a0e-3a4b5c6d7e01") || got.Unit != domain.WattHour {
			t.Errorf("%s: got %+v, want the UUID in the market of ESPI, in Wh", sentence, got)
		}
	}
}

// TestESPIZones: what LocalTimeParameters say is what they are read as; a zone
// that they cannot say is not named, so that it cannot become another one.
func TestESPIZones(t *testing.T) {
	for zone, want := range map[string]string{
		"America/St_Johns": "America/St_Johns", "America/Halifax": "America/Halifax", "America/New_York": "America/New_York", "America/Chicago": "America/Chicago",
		"America/Denver": "America/Denver", "America/Los_Angeles": "America/Los_Angeles", "America/Anchorage": "America/Anchorage",
		"+10:00": "+10:00", "-03:30": "-03:30", "+00:00": "+00:00", "+14:00": "+14:00",
		"America/Toronto": "", "America/Phoenix": "", "Europe/Amsterdam": "", "UTC": "", "Australia/Lord_Howe": "", "-00:00": "", "+14:30": "",
	} {
		blocks := sample(t, "USA_ELECTRICITY", "1", zone, "2024-03-09T05:00:00Z", "2024-03-10T05:00:00Z", 60, 23)
		var file bytes.Buffer
		compose(t, meterfile.ESPI, &file, blocks...)
		runs, err := read(t, "f.xml", file.String())
		if err != nil {
			t.Errorf("%s: %v", zone, err)
			continue
		}
		if got := runs[0].Zone; got != want || strings.Contains(file.String(), "LocalTimeParameters") != (want != "") {
			t.Errorf("%s: got zone %q, want %q", zone, got, want)
		}
	}
}
