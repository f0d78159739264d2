package meterfile

import (
	"io"
	"strconv"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// The ESPI writer writes an Atom feed of NAESB REQ.21. Its entries say first
// what readings mean, then come the readings, a block for each day:
//
//	UsagePoint            the supply point
//	LocalTimeParameters   its zone
//	MeterReading          a register, with what its readings are and how exact
//	ReadingType           what they are
//	IntervalBlock         the readings, all others go on like this
//
// ESPI names what it has by UUIDs and knows no European markets, so that a
// supply point comes back as USA_ELECTRICITY or USA_GAS and its UUID. Energy is
// in watt hours, times a power of ten.

// espiRoot is what the addresses of resources begin with.
const espiRoot = "/espi/1_1/resource/"

// espiWriter is the state of writing one feed.
type espiWriter struct {
	page
	export  Export
	now     string            // when the file is made
	zone    string            // of all channels, once there is one
	points  map[string]string // UUIDs -> supply points that have their UsagePoint
	known   map[string]bool   // what is read back as a channel, and the feed has
	address string            // of the open channel's UsagePoint
	channel Channel
	meters  []espiMeter // of the open channel
	scratch []byte
}

// espiMeter is a MeterReading. A channel has more than one where its intervals
// change their length, or its values become more exact.
type espiMeter struct {
	minutes int
	places  int    // values are × 10^-places of the unit of ESPI
	key     string // what its UUIDs are made from
	address string
}

func newESPIWriter(w io.Writer, e Export) *espiWriter {
	return &espiWriter{page: page{to: w}, export: e, now: e.Now.UTC().Format(time.RFC3339), points: map[string]string{}, known: map[string]bool{}}
}

func (e *espiWriter) Write(b *Block) error {
	if err := e.begin(b); err != nil {
		return err
	}
	if e.channel != b.Channel {
		if err := e.fitsChannel(b); err != nil {
			return err
		}
	}
	duration := endOf(b.Start, b.Minutes) - b.Start.Unix()
	if b.Minutes == Index || minutes(duration) == 0 {
		return cannotCarry(ESPI, b, "its intervals are minutes that divide an hour, or one day, and not %d minutes; take csv or ndjson", b.Minutes)
	}
	if !e.present(b) {
		return nil
	}
	m, err := e.meter(b)
	if err != nil {
		return err
	}
	e.block(m, b, duration)
	return e.spill()
}

// present reports whether a block has a reading.
func (e *espiWriter) present(b *Block) bool {
	for _, q := range b.Quality {
		if q != domain.Missing {
			return true
		}
	}
	return false
}

// fitsChannel refuses the channels that the format has no room for.
func (e *espiWriter) fitsChannel(b *Block) error {
	c := &b.Channel
	switch gas := c.Market.Gas(); {
	case gas && (c.Unit == domain.VarHour || c.Unit == domain.KilovarHour), !gas && c.Unit == domain.CubicMetre:
		return cannotCarry(ESPI, b, "%s does not fit the market; take csv or ndjson", c.Unit)
	case espiUnit(c.Unit) == "":
		return cannotCarry(ESPI, b, "its units are Wh, varh and m3; take csv or ndjson")
	case !plain(c.Register):
		return cannotCarry(ESPI, b, "a register has 1 to 64 letters and digits; take csv or ndjson")
	case e.zone != "" && e.zone != c.Zone:
		return cannotCarry(ESPI, b, "a feed has one zone, and this one has %s and %s; take csv or ndjson", e.zone, c.Zone)
	case e.known[espiName(c)]:
		return cannotCarry(ESPI, b, "a register has one unit of energy, and comes once; take csv or ndjson")
	}
	return nil
}

// meter finds the MeterReading that a block belongs to, or begins one.
func (e *espiWriter) meter(b *Block) (*espiMeter, error) {
	places := max(0, int(b.Scale)-espiPlaces(b.Channel.Unit))
	if e.channel == b.Channel {
		for i := range e.meters {
			if m := &e.meters[i]; m.minutes == b.Minutes && places <= m.places && m.factor(b) != 0 {
				return m, nil
			}
		}
	}
	m := espiMeter{minutes: b.Minutes, places: (places + 2) / 3 * 3} // powers of a thousand have names
	if m.factor(b) == 0 {
		return nil, cannotCarry(ESPI, b, "its values have 48 bits, and one of these is longer; take csv or ndjson")
	}
	if e.channel != b.Channel {
		e.turn(b)
	}
	e.meters = append(e.meters, m)
	last := &e.meters[len(e.meters)-1]
	e.describe(last)
	return last, nil
}

// factor returns what the values of a block are multiplied with, or 0 where a
// product would not fit Int48, the type of ESPI's values.
func (m *espiMeter) factor(b *Block) int64 {
	shift := m.places + espiPlaces(b.Channel.Unit) - int(b.Scale)
	if shift >= len(powers) {
		return 0
	}
	const most = 1<<47 - 1
	factor := powers[shift]
	for i, v := range b.Values {
		if (v > most/factor || v < -most/factor) && b.Quality[i] != domain.Missing {
			return 0
		}
	}
	return factor
}

// block writes an entry with an IntervalBlock.
func (e *espiWriter) block(m *espiMeter, b *Block, duration int64) {
	start := b.Start.Unix()
	var room, room2 [20]byte
	begins, length := strconv.AppendInt(room[:0], start, 10), strconv.AppendInt(room2[:0], duration, 10)
	e.scratch = append(append(append(append(e.scratch[:0], "IntervalBlock "...), m.key...), ' '), begins...)
	e.buf = append(e.buf, "<entry>\n<id>urn:uuid:"...)
	e.buf = appendUUID(e.buf, e.scratch)
	e.strings("</id>\n<link rel=\"self\" href=\"", m.address, "/IntervalBlock/")
	e.buf = append(e.buf, begins...)
	e.strings("\"/>\n<link rel=\"up\" href=\"", m.address, "/IntervalBlock\"/>\n<title/>\n<content type=\"application/xml\">\n<IntervalBlock xmlns=\"http://naesb.org/espi\">\n<interval><duration>")
	e.buf = strconv.AppendInt(e.buf, duration*int64(len(b.Values)), 10)
	e.buf = append(append(append(e.buf, "</duration><start>"...), begins...), "</start></interval>\n"...)

	e.scratch = append(append(append(e.scratch[:0], "<timePeriod><duration>"...), length...), "</duration><start>"...)
	factor := m.factor(b)
	for i, q := range b.Quality {
		if q == domain.Missing {
			continue
		}
		buf := append(e.buf, espiQuality(q)...)
		buf = strconv.AppendInt(append(buf, e.scratch...), start+int64(i)*duration, 10)
		buf = strconv.AppendInt(append(buf, "</start></timePeriod><value>"...), b.Values[i]*factor, 10)
		e.buf = append(buf, "</value></IntervalReading>\n"...)
	}
	e.strings("</IntervalBlock>\n</content>\n")
	e.endEntry()
}

func (e *espiWriter) Close() error {
	if e.zone == "" {
		e.head("")
	}
	e.strings("</feed>\n")
	return e.flush()
}
