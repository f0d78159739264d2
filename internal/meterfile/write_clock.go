package meterfile

import "time"

// clock writes instants as RFC 3339 says, to the second. It remembers what the
// neighbours of an instant have in common with it: the offset and the date.
type clock struct {
	loc *time.Location
	// The offset from UTC that holds in [from, until), in seconds and as text.
	offset, from, until int64
	zone                []byte
	// The date that the clock showed last, in days since 1970, as 2006-01-02T.
	day  int64
	date []byte
}

const daySeconds = 86400

// in makes the clock show a zone, and begins anew.
func (c *clock) in(loc *time.Location) {
	c.loc, c.from, c.until = loc, 0, 0
}

// offsetAt returns how many seconds east of UTC the zone is at a Unix second.
func (c *clock) offsetAt(t int64) int64 {
	if t < c.from || t >= c.until {
		c.turn(t)
	}
	return c.offset
}

// append appends the instant of a Unix second.
func (c *clock) append(dst []byte, t int64) []byte {
	wall := t + c.offsetAt(t)
	day := wall / daySeconds
	if wall < 0 && wall%daySeconds != 0 {
		day--
	}
	if day != c.day || len(c.date) == 0 {
		c.day = day
		c.date = time.Unix(day*daySeconds, 0).UTC().AppendFormat(c.date[:0], "2006-01-02T")
	}
	s := int(wall - day*daySeconds)
	dst = append(dst, c.date...)
	dst = append(dst, '0'+byte(s/36000), '0'+byte(s/3600%10), ':', '0'+byte(s%3600/600), '0'+byte(s/60%10), ':', '0'+byte(s%60/10), '0'+byte(s%10))
	return append(dst, c.zone...)
}

// turn asks the zone for its offset at t and how long it holds.
func (c *clock) turn(t int64) {
	local := time.Unix(t, 0).In(c.loc)
	_, offset := local.Zone()
	// RFC 3339 knows no seconds in an offset. The instant stays what it is.
	minutes := offset / 60
	c.offset, c.from, c.until = int64(minutes)*60, t, holds(local)
	if c.loc == time.UTC {
		c.zone = append(c.zone[:0], 'Z')
		return
	}
	sign := byte('+')
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	h, m := byte(minutes/60), byte(minutes%60)
	c.zone = append(c.zone[:0], sign, '0'+h/10, '0'+h%10, ':', '0'+m/10, '0'+m%10)
}

// never is later than every reading, in Unix seconds.
const never = 1 << 62

// holds returns until when, in Unix seconds, a zone keeps the offset that it
// has at t; it may do so longer.
func holds(t time.Time) int64 {
	_, end := t.ZoneBounds()
	switch {
	case end.IsZero():
		return never
	case end.After(t):
		return end.Unix()
	}
	// On the last day of a leap year package time may give an end that is over.
	return t.Unix() + 1
}

// endOf returns where an interval that begins at start ends, in Unix seconds.
// A whole day ends where the zone's clock first shows the next date, after 23,
// 24 or 25 hours.
func endOf(start time.Time, minutes int) int64 {
	if minutes != WholeDay {
		return start.Unix() + int64(minutes)*60
	}
	year, month, day := start.Date()
	midnight := time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC).Unix()
	for t := start; ; {
		_, offset := t.Zone()
		end, turn := max(t.Unix(), midnight-int64(offset)), holds(t)
		if end < turn || turn == t.Unix()+1 {
			return end
		}
		t = time.Unix(turn, 0).In(start.Location())
	}
}
