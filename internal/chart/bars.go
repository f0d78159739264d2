package chart

import (
	"math/bits"
	"strconv"

	"github.com/wattgate/wattgate/internal/domain"
)

// Bar is one bar, and the same span of a year before beside it.
type Bar struct {
	Label   string
	Value   domain.Decimal
	Before  domain.Decimal // of the year before
	Partial bool           // not all of it is there
	Empty   bool           // nothing of it is there
	Has     bool           // there is something of the year before
}

// The measures of the picture of bars.
const (
	BarsWidth  = 720
	BarsHeight = 180
	barsFloor  = 150 // where bars stand
	barsTop    = 10
)

// Bars draws bars from left to right. Classes: bar, old for the year before,
// partial for a bar of which some is missing.
func Bars(list []Bar) []byte {
	var top domain.Decimal
	for _, b := range list {
		for _, v := range []domain.Decimal{b.Value, b.Before} {
			if less(top, v) {
				top = v
			}
		}
	}
	var svg []byte
	if len(list) == 0 {
		return svg
	}
	room := BarsWidth / len(list)
	width := max(2, room*3/10)
	for i, b := range list {
		x := i*room + room/2
		if b.Has {
			svg = rect(svg, "old", x-width-1, width, height(b.Before, top))
		}
		if !b.Empty {
			class := "bar"
			if b.Partial {
				class = "bar partial"
			}
			svg = rect(svg, class, x+1, width, height(b.Value, top))
		}
		svg = append(svg, `<text x="`...)
		svg = strconv.AppendInt(svg, int64(x), 10)
		svg = append(svg, `" y="`...)
		svg = strconv.AppendInt(svg, barsFloor+18, 10)
		svg = append(svg, `" text-anchor="middle">`...)
		svg = append(svg, escape(b.Label)...)
		svg = append(svg, `</text>`...)
	}
	return svg
}

// height is how high a value is drawn where top is the highest one.
func height(value, top domain.Decimal) int {
	scale := max(value.Scale, top.Scale)
	v, fitsV := value.Rescale(scale)
	t, fitsT := top.Rescale(scale)
	if !fitsV || !fitsT {
		v.Coefficient, t.Coefficient = whole(value), whole(top)
	}
	if v.Coefficient <= 0 || t.Coefficient <= 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(v.Coefficient), barsFloor-barsTop)
	if high >= uint64(t.Coefficient) {
		return barsFloor - barsTop
	}
	pixels, _ := bits.Div64(high, low, uint64(t.Coefficient))
	return int(max(1, pixels))
}

func rect(svg []byte, class string, x, width, height int) []byte {
	svg = append(svg, `<rect class="`...)
	svg = append(svg, class...)
	for _, a := range []struct {
		name  string
		value int
	}{{"x", x}, {"y", barsFloor - height}, {"width", width}, {"height", height}} {
		svg = append(svg, `" `...)
		svg = append(svg, a.name...)
		svg = append(svg, `="`...)
		svg = strconv.AppendInt(svg, int64(a.value), 10)
	}
	return append(svg, `" rx="2"></rect>`...)
}

// escape writes a label into markup.
func escape(s string) string {
	var out []byte
	for i := range len(s) {
		switch s[i] {
		case '<':
			out = append(out, "&lt;"...)
		case '>':
			out = append(out, "&gt;"...)
		case '&':
			out = append(out, "&amp;"...)
		case '"':
			out = append(out, "&#34;"...)
		default:
			out = append(out, s[i])
		}
	}
	return string(out)
}
