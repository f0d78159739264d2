package meterfile

import "github.com/wattgate/wattgate/internal/domain"

// Days is a set of days, for tests.
type Days struct{ days }

// NewDays returns an empty one.
func NewDays() Days { return Days{days{}} }

// Add is days.add.
func (d Days) Add(day domain.Date) bool { return d.add(day) }
