package domain_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

func TestOccupanciesHoldAndOverlap(t *testing.T) {
	day := func(n int) time.Time {
		if n == 0 {
			return time.Time{}
		}
		return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC)
	}
	period := func(from, until int) domain.Occupancy { return domain.Occupancy{From: day(from), Until: day(until)} }
	for name, c := range map[string]struct {
		a, b domain.Occupancy
		want bool
	}{
		"all of time and a day":           {period(0, 0), period(3, 4), true},
		"one after the other":             {period(1, 3), period(3, 0), false},
		"one within the other":            {period(1, 9), period(3, 4), true},
		"both without an end":             {period(1, 0), period(9, 0), true},
		"both from the beginning":         {period(0, 2), period(0, 9), true},
		"up to a day, and from later on":  {period(0, 2), period(4, 0), false},
		"from the middle of the other on": {period(1, 5), period(4, 0), true},
	} {
		if got := c.a.Overlaps(c.b); got != c.want || c.b.Overlaps(c.a) != c.want {
			t.Errorf("%s: overlaps %v, want %v", name, got, c.want)
		}
	}
	for n, want := range map[int]bool{1: false, 2: true, 3: true, 4: false} {
		if got := period(2, 4).Holds(day(n)); got != want {
			t.Errorf("the period from 2 to 4 holds %d: %v, want %v", n, got, want)
		}
	}
}

func FuzzOccupancyID(f *testing.F) {
	id := domain.NewOccupancyID(nil)
	for _, text := range []string{string(id), id.UUID(), strings.ToUpper(id.UUID()), "", "occ_", "usr_" + strings.Repeat("0", 32)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := domain.ParseOccupancyID(text)
		if err != nil {
			if id != "" {
				t.Errorf("%q: got %q beside %v", text, id, err)
			}
			return
		}
		for _, again := range []string{string(id), id.UUID()} {
			if back, err := domain.ParseOccupancyID(again); err != nil || back != id {
				t.Errorf("%q is %q, whose %q is %q (%v)", text, id, again, back, err)
			}
		}
	})
}
