package meter

import (
	"fmt"
	"slices"
	"time"
)

// latency measures n calls of read, one after the other, after some that warm what
// they need.
func latency(n, warm int, read func(i int) error) (Latency, error) {
	took := make([]time.Duration, 0, n)
	for i := range warm + n {
		begin := time.Now()
		if err := read(i); err != nil {
			return Latency{}, err
		}
		if i >= warm {
			took = append(took, time.Since(begin))
		}
	}
	slices.Sort(took)
	at := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))]) / float64(time.Microsecond)
	}
	return Latency{P50: at(0.50), P99: at(0.99)}, nil
}

// spread chooses a supply point and a first day for read i, so that reads that
// follow each other lie far apart.
func spread(i, points, days, span int) (point, begin int) {
	return i * 7919 % points, i * 37 % (days - span + 1)
}

// want is the error of a read that brought something else.
func want(what string, got, want int, err error) error {
	if err == nil && got != want {
		err = fmt.Errorf("got %d", got)
	}
	if err != nil {
		return fmt.Errorf("reading %d %s: %w", want, what, err)
	}
	return nil
}
