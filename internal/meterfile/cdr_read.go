package meterfile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// cdrRead is one element of data.reads. Its members come in any order.
type cdrRead struct {
	line                                int
	seen                                map[string]bool // the members that have been there
	point, suffix, unit, from, to, kind string
	length                              string
	values                              []cdrValue
	ranges                              []cdrRange
	basic                               cdrValue
	basicQuality                        string
}

// cdrValue is the value of an interval.
type cdrValue struct {
	domain.Decimal
	quality domain.Quality
}

// cdrRange says the quality of some intervals, counted from 1, both included.
type cdrRange struct {
	line     int
	from, to int
	quality  domain.Quality
}

// cdrQuality reads a quality; where none is said it is actual.
func cdrQuality(s string) (q domain.Quality, ok bool) {
	switch s {
	case "", "ACTUAL":
		return domain.Actual, true
	case "SUBSTITUTE", "FINAL_SUBSTITUTE":
		return domain.Substituted, true
	}
	return 0, false
}

// once refuses a member that comes again.
func (c *cdrFile) once(name string) error {
	if c.read.seen[name] {
		return c.refuse(name, "one", "a second one")
	}
	c.read.seen[name] = true
	return nil
}

// member reads a member of a read.
func (c *cdrFile) member(name string) (err error) {
	to := c.read.text(name)
	if to == nil && name != "intervalRead" && name != "basicRead" {
		return c.skip()
	}
	if err := c.once(name); err != nil {
		return err
	}
	switch name {
	case "intervalRead":
		return c.object(c.intervalMember)
	case "basicRead":
		return c.object(c.basicMember)
	}
	*to, err = c.jsonScanner.text()
	return err
}

// text returns where the text of a member goes, or nil.
func (r *cdrRead) text(name string) *string {
	switch name {
	case "servicePointId":
		return &r.point
	case "registerSuffix":
		return &r.suffix
	case "unitOfMeasure":
		return &r.unit
	case "readStartDate":
		return &r.from
	case "readEndDate":
		return &r.to
	case "readUType":
		return &r.kind
	}
	return nil
}

// basicMember reads a member of a basicRead.
func (c *cdrFile) basicMember(name string) (err error) {
	r := &c.read
	switch name {
	case "value":
		if err = c.once("basicRead.value"); err == nil {
			r.basic, err = c.value("basicRead.value")
		}
		return err
	case "quality":
		if err = c.once("basicRead.quality"); err == nil {
			r.basicQuality, err = c.text()
		}
		return err
	}
	return c.skip()
}

// intervalMember reads a member of an intervalRead. The sum of the values, which
// may be rounded, is not compared.
func (c *cdrFile) intervalMember(name string) error {
	r := &c.read
	switch name {
	case "readIntervalLength", "intervalReads", "readQualities":
		if err := c.once("intervalRead." + name); err != nil {
			return err
		}
	default:
		return c.skip()
	}
	switch name {
	case "readIntervalLength":
		word, err := c.word()
		r.length = string(word)
		return err
	case "intervalReads":
		return c.array(func() error {
			v, err := c.value("intervalReads")
			if err == nil && len(r.values) == maxCDRValues {
				err = c.refuse("intervalReads", fmt.Sprintf("at most %d values of one read", maxCDRValues), "more")
			}
			r.values = append(r.values, v)
			return err
		})
	}
	err := c.array(c.qualityRange)
	slices.SortStableFunc(r.ranges, func(a, b cdrRange) int { return cmp.Compare(a.from, b.from) })
	return err
}

// value reads the value of an interval.
func (c *cdrFile) value(field string) (cdrValue, error) {
	v, null, err := c.decimal(field, wantValue)
	if err != nil || null {
		return cdrValue{}, err
	}
	accepted, ok := accept(v)
	if !ok {
		return cdrValue{}, c.refuse(field, wantValue, quote(v.String()))
	}
	return cdrValue{accepted, domain.Actual}, nil
}

// qualityRange reads an element of readQualities.
func (c *cdrFile) qualityRange() error {
	r := &c.read
	q := cdrRange{line: c.number}
	quality := ""
	err := c.object(func(name string) error {
		if name == "quality" {
			var err error
			quality, err = c.text()
			return err
		}
		to := map[string]*int{"startInterval": &q.from, "endInterval": &q.to}[name]
		if to == nil {
			return c.skip()
		}
		word, err := c.word()
		if err != nil {
			return err
		}
		if *to, err = strconv.Atoi(string(word)); err != nil || *to < 1 {
			return c.refuse("readQualities."+name, "the number of an interval, from 1", quote(string(word)))
		}
		return nil
	})
	if err != nil {
		return err
	}
	var ok bool
	if q.quality, ok = cdrQuality(quality); !ok || quality == "" {
		return c.refuse("readQualities.quality", "SUBSTITUTE or FINAL_SUBSTITUTE", quote(quality))
	}
	if len(r.ranges) == maxCDRValues {
		return c.refuse("readQualities", fmt.Sprintf("at most %d ranges of one read", maxCDRValues), "more")
	}
	r.ranges = append(r.ranges, q)
	return nil
}

// day yields one day.
func (c *cdrFile) day(channel Channel, date domain.Date, minutes int, values []cdrValue) error {
	b := &c.block
	year, month, day := date.Civil()
	b.Channel, b.Line, b.Minutes, b.Scale = channel, c.read.line, minutes, 0
	b.Start = time.Date(year, month, day, 0, 0, 0, 0, marketTime)
	for _, v := range values {
		b.Scale = max(b.Scale, v.Scale)
	}
	b.Values, b.Quality = b.Values[:0], b.Quality[:0]
	for _, v := range values {
		w, _ := v.Rescale(b.Scale) // what was accepted fits at every scale of others
		if channel.Direction == domain.Generation {
			w.Coefficient = -w.Coefficient
		}
		b.Values, b.Quality = append(b.Values, w.Coefficient), append(b.Quality, v.quality)
	}
	return c.yield(b)
}
