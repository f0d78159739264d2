package interval

import (
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Group is a length of time that readings are added up to.
type Group uint8

// The groups. Raw is the stored resolution: nothing is added up. The others
// follow the clock and the calendar of the zone asked for.
const (
	Raw Group = iota
	FiveMinutes
	FifteenMinutes
	ThirtyMinutes
	Hour
	ByDay
	Week // from Monday
	Month
	Quarter
	Year
	groups // how many there are
)

// Valid reports whether g is one of the groups.
func (g Group) Valid() bool { return g < groups }

// String returns the group's name, for logs and messages.
func (g Group) String() string {
	switch g {
	case Raw:
		return "raw"
	case FiveMinutes:
		return "five minutes"
	case FifteenMinutes:
		return "fifteen minutes"
	case ThirtyMinutes:
		return "thirty minutes"
	case Hour:
		return "hour"
	case ByDay:
		return "day"
	case Week:
		return "week"
	case Month:
		return "month"
	case Quarter:
		return "quarter"
	case Year:
		return "year"
	}
	return fmt.Sprintf("group %d", uint8(g))
}

// Minutes returns the coarsest stored resolution, in minutes, that can be added
// up to the group: 5 to 60, 1440 for a day and more. It is 0 for Raw, which
// takes every resolution as it is.
func (g Group) Minutes() int {
	switch g {
	case Raw:
		return 0
	case FiveMinutes:
		return 5
	case FifteenMinutes:
		return 15
	case ThirtyMinutes:
		return 30
	case Hour:
		return 60
	case ByDay, Week, Month, Quarter, Year:
		return WholeDay
	}
	return 0
}

// Bounds returns the group that t falls in, as [start, end) shown in loc.
// Groups tile time: end is the start of the next.
//
// Hours and less follow the clock on the wall and break where it is set: the
// hour that autumn repeats is two groups, the one that spring skips is none,
// and where a clock moves by half an hour (Australia/Lord_Howe) there is an
// hour of 30 minutes. Days and more are unions of [Span]s. For Raw, whose
// groups are the intervals as stored, the second of t stands alone.
//
// A caller that walks through time asks again when it reaches end; [Ruler] is
// the cheaper way to do so.
func (g Group) Bounds(t time.Time, loc *time.Location) (start, end time.Time) {
	r := g.Ruler(loc)
	s, e := r.Bounds(t.Unix())
	return at(s, loc), at(e, loc)
}

// Ruler returns the marks of the group along the time of one zone.
func (g Group) Ruler(loc *time.Location) Ruler { return Ruler{group: g, loc: loc} }

// Ruler gives the same as [Group.Bounds] in Unix seconds and remembers the
// zone's offset from one call to the next. It is not for concurrent use.
type Ruler struct {
	group    Group
	loc      *time.Location
	offset   int64
	from, to int64 // where offset holds; empty until the first call
}

// Bounds returns the group that the second t falls in, as [start, end).
func (r *Ruler) Bounds(t int64) (start, end int64) {
	switch r.group {
	case FiveMinutes, FifteenMinutes, ThirtyMinutes, Hour:
		return r.clock(t, int64(r.group.Minutes())*60)
	case ByDay, Week, Month, Quarter, Year:
		from, to := r.group.dates(dateAt(t, r.loc))
		return first(int64(from)*daySeconds, r.loc), first(int64(to)*daySeconds, r.loc)
	}
	return t, t + 1
}

// clock returns the bounds of a group of so many seconds on the wall clock, cut
// where the clock is set.
func (r *Ruler) clock(t, size int64) (start, end int64) {
	if t < r.from || t >= r.to {
		r.offset, r.from, r.to = period(t, r.loc)
	}
	start = floor(t+r.offset, size)*size - r.offset
	end = start + size
	// A period may end where nothing changes but a name, or a calendar year.
	for start < r.from {
		offset, from, _ := period(r.from-1, r.loc)
		if offset != r.offset {
			start = r.from
			break
		}
		r.from = from
	}
	for end > r.to {
		offset, _, to := period(r.to, r.loc)
		if offset != r.offset {
			end = r.to
			break
		}
		r.to = to
	}
	return start, end
}

// dates returns the first date of the group that d lies in, and of the next.
func (g Group) dates(d domain.Date) (from, to domain.Date) {
	year, month, _ := d.Civil()
	switch g {
	case Week:
		from = d - domain.Date(d.Weekday()+6)%7
		return from, from + 7
	case Month:
		return domain.NewDate(year, month, 1), domain.NewDate(year, month+1, 1)
	case Quarter:
		month -= (month - 1) % 3
		return domain.NewDate(year, month, 1), domain.NewDate(year, month+3, 1)
	case Year:
		return domain.NewDate(year, 1, 1), domain.NewDate(year+1, 1, 1)
	}
	return d, d + 1
}
