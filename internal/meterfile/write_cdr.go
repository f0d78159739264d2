package meterfile

import (
	"io"
	"math"
	"strconv"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// cdrWriter writes an answer of Australia's Consumer Data Standards, schema
// EnergyUsageListResponse, with a read for each register and day. It departs
// from the standards in two points: reads come in the order of time and not
// backwards, and null stands for a value that is missing, as the schema has no
// word for it and a made-up zero would be a reading.
type cdrWriter struct {
	page
	marketDay
	sum   domain.Decimal // of the open day, as CDR signs it
	self  string
	reads int64
}

func newCDRWriter(w io.Writer, e Export) *cdrWriter {
	c := &cdrWriter{page: page{to: w}, self: e.Self}
	c.buf = append(c.buf, "{\"data\":{\"reads\":["...)
	return c
}

func (c *cdrWriter) Write(b *Block) error {
	if err := c.begin(b); err != nil {
		return err
	}
	if minutes(int64(b.Minutes)*60) != b.Minutes || b.Minutes == Index {
		return cannotCarry(CDR, b, "its intervals are minutes that divide an hour, or one day, and not %d minutes; take csv or ndjson", b.Minutes)
	}
	if err := c.fits(CDR, b); err != nil {
		return err
	}
	day := marketMidnight(b.Start.Unix())
	var sum domain.Decimal
	if c.open(b, day) {
		sum = c.sum
	}
	for i, q := range b.Quality {
		if q == domain.Missing {
			continue
		}
		if q == domain.Estimate {
			return cannotCarry(CDR, b, "it has no word for the quality %s; take nem12, csv or ndjson", q)
		}
		var ok bool
		if sum, ok = sum.Add(c.signed(&b.Channel, domain.Decimal{Coefficient: b.Values[i], Scale: b.Scale})); !ok || b.Values[i] == math.MinInt64 {
			return cannotCarry(CDR, b, "the sum of its day has too many digits; take csv or ndjson")
		}
	}
	if !c.open(b, day) {
		c.finishDay()
		c.turn(b, day)
	}
	c.sum = sum
	c.add(b)
	return c.spill()
}

// signed returns a value as CDR signs it: what is sent into the grid is negative.
func (c *cdrWriter) signed(of *Channel, v domain.Decimal) domain.Decimal {
	if of.Direction == domain.Generation {
		v.Coefficient = -v.Coefficient
	}
	return v
}

// finishDay appends the open day, if it has a reading.
func (c *cdrWriter) finishDay() {
	if c.present == 0 {
		return
	}
	c.present = 0
	if c.reads++; c.reads > 1 {
		c.buf = append(c.buf, ',')
	}
	ch := &c.channel
	for _, part := range []string{
		"\n{\"servicePointId\":\"", ch.Identifier, `","registerId":"`, ch.Register, `","registerSuffix":"`, ch.Register, // plain names
		`","unitOfMeasure":"`, marketUnit(ch.Unit), `","readStartDate":"`,
	} {
		c.buf = append(c.buf, part...)
	}
	c.buf = time.Unix(c.start, 0).In(marketTime).AppendFormat(c.buf, "2006-01-02")
	if c.minutes == WholeDay {
		c.buf = append(append(c.buf, `","readUType":"basicRead","basicRead":{"quality":"`...), cdrWord(c.quality[0])...)
		c.buf = append(c.number(append(c.buf, `","value":`...), c.sum), "}}"...)
		return
	}
	c.buf = append(c.buf, `","readUType":"intervalRead","intervalRead":{"readIntervalLength":`...)
	c.buf = strconv.AppendInt(c.buf, int64(c.minutes), 10)
	c.buf = append(c.number(append(c.buf, `,"aggregateValue":`...), c.sum), `,"intervalReads":[`...)
	c.intervalReads()
	c.buf = append(c.buf, `],"readQualities":[`...)
	c.readQualities()
	c.buf = append(c.buf, "]}}"...)
}

func (c *cdrWriter) number(dst []byte, v domain.Decimal) []byte { return v.Append(dst, v.Scale) }

// intervalReads appends the values of the day.
func (c *cdrWriter) intervalReads() {
	for i, q := range c.intervals() {
		if i > 0 {
			c.buf = append(c.buf, ',')
		}
		if q == domain.Missing {
			c.buf = append(c.buf, "null"...)
			continue
		}
		c.buf = c.number(c.buf, c.signed(&c.channel, c.values[i]))
	}
}

// readQualities appends the ranges that are not actual.
func (c *cdrWriter) readQualities() {
	quality, first := c.intervals(), true
	for from := 0; from < len(quality); {
		to := runOf(quality, from)
		if quality[from] == domain.Substituted {
			if !first {
				c.buf = append(c.buf, ',')
			}
			first = false
			c.buf = strconv.AppendInt(append(c.buf, `{"startInterval":`...), int64(from+1), 10)
			c.buf = strconv.AppendInt(append(c.buf, `,"endInterval":`...), int64(to), 10)
			c.buf = append(append(append(c.buf, `,"quality":"`...), cdrWord(domain.Substituted)...), `"}`...)
		}
		from = to
	}
}

// cdrWord returns the standards' word for a quality; an estimate has none.
func cdrWord(q domain.Quality) string {
	if q == domain.Substituted {
		return "SUBSTITUTE"
	}
	return "ACTUAL"
}

func (c *cdrWriter) Close() error {
	if c.err != nil {
		return c.err
	}
	c.finishDay()
	c.buf = appendJSON(append(c.buf, "\n]},\"links\":{\"self\":"...), c.self)
	c.buf = strconv.AppendInt(append(c.buf, `},"meta":{"totalRecords":`...), c.reads, 10)
	c.buf = append(c.buf, ",\"totalPages\":1}}\n"...)
	return c.flush()
}
