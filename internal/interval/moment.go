package interval

import (
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Moment is a date-time as clients write it, perhaps without an offset. The
// zero Moment is 1970-01-01T00:00:00 without an offset.
type Moment struct {
	wall      int64 // seconds since 1970-01-01T00:00 on the clock it was read from
	nanos     int32
	offset    int32 // seconds east of UTC
	hasOffset bool
}

// HasOffset reports whether the moment says by itself which instant it is.
func (m Moment) HasOffset() bool { return m.hasOffset }

// In returns the instant of the moment, shown in loc. Only a moment without an
// offset takes its meaning from loc: it is the first instant at which the clock
// there shows that time or a later one. So the first of both in the hour that
// autumn repeats; and in the hour that spring skips, the end of the skip. A
// midnight is thereby the start of [Span], and order is kept.
func (m Moment) In(loc *time.Location) time.Time {
	if m.hasOffset {
		return time.Unix(m.wall-int64(m.offset), int64(m.nanos)).In(loc)
	}
	t := at(first(m.wall, loc), loc)
	if _, offset := t.Zone(); t.Unix()+int64(offset) != m.wall {
		return t // skipped: the fraction was skipped too
	}
	return t.Add(time.Duration(m.nanos))
}

// ParseMoment reads a date-time in the forms that clients of the Kraken dialect
// send: RFC 3339, with a space for the T, without seconds, without an offset or
// with one such as +0000, +09 or -00:01:15 (which is the default of startAt in
// published schemas), or a plain date, which means its midnight. It takes years
// 0001 to 9999 and nine places of fraction; a time that does not exist, such as
// 30 February, 24:00 or a leap second, is [domain.Invalid].
func ParseMoment(s string) (Moment, error) {
	m, ok := readMoment(s)
	if !ok {
		return Moment{}, &domain.Error{Kind: domain.Invalid, Public: fmt.Sprintf(
			"%.64q is not a date-time: want an existing one such as 2024-10-01T00:00:00+02:00, or without the offset", s)}
	}
	return m, nil
}

func readMoment(s string) (Moment, bool) {
	if len(s) < len("2024-10-01") || s[4] != '-' || s[7] != '-' {
		return Moment{}, false
	}
	year, ok := digits(s[:4], 9999)
	month, ok1 := digits(s[5:7], 12)
	day, ok2 := digits(s[8:10], 31)
	if !ok || !ok1 || !ok2 || year == 0 || month == 0 || day == 0 {
		return Moment{}, false
	}
	date := domain.NewDate(year, time.Month(month), day)
	if _, _, d := date.Civil(); d != day {
		return Moment{}, false
	}
	m := Moment{wall: int64(date) * daySeconds}
	if len(s) == len("2024-10-01") {
		return m, true
	}
	switch s[10] {
	case 'T', 't', ' ': // RFC 3339 §5.6
	default:
		return Moment{}, false
	}
	rest, ok := m.readTime(s[11:])
	if !ok {
		return Moment{}, false
	}
	switch rest {
	case "":
		return m, true
	case "Z", "z":
		m.hasOffset = true
		return m, true
	}
	offset, ok := readOffset(rest)
	m.offset, m.hasOffset = int32(offset), true
	return m, ok
}

// readTime reads hours, minutes, and perhaps seconds and a fraction.
func (m *Moment) readTime(s string) (rest string, ok bool) {
	if len(s) < len("00:00") || s[2] != ':' {
		return "", false
	}
	hour, ok1 := digits(s[:2], 23)
	minute, ok2 := digits(s[3:5], 59)
	m.wall += int64(hour*3600 + minute*60)
	if s = s[5:]; !ok1 || !ok2 || len(s) < 3 || s[0] != ':' {
		return s, ok1 && ok2
	}
	second, ok := digits(s[1:3], 59)
	m.wall += int64(second)
	if s = s[3:]; !ok || s == "" || s[0] != '.' {
		return s, ok
	}
	n := 1
	for unit := int32(100_000_000); n < len(s) && s[n]-'0' <= 9; n++ {
		if n > 9 {
			return "", false
		}
		m.nanos += int32(s[n]-'0') * unit
		unit /= 10
	}
	return s[n:], n > 1
}

// readOffset reads ±HH, ±HHMM, ±HH:MM or ±HH:MM:SS as seconds east of UTC.
func readOffset(s string) (seconds int, ok bool) {
	if len(s) < 3 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	hour, ok := digits(s[1:3], 23)
	var minute, second int
	ok1, ok2 := true, true
	switch {
	case len(s) == len("+00"):
	case len(s) == len("+0000"):
		minute, ok1 = digits(s[3:], 59)
	case len(s) == len("+00:00") && s[3] == ':':
		minute, ok1 = digits(s[4:], 59)
	case len(s) == len("+00:00:00") && s[3] == ':' && s[6] == ':':
		minute, ok1 = digits(s[4:6], 59)
		second, ok2 = digits(s[7:], 59)
	default:
		return 0, false
	}
	seconds = hour*3600 + minute*60 + second
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, ok && ok1 && ok2
}

// digits reads decimal digits and nothing else, up to a limit.
func digits(s string, limit int) (n int, ok bool) {
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + int(d)
	}
	return n, n <= limit
}
