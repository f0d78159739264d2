package interval

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"

	"github.com/wattgate/wattgate/internal/domain"
)

// A packed day, version 1. Integers of more than a byte are little-endian,
// uvarint is as in encoding/binary, and of several ways to write a number only
// the shortest is taken: one day has one packed form.
//
//	version and flags   1 byte   version in the high four bits, flags in the low four
//	resolution          1 byte   minutes; 0 for a day that is one interval
//	scale               1 byte
//	start               4 bytes  minutes since 1970-01-01T00:00Z, signed
//	count               uvarint  intervals of the day
//	[presence bitmap]            if flagGaps: one bit per interval, lowest first
//	[quality runs]               if any is present: see appendRuns
//	[values]                     if any is present, present ones only: see values.go
//	CRC-32C             4 bytes  of all before it
//
// The bitmap comes before the runs, so that these need not speak of what is
// missing, and a [Header] can be read without them.
const (
	version1 = 1 << 4

	flagDelta    = 1 << 0 // values as deltas, otherwise bit-packed
	flagGaps     = 1 << 1 // not all intervals are present
	flagSegments = 1 << 2 // reserved: a day of several resolutions
	flagReserved = 1 << 3

	fixedHead = 7 // bytes before count
	tail      = 4 // the checksum's bytes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Append appends the packed day to dst, or returns dst as it was and an error
// where the day cannot be packed: an impossible shape, a start that is not on a
// minute, an unknown quality, or a value that is missing and not 0. Every
// int64 can be packed. It allocates nothing where dst has room.
func (d *Day) Append(dst []byte) ([]byte, error) {
	count := len(d.Values)
	if err := d.check(); err != nil {
		return dst, err
	}
	present, err := d.countPresent()
	if err != nil {
		return dst, err
	}
	begin := len(dst)
	// Room for most days at once; more is found on the way.
	dst = slices.Grow(dst, 32+3*count)
	dst = append(dst, version1, byte(d.Minutes), d.Scale)
	if d.Minutes == WholeDay {
		dst[begin+1] = 0
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(int32(d.Start/60)))
	dst = binary.AppendUvarint(dst, uint64(count))
	if present < count {
		dst[begin] |= flagGaps
		dst = appendBitmap(dst, d.Quality)
	}
	if present > 0 {
		dst = appendRuns(dst, d.Quality)
		var delta bool
		if present == count {
			dst, delta = appendValues(dst, d.Values)
		} else {
			dst, delta = d.appendPresent(dst, present)
		}
		if delta {
			dst[begin] |= flagDelta
		}
	}
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[begin:], castagnoli)), nil
}

// appendPresent is appendValues of the present ones only. They are moved to the
// front for it and moved back.
func (d *Day) appendPresent(dst []byte, present int) ([]byte, bool) {
	n := 0
	for i, q := range d.Quality {
		if q != domain.Missing {
			d.Values[n] = d.Values[i]
			n++
		}
	}
	dst, delta := appendValues(dst, d.Values[:present])
	for i := len(d.Values) - 1; i >= 0; i-- {
		if d.Quality[i] == domain.Missing {
			d.Values[i] = 0
			continue
		}
		n--
		d.Values[i] = d.Values[n]
	}
	return dst, delta
}

// countPresent counts the intervals that have a value, and refuses an unknown
// quality and a value that would be lost.
func (d *Day) countPresent() (int, error) {
	if uniform(d.Quality) && d.Quality[0] != domain.Missing && d.Quality[0].Valid() {
		return len(d.Quality), nil // the short way of most days
	}
	present := 0
	for i, q := range d.Quality {
		switch {
		case !q.Valid():
			return 0, fmt.Errorf("interval: interval %d has the unknown quality %d", i, q)
		case q != domain.Missing:
			present++
		case d.Values[i] != 0:
			return 0, fmt.Errorf("interval: interval %d is missing and has the value %d", i, d.Values[i])
		}
	}
	return present, nil
}

// check refuses what the head of a packed day cannot say.
func (d *Day) check() error {
	switch {
	case len(d.Values) != len(d.Quality):
		return fmt.Errorf("interval: %d values with %d qualities", len(d.Values), len(d.Quality))
	case !validShape(d.Minutes, len(d.Values)):
		return fmt.Errorf("interval: a day cannot have %d intervals of %d minutes", len(d.Values), d.Minutes)
	case d.Scale > domain.MaxScale:
		return fmt.Errorf("interval: scale %d is above %d", d.Scale, domain.MaxScale)
	case d.Start%60 != 0 || d.Start/60 > math.MaxInt32 || d.Start/60 < math.MinInt32:
		return fmt.Errorf("interval: start %d is not on a minute of our times", d.Start)
	}
	return nil
}
