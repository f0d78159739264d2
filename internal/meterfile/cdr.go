package meterfile

import (
	"fmt"
	"io"
	"strconv"

	"github.com/wattgate/wattgate/internal/domain"
)

// The CDR reader takes an answer of Australia's Consumer Data Standards, Get
// Usage For Service Point (schema EnergyUsageListResponse): data.reads, each of
// a register and a day or some days in market time. Members that say nothing
// about readings are passed over. A read is either of intervals, or basic: then
// its value is what was used in its time, and only where that is one day is it
// a reading of ours.
//
// A positive value is what was taken from the grid, a negative one what was
// sent into it (schema EnergyUsageRead). The registers that begin with B count
// the second, so that their values change the sign. Where null stands for a
// value, which the schema has no word for, the reading is missing.

// maxCDRValues bounds the values of one read, which may stand before what they
// mean: a year of quarters.
const maxCDRValues = 366 * 96

// cdrFile is the state of reading one file.
type cdrFile struct {
	*jsonScanner
	yield func(*Block) error
	read  cdrRead
	known bool // data.reads has been there
	block Block
}

func readCDR(name string, r io.Reader, yield func(*Block) error) error {
	c := &cdrFile{jsonScanner: newJSONScanner(name, r), yield: yield}
	c.read.seen = map[string]bool{}
	err := c.object(func(name string) error {
		if name != "data" {
			return c.skip()
		}
		return c.object(func(name string) error {
			if name != "reads" {
				return c.skip()
			}
			if c.known {
				return c.refuse("data.reads", "one", "a second one")
			}
			c.known = true
			return c.array(c.one)
		})
	})
	if err != nil {
		return err
	}
	if !c.known {
		return c.refuse("data.reads", "an array of reads", "no such member")
	}
	return c.end()
}

// one reads one read and yields its days.
func (c *cdrFile) one() error {
	r := &c.read
	clear(r.seen)
	*r = cdrRead{line: c.number, seen: r.seen, values: r.values[:0], ranges: r.ranges[:0]}
	if err := c.object(c.member); err != nil {
		return err
	}
	channel, err := c.channel()
	if err != nil {
		return err
	}
	first, last, err := c.days()
	if err != nil {
		return err
	}
	switch r.kind {
	case "intervalRead":
		return c.intervals(channel, first, last)
	case "basicRead":
		return c.basic(channel, first, last)
	}
	return c.refuseRead("readUType", "intervalRead or basicRead", quote(r.kind))
}

// refuseRead refuses a read that has been read to its end.
func (c *cdrFile) refuseRead(field, want, got string) error {
	return &Error{c.name, c.read.line, field, want, got}
}

// channel returns what a read measures.
func (c *cdrFile) channel() (Channel, error) {
	r := &c.read
	var none Channel
	if !plain(r.point) {
		return none, c.refuseRead("servicePointId", "1 to 64 letters and digits", quote(r.point))
	}
	if !plain(r.suffix) {
		return none, c.refuseRead("registerSuffix", "1 to 64 letters and digits, such as E1", quote(r.suffix))
	}
	unit, err := domain.ParseUnit(r.unit)
	if err != nil || unit == domain.CubicMetre {
		return none, c.refuseRead("unitOfMeasure", "kWh, Wh, kvarh or varh", quote(r.unit))
	}
	direction := domain.Consumption
	if r.suffix[0]|0x20 == 'b' {
		direction = domain.Generation // what the customer sends into the grid
	}
	return Channel{domain.MarketAUSElectricity, r.point, r.suffix, direction, unit, marketTime.String()}, nil
}

// days returns the first and the last day of a read.
func (c *cdrFile) days() (first, last domain.Date, err error) {
	r := &c.read
	const want = "an existing day as YYYY-MM-DD"
	first, ok := dateOf([]byte(r.from))
	if !ok {
		return 0, 0, c.refuseRead("readStartDate", want, quote(r.from))
	}
	last = first
	if r.to != "" {
		if last, ok = dateOf([]byte(r.to)); !ok || last < first || last > first+maxCDRValues {
			return 0, 0, c.refuseRead("readEndDate", want+", and not before "+r.from, quote(r.to))
		}
	}
	return first, last, nil
}

// basic yields a day as one value.
func (c *cdrFile) basic(channel Channel, first, last domain.Date) error {
	r := &c.read
	if !r.seen["basicRead.value"] {
		return c.refuseRead("basicRead.value", "a number", "no such member")
	}
	if first != last {
		return c.refuseRead("readEndDate", "the one day of a basicRead; what was used in a longer time is no reading", quote(r.to))
	}
	quality, ok := cdrQuality(r.basicQuality)
	if !ok {
		return c.refuseRead("basicRead.quality", "ACTUAL, SUBSTITUTE or FINAL_SUBSTITUTE", quote(r.basicQuality))
	}
	if r.basic.quality != domain.Missing {
		r.basic.quality = quality
	}
	return c.day(channel, first, WholeDay, []cdrValue{r.basic})
}

// intervals yields the days of an intervalRead.
func (c *cdrFile) intervals(channel Channel, first, last domain.Date) error {
	r := &c.read
	if !r.seen["intervalRead.intervalReads"] {
		return c.refuseRead("intervalReads", "the value of each interval; their sum is no reading", "no such member")
	}
	minutes, err := strconv.Atoi(r.length)
	if err != nil || minutes < 1 || minutes > 60 || 60%minutes != 0 {
		return c.refuseRead("readIntervalLength", "minutes that divide an hour", quote(r.length))
	}
	count := WholeDay / minutes
	if days := int(last - first + 1); len(r.values) != days*count {
		return c.refuseRead("intervalReads", fmt.Sprintf("%d values, as a day of %d minutes has %d", days*count, minutes, count), strconv.Itoa(len(r.values)))
	}
	covered := 0
	for _, q := range r.ranges {
		if q.from <= covered || q.to < q.from || q.to > len(r.values) {
			return &Error{
				c.name, q.line, "readQualities", fmt.Sprintf("startInterval and endInterval between %d and %d, one range behind the other", covered+1, len(r.values)),
				fmt.Sprintf("%d to %d", q.from, q.to),
			}
		}
		for i := q.from - 1; i < q.to; i++ {
			if r.values[i].quality != domain.Missing {
				r.values[i].quality = q.quality
			}
		}
		covered = q.to
	}
	for values := r.values; len(values) > 0; values = values[count:] {
		if err := c.day(channel, first, minutes, values[:count]); err != nil {
			return err
		}
		first++
	}
	return nil
}
