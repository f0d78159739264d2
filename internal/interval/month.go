package interval

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// A sealed month, version 1: the packed days of one channel and one calendar
// month without what they would say thirty times. Numbers are as in a packed
// day; a difference is the uvarint of its zigzag.
//
//	version        1 byte   its high bit tells a month from a packed day
//	month          uvarint of the zigzag of the months since January 1970
//	days           4 bytes  one bit per day of the month, lowest first
//	for each day that is there
//	  control      1 byte   what of the following is there, see below
//	  [shape]               resolution and scale as in a packed day, count as a
//	                        uvarint, and 1 byte: the quality of all that is
//	                        present, or 0 where the body has runs
//	  [start]               difference in minutes from where the day should begin
//	  [revision]            difference from the day before
//	  [recorded]            difference in microseconds from the day before, or from
//	                        as many whole days after it as lie between the dates,
//	                        whichever is shorter, the first where both are equal
//	  [source]              difference from the day before
//	  size         uvarint  of the body
//	  body                  bitmap, runs and values as in a packed day; without
//	                        the run of a quality that the shape says
//	CRC-32C        4 bytes  of all before it
//
// What is not there is as on the day before that is there. Before the first
// one the revision is 1, and the others are 0. A day should begin where the one
// before ends, and 24 hours later for every date between them; the first one at
// midnight UTC. One month has one sealed form.
const (
	monthVersion1 = 0x81

	// The first two are the flags of a packed day.
	controlShape    = 1 << 2
	controlStart    = 1 << 3
	controlRevision = 1 << 4
	controlSource   = 1 << 5
	controlRecorded = 1 << 6 // difference from the day before
	controlDaily    = 1 << 7 // difference from whole days after it

	// maxMonth is more than the starts of packed days reach: 4,083 years.
	maxMonth = 12 * 4083

	dayMinutes = 24 * 60
	dayMicros  = 86400e6
)

// SealedDay is one day of a sealed month.
type SealedDay struct {
	Date       domain.Date
	Revision   int32  // from 1
	RecordedAt int64  // in microseconds since 1970
	Source     int64  // a key of the store's
	Data       []byte // a packed day
}

// shape is what the days of a month mostly share.
type shape struct {
	minutes uint8 // as in a packed day: 0 for WholeDay
	scale   uint8
	count   uint16
	quality domain.Quality // of all that is present, or Missing: the body has runs
}

// span returns how long a day of this shape is, in minutes, as far as it says.
func (s shape) span() int64 {
	if s.minutes == 0 {
		return dayMinutes
	}
	return int64(s.minutes) * int64(s.count)
}

// state is what is known after a day of the month.
type state struct {
	shape    shape
	date     domain.Date
	start    int64 // in minutes
	revision int32
	recorded int64
	source   int64
}

// expected returns where a day should begin, in minutes.
func (s *state) expected(date domain.Date) int64 {
	if s.shape.count == 0 {
		return int64(date) * dayMinutes
	}
	return s.start + s.shape.span() + (int64(date)-int64(s.date)-1)*dayMinutes
}

// recordedDiff returns how an instant of recording is written.
func (s *state) recordedDiff(date domain.Date, recorded int64) (control byte, diff uint64) {
	if recorded == s.recorded {
		return 0, 0
	}
	plain := zigzag(recorded - s.recorded)
	daily := zigzag(recorded - s.recorded - int64(date-s.date)*dayMicros)
	if uvarintSize(daily) < uvarintSize(plain) {
		return controlDaily, daily
	}
	return controlRecorded, plain
}

// AppendMonth appends a sealed month to dst, or returns dst as it was and an
// error where the days are none, do not ascend within one calendar month, or
// hold something else than packed days with a revision. It allocates nothing
// where dst has room.
func AppendMonth(dst []byte, days []SealedDay) ([]byte, error) {
	if len(days) == 0 {
		return dst, fmt.Errorf("interval: a month without a day cannot be sealed")
	}
	month, first, next := monthOf(days[0].Date)
	if month < -maxMonth || month > maxMonth {
		return dst, fmt.Errorf("interval: %s is beyond the months that can be sealed", days[0].Date)
	}
	begin, size := len(dst), 64
	for i := range days {
		size += len(days[i].Data)
	}
	dst = slices.Grow(dst, size)
	dst = append(dst, monthVersion1)
	dst = binary.AppendUvarint(dst, zigzag(month))
	present := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	var set uint32
	before := state{date: first - 1, revision: 1}
	for i := range days {
		d := &days[i]
		if d.Date <= before.date || d.Date >= next {
			return dst[:begin], fmt.Errorf("interval: %s after %s cannot be in one sealed month", d.Date, before.date)
		}
		set |= 1 << (d.Date - first)
		var err error
		if dst, err = before.appendDay(dst, d); err != nil {
			return dst[:begin], fmt.Errorf("interval: seal %s: %w", d.Date, err)
		}
	}
	binary.LittleEndian.PutUint32(dst[present:], set)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[begin:], castagnoli)), nil
}

// appendDay appends a day and moves the state on to it.
func (s *state) appendDay(dst []byte, d *SealedDay) ([]byte, error) {
	h, bitmap, rest, err := readHead(d.Data)
	if err != nil {
		return dst, err
	}
	if d.Revision < 1 {
		return dst, fmt.Errorf("its revision is %d", d.Revision)
	}
	body := rest[:len(rest)-tail]
	if h.Present == 0 && len(body) > 0 {
		return dst, errCanonical
	}
	now := state{
		shape: shape{d.Data[1], h.Scale, uint16(h.Count), domain.Missing},
		date:  d.Date, start: h.Start / 60, revision: d.Revision, recorded: d.RecordedAt, source: d.Source,
	}
	if len(body) > 0 && oneRun(body[0]) {
		now.shape.quality, body = domain.Quality(body[0]), body[1:]
	}
	control := d.Data[0] & (flagDelta | flagGaps)
	at := len(dst)
	dst = append(dst, 0)
	if now.shape != s.shape {
		control |= controlShape
		dst = append(dst, now.shape.minutes, now.shape.scale)
		dst = binary.AppendUvarint(dst, uint64(now.shape.count))
		dst = append(dst, byte(now.shape.quality))
	}
	if diff := now.start - s.expected(d.Date); diff != 0 {
		control |= controlStart
		dst = binary.AppendUvarint(dst, zigzag(diff))
	}
	if now.revision != s.revision {
		control |= controlRevision
		dst = binary.AppendUvarint(dst, zigzag(int64(now.revision)-int64(s.revision)))
	}
	if c, diff := s.recordedDiff(d.Date, d.RecordedAt); c != 0 {
		control |= c
		dst = binary.AppendUvarint(dst, diff)
	}
	if now.source != s.source {
		control |= controlSource
		dst = binary.AppendUvarint(dst, zigzag(now.source-s.source))
	}
	dst[at] = control
	dst = binary.AppendUvarint(dst, uint64(len(bitmap)+len(body)))
	dst = append(dst, bitmap...)
	*s = now
	return append(dst, body...), nil
}

// MonthOf returns the first day of the calendar month that a date lies in, and
// the last.
func MonthOf(d domain.Date) (first, last domain.Date) {
	_, first, next := monthOf(d)
	return first, next - 1
}

// monthOf returns the month of a date, counted from January 1970, its first day
// and that of the next.
func monthOf(d domain.Date) (month int64, first, next domain.Date) {
	year, m, day := d.Civil()
	first = d - domain.Date(day-1)
	return int64(year-1970)*12 + int64(m-time.January), first, first + domain.Date(monthLength(year, m))
}

// monthAt is monthOf for a month of at most maxMonth.
func monthAt(month int64) (first, next domain.Date) {
	year := 1970 + floor(month, 12)
	m := time.January + time.Month(month-floor(month, 12)*12)
	first = domain.NewDate(int(year), m, 1)
	return first, first + domain.Date(monthLength(int(year), m))
}

func monthLength(year int, m time.Month) int {
	if m != time.February {
		return 30 + int(m+m>>3)&1
	}
	if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return 28
}

// oneRun reports whether a body's runs are this one byte: see appendRuns.
func oneRun(first byte) bool { return first != 0 && domain.Quality(first).Valid() }
