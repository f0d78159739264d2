package interval

import (
	"encoding/binary"

	"github.com/wattgate/wattgate/internal/domain"
)

// Quality runs speak of the present intervals in their order. A run is a
// uvarint: its length times four, plus the quality. The last run reaches to the
// end and has the length 0, so that a day of one quality takes one byte.
// Neighbouring runs differ.

func appendRuns(dst []byte, quality []domain.Quality) []byte {
	if uniform(quality) {
		return append(dst, byte(quality[0]))
	}
	run, length := domain.Missing, uint64(0)
	for _, q := range quality {
		if q == run {
			length++
			continue
		}
		if q == domain.Missing {
			continue
		}
		if run != domain.Missing {
			dst = binary.AppendUvarint(dst, length<<2|uint64(run))
		}
		run, length = q, 1
	}
	return append(dst, byte(run))
}

// uniform reports whether all qualities, of which there is at least one, are
// the same. It looks at eight differences for each branch.
func uniform(quality []domain.Quality) bool {
	first, other := quality[0], domain.Quality(0)
	for len(quality) >= 8 {
		e := quality[:8:8]
		other |= (e[0] ^ first) | (e[1] ^ first) | (e[2] ^ first) | (e[3] ^ first) |
			(e[4] ^ first) | (e[5] ^ first) | (e[6] ^ first) | (e[7] ^ first)
		quality = quality[8:]
	}
	for _, q := range quality {
		other |= q ^ first
	}
	return other == 0
}

// fill sets all elements, doubling what is set: memory is faster at copying
// than a loop at bytes.
func fill(quality []domain.Quality, q domain.Quality) {
	n := min(len(quality), 8)
	for i := range quality[:n] {
		quality[i] = q
	}
	for n < len(quality) {
		n += copy(quality[n:], quality[:n])
	}
}

// readRuns fills quality and returns what follows the runs.
func readRuns(quality []domain.Quality, src []byte) (rest []byte, err error) {
	last := domain.Missing
	for {
		run, rest, err := readUvarint(src)
		if err != nil {
			return nil, err
		}
		q, length := domain.Quality(run&3), run>>2
		switch {
		case q == domain.Missing || q == last || len(quality) == 0:
			return nil, errCanonical
		case length == 0:
			fill(quality, q)
			return rest, nil
		case length >= uint64(len(quality)):
			return nil, errCanonical
		}
		fill(quality[:length], q)
		quality, src, last = quality[length:], rest, q
	}
}

// appendBitmap appends one bit for each interval, set where it is present.
func appendBitmap(dst []byte, quality []domain.Quality) []byte {
	var b byte
	for i, q := range quality {
		if q != domain.Missing {
			b |= 1 << (i & 7)
		}
		if i&7 == 7 {
			dst, b = append(dst, b), 0
		}
	}
	if len(quality)&7 != 0 {
		dst = append(dst, b)
	}
	return dst
}

// readUvarint reads an unsigned integer in its shortest form.
func readUvarint(src []byte) (v uint64, rest []byte, err error) {
	if len(src) > 0 && src[0] < 0x80 {
		return uint64(src[0]), src[1:], nil
	}
	v, n := binary.Uvarint(src)
	switch {
	case n == 0:
		return 0, nil, errShort
	case n < 0 || src[n-1] == 0:
		return 0, nil, errCanonical
	}
	return v, src[n:], nil
}
