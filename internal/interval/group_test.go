package interval_test

import (
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

var allGroups = []interval.Group{
	interval.Raw, interval.FiveMinutes, interval.FifteenMinutes, interval.ThirtyMinutes, interval.Hour,
	interval.ByDay, interval.Week, interval.Month, interval.Quarter, interval.Year,
}

func TestBounds(t *testing.T) {
	tests := map[string]struct {
		group      interval.Group
		zone, at   string
		start, end string
	}{
		"an hour":                         {interval.Hour, "Europe/Amsterdam", "2024-06-01T12:34:56+02:00", "2024-06-01T12:00:00+02:00", "2024-06-01T13:00:00+02:00"},
		"the repeated hour, first":        {interval.Hour, "Europe/Amsterdam", "2024-10-27T02:30:00+02:00", "2024-10-27T02:00:00+02:00", "2024-10-27T02:00:00+01:00"},
		"the repeated hour, second":       {interval.Hour, "Europe/Amsterdam", "2024-10-27T02:30:00+01:00", "2024-10-27T02:00:00+01:00", "2024-10-27T03:00:00+01:00"},
		"before the skipped hour":         {interval.Hour, "Europe/Amsterdam", "2024-03-31T01:30:00+01:00", "2024-03-31T01:00:00+01:00", "2024-03-31T03:00:00+02:00"},
		"an hour on the three quarters":   {interval.Hour, "Asia/Kathmandu", "2024-01-01T00:10:00Z", "2024-01-01T05:00:00+05:45", "2024-01-01T06:00:00+05:45"},
		"an hour of thirty minutes":       {interval.Hour, "Australia/Lord_Howe", "2024-04-07T01:45:00+10:30", "2024-04-07T01:30:00+10:30", "2024-04-07T02:00:00+10:30"},
		"the whole hour before it":        {interval.Hour, "Australia/Lord_Howe", "2024-04-07T01:45:00+11:00", "2024-04-07T01:00:00+11:00", "2024-04-07T01:30:00+10:30"},
		"half an hour in spring":          {interval.Hour, "Australia/Lord_Howe", "2024-10-06T02:45:00+11:00", "2024-10-06T02:30:00+11:00", "2024-10-06T03:00:00+11:00"},
		"an hour over New Year in UTC":    {interval.Hour, "Australia/Adelaide", "2041-01-01T10:45:00+10:30", "2041-01-01T10:00:00+10:30", "2041-01-01T11:00:00+10:30"},
		"half an hour":                    {interval.ThirtyMinutes, "Europe/Amsterdam", "2024-06-01T12:34:56+02:00", "2024-06-01T12:30:00+02:00", "2024-06-01T13:00:00+02:00"},
		"a quarter":                       {interval.FifteenMinutes, "Europe/Amsterdam", "2024-06-01T12:59:59+02:00", "2024-06-01T12:45:00+02:00", "2024-06-01T13:00:00+02:00"},
		"five minutes":                    {interval.FiveMinutes, "Europe/Amsterdam", "2024-06-01T12:00:00+02:00", "2024-06-01T12:00:00+02:00", "2024-06-01T12:05:00+02:00"},
		"a day of 25 hours":               {interval.ByDay, "Europe/Amsterdam", "2024-10-27T12:00:00+01:00", "2024-10-27T00:00:00+02:00", "2024-10-28T00:00:00+01:00"},
		"a day before one that is not":    {interval.ByDay, "Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00"},
		"a week, from its Sunday":         {interval.Week, "Europe/Amsterdam", "2024-03-31T12:00:00+02:00", "2024-03-25T00:00:00+01:00", "2024-04-01T00:00:00+02:00"},
		"a week, from its Monday":         {interval.Week, "Europe/Amsterdam", "2024-04-01T00:00:00+02:00", "2024-04-01T00:00:00+02:00", "2024-04-08T00:00:00+02:00"},
		"a month":                         {interval.Month, "Europe/Amsterdam", "2024-02-29T12:00:00+01:00", "2024-02-01T00:00:00+01:00", "2024-03-01T00:00:00+01:00"},
		"December":                        {interval.Month, "Europe/Amsterdam", "2024-12-31T23:59:59+01:00", "2024-12-01T00:00:00+01:00", "2025-01-01T00:00:00+01:00"},
		"a quarter of a year":             {interval.Quarter, "Europe/Amsterdam", "2024-05-15T12:00:00+02:00", "2024-04-01T00:00:00+02:00", "2024-07-01T00:00:00+02:00"},
		"the last quarter":                {interval.Quarter, "Europe/Amsterdam", "2024-12-31T12:00:00+01:00", "2024-10-01T00:00:00+02:00", "2025-01-01T00:00:00+01:00"},
		"a year":                          {interval.Year, "Europe/Amsterdam", "2024-12-31T23:00:00+01:00", "2024-01-01T00:00:00+01:00", "2025-01-01T00:00:00+01:00"},
		"a month that begins with a skip": {interval.Month, "Asia/Beirut", "2018-03-25T12:00:00+03:00", "2018-03-01T00:00:00+02:00", "2018-04-01T00:00:00+03:00"},
		"the day after a second 23:00":    {interval.ByDay, "America/St_Johns", "2010-11-06T23:30:00-03:30", "2010-11-07T00:00:00-02:30", "2010-11-08T00:00:00-03:30"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m, err := interval.ParseMoment(tt.at)
			if err != nil {
				t.Fatal(err)
			}
			loc := zone(t, tt.zone)
			start, end := tt.group.Bounds(m.In(loc), loc)
			got, gotEnd := interval.FormatMoment(start), interval.FormatMoment(end)
			if got != tt.start || gotEnd != tt.end {
				t.Errorf("%s at %s in %s: [%s, %s), want [%s, %s)", tt.group, tt.at, tt.zone, got, gotEnd, tt.start, tt.end)
			}
		})
	}
}

func TestGroupMinutes(t *testing.T) {
	want := map[interval.Group]int{
		interval.Raw: 0, interval.FiveMinutes: 5, interval.FifteenMinutes: 15, interval.ThirtyMinutes: 30,
		interval.Hour: 60, interval.ByDay: 1440, interval.Week: 1440, interval.Month: 1440,
		interval.Quarter: 1440, interval.Year: 1440,
	}
	for _, g := range allGroups {
		if got := g.Minutes(); got != want[g] || !g.Valid() {
			t.Errorf("%s: Minutes() = %d, Valid() = %t, want %d, true", g, got, g.Valid(), want[g])
		}
	}
	if len(allGroups) != len(want) || interval.Group(len(want)).Valid() {
		t.Errorf("there are other groups than the %d of this test", len(want))
	}
}

// The hours of every day of six years in every odd zone fill it exactly.
func TestHoursFillTheirDay(t *testing.T) {
	for _, name := range oddZones {
		loc := zone(t, name)
		hours := interval.Hour.Ruler(loc)
		for d := domain.NewDate(2008, 1, 1); d < domain.NewDate(2014, 1, 1); d++ {
			start, end := interval.Span(d, loc)
			for at := start.Unix(); at < end.Unix(); {
				s, e := hours.Bounds(at)
				if s != at || e > end.Unix() {
					t.Fatalf("%s: on %s the hour at %v is [%v, %v), the day [%v, %v)", name, d, at, s, e, start, end)
				}
				at = e
			}
		}
	}
}

// FuzzGroups holds that groups are found by any of their instants, that they
// tile time, that finer ones fill coarser ones, and that a day's count is its
// elapsed time over the resolution.
func FuzzGroups(f *testing.F) {
	for z := range oddZones {
		f.Add(uint8(z), uint8(4), int64(1711846800)) // spring
		f.Add(uint8(z), uint8(5), int64(1729990800)) // autumn
		f.Add(uint8(z), uint8(4), int64(2240611199)) // the end of a leap year, by rule
		f.Add(uint8(z), uint8(6), int64(1325239200)) // about the date line
		f.Add(uint8(z), uint8(7), int64(-2208988800))
	}
	f.Fuzz(func(t *testing.T, z, g uint8, sec int64) {
		loc := zone(t, oddZones[int(z)%len(oddZones)])
		group := allGroups[int(g)%len(allGroups)]
		sec %= 8_000_000_000 // about the years 1716 to 2223
		at := time.Unix(sec, 0)
		start, end := group.Bounds(at, loc)
		if at.Before(start) || !at.Before(end) {
			t.Fatalf("%s in %s: %v is not in its [%v, %v)", group, loc, at, start, end)
		}
		for _, inside := range []time.Time{start, start.Add(end.Sub(start) / 2), end.Add(-time.Second)} {
			if s, e := group.Bounds(inside, loc); !s.Equal(start) || !e.Equal(end) {
				t.Errorf("%s in %s: %v is in [%v, %v), but %v in [%v, %v)", group, loc, at, start, end, inside, s, e)
			}
		}
		if s, e := group.Bounds(end, loc); !s.Equal(end) || !e.After(s) {
			t.Errorf("%s in %s: after [%v, %v) comes [%v, %v)", group, loc, start, end, s, e)
		}
		// The parts sum to the whole, and a ruler that remembers agrees with one that does not.
		if group != interval.Raw && group != interval.Year {
			tile(t, group, loc, sec)
		}
		days(t, loc, at)
	})
}

// tile lays groups over the day, or over the quarter for what is longer.
func tile(t *testing.T, group interval.Group, loc *time.Location, sec int64) {
	whole := interval.ByDay
	switch group {
	case interval.ByDay:
		whole = interval.Week
	case interval.Month, interval.Quarter:
		whole = interval.Year
	case interval.Week:
		return // weeks fill no month
	}
	start, end := whole.Bounds(time.Unix(sec, 0), loc)
	r := group.Ruler(loc)
	at := start.Unix()
	for at < end.Unix() {
		s, e := r.Bounds(at)
		if s != at || e <= s {
			t.Fatalf("%s in %s: the %s [%v, %v) is cut at %d by [%d, %d)", group, loc, whole, start, end, at, s, e)
		}
		if s2, e2 := group.Bounds(time.Unix(at, 0), loc); s2.Unix() != s || e2.Unix() != e {
			t.Fatalf("%s in %s at %d: the ruler says [%d, %d), Bounds [%v, %v)", group, loc, at, s, e, s2, e2)
		}
		at = e
	}
	if at != end.Unix() {
		t.Errorf("%s in %s: they end at %d, the %s at %v", group, loc, at, whole, end)
	}
}

// days checks the day of an instant.
func days(t *testing.T, loc *time.Location, at time.Time) {
	d := interval.DateAt(at, loc)
	start, end := interval.Span(d, loc)
	if at.Before(start) || !at.Before(end) {
		t.Errorf("%s in %s is [%v, %v), without %v", d, loc, start, end, at)
	}
	for _, minutes := range []int{1, 5, 15, 30, 60} {
		want := int(end.Sub(start) / (time.Duration(minutes) * time.Minute))
		if got := interval.Count(start, end, minutes); got != want {
			t.Errorf("%s in %s has %d intervals of %d minutes, want %d", d, loc, got, minutes, want)
		}
	}
}

func BenchmarkHoursOfAYear(b *testing.B) {
	loc := amsterdam(b)
	start, _ := interval.Span(domain.NewDate(2024, 1, 1), loc)
	for b.Loop() {
		r := interval.Hour.Ruler(loc)
		end := int64(0)
		for i := range int64(17568) {
			if at := start.Unix() + i*1800; at >= end {
				_, end = r.Bounds(at)
			}
		}
	}
}

func BenchmarkBoundsOfAnHour(b *testing.B) {
	loc := amsterdam(b)
	at := time.Date(2024, 6, 1, 12, 34, 56, 0, loc)
	for b.Loop() {
		interval.Hour.Bounds(at, loc)
	}
}
