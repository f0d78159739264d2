package meterfile_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// TestDays compares the runs with a map.
func TestDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d meterfile.Days
		known := map[domain.Date]bool{}
		for _, day := range rapid.SliceOf(rapid.Int32Range(0, 30)).Draw(t, "days") {
			day := domain.Date(day)
			if got, want := d.Add(day), !known[day]; got != want {
				t.Fatalf("add %d: got %v, want %v", day, got, want)
			}
			known[day] = true
		}
		runs := 0
		for day := range known {
			if !known[day-1] {
				runs++
			}
		}
		if d.Runs() != runs {
			t.Fatalf("got %d runs, want %d of %v", d.Runs(), runs, known)
		}
	})
}
