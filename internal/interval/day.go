package interval

import (
	"fmt"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// WholeDay is the resolution, in minutes, of a day that is one interval: the
// whole local day, however long it is.
const WholeDay = 1440

// maxMinutes is the longest day, in minutes: a zone that moves over the date
// line may live a date twice.
const maxMinutes = 2 * WholeDay

// Day holds the intervals of one local day of a channel, as many as the day's
// elapsed time holds.
//
// To reuse its slices, use the same Day again. It is not for concurrent use.
type Day struct {
	// Start is the start of the first interval in Unix seconds, UTC, on a whole
	// minute. Seconds rather than a time.Time, for the comparisons of a read.
	Start int64
	// Minutes is the length of an interval: a divisor of 60, or WholeDay.
	Minutes int
	// Scale says what a value counts: 10^-Scale of the channel's unit.
	Scale uint8
	// Values has one element for each interval, 0 where it is missing.
	Values []int64
	// Quality has one element for each interval.
	Quality []domain.Quality
}

// Reset makes the day one of count missing intervals.
func (d *Day) Reset(start time.Time, minutes int, scale uint8, count int) {
	d.Start, d.Minutes, d.Scale = start.Unix(), minutes, scale
	d.resize(count)
	clear(d.Values)
	clear(d.Quality)
}

// resize gives both slices a length without saying what they hold.
func (d *Day) resize(count int) {
	d.Values = slices.Grow(d.Values[:0], count)[:count]
	d.Quality = slices.Grow(d.Quality[:0], count)[:count]
}

// Set sets interval i to a value, which must not be [domain.Missing]. Where
// the value has more places than the day, the day takes the finer scale. A
// value that does not fit then is [domain.Invalid] and changes nothing.
func (d *Day) Set(i int, v domain.Decimal, q domain.Quality) error {
	if v.Scale > d.Scale {
		if err := d.rescale(v.Scale); err != nil {
			return err
		}
	}
	fine, ok := v.Rescale(d.Scale)
	if !ok {
		return tooManyDigits(v, d.Scale)
	}
	d.Values[i], d.Quality[i] = fine.Coefficient, q
	return nil
}

// Value returns the value of interval i in the channel's unit.
func (d *Day) Value(i int) domain.Decimal {
	return domain.Decimal{Coefficient: d.Values[i], Scale: d.Scale}
}

// At returns the start of interval i in Unix seconds. At(len(d.Values)) is the
// end of the last, except on a WholeDay, which only its zone knows ([Span]).
func (d *Day) At(i int) int64 { return d.Start + int64(i)*int64(d.Minutes)*60 }

// Present returns how many intervals have a value.
func (d *Day) Present() int {
	n := 0
	for _, q := range d.Quality {
		if q != domain.Missing {
			n++
		}
	}
	return n
}

// rescale gives the day a finer scale without changing a value, or fails and
// changes nothing.
func (d *Day) rescale(scale uint8) error {
	if scale > domain.MaxScale {
		return fmt.Errorf("interval: scale %d is above %d", scale, domain.MaxScale)
	}
	for i := range d.Values {
		if _, ok := d.Value(i).Rescale(scale); !ok {
			return tooManyDigits(d.Value(i), scale)
		}
	}
	for i := range d.Values {
		v, _ := d.Value(i).Rescale(scale)
		d.Values[i] = v.Coefficient
	}
	d.Scale = scale
	return nil
}

func tooManyDigits(v domain.Decimal, scale uint8) error {
	return &domain.Error{Kind: domain.Invalid, Public: fmt.Sprintf(
		"%s has too many digits for a day with %d decimal places", v, scale)}
}

// divisors has the bit of each divisor of 60 set.
const divisors uint64 = 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<5 | 1<<6 | 1<<10 | 1<<12 | 1<<15 | 1<<20 | 1<<30 | 1<<60

// validShape reports whether a day may have this resolution and count.
func validShape(minutes, count int) bool {
	if minutes == WholeDay {
		return count == 1
	}
	return uint(minutes) < 64 && divisors>>uint(minutes)&1 != 0 && // by bits: a division takes longer than a day's checksum
		count >= 1 && count <= maxMinutes && count*minutes <= maxMinutes
}
