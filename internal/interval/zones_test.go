package interval_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// oddZones have every trouble we know of: half-hour shifts, clocks set at
// midnight, dates left out and lived twice, three quarters of an hour.
var oddZones = []string{
	"Europe/Amsterdam", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham", "Asia/Kathmandu", "Asia/Beirut",
	"America/Sao_Paulo", "America/St_Johns", "Africa/Cairo", "America/Havana", "Africa/Casablanca", "Europe/Dublin",
	"Australia/Adelaide", "Pacific/Kwajalein", "America/Godthab", "Antarctica/Troll", "Asia/Gaza", "Africa/Monrovia",
	"America/Santiago", "Asia/Tehran", "UTC", "+10:00", "-03:30",
}

func date(t testing.TB, s string) domain.Date {
	t.Helper()
	d, err := domain.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDaysHaveAsManyIntervalsAsTheirTimeHolds(t *testing.T) {
	tests := map[string]struct {
		zone, date string
		start, end string
		minutes    int
		want       int
	}{
		"an ordinary day in half hours":         {"Europe/Amsterdam", "2024-06-01", "2024-06-01T00:00:00+02:00", "2024-06-02T00:00:00+02:00", 30, 48},
		"spring in half hours":                  {"Europe/Amsterdam", "2024-03-31", "2024-03-31T00:00:00+01:00", "2024-04-01T00:00:00+02:00", 30, 46},
		"spring in quarters":                    {"Europe/Amsterdam", "2024-03-31", "", "", 15, 92},
		"spring in hours":                       {"Europe/Amsterdam", "2024-03-31", "", "", 60, 23},
		"spring in five minutes":                {"Europe/Amsterdam", "2024-03-31", "", "", 5, 276},
		"autumn in half hours":                  {"Europe/Amsterdam", "2024-10-27", "2024-10-27T00:00:00+02:00", "2024-10-28T00:00:00+01:00", 30, 50},
		"autumn in quarters":                    {"Europe/Amsterdam", "2024-10-27", "", "", 15, 100},
		"autumn in hours":                       {"Europe/Amsterdam", "2024-10-27", "", "", 60, 25},
		"autumn far ahead, by rule":             {"Europe/Amsterdam", "2089-10-30", "", "", 15, 100},
		"the last day of a leap year, by rule":  {"Europe/Amsterdam", "2040-12-31", "2040-12-31T00:00:00+01:00", "2041-01-01T00:00:00+01:00", 30, 48},
		"the same where it is summer":           {"Australia/Adelaide", "2040-12-31", "2040-12-31T00:00:00+10:30", "2041-01-01T00:00:00+10:30", 30, 48},
		"a shift by half an hour forward":       {"Australia/Lord_Howe", "2024-10-06", "2024-10-06T00:00:00+10:30", "2024-10-07T00:00:00+11:00", 30, 47},
		"a shift by half an hour back":          {"Australia/Lord_Howe", "2024-04-07", "2024-04-07T00:00:00+11:00", "2024-04-08T00:00:00+10:30", 30, 49},
		"a date that was left out":              {"Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00", "2011-12-31T00:00:00+14:00", 30, 0},
		"the date before it":                    {"Pacific/Apia", "2011-12-29", "2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00", 30, 48},
		"a date left out across the date line":  {"Pacific/Kwajalein", "1993-08-21", "", "", 30, 0},
		"no midnight in Brazil":                 {"America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00", 30, 46},
		"back to 23:00, so midnight comes once": {"America/Sao_Paulo", "2018-02-17", "2018-02-17T00:00:00-02:00", "2018-02-18T00:00:00-03:00", 30, 50},
		"no midnight in Lebanon":                {"Asia/Beirut", "2024-03-31", "2024-03-31T01:00:00+03:00", "2024-04-01T00:00:00+03:00", 15, 92},
		"no midnight in Egypt":                  {"Africa/Cairo", "2024-04-26", "2024-04-26T01:00:00+03:00", "2024-04-27T00:00:00+03:00", 15, 92},
		"midnight twice in Cuba":                {"America/Havana", "2024-11-03", "2024-11-03T00:00:00-04:00", "2024-11-04T00:00:00-05:00", 60, 25},
		"back over midnight in Newfoundland":    {"America/St_Johns", "2010-11-07", "2010-11-07T00:00:00-02:30", "2010-11-08T00:00:00-03:30", 60, 25},
		"and the day before that":               {"America/St_Johns", "2010-11-06", "2010-11-06T00:00:00-02:30", "2010-11-07T00:00:00-02:30", 60, 24},
		"three quarters of an hour":             {"Asia/Kathmandu", "2024-01-01", "2024-01-01T00:00:00+05:45", "2024-01-02T00:00:00+05:45", 15, 96},
		"market time":                           {"+10:00", "2024-10-06", "2024-10-06T00:00:00+10:00", "2024-10-07T00:00:00+10:00", 5, 288},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			loc := zone(t, tt.zone)
			start, end := interval.Span(date(t, tt.date), loc)
			if got := interval.Count(start, end, tt.minutes); got != tt.want {
				t.Errorf("Count(Span(%s, %s), %d) = %d, want %d", tt.date, tt.zone, tt.minutes, got, tt.want)
			}
			if got := interval.FormatMoment(start); tt.start != "" && got != tt.start {
				t.Errorf("Span(%s, %s) starts at %s, want %s", tt.date, tt.zone, got, tt.start)
			}
			if got := interval.FormatMoment(end); tt.end != "" && got != tt.end {
				t.Errorf("Span(%s, %s) ends at %s, want %s", tt.date, tt.zone, got, tt.end)
			}
		})
	}
}

// Every day of sixty years in every odd zone begins where the one before ends,
// holds the instants at its borders and no others, and is found by them.
func TestDatesTileTime(t *testing.T) {
	for _, name := range oddZones {
		loc := zone(t, name)
		from, to := domain.NewDate(1985, 1, 1), domain.NewDate(2045, 1, 1)
		_, before := interval.Span(from-1, loc)
		for d := from; d < to; d++ {
			start, end := interval.Span(d, loc)
			if !start.Equal(before) {
				t.Fatalf("%s: %s starts at %v, but %s ended at %v", name, d, start, d-1, before)
			}
			before = end
			if start.Equal(end) {
				continue
			}
			if got := interval.DateAt(start, loc); got != d {
				t.Errorf("%s: DateAt(%v) = %s, want %s", name, start, got, d)
			}
			if got := interval.DateAt(end.Add(-time.Nanosecond), loc); got != d {
				t.Errorf("%s: DateAt(just before %v) = %s, want %s", name, end, got, d)
			}
			if got := domain.DateOf(start); got != d {
				t.Errorf("%s: the day %s starts at %v, which shows %s", name, d, start, got)
			}
			if got := domain.DateOf(start.Add(-time.Second)); got >= d {
				t.Errorf("%s: the day %s starts at %v, but a second before is %s", name, d, start, got)
			}
		}
	}
}

func TestZonesThatAreRefused(t *testing.T) {
	for name, input := range map[string]string{
		"nothing":                       "",
		"the machine's own":             "Local",
		"its file":                      "localtime",
		"a way out of the folder":       "../../etc/passwd",
		"an absolute path":              "/etc/localtime",
		"a way out inside":              "Europe/../../localtime",
		"a backslash":                   `..\zone`,
		"a folder":                      "Europe",
		"leap seconds":                  "right/Europe/Amsterdam",
		"a copy":                        "posix/Europe/Amsterdam",
		"a table":                       "zone.tab",
		"no such city":                  "Europe/Atlantis",
		"a NUL byte":                    "UTC\x00",
		"an offset without minutes":     "+10",
		"an offset without a colon":     "+1000",
		"an offset of a day":            "+24:00",
		"an offset with seconds":        "+10:00:00",
		"a very long name":              strings.Repeat("Europe/", 1000),
		"not even a name":               "Europe/Amsterdam; DROP TABLE",
		"a placeholder for no settings": "Factory",
	} {
		t.Run(name, func(t *testing.T) {
			loc, err := interval.Zone(input)
			var e *domain.Error
			if !errors.As(err, &e) || e.Kind != domain.Invalid || e.Public == "" || len(e.Public) > 400 {
				t.Errorf("Zone(%q) = %v, %v, want a short sentence that it is invalid", input, loc, err)
			}
		})
	}
}

func TestZonesAreFoundOnce(t *testing.T) {
	for _, name := range oddZones {
		a, b := zone(t, name), zone(t, name)
		if a != b {
			t.Errorf("Zone(%q) gives two locations", name)
		}
		if a.String() != name {
			t.Errorf("Zone(%q) is called %q", name, a)
		}
	}
	if got := testing.AllocsPerRun(100, func() { zone(t, "Europe/Amsterdam") }); got > 1 {
		t.Errorf("Zone of a known name allocates %v times, want at most 1", got)
	}
}

func BenchmarkSpan(b *testing.B) {
	loc := amsterdam(b)
	d := domain.NewDate(2024, 6, 1)
	for b.Loop() {
		interval.Span(d, loc)
	}
}
