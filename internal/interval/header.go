package interval

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/bits"

	"github.com/wattgate/wattgate/internal/domain"
)

// What can be wrong with a packed day that was read back. These are faults of
// the storage or of a newer program, so their kind is [domain.Internal].
var (
	errShort     = errors.New("interval: packed day is cut off")
	errChecksum  = errors.New("interval: packed day is damaged: its checksum does not match")
	errVersion   = errors.New("interval: packed day has a version that this program does not know")
	errFlag      = errors.New("interval: packed day has a flag that this program does not know")
	errShape     = errors.New("interval: packed day has an impossible resolution, scale or count")
	errCanonical = errors.New("interval: packed day is not in its shortest form")
)

// Header is what a packed day says about itself before its values.
type Header struct {
	Start   int64 // of the first interval, in Unix seconds
	Minutes int   // the length of an interval, or WholeDay
	Scale   uint8
	Count   int // intervals of the day
	Present int // those that have a value
}

// ReadHeader reads the head of a packed day, after checking the checksum of all
// of it. It decodes no value.
func ReadHeader(src []byte) (Header, error) {
	h, _, _, err := readHead(src)
	return h, err
}

// readHead reads up to the bitmap. rest is what follows, with the checksum.
func readHead(src []byte) (h Header, bitmap, rest []byte, err error) {
	if len(src) < fixedHead+1+tail {
		return h, nil, nil, errShort
	}
	body := src[:len(src)-tail]
	switch {
	case crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(src[len(body):]):
		return h, nil, nil, errChecksum
	case src[0]&0xf0 != version1:
		return h, nil, nil, errVersion
	case src[0]&(flagSegments|flagReserved) != 0:
		return h, nil, nil, errFlag
	}
	h.Minutes, h.Scale = int(src[1]), src[2]
	if h.Minutes == 0 {
		h.Minutes = WholeDay
	}
	h.Start = int64(int32(binary.LittleEndian.Uint32(src[3:]))) * 60
	count, rest, err := readUvarint(src[fixedHead:])
	if err != nil {
		return h, nil, nil, err
	}
	if count > maxMinutes || !validShape(h.Minutes, int(count)) || h.Scale > domain.MaxScale {
		return h, nil, nil, errShape
	}
	h.Count, h.Present = int(count), int(count)
	if src[0]&flagGaps == 0 {
		return h, nil, rest, nil
	}
	n := (h.Count + 7) / 8
	if len(rest) < n+tail {
		return h, nil, nil, errShort
	}
	bitmap, rest = rest[:n], rest[n:]
	h.Present = 0
	for _, b := range bitmap {
		h.Present += bits.OnesCount8(b)
	}
	if h.Present == h.Count || h.Count&7 != 0 && bitmap[n-1]>>(h.Count&7) != 0 {
		return h, nil, nil, errCanonical
	}
	return h, bitmap, rest, nil
}
