package meterfile

import (
	"slices"

	"github.com/wattgate/wattgate/internal/domain"
)

// days is a set of days, kept as runs: a register's days come in order, so
// that one run holds a file of many years.
type days []struct{ first, last domain.Date }

// add adds a day and reports whether it was not there yet.
func (d *days) add(day domain.Date) bool {
	runs := *d
	if n := len(runs); n > 0 && runs[n-1].last+1 == day {
		runs[n-1].last = day
		return true
	}
	// i is the first run that ends on the day before or later.
	i, _ := slices.BinarySearchFunc(runs, day-1, func(r struct{ first, last domain.Date }, t domain.Date) int {
		return int(r.last) - int(t)
	})
	switch {
	case i < len(runs) && runs[i].first <= day && day <= runs[i].last:
		return false
	case i < len(runs) && runs[i].last == day-1:
		if i+1 < len(runs) && runs[i+1].first <= day {
			return false
		}
		runs[i].last = day
		if i+1 < len(runs) && runs[i+1].first == day+1 {
			runs[i].last = runs[i+1].last
			*d = slices.Delete(runs, i+1, i+2)
		}
	case i < len(runs) && runs[i].first == day+1:
		runs[i].first = day
	default:
		*d = slices.Insert(runs, i, struct{ first, last domain.Date }{day, day})
	}
	return true
}
