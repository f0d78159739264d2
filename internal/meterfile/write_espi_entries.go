package meterfile

import (
	"encoding/xml"
	"strconv"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
)

// head begins the feed. It is named by its first supply point and the span.
func (e *espiWriter) head(point string) {
	id := e.uuid("feed", point, strconv.FormatInt(e.export.From.Unix(), 10), strconv.FormatInt(e.export.To.Unix(), 10))
	self := e.export.Self
	if self == "" {
		self = espiRoot + "Batch/" + id
	}
	e.strings(xml.Header+`<feed xmlns="http://www.w3.org/2005/Atom">`+"\n<id>urn:uuid:", id, "</id>\n<title>Green Button usage feed</title>\n<updated>", e.now,
		"</updated>\n<author><name>Wattgate</name></author>\n<link rel=\"self\" href=\"", escape(self), "\"/>\n")
}

// turn begins a channel, and a supply point where it is another one.
func (e *espiWriter) turn(b *Block) {
	c := &b.Channel
	e.channel, e.meters = *c, e.meters[:0]
	e.known[espiName(c)] = true
	point, first := c.supplyPoint(), e.zone == ""
	if first {
		e.head(point)
	}
	e.zone = c.Zone
	id := e.usagePoint(c)
	e.address = espiRoot + "UsagePoint/" + id
	if e.points[id] == point {
		return
	}
	e.points[id] = point
	kind, local := "0", espiZone(c.Zone)
	if c.Market.Gas() {
		kind = "1"
	}
	e.entry(id, e.address, espiRoot+"UsagePoint")
	e.strings(`<link rel="related" href="`, e.address, "/MeterReading\"/>\n")
	if local != "" {
		e.strings(`<link rel="related" href="` + espiRoot + "LocalTimeParameters/1\"/>\n")
	}
	e.strings("<title>", escape(point), "</title>\n")
	e.content("UsagePoint", "<ServiceCategory><kind>", kind, "</kind></ServiceCategory>\n")
	if first && local != "" {
		e.entry(e.uuid("LocalTimeParameters", c.Zone), espiRoot+"LocalTimeParameters/1", espiRoot+"LocalTimeParameters")
		e.strings("<title>", escape(c.Zone), "</title>\n")
		e.content("LocalTimeParameters", local)
	}
}

// describe writes a MeterReading and its ReadingType. The last part of the
// address is the register, which is how it is read back.
func (e *espiWriter) describe(m *espiMeter) {
	c := &e.channel
	variant := strings.ToLower(c.Direction.String()) + "-" + string(c.Unit) + "-" + strconv.Itoa(m.minutes) + "-" + strconv.Itoa(m.places)
	m.key = e.address + " " + variant + " " + c.Register
	m.address = e.address + "/MeterReading/" + variant + "/" + c.Register
	typeID := e.uuid("ReadingType", m.key)
	e.entry(e.uuid("MeterReading", m.key), m.address, e.address+"/MeterReading")
	e.strings(`<link rel="related" href="`, m.address, "/IntervalBlock\"/>\n<link rel=\"related\" href=\""+espiRoot+"ReadingType/", typeID, "\"/>\n")
	e.strings("<title>Register ", c.Register, ", ", strings.ToLower(c.Direction.String()), "</title>\n")
	e.content("MeterReading")

	commodity, kind, flow := "1", "12", "1" // electricity, energy, forward
	if c.Market.Gas() {
		commodity = "7"
	}
	if c.Unit == domain.CubicMetre {
		kind = "58" // volume
	}
	if c.Direction == domain.Generation {
		flow = "19" // reverse
	}
	e.entry(typeID, espiRoot+"ReadingType/"+typeID, espiRoot+"ReadingType")
	e.strings("<title>Type of the readings</title>\n")
	e.content(
		"ReadingType", "<accumulationBehaviour>4</accumulationBehaviour>\n<commodity>", commodity,
		"</commodity>\n<dataQualifier>12</dataQualifier>\n<defaultQuality>"+espiActual+"</defaultQuality>\n<flowDirection>", flow,
		"</flowDirection>\n<intervalLength>", strconv.Itoa(m.minutes*60), "</intervalLength>\n<kind>", kind,
		"</kind>\n<phase>0</phase>\n<powerOfTenMultiplier>", strconv.Itoa(-m.places),
		"</powerOfTenMultiplier>\n<timeAttribute>0</timeAttribute>\n<uom>", espiUnit(c.Unit), "</uom>\n",
	)
}

// strings appends texts that need no escape.
func (e *espiWriter) strings(texts ...string) {
	for _, t := range texts {
		e.buf = append(e.buf, t...)
	}
}

// entry begins an entry, up to its links.
func (e *espiWriter) entry(id, self, up string) {
	e.strings("<entry>\n<id>urn:uuid:", id, "</id>\n<link rel=\"self\" href=\"", self, "\"/>\n<link rel=\"up\" href=\"", up, "\"/>\n")
}

// content writes the resource of an entry, and ends the entry.
func (e *espiWriter) content(kind string, elements ...string) {
	e.strings("<content type=\"application/xml\">\n<", kind, ` xmlns="http://naesb.org/espi">`, "\n")
	e.strings(elements...)
	e.strings("</", kind, ">\n</content>\n")
	e.endEntry()
}

// endEntry says when an entry was made, and ends it.
func (e *espiWriter) endEntry() {
	e.strings("<published>", e.now, "</published>\n<updated>", e.now, "</updated>\n</entry>\n")
}
