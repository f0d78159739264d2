// Package chart answers one question: how do readings look?
//
// It lays the readings of a span out by local day and time of day, and draws them:
// a carpet of half-hours, and bars of months. Pictures are SVG without colours and
// style attributes: a class says what a shape is, so that one picture serves light
// and dark pages.
package chart

import (
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// State is what there is of a cell.
type State uint8

// The states. A cell that the clock skips does not exist: 02:00 to 03:00 of the day
// on which summer time begins.
const (
	Missing State = iota
	Partial       // some of its readings are there
	Whole
	Skipped
)

// Cell is one time of day of one day.
type Cell struct {
	Value    domain.Decimal // the sum of what is there
	Present  int            // readings that are there
	Expected int            // as many as the clock shows this time on this day: 0, 1 or 2
}

// State says how much of the cell is there.
func (c Cell) State() State {
	switch {
	case c.Expected == 0:
		return Skipped
	case c.Present == 0:
		return Missing
	case c.Present < c.Expected:
		return Partial
	}
	return Whole
}

// Sheet is a span of days by times of day, in a zone.
type Sheet struct {
	First domain.Date
	Days  int
	Slots int // cells of a day
	Step  time.Duration
	zone  *time.Location
	cells []Cell // day after day
}

// NewSheet returns an empty sheet of the days from first to last, with a cell for
// each step of the clock. The step divides an hour.
func NewSheet(first, last domain.Date, zone *time.Location, step time.Duration) *Sheet {
	s := &Sheet{First: first, Days: max(0, int(last-first)+1), Slots: int(24 * time.Hour / step), Step: step, zone: zone}
	s.cells = make([]Cell, s.Days*s.Slots)
	// What the clock shows is walked through, rather than computed: days of 23 and
	// 25 hours, of half an hour more, and days that a zone left out. It begins a day
	// early and ends a day late: a midnight that does not exist is said to be an
	// hour, or a whole day, before or after.
	begin, end := start(first-1, zone), start(last+2, zone)
	for at := begin; len(s.cells) > 0 && at.Before(end); at = at.Add(step) {
		if i, ok := s.place(at); ok {
			s.cells[i].Expected++
		}
	}
	return s
}

// start is when a day begins.
func start(d domain.Date, zone *time.Location) time.Time {
	year, month, day := d.Civil()
	return time.Date(year, month, day, 0, 0, 0, 0, zone)
}

// place finds the cell of an instant.
func (s *Sheet) place(at time.Time) (int, bool) {
	at = at.In(s.zone)
	day := int(domain.DateOf(at) - s.First)
	slot := int((time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute) / s.Step)
	return day*s.Slots + slot, day >= 0 && day < s.Days
}

// Put adds a reading of one step that starts at the instant. One outside the sheet
// is left out. It is false where the sum does not fit.
func (s *Sheet) Put(at time.Time, value domain.Decimal) bool {
	i, ok := s.place(at)
	if !ok {
		return true
	}
	c := &s.cells[i]
	sum, fits := value, true
	if c.Present > 0 {
		sum, fits = c.Value.Add(value)
	}
	if fits {
		c.Value, c.Present = sum, c.Present+1
	}
	return fits
}

// Join adds the readings of another register over the same span. Of a cell there is
// as much as of the register that has most of it: one that another tariff or a new
// meter has fall silent lacks nothing. It is false where a sum does not fit.
func (s *Sheet) Join(other *Sheet) bool {
	fits := true
	for i, b := range other.cells {
		a := &s.cells[i]
		switch sum, ok := a.Value.Add(b.Value); {
		case b.Present == 0:
		case a.Present == 0:
			*a = b
		case ok:
			a.Value, a.Present = sum, max(a.Present, b.Present)
		default:
			fits = false
		}
	}
	return fits
}

// At returns the cell of a day, counted from the first one, and a slot.
func (s *Sheet) At(day, slot int) Cell { return s.cells[day*s.Slots+slot] }

// Sum is what several cells come to.
type Sum struct {
	Value    domain.Decimal
	Present  int // readings that are there
	Expected int
	Highest  Cell // the cell with most
	HighDay  int  // where that is
	HighSlot int
	Overflow bool
}

// Sum adds up the cells of the days [from, to).
func (s *Sheet) Sum(from, to int) Sum {
	var sum Sum
	for day := max(0, from); day < min(to, s.Days); day++ {
		for slot := range s.Slots {
			c := s.At(day, slot)
			sum.Present, sum.Expected = sum.Present+c.Present, sum.Expected+c.Expected
			if c.Present == 0 {
				continue
			}
			total, fits := sum.Value.Add(c.Value)
			if !fits {
				sum.Overflow = true
				continue
			}
			sum.Value = total
			if sum.Highest.Present == 0 || less(sum.Highest.Value, c.Value) {
				sum.Highest, sum.HighDay, sum.HighSlot = c, day, slot
			}
		}
	}
	return sum
}

// less reports whether a is below b.
func less(a, b domain.Decimal) bool {
	scale := max(a.Scale, b.Scale)
	x, okX := a.Rescale(scale)
	y, okY := b.Rescale(scale)
	if okX && okY {
		return x.Coefficient < y.Coefficient
	}
	// One of them is beyond what fits at the finer scale: its whole part decides.
	return whole(a) < whole(b)
}

func whole(d domain.Decimal) int64 {
	for range d.Scale {
		d.Coefficient /= 10
	}
	return d.Coefficient
}

// Part returns the days [from, to) as a sheet of their own, which shares the cells.
func (s *Sheet) Part(from, to int) *Sheet {
	part := *s
	part.First, part.Days = s.First+domain.Date(from), to-from
	part.cells = s.cells[from*s.Slots : to*s.Slots]
	return &part
}

// Label names a cell for people: the day, and the times at which it begins and
// ends.
func (s *Sheet) Label(day, slot int) string {
	begin := time.Duration(slot) * s.Step
	end := begin + s.Step
	year, month, of := (s.First + domain.Date(day)).Civil()
	return fmt.Sprintf("%d %s %d, %02d:%02d to %02d:%02d", of, month, year, int(begin.Hours()), int(begin.Minutes())%60, int(end.Hours()), int(end.Minutes())%60)
}
