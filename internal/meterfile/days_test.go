package meterfile_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// TestDays compares the words with a map of days.
func TestDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, known := meterfile.NewDays(), map[domain.Date]bool{}
		for _, day := range rapid.SliceOf(rapid.Int32Range(-130, 130)).Draw(t, "days") {
			day := domain.Date(day)
			if got, want := d.Add(day), !known[day]; got != want {
				t.Fatalf("add %d: got %v, want %v", day, got, want)
			}
			known[day] = true
		}
	})
}
