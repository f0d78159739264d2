package load_test

import (
	"slices"
	"testing"
	"time"

	"github.com/wattgate/wattgate/bench/load"
)

func TestQuantileIsTheNearestRankToOnePercent(t *testing.T) {
	seq := func(from, to, step time.Duration) (all []time.Duration) {
		for d := from; d <= to; d += step {
			all = append(all, d)
		}
		return all
	}
	tests := map[string]struct {
		durations []time.Duration
		q         float64
		want      time.Duration
	}{
		"nothing was added":              {nil, 0.5, 0},
		"one value is every quantile":    {[]time.Duration{42}, 0.99, 42},
		"small values are exact":         {seq(1, 100, 1), 0.5, 50},
		"the 99th of a hundred":          {seq(1, 100, 1), 0.99, 99},
		"the least of all":               {seq(7, 100, 1), 0, 7},
		"the greatest of all":            {seq(1, 100, 1), 1, 100},
		"a thousand microseconds":        {seq(time.Microsecond, time.Millisecond, time.Microsecond), 0.9, 900 * time.Microsecond},
		"one slow answer in two hundred": {append(seq(1000, 199_000, 1000), time.Second), 0.999, time.Second},
		"a negative value counts as 0":   {[]time.Duration{-5}, 0.5, 0},
		"the longest duration there is":  {[]time.Duration{1<<63 - 1}, 0.5, 1<<63 - 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var h load.Histogram
			for _, d := range test.durations {
				h.Add(d)
			}
			got := h.Quantile(test.q)
			if diff := (got - test.want).Abs(); diff > test.want/100 {
				t.Errorf("Quantile(%v) of %d durations: got %v, want %v within 1 %%", test.q, len(test.durations), got, test.want)
			}
		})
	}
}

func TestMergeIsAddingEverythingToOne(t *testing.T) {
	var one, left, right load.Histogram
	for d := range time.Duration(5000) {
		one.Add(d * d)
		if d%3 == 0 {
			left.Add(d * d)
		} else {
			right.Add(d * d)
		}
	}
	left.Merge(&right)
	if left != one {
		t.Errorf("two halves merged: got %d values, median %v, want %d, %v",
			left.Count(), left.Quantile(0.5), one.Count(), one.Quantile(0.5))
	}
}

func FuzzQuantileStaysNearAValueThatWasAdded(f *testing.F) {
	f.Add(int64(0), int64(127), int64(128), 0.5)
	f.Add(int64(255), int64(256), int64(1)<<62, 0.99)
	f.Fuzz(func(t *testing.T, a, b, c int64, q float64) {
		var h load.Histogram
		values := []time.Duration{time.Duration(max(a, 0)), time.Duration(max(b, 0)), time.Duration(max(c, 0))}
		for _, v := range values {
			h.Add(v)
		}
		got := h.Quantile(q)
		if !slices.ContainsFunc(values, func(v time.Duration) bool { return (got - v).Abs() <= v/100 }) {
			t.Errorf("Quantile(%v) of %v: got %v, want one of them within 1 %%", q, values, got)
		}
	})
}
