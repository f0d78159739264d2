package meterfile

import "github.com/wattgate/wattgate/internal/domain"

// Days is a set of days, for tests.
type Days struct{ days }

// Add is days.add.
func (d *Days) Add(day domain.Date) bool { return d.add(day) }

// Runs is how many runs the set keeps.
func (d *Days) Runs() int { return len(d.days) }
