package meterfile

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// maxRun bounds a run, so that a file of one endless block is streamed too.
const maxRun = 1440

// blocks is the second pass: it yields the readings.
type blocks struct {
	*scanner
	channels *feed
	yield    func(*Block) error
	entry    int  // of those with blocks, how many are done
	inside   bool // the open entry has had a block
	readings int
	run      Block
	end      int64 // of the run, in Unix seconds
}

func (b *blocks) link(_, _ string) error { return nil }
func (b *blocks) id(string) error        { return nil }
func (b *blocks) title(string) error     { return nil }

func (b *blocks) endEntry() error {
	if b.inside {
		b.entry++
		b.inside = false
	}
	return nil
}

func (b *blocks) resource(kind string) error {
	if kind != "IntervalBlock" {
		return b.skip()
	}
	if b.entry == len(b.channels.entries) {
		return b.refuse("IntervalBlock", "the same file as a moment ago", "a changed one")
	}
	b.inside = true
	m := &b.channels.meters[b.channels.entries[b.entry]]
	var cursor int64 // where a reading without a time begins
	err := b.children(func(t xml.StartElement) error {
		switch t.Name.Local {
		case "interval":
			p, err := b.period()
			if err == nil && p.start.text != "" {
				cursor, err = b.seconds("interval.start", p.start)
			}
			return err
		case "IntervalReading":
			return b.reading(m, &cursor)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return b.flush()
}

// maxInstant is the year 2200, in Unix seconds.
const maxInstant = 7_258_118_400

// period is the text of an interval: where it begins and how long it is.
type period struct{ start, duration code }

func (b *blocks) period() (p period, err error) {
	err = b.children(func(t xml.StartElement) (err error) {
		switch t.Name.Local {
		case "start":
			p.start, err = b.code()
		case "duration":
			p.duration, err = b.code()
		}
		return err
	})
	return p, err
}

// code reads the text of the element just begun, and keeps where it stands.
func (b *blocks) code() (code, error) {
	line := b.line()
	text, err := b.text()
	return code{text: text, line: line}, err
}

func (b *blocks) refuseAt(v code, field, want string) error {
	return &Error{b.name, v.line, field, want, quote(v.text)}
}

func (b *blocks) seconds(field string, v code) (int64, error) {
	n, err := strconv.ParseInt(v.text, 10, 64)
	if err != nil || n < 0 || n > maxInstant {
		return 0, b.refuseAt(v, field, fmt.Sprintf("whole seconds from 0 to %d", maxInstant))
	}
	return n, nil
}

// reading reads one IntervalReading. One without a value is a gap.
func (b *blocks) reading(m *meter, cursor *int64) error {
	line := b.line()
	var p period
	var value code
	quality := domain.Missing
	err := b.children(func(t xml.StartElement) (err error) {
		switch t.Name.Local {
		case "timePeriod":
			p, err = b.period()
		case "value":
			value, err = b.code()
		case "ReadingQuality":
			var q domain.Quality
			q, err = b.quality()
			quality = max(quality, q) // of several the gravest, which is the greatest
		}
		return err
	})
	if err != nil {
		return err
	}
	if quality == domain.Missing {
		quality = m.quality
	}
	start, length, err := b.when(m, p, *cursor, line)
	if err != nil {
		return err
	}
	*cursor = start + length
	if value.text == "" {
		return nil
	}
	v, ok := m.value(value.text)
	if !ok {
		return b.refuseAt(value, "value", fmt.Sprintf("%s, also after × 10^%d", wantValue, m.multiplier))
	}
	return b.add(m, line, start, length, v, quality)
}

// when returns where a reading begins and how many seconds it is long. One
// that does not say follows the one before it.
func (b *blocks) when(m *meter, p period, cursor int64, line int) (start, length int64, err error) {
	start, length = cursor, int64(m.length)
	if p.start.text != "" {
		if start, err = b.seconds("timePeriod.start", p.start); err != nil {
			return 0, 0, err
		}
	}
	if p.duration.text != "" {
		if length, err = b.seconds("timePeriod.duration", p.duration); err != nil {
			return 0, 0, err
		}
		line = p.duration.line
	}
	if minutes(length) == 0 {
		return 0, 0, &Error{
			b.name, line, "timePeriod.duration",
			"minutes that divide an hour, or one day; a bill's period is no reading", fmt.Sprintf("%d seconds", length),
		}
	}
	if start == 0 {
		return 0, 0, &Error{b.name, line, "timePeriod.start", "seconds since 1970", quote(p.start.text)}
	}
	return start, length, nil
}

// minutes returns an interval's length as a block has it, or 0 where a block
// cannot have it. A local day in spring or autumn has 23 or 25 hours.
func minutes(seconds int64) int {
	switch {
	case seconds >= 60 && seconds <= 3600 && seconds%60 == 0 && 3600%seconds == 0:
		return int(seconds / 60)
	case seconds == 23*3600 || seconds == 24*3600 || seconds == 25*3600:
		return WholeDay
	}
	return 0
}

// value reads a value and multiplies it, exactly. It is false where the
// product is none that a reading may have.
func (m *meter) value(text string) (domain.Decimal, bool) {
	v, err := domain.ParseDecimal(text)
	if err != nil {
		return v, false
	}
	v, ok := shift(v, m.multiplier)
	if !ok {
		return v, false
	}
	return accept(v)
}

// add puts a reading at the end of the run, or begins a new one.
func (b *blocks) add(m *meter, line int, start, length int64, v domain.Decimal, q domain.Quality) error {
	r, minutes := &b.run, minutes(length)
	n := len(r.Values)
	if n > 0 && (start != b.end || minutes != r.Minutes || v.Scale != r.Scale || minutes == WholeDay || n == maxRun) {
		if err := b.flush(); err != nil {
			return err
		}
		n = 0
	}
	if n == 0 {
		r.Channel, r.Line, r.Start, r.Minutes, r.Scale = m.channel, line, time.Unix(start, 0).UTC(), minutes, v.Scale
	}
	r.Values, r.Quality = append(r.Values, v.Coefficient), append(r.Quality, q)
	b.end = start + length
	b.readings++
	return nil
}

func (b *blocks) flush() error {
	r := &b.run
	if len(r.Values) == 0 {
		return nil
	}
	err := b.yield(r)
	r.Values, r.Quality = r.Values[:0], r.Quality[:0]
	return err
}
