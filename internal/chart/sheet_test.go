package chart_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/chart"
	"github.com/wattgate/wattgate/internal/domain"
)

// TestSpansAtTheirEdges: what lies beside a span neither takes from it nor adds to it.
func TestSpansAtTheirEdges(t *testing.T) {
	for sentence, c := range map[string]struct {
		zone, first, last string
		step              time.Duration
		expected          int
	}{
		"before a day that begins at one":       {"America/Santiago", "2024-09-07", "2024-09-07", halfHour, 48},
		"two such days":                         {"America/Santiago", "2024-09-07", "2024-09-08", halfHour, 94},
		"before midnight comes twice":           {"America/Havana", "2024-11-02", "2024-11-02", halfHour, 48},
		"midnight comes twice":                  {"America/Havana", "2024-11-03", "2024-11-03", halfHour, 50},
		"after midnight came twice":             {"America/Havana", "2024-11-04", "2024-11-04", halfHour, 48},
		"eleven in the evening comes twice":     {"America/Sao_Paulo", "2018-02-17", "2018-02-17", halfHour, 50},
		"before a day that was left out":        {"Pacific/Apia", "2011-12-29", "2011-12-29", halfHour, 48},
		"up to a day that was left out":         {"Pacific/Apia", "2011-12-29", "2011-12-30", halfHour, 48},
		"from a day that was left out":          {"Pacific/Apia", "2011-12-30", "2011-12-31", halfHour, 48},
		"around a day that was left out":        {"Pacific/Apia", "2011-12-29", "2011-12-31", halfHour, 96},
		"a common year":                         {"Europe/Amsterdam", "2025-01-01", "2025-12-31", halfHour, 17_520},
		"a leap year of quarters":               {"Europe/Amsterdam", "2024-01-01", "2024-12-31", 15 * time.Minute, 35_136},
		"minutes of the day summer time begins": {"Europe/Amsterdam", "2025-03-30", "2025-03-30", time.Minute, 23 * 60},
		"no day":                                {"Europe/Amsterdam", "2025-01-02", "2025-01-01", halfHour, 0},
	} {
		first, err := domain.ParseDate(c.first)
		if err != nil {
			t.Fatal(err)
		}
		last, err := domain.ParseDate(c.last)
		if err != nil {
			t.Fatal(err)
		}
		loc := zone(t, c.zone)
		s := chart.NewSheet(first, last, loc, c.step)
		if got := s.Sum(0, s.Days).Expected; got != c.expected {
			t.Errorf("%s: got %d readings, want %d", sentence, got, c.expected)
		}
		// Each reading of three days more finds its cell, or none.
		year, month, day := first.Civil()
		for at := time.Date(year, month, day-2, 0, 0, 0, 0, loc); at.Before(time.Date(year, month, day+int(last-first)+3, 0, 0, 0, 0, loc)); at = at.Add(c.step) {
			if !s.Put(at, domain.Decimal{Coefficient: 1}) {
				t.Fatalf("%s: %v does not fit", sentence, at)
			}
		}
		sum := s.Sum(-1, s.Days+1)
		if sum.Present != c.expected || sum.Value != (domain.Decimal{Coefficient: int64(c.expected)}) || sum.Overflow {
			t.Errorf("%s: got %+v of readings of 1, want %d", sentence, sum, c.expected)
		}
		for day := range s.Days {
			for slot := range s.Slots {
				if cell := s.At(day, slot); cell.Present != cell.Expected {
					t.Errorf("%s: day %d, slot %d has %d readings of %d", sentence, day, slot, cell.Present, cell.Expected)
				}
			}
		}
	}
}

// TestWhatDoesNotFit is said, and nothing is added to what is there.
func TestWhatDoesNotFit(t *testing.T) {
	day := domain.NewDate(2025, time.October, 26) // two o'clock comes twice
	loc := zone(t, "Europe/Amsterdam")
	s := chart.NewSheet(day, day, loc, time.Hour)
	most := domain.Decimal{Coefficient: 1<<63 - 1}
	two := time.Date(2025, time.October, 26, 0, 0, 0, 0, time.UTC)
	if !s.Put(two, most) || s.Put(two.Add(time.Hour), most) {
		t.Error("a sum that does not fit is taken")
	}
	if cell := s.At(0, 2); cell.Value != most || cell.Present != 1 || cell.State() != chart.Partial {
		t.Errorf("got %+v, want what was there", cell)
	}
	if !s.Put(two.Add(5*time.Hour), most) {
		t.Error("a reading that fits is refused")
	}
	if sum := s.Sum(0, 1); !sum.Overflow || sum.Present != 2 || sum.Value != most {
		t.Errorf("got %+v, want that it does not fit", sum)
	}
	if svg := s.Carpet(); len(svg) == 0 {
		t.Error("there is no picture")
	}
}

// TestNegativeReadings, as of what was corrected, are the lowest colour and no
// stroke beyond the picture.
func TestNegativeReadings(t *testing.T) {
	day := domain.NewDate(2025, time.June, 1)
	s := chart.NewSheet(day, day, time.UTC, time.Hour)
	s.Put(time.Date(2025, 6, 1, 3, 0, 0, 0, time.UTC), dec(t, "-5.5"))
	if sum := s.Sum(0, 1); sum.Highest.Value != dec(t, "-5.5") || sum.HighSlot != 3 {
		t.Errorf("got %+v, want the only reading as the highest", sum)
	}
	if got := chart.Step(dec(t, "-5.5"), dec(t, "-5.5")); got != 0 {
		t.Errorf("got step %d, want 0", got)
	}
	if svg := string(chart.Bars([]chart.Bar{{Label: "<Jun>", Value: dec(t, "-5.5"), Before: dec(t, "2"), Has: true}})); svg == "" || !contains(svg, "&lt;Jun&gt;", `height="0"`) || contains(svg, "<Jun>") || contains(svg, `="-`) {
		t.Errorf("got %s", svg)
	}
}

func contains(s string, all ...string) bool {
	for _, x := range all {
		if !strings.Contains(s, x) {
			return false
		}
	}
	return true
}

// TestRegistersTogether: two tariffs, of which one is silent while the other counts
// or both tell all the time, are one meter, and it is never more than complete.
func TestRegistersTogether(t *testing.T) {
	day := domain.NewDate(2025, time.October, 26)
	loc := zone(t, "Europe/Amsterdam")
	sheet := func(value int64, from, to int) *chart.Sheet {
		s := chart.NewSheet(day, day, loc, halfHour)
		begin := time.Date(2025, time.October, 26, 0, 0, 0, 0, loc)
		for i := from; i < to; i++ {
			s.Put(begin.Add(time.Duration(i)*halfHour), domain.Decimal{Coefficient: value, Scale: 3})
		}
		return s
	}
	for sentence, c := range map[string]struct {
		a, b    *chart.Sheet
		value   string
		present int
	}{
		"both all day":              {sheet(1000, 0, 50), sheet(500, 0, 50), "75.000", 50},
		"one after the other":       {sheet(1000, 0, 20), sheet(500, 20, 50), "35.000", 50},
		"one half a day":            {sheet(1000, 0, 50), sheet(500, 20, 30), "55.000", 50},
		"a gap in both":             {sheet(1000, 0, 20), sheet(500, 0, 25), "32.500", 25},
		"one that is silent":        {sheet(1000, 0, 50), sheet(0, 0, 0), "50.000", 50},
		"into one that is silent":   {sheet(0, 0, 0), sheet(500, 0, 50), "25.000", 50},
		"half of an hour doubled":   {sheet(1000, 0, 5), sheet(500, 0, 7), "8.500", 7},
		"the same, the other way":   {sheet(500, 0, 7), sheet(1000, 0, 5), "8.500", 7},
		"nothing of nothing at all": {sheet(0, 0, 0), sheet(0, 0, 0), "0", 0},
	} {
		fits := c.a.Join(c.b)
		if sum := c.a.Sum(0, 1); !fits || sum.Value.String() != c.value || sum.Present != c.present || sum.Expected != 50 {
			t.Errorf("%s: got %s of %d readings (%t), want %s of %d", sentence, sum.Value, sum.Present, fits, c.value, c.present)
		}
	}
	most := sheet(1<<63-1, 0, 1)
	if most.Join(sheet(1, 0, 1)) || most.At(0, 0).Value.Coefficient != 1<<63-1 {
		t.Error("a sum that does not fit is taken")
	}
}
