package interval_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

func TestMomentsAsClientsWriteThem(t *testing.T) {
	tests := map[string]struct {
		input  string
		offset bool
		want   string // in Europe/Amsterdam
	}{
		"thousandths and no offset":       {"2024-10-01T00:00:00.000", false, "2024-10-01T00:00:00+02:00"},
		"no offset":                       {"2024-10-01T00:00:00", false, "2024-10-01T00:00:00+02:00"},
		"no seconds":                      {"2024-10-01T00:00", false, "2024-10-01T00:00:00+02:00"},
		"a space":                         {"2024-10-01 00:00:00", false, "2024-10-01T00:00:00+02:00"},
		"a date":                          {"2024-10-01", false, "2024-10-01T00:00:00+02:00"},
		"Z":                               {"2024-10-01T00:00:00Z", true, "2024-10-01T02:00:00+02:00"},
		"z and t":                         {"2024-10-01t00:00:00z", true, "2024-10-01T02:00:00+02:00"},
		"no seconds and Z":                {"2024-10-01T00:00Z", true, "2024-10-01T02:00:00+02:00"},
		"nine hours east":                 {"2024-10-01T09:00:00+09:00", true, "2024-10-01T02:00:00+02:00"},
		"no colon":                        {"2024-10-01T00:00:00+0000", true, "2024-10-01T02:00:00+02:00"},
		"hours only":                      {"2024-10-01T09:00:00+09", true, "2024-10-01T02:00:00+02:00"},
		"an unknown offset":               {"2024-10-01T00:00:00-00:00", true, "2024-10-01T02:00:00+02:00"},
		"a schema's far future":           {"9999-12-29T23:59:59.999999+00:00", true, "9999-12-30T00:59:59.999999+01:00"},
		"a billionth":                     {"2024-10-01T00:00:00.000000001Z", true, "2024-10-01T02:00:00.000000001+02:00"},
		"29 February":                     {"2024-02-29T12:00:00", false, "2024-02-29T12:00:00+01:00"},
		"in the hour that is skipped":     {"2024-03-31T02:30:00.5", false, "2024-03-31T03:00:00+02:00"},
		"just before it":                  {"2024-03-31T01:59:59.5", false, "2024-03-31T01:59:59.5+01:00"},
		"just after it":                   {"2024-03-31T03:00:00.25", false, "2024-03-31T03:00:00.25+02:00"},
		"in the hour that comes twice":    {"2024-10-27T02:30:00", false, "2024-10-27T02:30:00+02:00"},
		"the second of both, by offset":   {"2024-10-27T02:30:00+01:00", true, "2024-10-27T02:30:00+01:00"},
		"just after the second":           {"2024-10-27T03:00:00", false, "2024-10-27T03:00:00+01:00"},
		"the end of a leap year, by rule": {"2040-12-31T23:30:00", false, "2040-12-31T23:30:00+01:00"},
	}
	loc := amsterdam(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m, err := interval.ParseMoment(tt.input)
			if err != nil {
				t.Fatalf("ParseMoment(%q): %v", tt.input, err)
			}
			if got := interval.FormatMoment(m.In(loc)); got != tt.want {
				t.Errorf("ParseMoment(%q).In(%s) = %s, want %s", tt.input, loc, got, tt.want)
			}
			if m.HasOffset() != tt.offset {
				t.Errorf("ParseMoment(%q).HasOffset() = %t, want %t", tt.input, m.HasOffset(), tt.offset)
			}
		})
	}
}

// The default of startAt in published schemas has an offset with seconds. It is
// compared in UTC: what clocks in Amsterdam showed then depends on the zone data.
func TestOffsetWithSeconds(t *testing.T) {
	const input, want = "0001-01-03T00:00:00-00:01:15", "0001-01-03T00:01:15+00:00"
	m, err := interval.ParseMoment(input)
	if err != nil {
		t.Fatal(err)
	}
	if got := interval.FormatMoment(m.In(time.UTC)); got != want {
		t.Errorf("ParseMoment(%q).In(UTC) = %s, want %s", input, got, want)
	}
	if got := interval.FormatMoment(m.In(time.FixedZone("", -75))); got != input {
		t.Errorf("ParseMoment(%q) shown with its own offset = %s, want the same", input, got)
	}
}

func TestMidnightIsTheStartOfItsDay(t *testing.T) {
	for zoneName, day := range map[string]string{
		"America/Sao_Paulo": "2018-11-04", "Asia/Beirut": "2024-03-31", "Pacific/Apia": "2011-12-30",
		"America/Havana": "2024-11-03", "America/St_Johns": "2010-11-07",
	} {
		loc := zone(t, zoneName)
		m, err := interval.ParseMoment(day + "T00:00:00")
		if err != nil {
			t.Fatal(err)
		}
		if start, _ := interval.Span(date(t, day), loc); !m.In(loc).Equal(start) {
			t.Errorf("midnight of %s in %s is %v, want the day's start %v", day, zoneName, m.In(loc), start)
		}
	}
}

func TestMomentsThatAreRefused(t *testing.T) {
	for name, input := range map[string]string{
		"nothing":                       "",
		"30 February":                   "2025-02-30T00:00:00Z",
		"29 February of a common year":  "2023-02-29",
		"month 13":                      "2024-13-01",
		"month 0":                       "2024-00-01",
		"day 0":                         "2024-01-00",
		"year 0":                        "0000-01-01T00:00:00Z",
		"hour 24":                       "2024-10-01T24:00:00",
		"minute 60":                     "2024-10-01T00:60:00",
		"a leap second":                 "2016-12-31T23:59:60Z",
		"an offset of a day":            "2024-10-01T00:00:00+24:00",
		"an offset of sixty minutes":    "2024-10-01T00:00:00+01:60",
		"an offset without a sign":      "2024-10-01T00:00:00 02:00",
		"an offset cut off":             "2024-10-01T00:00:00+1",
		"text after Z":                  "2024-10-01T00:00:00Zulu",
		"a zone's name":                 "2024-10-01T00:00:00 Europe/Amsterdam",
		"a fraction without digits":     "2024-10-01T00:00:00.Z",
		"ten places":                    "2024-10-01T00:00:00.0000000001Z",
		"an hour alone":                 "2024-10-01T00",
		"a T alone":                     "2024-10-01T",
		"one digit":                     "2024-10-1",
		"a date with an offset":         "2024-10-01Z",
		"slashes":                       "2024/10/01",
		"a sign in the year":            "-024-10-01",
		"Unix seconds":                  "1727733600",
		"letters":                       "yesterday!",
		"a space in front":              " 2024-10-01",
		"digits of another script":      "2024-10-0١",
		"far too long":                  "2024-10-01T00:00:00" + strings.Repeat("0", 10000),
		"seconds of one digit":          "2024-10-01T00:00:0",
		"a fraction of a minute":        "2024-10-01T00:00.5",
		"an offset with two colons off": "2024-10-01T00:00:00+01:0000:",
	} {
		t.Run(name, func(t *testing.T) {
			m, err := interval.ParseMoment(input)
			var e *domain.Error
			if !errors.As(err, &e) || e.Kind != domain.Invalid || len(e.Public) > 400 {
				t.Errorf("ParseMoment(%.80q) = %+v, %v, want a short sentence that it is invalid", input, m, err)
			}
			if m != (interval.Moment{}) {
				t.Errorf("ParseMoment(%.80q) has the value %+v beside an error", input, m)
			}
		})
	}
}

func TestAppendMomentAllocatesNothing(t *testing.T) {
	at := time.Date(2024, 10, 1, 0, 0, 0, 0, amsterdam(t))
	buf := make([]byte, 0, 64)
	if got := testing.AllocsPerRun(100, func() { buf = interval.AppendMoment(buf[:0], at) }); got != 0 {
		t.Errorf("AppendMoment allocates %v times, want 0", got)
	}
}

// FuzzMoment holds that a moment is read as package time reads it, where that
// can; that it reads back the same after it was written; and that moments
// without an offset keep their order and show what they say, or skip it.
func FuzzMoment(f *testing.F) {
	for _, s := range []string{
		"2024-10-01T00:00:00.000", "2024-10-01 00:00", "2024-10-01", "0001-01-03T00:00:00-00:01:15",
		"9999-12-29T23:59:59.999999+00:00", "2024-03-31T02:30:00+0000", "2040-12-31T23:30:00Z", "2024-02-30T00:00:00Z",
	} {
		f.Add(s, uint8(0))
	}
	f.Fuzz(func(t *testing.T, s string, z uint8) {
		loc := zone(t, oddZones[int(z)%len(oddZones)])
		m, err := interval.ParseMoment(s)
		if err != nil {
			if m != (interval.Moment{}) {
				t.Errorf("ParseMoment(%q) has a value beside the error %v", s, err)
			}
			return
		}
		got := m.In(loc)
		if want, err := time.Parse(time.RFC3339Nano, s); err == nil && !got.Equal(want) {
			t.Errorf("ParseMoment(%q) = %v, package time reads %v", s, got, want)
		}
		if !m.HasOffset() {
			again, err := interval.ParseMoment(s + "Z")
			if err != nil {
				if len(s) == len("2024-10-01") {
					return
				}
				t.Fatalf("ParseMoment(%q): %v, but it was read without Z", s+"Z", err)
			}
			_, offset := got.Zone()
			shown := got.Add(time.Duration(offset) * time.Second)
			if asked := again.In(time.UTC); shown.Before(asked) {
				t.Errorf("ParseMoment(%q).In(%s) = %v, which shows less than what was asked for", s, loc, got)
			}
		}
		if y := got.Year(); y < 1 || y > 9999 {
			return
		}
		text := interval.FormatMoment(got)
		back, err := interval.ParseMoment(text)
		if err != nil || !back.HasOffset() || !back.In(loc).Equal(got) {
			t.Errorf("ParseMoment(%q) is written as %q, which reads back as %v, %v", s, text, back.In(loc), err)
		}
	})
}

func BenchmarkParseMoment(b *testing.B) {
	for b.Loop() {
		if _, err := interval.ParseMoment("2024-10-01T00:30:00.000+02:00"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendMoment(b *testing.B) {
	at := time.Date(2024, 10, 1, 0, 30, 0, 0, amsterdam(b))
	var buf []byte
	for b.Loop() {
		buf = interval.AppendMoment(buf[:0], at)
	}
}
