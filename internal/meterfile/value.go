package meterfile

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/wattgate/wattgate/internal/domain"
)

// The bounds on a reading. They leave room for sums: a day with a value that
// cannot be added to others would spoil every question about its channel.
const (
	maxPlaces = 9          // after the point
	limit     = 10_000_000 // of the unit; a reading is nearer to zero
)

var wantValue = fmt.Sprintf("a number between -%d and %d with at most %d decimal places", limit, limit, maxPlaces)

// accept returns a value with at most maxPlaces, and false where it is none
// that a reading may have. Zeros at the end are no places.
func accept(v domain.Decimal) (domain.Decimal, bool) {
	if v.Scale > maxPlaces {
		v = v.Trim()
	}
	if v.Scale > maxPlaces {
		return v, false
	}
	most, _ := domain.Decimal{Coefficient: limit}.Rescale(v.Scale) // at most 10^16
	return v, -most.Coefficient < v.Coefficient && v.Coefficient < most.Coefficient
}

// maxIndex bounds the digits of a register's index, which is not added to others.
const maxIndex = 1e18

var wantIndex = fmt.Sprintf("a number of at most 18 digits, %d of them decimal places", maxPlaces)

// acceptIndex is accept for the index of a register.
func acceptIndex(v domain.Decimal) (domain.Decimal, bool) {
	if v.Scale > maxPlaces || v.Coefficient >= maxIndex || v.Coefficient <= -maxIndex {
		v = v.Trim()
	}
	return v, v.Scale <= maxPlaces && -maxIndex < v.Coefficient && v.Coefficient < maxIndex
}

// shift multiplies a value with a power of ten, exactly. It is false where the
// product has more digits than a decimal.
func shift(v domain.Decimal, ten int) (domain.Decimal, bool) {
	scale := int(v.Scale) - ten
	if scale > domain.MaxScale {
		v = v.Trim()
		scale = int(v.Scale) - ten
	}
	switch {
	case v.Coefficient == 0:
		return domain.Decimal{}, true
	case scale > domain.MaxScale || scale < -domain.MaxScale:
		return v, false
	case scale < 0: // the value without its point, × 10^-scale
		v.Scale = 0
		v, ok := v.Rescale(uint8(-scale))
		v.Scale = 0
		return v, ok
	}
	v.Scale = uint8(scale)
	return v, true
}

// scientific reads a number that may have an exponent, exactly.
func scientific(b []byte) (domain.Decimal, bool) {
	mantissa, exponent, found := bytes.Cut(b, []byte("e"))
	if !found {
		mantissa, exponent, found = bytes.Cut(b, []byte("E"))
	}
	v, err := domain.ParseDecimal(string(mantissa))
	if err != nil || !found {
		return v, err == nil
	}
	ten, err := strconv.Atoi(string(exponent))
	if err != nil || ten < -maxExponent || ten > maxExponent {
		return v, false
	}
	return shift(v, ten)
}

// maxExponent is more than any number of ours needs.
const maxExponent = 99
