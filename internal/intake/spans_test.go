package intake_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/intake"
)

// TestSpans compares the runs with a map of seconds.
func TestSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s intake.Spans
		known := map[int64]bool{}
		for range rapid.IntRange(0, 20).Draw(t, "spans") {
			var ends []int64
			to := int64(0)
			for range rapid.IntRange(1, 4).Draw(t, "runs") {
				from := to + rapid.Int64Range(0, 40).Draw(t, "from")
				to = from + rapid.Int64Range(1, 10).Draw(t, "length")
				touched := false
				for i := from; i < to; i++ {
					touched = touched || known[i]
				}
				if got := s.Touches(from, to); got != touched {
					t.Fatalf("touches [%d, %d): got %v, want %v", from, to, got, touched)
				}
				ends = append(ends, from, to)
			}
			s.Add(ends...)
			for i := 0; i < len(ends); i += 2 {
				for at := ends[i]; at < ends[i+1]; at++ {
					known[at] = true
				}
			}
		}
		runs := 0
		for i := range known {
			if !known[i-1] {
				runs++
			}
		}
		if s.Runs() != runs {
			t.Fatalf("got %d runs, want %d", s.Runs(), runs)
		}
	})
}
