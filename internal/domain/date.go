package domain

import (
	"fmt"
	"time"
)

// Date is a calendar day: days since 1970-01-01 in the proleptic Gregorian
// calendar. It has no zone; where a day begins is a question for package
// interval.
type Date int32

// DateOf returns the date that t shows in its own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return NewDate(y, m, d)
}

// NewDate returns the date of a year, a month and a day of the month, which
// are normalised as in [time.Date].
func NewDate(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// ParseDate reads YYYY-MM-DD and refuses a day that does not exist.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		return 0, &Error{Kind: Invalid, Public: fmt.Sprintf("%s is not a date: want an existing day as YYYY-MM-DD", Quote(s))}
	}
	return DateOf(t), nil
}

// Civil returns the year, the month and the day of the month.
func (d Date) Civil() (year int, month time.Month, day int) { return d.utc().Date() }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.utc().Weekday() }

// String returns YYYY-MM-DD.
func (d Date) String() string { return d.utc().Format("2006-01-02") }

// MarshalText writes YYYY-MM-DD.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d Date) utc() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// UnmarshalText reads YYYY-MM-DD.
func (d *Date) UnmarshalText(text []byte) error {
	parsed, err := ParseDate(string(text))
	if err == nil {
		*d = parsed
	}
	return err
}
