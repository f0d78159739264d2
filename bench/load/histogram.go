package load

import (
	"math/bits"
	"time"
)

// fine is the number of buckets in each power of two: values are kept to
// better than one part in 128.
const (
	fineBits = 7
	fine     = 1 << fineBits
	buckets  = (64 - fineBits + 1) * fine
)

// Histogram counts durations in buckets whose width grows with the value, so
// that a microsecond and a second are both kept to better than 1 %. The zero
// Histogram is empty and ready.
type Histogram struct {
	counts [buckets]uint32
	total  int64
}

// Add counts one duration; a negative one counts as zero.
func (h *Histogram) Add(d time.Duration) {
	h.counts[bucket(uint64(max(d, 0)))]++
	h.total++
}

// Merge adds everything that other has counted.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

// Count is how many durations have been added.
func (h *Histogram) Count() int64 { return h.total }

// Quantile is the duration that the share q (0 to 1) of all durations does not
// exceed, by the nearest rank; zero when nothing has been added.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := int64(q * float64(h.total))
	if float64(rank) < q*float64(h.total) {
		rank++
	}
	rank = min(max(rank, 1), h.total)
	var seen int64
	for i, n := range h.counts {
		if seen += int64(n); seen >= rank {
			return time.Duration(middle(i))
		}
	}
	return 0
}

// bucket is where a value is counted: its leading 8 bits and how far they had
// to be shifted.
func bucket(v uint64) int {
	shift := max(bits.Len64(v)-fineBits-1, 0)
	return shift*fine + int(v>>shift)
}

// middle is the value in the middle of a bucket.
func middle(i int) uint64 {
	if i < 2*fine {
		return uint64(i)
	}
	shift := i/fine - 1
	low := uint64(i-shift*fine) << shift
	return low + uint64(1)<<shift/2
}
