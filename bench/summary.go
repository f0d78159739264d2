package main

import (
	"fmt"
	"slices"
)

// spread is a median with the smallest and the largest value.
type spread struct{ Median, Min, Max float64 }

// spreadOf is the zero spread when there are no values. Of an even number of
// values the median is the mean of the middle two.
func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Min: sorted[0], Max: sorted[n-1]}
}

// text prints the median and the range with one format for all three.
func (s spread) text(format string) string {
	return fmt.Sprintf(format+" ("+format+".."+format+")", s.Median, s.Min, s.Max)
}

// summary is one server over all rounds.
type summary struct {
	Rate, CPU, P50, P99 spread // units as in sample
}

func summarize(samples []sample) summary {
	of := func(pick func(sample) float64) spread {
		var values []float64
		for _, s := range samples {
			values = append(values, pick(s))
		}
		return spreadOf(values)
	}
	return summary{
		Rate: of(func(s sample) float64 { return s.Rate }),
		CPU:  of(func(s sample) float64 { return s.CPU }),
		P50:  of(func(s sample) float64 { return s.P50 }),
		P99:  of(func(s sample) float64 { return s.P99 }),
	}
}

// summarize takes the ratios within each round before it takes their median:
// what the machine did to a round, it did to both sides of the ratio.
func (r *row) summarize() {
	r.RHTTP, r.RSign, r.Our = summarize(r.HTTP), summarize(r.Sign), summarize(r.Ours)
	var h, s []float64
	for i, ours := range r.Ours {
		if i < len(r.HTTP) {
			h = append(h, ours.Rate/r.HTTP[i].Rate)
		}
		if i < len(r.Sign) {
			s = append(s, ours.Rate/r.Sign[i].Rate)
		}
	}
	r.H, r.S = spreadOf(h), spreadOf(s)
}
