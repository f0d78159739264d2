package interval

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	_ "time/tzdata" // zones must be there on a machine without zone data

	"github.com/wattgate/wattgate/internal/domain"
)

const daySeconds = 86400

// Zone returns the location of an IANA name such as Europe/Amsterdam, or of a
// fixed offset such as +10:00, which market time without summer time has.
// Anything else is [domain.Invalid], also the machine's own zone under the
// name Local: what a stored day means must not depend on where it is read.
func Zone(name string) (*time.Location, error) {
	if loc, ok := zones.known.Load(name); ok {
		return loc.(*time.Location), nil
	}
	loc, ok := loadZone(name)
	if !ok {
		return nil, &domain.Error{Kind: domain.Invalid, Public: fmt.Sprintf(
			"%.64q is not a time zone: want an IANA name such as Europe/Amsterdam, or an offset such as +10:00", name)}
	}
	zones.remember(name, loc)
	return loc, nil
}

// zones remembers what never changes: a name's location. Names come from
// requests, so only those that exist are kept, and no more than there can be.
var zones zoneCache

type zoneCache struct {
	known sync.Map // string -> *time.Location
	count atomic.Int64
}

// maxZones is above the 600 IANA names and 2,880 offsets that can be asked for.
// It is reached only where a file system finds a name in any case.
const maxZones = 4096

func (c *zoneCache) remember(name string, loc *time.Location) {
	if c.count.Load() >= maxZones {
		return
	}
	if _, loaded := c.known.LoadOrStore(strings.Clone(name), loc); !loaded {
		c.count.Add(1)
	}
}

func loadZone(name string) (*time.Location, bool) {
	if name == "" || len(name) > 64 {
		return nil, false
	}
	if name[0] == '+' || name[0] == '-' {
		seconds, ok := readOffset(name)
		if !ok || len(name) != len("+10:00") {
			return nil, false
		}
		return time.FixedZone(strings.Clone(name), seconds), true
	}
	for _, c := range []byte(name) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		digit := c >= '0' && c <= '9'
		if !letter && !digit && !strings.ContainsRune("/_+-", rune(c)) {
			return nil, false // a dot is the way out of the zone folder
		}
	}
	// What zone folders hold beside zones: the machine's own, and copies that
	// count leap seconds.
	switch folder, _, _ := strings.Cut(name, "/"); folder {
	case "Local", "localtime", "posixrules", "posix", "right", "Factory":
		return nil, false
	}
	loc, err := time.LoadLocation(name)
	return loc, err == nil
}

// Span returns the first instant of a local date and the first instant of the
// next one, both shown in loc. They are equal for a date that does not exist in
// the zone (Pacific/Apia left out 2011-12-30).
//
// The first instant is not always midnight: where clocks skip it, the day
// begins with the skip (America/Sao_Paulo 2018-11-04 at 01:00); where it comes
// twice, the day begins with the first. Spans of successive dates tile time.
func Span(d domain.Date, loc *time.Location) (start, end time.Time) {
	midnight := int64(d) * daySeconds
	return at(first(midnight, loc), loc), at(first(midnight+daySeconds, loc), loc)
}

// DateAt returns the date whose [Span] holds t. That is what the clock on the
// wall shows, except where it is set back over a midnight that has passed
// (America/St_Johns went from 00:01 to 23:01 until 2011): a day that has
// begun does not end again.
func DateAt(t time.Time, loc *time.Location) domain.Date { return dateAt(t.Unix(), loc) }

// Count returns how many intervals of so many minutes lie between two instants:
// the elapsed time over the resolution, rounded down. A day of 23 and a half
// hours (Australia/Lord_Howe in spring) has 47 half hours and 23 whole hours.
func Count(start, end time.Time, minutes int) int {
	if minutes <= 0 || end.Before(start) {
		return 0
	}
	return int((end.Unix() - start.Unix()) / (int64(minutes) * 60))
}

func dateAt(t int64, loc *time.Location) domain.Date {
	offset, _, _ := period(t, loc)
	d := floor(t+offset, daySeconds)
	for t >= first((d+1)*daySeconds, loc) {
		d++
	}
	return domain.Date(d)
}

// first returns the first instant, in Unix seconds, at which the wall clock in
// loc shows wall or later. wall is in seconds since 1970-01-01T00:00 on that
// clock. It never falls while wall rises.
func first(wall int64, loc *time.Location) int64 {
	t := wall - daySeconds // no offset reaches a day: the clock shows less than wall
	for {
		offset, _, to := period(t, loc)
		if c := max(t, wall-offset); c < to {
			return c
		}
		t = to
	}
}

// period returns the offset from UTC at t and a span of time around t in which
// it holds. The offset may hold beyond the span as well.
func period(t int64, loc *time.Location) (offset, from, to int64) {
	local := at(t, loc)
	_, seconds := local.Zone()
	start, end := local.ZoneBounds()
	from, to = math.MinInt64, math.MaxInt64
	if !start.IsZero() {
		from = start.Unix()
	}
	if !end.IsZero() {
		to = end.Unix()
	}
	// Where a zone goes on by rule, package time gives 365 days after New Year
	// as the end of the year's last period, so on the last day of a leap year
	// the end lies before t. No zone changes in the rest of that UTC day.
	if to <= t {
		to = (floor(t, daySeconds) + 1) * daySeconds
	}
	return int64(seconds), from, to
}

// at returns the instant of a Unix second, shown in loc.
func at(unix int64, loc *time.Location) time.Time { return time.Unix(unix, 0).In(loc) }

// floor returns a/b rounded towards minus infinity; b is positive.
func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
