package chart

import (
	"math/bits"
	"strconv"

	"github.com/wattgate/wattgate/internal/domain"
)

// Colours is how many steps the scale of a carpet has. They grow with the square
// root, because most half-hours are small beside the highest.
const Colours = 12

// Carpet draws a sheet: a column for each day, a row for each time of day, and one
// path for each colour, which is drawn by a stroke of width 1: the middle of the
// first column is at 0, so that the picture reaches from -0.5 to Days - 0.5, and
// from 0 to Slots. Its classes are h0 to h11, hx for what is missing and hs for
// what the clock skips.
func (s *Sheet) Carpet() []byte {
	top := s.Sum(0, s.Days).Highest.Value
	paths := [Colours + 2][]byte{}
	row := make([]int, s.Slots)
	for day := range s.Days {
		for slot := range row {
			row[slot] = s.colour(s.At(day, slot), top)
		}
		for colour := range paths {
			paths[colour] = runs(paths[colour], day, row, colour)
		}
	}
	var svg []byte
	for colour, path := range paths {
		if len(path) == 0 {
			continue
		}
		svg = append(svg, `<path class="`...)
		svg = append(svg, Class(colour)...)
		svg = append(svg, `" d="`...)
		svg = append(svg, path...)
		svg = append(svg, `"></path>`...)
	}
	return svg
}

// runs appends the stretches of a day that a path draws. A colour of the scale is
// drawn under all that are above it too, which are drawn after it: that breaks the
// path far less often.
func runs(path []byte, day int, row []int, colour int) []byte {
	drawn := func(c int) bool { return c == colour || colour < Colours && c < Colours && c > colour }
	last := -1
	for slot := 0; slot < len(row); {
		end := slot
		for end < len(row) && drawn(row[end]) {
			end++
		}
		if end > slot {
			if last < 0 { // the first of the day
				path = append(path, 'M')
				path = strconv.AppendInt(path, int64(day), 10)
				path = append(path, ' ')
				path = strconv.AppendInt(path, int64(slot), 10)
			} else { // from where the one before ended
				path = append(path, "m0 "...)
				path = strconv.AppendInt(path, int64(slot-last), 10)
			}
			path = append(path, 'v')
			path = strconv.AppendInt(path, int64(end-slot), 10)
			last = end
		}
		slot = end + 1
	}
	return path
}

// The colours behind those of the scale.
const (
	colourMissing = Colours
	colourSkipped = Colours + 1
)

// Class is the class of a colour.
func Class(colour int) string {
	switch colour {
	case colourMissing:
		return "hx"
	case colourSkipped:
		return "hs"
	}
	return "h" + strconv.Itoa(colour)
}

// colour returns the colour of a cell where the highest one is top.
func (s *Sheet) colour(c Cell, top domain.Decimal) int {
	switch c.State() {
	case Missing:
		return colourMissing
	case Skipped:
		return colourSkipped
	case Partial, Whole:
	}
	return Step(c.Value, top)
}

// Step returns the step of the scale, 0 to 11, on which a value stands: the
// greatest k whose square is not above 144 times the value's share of the top.
func Step(value, top domain.Decimal) int {
	scale := max(value.Scale, top.Scale)
	v, fitsV := value.Rescale(scale)
	t, fitsT := top.Rescale(scale)
	if !fitsV || !fitsT {
		v.Coefficient, t.Coefficient = whole(value), whole(top)
	}
	if v.Coefficient <= 0 || t.Coefficient <= 0 {
		return 0
	}
	k := 0
	for k+1 < Colours && notAbove(uint64((k+1)*(k+1)), uint64(t.Coefficient), Colours*Colours, uint64(v.Coefficient)) {
		k++
	}
	return k
}

// notAbove reports whether a·b is at most c·d.
func notAbove(a, b, c, d uint64) bool {
	h1, l1 := bits.Mul64(a, b)
	h2, l2 := bits.Mul64(c, d)
	return h1 < h2 || h1 == h2 && l1 <= l2
}
