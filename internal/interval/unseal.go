package interval

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"math/bits"
	"slices"

	"github.com/wattgate/wattgate/internal/domain"
)

// What can be wrong with a sealed month that was read back, beside what can be
// wrong with a packed day.
var (
	errMonthShort     = errors.New("interval: sealed month is cut off")
	errMonthChecksum  = errors.New("interval: sealed month is damaged: its checksum does not match")
	errMonthVersion   = errors.New("interval: sealed month has a version that this program does not know")
	errMonthCanonical = errors.New("interval: sealed month is not in its shortest form")
	errMonthDays      = errors.New("interval: sealed month has no day, or one that does not exist")
	errMonthDay       = errors.New("interval: sealed month has a day that cannot be")
)

// SealedMonth reads sealed months, one at a time, and reuses its memory. It is not
// for concurrent use.
type SealedMonth struct {
	src   []byte
	first domain.Date
	set   uint32
	n     int
	days  [31]sealedDay
}

// sealedDay is where a day lies, and what was said in front of it.
type sealedDay struct {
	state
	control   byte
	body, end int
}

// Open takes a sealed month. It checks the checksum of all of it, and what is
// said in front of the days, but decodes none. After an error the month has no
// days. src must stay as it is for as long as the days are asked for.
func (m *SealedMonth) Open(src []byte) error {
	m.src, m.n, m.set = src, 0, 0
	n, err := m.open(src)
	if err == nil {
		m.n = n
	}
	return err
}

func (m *SealedMonth) open(src []byte) (n int, err error) {
	if len(src) < 1+1+4+tail {
		return 0, errMonthShort
	}
	body := src[:len(src)-tail]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(src[len(body):]) {
		return 0, errMonthChecksum
	}
	if src[0] != monthVersion1 {
		return 0, errMonthVersion
	}
	z, rest, err := readUvarint(body[1:])
	switch {
	case err != nil:
		return 0, err
	case z > 2*maxMonth:
		return 0, errMonthDays
	case len(rest) < 4:
		return 0, errMonthShort
	}
	first, next := monthAt(unzigzag(z))
	set := binary.LittleEndian.Uint32(rest)
	if set == 0 || bits.Len32(set) > int(next-first) {
		return 0, errMonthDays
	}
	m.first, m.set = first, set
	p := len(body) - len(rest) + 4
	before := &state{date: first - 1, revision: 1}
	for ; set != 0; set &= set - 1 {
		d := &m.days[n]
		d.date = first + domain.Date(bits.TrailingZeros32(set))
		if p, err = d.read(body, p, before); err != nil {
			return 0, err
		}
		before = &d.state
		n++
	}
	if p != len(body) {
		return 0, errMonthCanonical
	}
	return n, nil
}

// read reads what is in front of a day that begins at p, and returns where the
// next one does. Its date is known.
func (d *sealedDay) read(src []byte, p int, before *state) (next int, err error) {
	if p >= len(src) {
		return 0, errMonthShort
	}
	d.control, p = src[p], p+1
	d.shape = before.shape
	if d.control&controlShape != 0 {
		if p, err = d.readShape(src, p); err != nil {
			return 0, err
		}
	}
	if before.shape == d.shape == (d.control&controlShape != 0) || d.shape.count == 0 {
		return 0, errMonthCanonical
	}
	d.start, d.revision, d.recorded, d.source = before.expected(d.date), before.revision, before.recorded, before.source
	if d.control&^(flagDelta|flagGaps|controlShape) != 0 {
		if p, err = d.readDifferences(src, p, before); err != nil {
			return 0, err
		}
	}
	if d.start > math.MaxInt32 || d.start < math.MinInt32 {
		return 0, errMonthDay
	}
	size, p, err := uvarintAt(src, p)
	switch {
	case err != nil:
		return 0, err
	case size > uint64(len(src)-p):
		return 0, errMonthShort
	}
	d.body, d.end = p, p+int(size)
	return d.end, d.checkQuality(src)
}

func (d *sealedDay) readShape(src []byte, p int) (next int, err error) {
	if p+3 > len(src) {
		return 0, errMonthShort
	}
	minutes, scale := int(src[p]), src[p+1]
	if minutes == 0 {
		minutes = WholeDay
	}
	count, p, err := uvarintAt(src, p+2)
	switch {
	case err != nil:
		return 0, err
	case p >= len(src):
		return 0, errMonthShort
	}
	quality := domain.Quality(src[p])
	if count > maxMinutes || !validShape(minutes, int(count)) || scale > domain.MaxScale || !quality.Valid() {
		return 0, errMonthDay
	}
	d.shape = shape{uint8(minutes), scale, uint16(count), quality}
	if minutes == WholeDay {
		d.shape.minutes = 0
	}
	return p + 1, nil
}

// readDifferences reads what is not as before. Something that is as before
// must not be there.
func (d *sealedDay) readDifferences(src []byte, p int, before *state) (next int, err error) {
	var diff uint64
	if d.control&controlStart != 0 {
		if diff, p, err = differenceAt(src, p); err != nil {
			return 0, err
		}
		d.start += unzigzag(diff)
	}
	if d.control&controlRevision != 0 {
		if diff, p, err = differenceAt(src, p); err != nil {
			return 0, err
		}
		revision := int64(d.revision) + unzigzag(diff)
		if revision < 1 || revision > math.MaxInt32 {
			return 0, errMonthDay
		}
		d.revision = int32(revision)
	}
	if how := d.control & (controlRecorded | controlDaily); how != 0 {
		if diff, p, err = uvarintAt(src, p); err != nil {
			return 0, err
		}
		d.recorded += unzigzag(diff)
		if how&controlDaily != 0 {
			d.recorded += int64(d.date-before.date) * dayMicros
		}
		if want, least := before.recordedDiff(d.date, d.recorded); want != how || least != diff {
			return 0, errMonthCanonical
		}
	}
	if d.control&controlSource != 0 {
		if diff, p, err = differenceAt(src, p); err != nil {
			return 0, err
		}
		d.source += unzigzag(diff)
	}
	return p, nil
}

// checkQuality refuses a body with the run of one quality, which the shape
// would say.
func (d *sealedDay) checkQuality(src []byte) error {
	runs := d.body
	if d.control&flagGaps != 0 {
		runs += d.bitmapSize()
	}
	if d.shape.quality == domain.Missing && runs < d.end && oneRun(src[runs]) {
		return errMonthCanonical
	}
	return nil
}

func (d *sealedDay) bitmapSize() int { return (int(d.shape.count) + 7) / 8 }

// Len returns how many days the month has.
func (m *SealedMonth) Len() int { return m.n }

// Find returns the place of a date among the month's days.
func (m *SealedMonth) Find(date domain.Date) (i int, ok bool) {
	day := uint32(date - m.first)
	if m.n == 0 || day > 30 || m.set>>day&1 == 0 {
		return 0, false
	}
	return bits.OnesCount32(m.set & (1<<day - 1)), true
}

// Head returns a day without its data.
func (m *SealedMonth) Head(i int) SealedDay {
	d := &m.days[i]
	return SealedDay{Date: d.date, Revision: d.revision, RecordedAt: d.recorded, Source: d.source}
}

// AppendDay appends the packed day i as it was before it was sealed, and
// allocates nothing where dst has room. Its bytes are those that were sealed;
// of what nobody has sealed, [Day.Decode] says whether it is a day.
func (m *SealedMonth) AppendDay(dst []byte, i int) []byte {
	d := &m.days[i]
	begin := len(dst)
	size := fixedHead + 1 + d.end - d.body + tail
	dst = slices.Grow(dst, size+2)
	head := dst[begin : begin+fixedHead+1]
	head[0], head[1], head[2] = version1|d.control&(flagDelta|flagGaps), d.shape.minutes, d.shape.scale
	binary.LittleEndian.PutUint32(head[3:], uint32(int32(d.start)))
	head[fixedHead] = byte(d.shape.count)
	dst = dst[:begin+fixedHead+1]
	if d.shape.count >= 0x80 {
		dst[begin+fixedHead] |= 0x80
		dst = append(dst, byte(d.shape.count>>7))
	}
	body := m.src[d.body:d.end]
	if d.control&flagGaps != 0 {
		n := min(d.bitmapSize(), len(body))
		dst = append(dst, body[:n]...)
		body = body[n:]
	}
	if d.shape.quality != domain.Missing {
		dst = append(dst, byte(d.shape.quality))
	}
	dst = append(dst, body...)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[begin:], castagnoli))
}

// uvarintAt is readUvarint at p.
func uvarintAt(src []byte, p int) (v uint64, next int, err error) {
	if p < len(src) && src[p] < 0x80 {
		return uint64(src[p]), p + 1, nil
	}
	return longUvarintAt(src, p)
}

// longUvarintAt takes up to eight bytes with one load: the groups of seven bits
// are moved together in pairs. Instants of recording are that long.
func longUvarintAt(src []byte, p int) (v uint64, next int, err error) {
	if p+8 <= len(src) {
		x := binary.LittleEndian.Uint64(src[p:])
		if end := ^x & 0x8080808080808080; end != 0 {
			n := bits.TrailingZeros64(end) + 1 // bits, whole bytes
			x = x << (64 - n) >> (64 - n)
			if x>>(n-8) == 0 {
				return 0, p, errCanonical
			}
			x = x&0x007f007f007f007f | x>>1&0x3f803f803f803f80
			x = x&0x00003fff00003fff | x>>2&0x0fffc0000fffc000
			return x&0x0fffffff | x>>4&0xfffffff0000000, p + n/8, nil
		}
	}
	v, rest, err := readUvarint(src[min(p, len(src)):])
	return v, len(src) - len(rest), err
}

// differenceAt is uvarintAt of what is not 0.
func differenceAt(src []byte, p int) (v uint64, next int, err error) {
	v, next, err = uvarintAt(src, p)
	if err == nil && v == 0 {
		err = errMonthCanonical
	}
	return v, next, err
}
