package domain

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// MaxScale is the most decimal places that a value may have. It is also how
// many the Kraken dialect writes.
const MaxScale = 18

// Decimal is an exact number: Coefficient × 10^-Scale. Meter values are never
// floating point, because a bill must add up.
type Decimal struct {
	Coefficient int64
	Scale       uint8 // 0 to MaxScale
}

// ParseDecimal reads a plain decimal number with an optional sign, such as
// -0.125 or .048 or 12. It takes no exponent, no spaces and at most 18 places.
func ParseDecimal(s string) (Decimal, error) {
	refused := func(why string) (Decimal, error) {
		return Decimal{}, &Error{Kind: Invalid, Public: fmt.Sprintf("%s is not a decimal number: %s", Quote(s), why)}
	}
	digits, negative := strings.CutPrefix(s, "-")
	if !negative {
		digits = strings.TrimPrefix(digits, "+")
	}
	var (
		c      uint64
		scale  int
		point  bool
		digit  bool
		limit  = uint64(math.MaxInt64)
		tenths = limit / 10
	)
	for i := range len(digits) {
		b := digits[i]
		if b == '.' && !point {
			point = true
			continue
		}
		if b < '0' || b > '9' {
			return refused("want digits and at most one point")
		}
		digit = true
		d := uint64(b - '0')
		if c > tenths || c*10+d > limit {
			return refused("too many digits")
		}
		c = c*10 + d
		if point {
			scale++
		}
	}
	if !digit {
		return refused("no digit")
	}
	if scale > MaxScale {
		return refused("more than 18 decimal places")
	}
	v := Decimal{Coefficient: int64(c), Scale: uint8(scale)}
	if negative {
		v.Coefficient = -v.Coefficient
	}
	return v, nil
}

// Rescale returns the same value with the given scale. It fails where digits
// would be lost or the coefficient would not fit.
func (d Decimal) Rescale(scale uint8) (Decimal, bool) {
	for d.Scale < scale {
		if d.Coefficient > math.MaxInt64/10 || d.Coefficient < math.MinInt64/10 {
			return d, false
		}
		d.Coefficient *= 10
		d.Scale++
	}
	for d.Scale > scale {
		if d.Coefficient%10 != 0 {
			return d, false
		}
		d.Coefficient /= 10
		d.Scale--
	}
	return d, true
}

// Trim returns the same value with the smallest scale that loses nothing.
func (d Decimal) Trim() Decimal {
	for d.Scale > 0 && d.Coefficient%10 == 0 {
		d.Coefficient /= 10
		d.Scale--
	}
	return d
}

// Add returns the exact sum, and false where it does not fit.
func (d Decimal) Add(e Decimal) (Decimal, bool) {
	scale := max(d.Scale, e.Scale)
	d, ok1 := d.Rescale(scale)
	e, ok2 := e.Rescale(scale)
	sum := d.Coefficient + e.Coefficient
	overflow := (e.Coefficient > 0 && sum < d.Coefficient) || (e.Coefficient < 0 && sum > d.Coefficient)
	return Decimal{sum, scale}, ok1 && ok2 && !overflow
}

// Equal reports whether both are the same number, whatever their scales.
func (d Decimal) Equal(e Decimal) bool { return d.Trim() == e.Trim() }

// String returns plain notation with all places of the scale: 0.125, -3.50, 7.
func (d Decimal) String() string { return string(d.Append(nil, d.Scale)) }

// Append appends plain notation with at least the given number of places, the
// missing ones as zeros. The Kraken dialect writes 18.
func (d Decimal) Append(dst []byte, places uint8) []byte {
	c := uint64(d.Coefficient)
	if d.Coefficient < 0 {
		dst = append(dst, '-')
		c = -c
	}
	var buf [20]byte
	digits := strconv.AppendUint(buf[:0], c, 10)
	scale := int(d.Scale)
	if len(digits) <= scale {
		dst = append(dst, '0')
	} else {
		dst = append(dst, digits[:len(digits)-scale]...)
	}
	pad := int(places) - scale
	if scale == 0 && pad <= 0 {
		return dst
	}
	dst = append(dst, '.')
	for range scale - len(digits) {
		dst = append(dst, '0')
	}
	dst = append(dst, digits[max(0, len(digits)-scale):]...)
	for range pad {
		dst = append(dst, '0')
	}
	return dst
}
