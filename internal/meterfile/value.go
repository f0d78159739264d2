package meterfile

import (
	"fmt"

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
