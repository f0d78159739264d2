package meter

import "github.com/wattgate/wattgate/internal/interval"

// What the tests see of a street.
const (
	PerDay     = perDay
	Households = households
)

var (
	NewStreet = newStreet
	First     = first
)

func (s *street) Readings(points, days int) int { return s.readings(points, days) }

func (s *street) Day(point, n int) *interval.Day { return s.day(point, n) }
