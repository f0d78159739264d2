package interval

import (
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// FormatMoment returns what [AppendMoment] appends.
func FormatMoment(t time.Time) string { return string(AppendMoment(nil, t)) }

// AppendMoment appends t as it shows in its own location, as RFC 3339 with a
// numeric offset, never Z: 2024-10-01T00:00:00+02:00. A fraction is there only
// if there is one. An offset with seconds, as before standard time, is written
// with them, which RFC 3339 does not know but which keeps the instant.
func AppendMoment(dst []byte, t time.Time) []byte {
	_, offset := t.Zone()
	wall := t.Unix() + int64(offset)
	date := domain.Date(floor(wall, daySeconds))
	year, month, day := date.Civil()
	if year < 0 || year > 9999 {
		return t.AppendFormat(dst, time.RFC3339Nano) // outside of RFC 3339; never read, never stored
	}
	second := int(wall - int64(date)*daySeconds)
	dst = appendPair(dst, year/100)
	dst = appendPair(dst, year%100)
	dst = append(dst, '-')
	dst = appendPair(dst, int(month))
	dst = append(dst, '-')
	dst = appendPair(dst, day)
	dst = append(dst, 'T')
	dst = appendClock(dst, second, true)
	if n := t.Nanosecond(); n != 0 {
		dst = append(dst, '.')
		for unit := 100_000_000; n != 0; unit /= 10 {
			dst = append(dst, byte('0'+n/unit))
			n %= unit
		}
	}
	if offset < 0 {
		return appendClock(append(dst, '-'), -offset, offset%60 != 0)
	}
	return appendClock(append(dst, '+'), offset, offset%60 != 0)
}

// appendClock appends seconds as hours, minutes and, if asked for, seconds.
func appendClock(dst []byte, seconds int, full bool) []byte {
	dst = appendPair(dst, seconds/3600)
	dst = append(dst, ':')
	dst = appendPair(dst, seconds/60%60)
	if !full {
		return dst
	}
	dst = append(dst, ':')
	return appendPair(dst, seconds%60)
}

// appendPair appends a number below 100 as two digits.
func appendPair(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10), byte('0'+n%10))
}
