package postgres_test

import (
	"sync"
	"testing"
)

// TestPartitionsAtTheSameTime: many who store the first days of a year at the same
// time make its partitions together, and nobody is refused.
func TestPartitionsAtTheSameTime(t *testing.T) {
	s := open(t, "", options())
	for year := 2050; year < 2054; year++ {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := s.MakeYear(t.Context(), year); err != nil {
					t.Errorf("the partitions of %d: %v", year, err)
				}
			})
		}
		all.Wait()
	}
}
