package interval_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// qualities repeats a pattern: A, E, S and a dot for what is missing.
func qualities(pattern string, count int) []domain.Quality {
	out := make([]domain.Quality, count)
	for i := range out {
		switch pattern[i%len(pattern)] {
		case 'A':
			out[i] = domain.Actual
		case 'E':
			out[i] = domain.Estimate
		case 'S':
			out[i] = domain.Substituted
		}
	}
	return out
}

// dayOf repeats values over a day; where the pattern has a gap the value is 0.
func dayOf(minutes, count int, pattern string, values ...int64) *interval.Day {
	d := &interval.Day{Start: 1711839600, Minutes: minutes, Scale: 3, Quality: qualities(pattern, count)}
	for i, q := range d.Quality {
		v := values[i%len(values)]
		if q == domain.Missing {
			v = 0
		}
		d.Values = append(d.Values, v)
	}
	return d
}

func checkRoundTrip(t *testing.T, d *interval.Day) []byte {
	t.Helper()
	before := interval.Day{Start: d.Start, Minutes: d.Minutes, Scale: d.Scale, Values: slices.Clone(d.Values), Quality: slices.Clone(d.Quality)}
	b, err := d.Append([]byte("in front"))
	if err != nil {
		t.Fatalf("Append(%+v): %v", d, err)
	}
	if !reflect.DeepEqual(*d, before) {
		t.Errorf("Append changed the day from %+v to %+v", before, *d)
	}
	b, ok := bytes.CutPrefix(b, []byte("in front"))
	if !ok {
		t.Fatalf("Append changed what was in front: %x", b)
	}
	got := interval.Day{Values: make([]int64, 300), Quality: qualities("S", 300)} // used before
	if err := got.Decode(b); err != nil {
		t.Fatalf("Decode(%x) of %+v: %v", b, before, err)
	}
	if !reflect.DeepEqual(got, before) {
		t.Errorf("Decode(%x) = %+v, want %+v", b, got, before)
	}
	h, err := interval.ReadHeader(b)
	want := interval.Header{Start: d.Start, Minutes: d.Minutes, Scale: d.Scale, Count: len(d.Values), Present: before.Present()}
	if err != nil || h != want {
		t.Errorf("ReadHeader(%x) = %+v, %v, want %+v", b, h, err, want)
	}
	return b
}

func TestPackedDaysReadBackTheSame(t *testing.T) {
	const low, high = math.MinInt64, math.MaxInt64
	tests := map[string]*interval.Day{
		"all zero":                      dayOf(30, 48, "A", 0),
		"all the same":                  dayOf(30, 48, "A", 123),
		"spring":                        dayOf(30, 46, "A", 1, 2, 3),
		"autumn":                        dayOf(15, 100, "A", 70, 800, 65),
		"one day as one interval":       dayOf(interval.WholeDay, 1, "E", 8123),
		"a day lived twice, in minutes": dayOf(1, 2880, "A", 5, 6),
		"hours":                         dayOf(60, 24, "A", 500, 1500),
		"negative values":               dayOf(30, 48, "A", -5, 300, -7000),
		"small steps high up":           dayOf(30, 48, "A", 1_000_000, 1_000_001, 999_999),
		"the extremes":                  dayOf(30, 48, "A", low, high, 0, -1, 1),
		"the least alone":               dayOf(interval.WholeDay, 1, "A", low),
		"the greatest alone":            dayOf(interval.WholeDay, 1, "A", high),
		"the greatest all day":          dayOf(30, 48, "A", high),
		"58 bits":                       dayOf(30, 47, "A", 0, 1<<58-1, 7),
		"57 bits":                       dayOf(30, 47, "A", 0, 1<<57-1, 7),
		"nothing present":               dayOf(30, 48, ".", 0),
		"one present, the first":        {Start: 0, Minutes: 60, Values: []int64{9, 0, 0}, Quality: qualities("A..", 3)},
		"one present, the last":         {Start: 0, Minutes: 60, Values: []int64{0, 0, 9}, Quality: qualities("..S", 3)},
		"gaps":                          dayOf(30, 48, "AAA.AE..S", 100, 200, 300, 400, 500),
		"gaps in one quality":           dayOf(30, 48, "A.", 100, 200),
		"all qualities in turn":         dayOf(15, 96, "AES", 100, 200),
		"another quality inside":        dayOf(60, 8, "SAAAAAAS", 192),
		"a gap each fourth interval":    dayOf(30, 48, "SS.S", 24, 27),
		"before 1970":                   {Start: -60, Minutes: 60, Values: []int64{9}, Quality: qualities("A", 1)},
		"18 places":                     {Start: 60, Minutes: 60, Scale: 18, Values: []int64{9}, Quality: qualities("A", 1)},
	}
	for width := range 65 { // every width of bit-packing, with its greatest value last and first
		v := int64(uint64(1)<<width - 1)
		tests[fmt.Sprint("width ", width)] = dayOf(5, 287, "A", v, 0, v/3, v)
	}
	for name, d := range tests {
		t.Run(name, func(t *testing.T) { checkRoundTrip(t, d) })
	}
}

func TestDaysThatCannotBePacked(t *testing.T) {
	tests := map[string]interval.Day{
		"no interval":                     {Minutes: 30},
		"no resolution":                   {Values: []int64{1}, Quality: qualities("A", 1)},
		"minutes that fill no hour":       {Minutes: 7, Values: []int64{1}, Quality: qualities("A", 1)},
		"two hours":                       {Minutes: 120, Values: []int64{1}, Quality: qualities("A", 1)},
		"negative minutes":                {Minutes: -30, Values: []int64{1}, Quality: qualities("A", 1)},
		"two whole days":                  {Minutes: 1440, Values: []int64{1, 2}, Quality: qualities("A", 2)},
		"more than two days":              *dayOf(30, 97, "A", 1),
		"more values than qualities":      {Minutes: 30, Values: []int64{1, 2}, Quality: qualities("A", 1)},
		"a start within a minute":         {Minutes: 30, Start: 1, Values: []int64{1}, Quality: qualities("A", 1)},
		"a start after the end of time":   {Minutes: 30, Start: 60 << 31, Values: []int64{1}, Quality: qualities("A", 1)},
		"19 places":                       {Minutes: 30, Scale: 19, Values: []int64{1}, Quality: qualities("A", 1)},
		"a missing value":                 {Minutes: 30, Values: []int64{1, 1}, Quality: qualities("A.", 2)},
		"a quality that there is not":     {Minutes: 30, Values: []int64{1}, Quality: []domain.Quality{4}},
		"such a quality among others":     {Minutes: 30, Values: []int64{1, 1}, Quality: []domain.Quality{1, 200}},
		"such a quality in place of none": {Minutes: 30, Values: []int64{0}, Quality: []domain.Quality{252}},
	}
	for name, d := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := d.Append([]byte("kept"))
			if err == nil || string(got) != "kept" {
				t.Errorf("Append(%+v) = %q, %v, want \"kept\" and an error", d, got, err)
			}
		})
	}
}

// seal appends the checksum, so that a test reaches what lies behind it.
func seal(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(slices.Clone(b), crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

func TestPackedDaysThatAreRefused(t *testing.T) {
	head := func(flags byte, rest ...byte) []byte {
		return append([]byte{0x10 | flags, 30, 3, 0, 0, 0, 0}, rest...)
	}
	tests := map[string][]byte{
		"nothing":                            nil,
		"a head alone":                       head(0, 48),
		"version 0":                          append([]byte{0, 30, 3, 0, 0, 0, 0}, 1, 1, 0, 0),
		"version 2":                          append([]byte{0x20, 30, 3, 0, 0, 0, 0}, 1, 1, 0, 0),
		"a list of segments":                 head(4, 1, 1, 0, 0),
		"a flag of the future":               head(8, 1, 1, 0, 0),
		"no interval":                        head(0, 0, 1, 0, 0),
		"more than two days":                 head(0, 97, 1, 0, 0),
		"far more than two days":             head(0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 0, 0),
		"a count in two bytes instead of 1":  head(0, 0x81, 0, 1, 0, 0),
		"a count without an end":             head(0, 0x81),
		"a count beyond 64 bits":             head(0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
		"19 places":                          {0x10, 30, 19, 0, 0, 0, 0, 1, 1, 0, 0},
		"seven minutes":                      {0x10, 7, 3, 0, 0, 0, 0, 1, 1, 0, 0},
		"a whole day of two intervals":       {0x10, 0, 3, 0, 0, 0, 0, 2, 1, 0, 0},
		"a bitmap without a gap":             head(2, 1, 1, 1, 0, 0),
		"a bitmap with bits beyond the end":  head(2, 2, 5, 1, 0, 0),
		"a bitmap cut off":                   head(2, 9, 1),
		"nothing present, and values":        head(2, 1, 0, 1, 0, 0),
		"nothing present, in deltas":         head(3, 1, 0),
		"a run of nothing":                   head(0, 1, 0, 0, 0),
		"a run of missing":                   head(0, 2, 1<<2, 1, 0, 0),
		"a run to the end with its length":   head(0, 2, 2<<2|1, 0, 0),
		"a run beyond the end":               head(0, 2, 3<<2|1, 2, 0, 0),
		"two runs of one quality":            head(0, 2, 1<<2|1, 1, 0, 0),
		"a run in two bytes instead of 1":    head(0, 1, 0x81, 0, 0, 0),
		"runs cut off":                       head(0, 2, 1<<2|1),
		"values cut off before the width":    head(0, 1, 1, 0),
		"values cut off":                     head(0, 2, 1, 0, 8, 0),
		"bytes after the values":             head(0, 2, 1, 0, 8, 0, 255, 0),
		"a width beyond 64":                  head(0, 1, 1, 0, 65, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		"a width that no value needs":        head(0, 2, 1, 0, 8, 0, 127),
		"a width for one value":              head(0, 1, 1, 0, 1, 1),
		"a least value that none has":        head(0, 2, 1, 0, 1, 3),
		"bits beyond the end":                head(0, 2, 1, 0, 1, 6),
		"values beyond an int64":             head(0, 2, 1, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 1, 2),
		"a least value in too many bytes":    head(0, 2, 1, 0x80, 0, 1, 2),
		"deltas where bits are not longer":   head(1, 2, 1, 0, 0),
		"deltas cut off":                     head(1, 4, 1, 0, 0x80),
		"deltas with bytes after them":       head(1, 1, 1, 0, 0),
		"a delta in too many bytes":          head(1, 1, 1, 0x80, 0),
		"bits where deltas would be shorter": head(0, slices.Concat([]byte{20, 1, 0, 10}, make([]byte, 23), []byte{0xc0, 0xff})...),
	}
	for name, b := range tests {
		t.Run(name, func(t *testing.T) {
			var d interval.Day
			if err := d.Decode(seal(b)); err == nil {
				t.Errorf("Decode(%x) = %+v, want an error", b, d)
			}
		})
	}
}

// Whatever one bit of storage turns into, it is noticed.
func TestEveryDamagedBitIsNoticed(t *testing.T) {
	good, err := dayOf(30, 48, "AAAAE.", 120, 250, 700).Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	var d interval.Day
	for bit := range len(good) * 8 {
		bad := slices.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		if err := d.Decode(bad); err == nil {
			t.Errorf("Decode took the day with bit %d turned", bit)
		}
		if _, err := interval.ReadHeader(bad); err == nil {
			t.Errorf("ReadHeader took the day with bit %d turned", bit)
		}
	}
	for n := range good {
		if err := d.Decode(good[:n]); err == nil {
			t.Errorf("Decode took the first %d of %d bytes", n, len(good))
		}
	}
}

// A packed day is read by later programs: its bytes are a promise.
func TestThePackedFormStays(t *testing.T) {
	tests := map[string]struct {
		day  *interval.Day
		want []byte
	}{
		"bits":          {dayOf(60, 4, "A", 10, 13, 10, 11), []byte{0x10, 60, 3, 0xe4, 0x57, 0xb3, 0x01, 4, 1, 20, 2, 0x4c}},
		"deltas":        {dayOf(60, 4, "A", 0, 60, 120, 180), []byte{0x11, 60, 3, 0xe4, 0x57, 0xb3, 0x01, 4, 1, 0, 120, 120, 120}},
		"gaps and runs": {dayOf(60, 4, "A.EE", 7), []byte{0x12, 60, 3, 0xe4, 0x57, 0xb3, 0x01, 4, 0x0d, 1<<2 | 1, 2, 14, 0}},
		"a whole day":   {dayOf(1440, 1, "S", -3), []byte{0x11, 0, 3, 0xe4, 0x57, 0xb3, 0x01, 1, 3, 5}},
		"nothing":       {dayOf(60, 1, ".", 0), []byte{0x12, 60, 3, 0xe4, 0x57, 0xb3, 0x01, 1, 0}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got, want := checkRoundTrip(t, tt.day), seal(tt.want); !bytes.Equal(got, want) {
				t.Errorf("Append(%+v) = %x, want %x", tt.day, got, want)
			}
		})
	}
}

// FuzzDecode holds that any bytes are a day or an error, and that a day packs
// into the bytes it came from.
func FuzzDecode(f *testing.F) {
	for _, d := range []*interval.Day{
		dayOf(30, 48, "A", 50, 2000, 130), dayOf(30, 48, "AE.S", 50, 51, 52), dayOf(60, 24, ".", 0),
		dayOf(1440, 1, "A", -1), dayOf(60, 24, "A", math.MaxInt64, math.MinInt64), dayOf(5, 288, "A", 1, 2),
	} {
		b, err := d.Append(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[:len(b)-4])
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, seal(b)} {
			var d interval.Day
			if err := d.Decode(b); err != nil {
				continue
			}
			again, err := d.Append(nil)
			if err != nil || !bytes.Equal(again, b) {
				t.Errorf("Decode(%x) = %+v, which packs into %x, %v", b, d, again, err)
			}
			if _, err := interval.ReadHeader(b); err != nil {
				t.Errorf("Decode took %x, ReadHeader did not: %v", b, err)
			}
		}
	})
}

// FuzzPack holds that a day which can be packed reads back the same.
func FuzzPack(f *testing.F) {
	f.Add(int32(28530660), uint8(30), uint8(3), uint8(8), []byte("some values that are taken as they come, \x00\xff\x80"))
	f.Add(int32(-1), uint8(5), uint8(0), uint8(64), bytes.Repeat([]byte{0xff, 0x80, 0, 1}, 99))
	f.Add(int32(1<<31-1), uint8(60), uint8(18), uint8(12), bytes.Repeat([]byte{7, 9}, 50))
	f.Fuzz(func(t *testing.T, start int32, minutes, scale, width uint8, data []byte) {
		d := &interval.Day{Start: int64(start) * 60, Minutes: int(minutes), Scale: scale}
		if minutes == 0 {
			d.Minutes = interval.WholeDay
		}
		for len(data) >= 9 {
			v := int64(binary.LittleEndian.Uint64(data)) >> (63 - width&63)
			q := domain.Quality(data[8] & 3)
			if data[8]&0x30 != 0 {
				q = domain.Actual // or there would hardly be a day without gaps
			}
			if q == domain.Missing {
				v = 0
			}
			d.Values, d.Quality, data = append(d.Values, v), append(d.Quality, q), data[9:]
		}
		if _, err := d.Append(nil); err != nil {
			return // TestDaysThatCannotBePacked says which
		}
		checkRoundTrip(t, d)
	})
}
