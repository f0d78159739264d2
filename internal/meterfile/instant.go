package meterfile

import (
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// instants reads date-times with an offset (RFC 3339 §5.6). It remembers the last
// date, which the next line has too, as a rule.
type instants struct {
	text [len("2006-01-02")]byte
	days int64 // since 1970; what text says
}

const wantInstant = "an existing date-time with an offset, such as 2024-10-27T02:15:00+01:00"

// instant reads a date-time in Unix seconds, and its offset in seconds east of
// UTC; zulu says that it is written as Z. Seconds have no fraction but zeros.
func (c *instants) instant(b []byte) (unix int64, offset int, zulu, ok bool) {
	const shortest = len("2006-01-02T15:04:05Z")
	if len(b) < shortest || b[10]|0x20 != 't' || b[13] != ':' || b[16] != ':' {
		return 0, 0, false, false
	}
	if string(b[:10]) != string(c.text[:]) {
		day, ok := dateOf(b[:10])
		if !ok {
			return 0, 0, false, false
		}
		copy(c.text[:], b)
		c.days = int64(day)
	}
	hour, minute, second := two(b[11:]), two(b[14:]), two(b[17:])
	if hour > 23 || minute > 59 || second > 59 {
		return 0, 0, false, false
	}
	wall := c.days*86400 + int64(hour*3600+minute*60+second)
	rest := b[19:]
	if rest[0] == '.' {
		for rest = rest[1:]; len(rest) > 1 && rest[0] == '0'; {
			rest = rest[1:]
		}
	}
	switch {
	case len(rest) == 1 && rest[0]|0x20 == 'z':
		return wall, 0, true, true
	case len(rest) == len("+01:00") && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':':
		hour, minute := two(rest[1:]), two(rest[4:])
		offset = hour*3600 + minute*60
		if rest[0] == '-' {
			offset = -offset
		}
		return wall - int64(offset), offset, false, hour <= 23 && minute <= 59
	}
	return 0, 0, false, false
}

// two reads two digits, and a number above all that are wanted where they are
// none.
func two(b []byte) int {
	ten, one := b[0]-'0', b[1]-'0'
	if ten > 9 || one > 9 {
		return 100
	}
	return int(ten)*10 + int(one)
}

// dateOf reads YYYY-MM-DD, an existing day of the years 1970 to 2199.
func dateOf(b []byte) (domain.Date, bool) {
	if len(b) != len("2006-01-02") || b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	year, month, day := two(b)*100+two(b[2:]), two(b[5:]), two(b[8:])
	if year < 1970 || year > 2199 || two(b) > 99 || two(b[2:]) > 99 || month < 1 || month > 12 || day < 1 || day > 31 {
		return 0, false
	}
	d := domain.NewDate(year, time.Month(month), day)
	_, _, back := d.Civil()
	return d, back == day
}
