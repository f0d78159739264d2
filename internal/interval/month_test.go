package interval_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

const (
	march       = domain.Date(19783) // 2024-03-01
	recordedAt  = int64(1711900800_000000)
	dayOfMicros = int64(86400_000000)
)

// sealable packs days for one month, recorded at once by one source.
func sealable(t testing.TB, first domain.Date, days ...*interval.Day) []interval.SealedDay {
	t.Helper()
	var out []interval.SealedDay
	for i, b := range packed(t, days) {
		out = append(out, interval.SealedDay{Date: first + domain.Date(i), Revision: 1, RecordedAt: recordedAt, Source: 7, Data: b})
	}
	return out
}

// monthDays is March 2024 of a household, with the summer day in it.
func monthDays(t testing.TB) []interval.SealedDay {
	return sealable(t, march, household(t, march, 31)...)
}

// changed lets f change each day of a copy.
func changed(days []interval.SealedDay, f func(i int, d *interval.SealedDay)) []interval.SealedDay {
	days = slices.Clone(days)
	for i := range days {
		f(i, &days[i])
	}
	return days
}

// unsealed reads all days of a sealed month.
func unsealed(t testing.TB, sealed []byte) []interval.SealedDay {
	t.Helper()
	var m interval.SealedMonth
	if err := m.Open(sealed); err != nil {
		t.Fatalf("Open(%x): %v", sealed, err)
	}
	var out []interval.SealedDay
	for i := range m.Len() {
		d := m.Head(i)
		if at, ok := m.Find(d.Date); !ok || at != i {
			t.Errorf("Find(%s) = %d, %v, want %d", d.Date, at, ok, i)
		}
		d.Data = m.AppendDay(nil, i)
		out = append(out, d)
	}
	return out
}

func checkSealed(t *testing.T, days []interval.SealedDay) []byte {
	t.Helper()
	b, err := interval.AppendMonth([]byte("in front"), days)
	if err != nil {
		t.Fatalf("AppendMonth(%+v): %v", days, err)
	}
	b, ok := bytes.CutPrefix(b, []byte("in front"))
	if !ok {
		t.Fatalf("AppendMonth changed what was in front: %x", b)
	}
	if got := unsealed(t, b); !reflect.DeepEqual(got, days) {
		t.Errorf("got the days %+v\nof the month %x, want %+v", got, b, days)
	}
	return b
}

func TestSealedMonthsReadBackTheSame(t *testing.T) {
	usual := monthDays(t)
	odd := []*interval.Day{
		dayOf(30, 48, "A", 0), dayOf(30, 48, "E", 5), dayOf(15, 96, "AE.S", 50), dayOf(60, 24, ".", 0), dayOf(60, 25, "A.", 9),
		dayOf(1440, 1, "A", -7), dayOf(1440, 1, ".", 0), dayOf(1, 2880, "A", 5, 6), dayOf(30, 48, "A", math.MaxInt64, math.MinInt64),
		{Start: -60, Minutes: 60, Values: []int64{9}, Quality: qualities("A", 1)},
		{Start: math.MinInt32 * 60, Minutes: 60, Scale: 18, Values: []int64{9}, Quality: qualities("A", 1)},
		{Start: math.MaxInt32 * 60, Minutes: 60, Values: []int64{9}, Quality: qualities("A", 1)},
	}
	tests := map[string][]interval.SealedDay{
		"a whole month":        usual,
		"the first day alone":  usual[:1],
		"the last day alone":   usual[30:],
		"days here and there":  {usual[2], usual[3], usual[9], usual[30]},
		"a February":           sealable(t, domain.NewDate(2024, 2, 1), household(t, domain.NewDate(2024, 2, 1), 29)...),
		"before 1970":          sealable(t, domain.NewDate(1907, 12, 31), odd[0]),
		"before the Romans":    sealable(t, -719_000-365*1500, odd[0]),
		"odd days":             sealable(t, march, odd...),
		"odd days, backwards":  sealable(t, march, reversed(odd)...),
		"recorded day by day":  changed(usual, func(i int, d *interval.SealedDay) { d.RecordedAt += int64(i) * dayOfMicros }),
		"recorded about daily": changed(usual, func(i int, d *interval.SealedDay) { d.RecordedAt += int64(i)*(dayOfMicros+777) - int64(i*i)*13 }),
		"recorded backwards":   changed(usual, func(i int, d *interval.SealedDay) { d.RecordedAt -= int64(i) * 1001 }),
		"recorded at any time": changed(usual, func(i int, d *interval.SealedDay) { d.RecordedAt = math.MaxInt64 * int64(i%3-1) }),
		"corrected now and then": changed(usual, func(i int, d *interval.SealedDay) {
			if i%5 == 2 {
				d.Revision, d.RecordedAt, d.Source = int32(i), d.RecordedAt+1, 9
			}
		}),
		"extreme revisions and sources": changed(usual, func(i int, d *interval.SealedDay) {
			d.Revision, d.Source = math.MaxInt32, math.MinInt64
			if i%2 == 1 {
				d.Revision, d.Source = 1, math.MaxInt64
			}
		}),
	}
	for name, days := range tests {
		t.Run(name, func(t *testing.T) { checkSealed(t, days) })
	}
}

func TestMonthsThatCannotBeSealed(t *testing.T) {
	usual := monthDays(t)
	with := func(i int, f func(*interval.SealedDay)) []interval.SealedDay {
		return changed(usual, func(n int, d *interval.SealedDay) {
			if n == i {
				f(d)
			}
		})
	}
	tests := map[string][]interval.SealedDay{
		"no day":                       nil,
		"a date twice":                 {usual[3], usual[3]},
		"dates backwards":              {usual[3], usual[2]},
		"a day of the next month":      with(30, func(d *interval.SealedDay) { d.Date++ }),
		"a day of the month before":    with(0, func(d *interval.SealedDay) { d.Date-- }),
		"the end of time":              with(0, func(d *interval.SealedDay) { d.Date = math.MaxInt32 }),
		"the beginning of time":        with(0, func(d *interval.SealedDay) { d.Date = math.MinInt32 }),
		"no revision":                  with(9, func(d *interval.SealedDay) { d.Revision = 0 }),
		"a day that is a text":         with(9, func(d *interval.SealedDay) { d.Data = []byte("a longer text than before") }),
		"a day that is nothing":        with(9, func(d *interval.SealedDay) { d.Data = nil }),
		"a day cut off":                with(9, func(d *interval.SealedDay) { d.Data = d.Data[:20] }),
		"a damaged day":                with(9, func(d *interval.SealedDay) { d.Data = append([]byte{0x11}, d.Data[1:]...) }),
		"nothing present, and a value": with(9, func(d *interval.SealedDay) { d.Data = seal([]byte{0x12, 60, 3, 0, 0, 0, 0, 1, 0, 1, 0, 0}) }),
	}
	for name, days := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := interval.AppendMonth([]byte("kept"), days)
			if err == nil || string(got) != "kept" {
				t.Errorf("AppendMonth(%+v) = %q, %v, want \"kept\" and an error", days, got, err)
			}
		})
	}
}

func TestDaysThatAMonthDoesNotHave(t *testing.T) {
	usual := monthDays(t)
	var m interval.SealedMonth
	if _, ok := m.Find(march); ok || m.Len() != 0 {
		t.Error("a month that was never opened has days")
	}
	b := checkSealed(t, []interval.SealedDay{usual[1], usual[5]})
	if err := m.Open(b); err != nil {
		t.Fatal(err)
	}
	for _, date := range []domain.Date{march, march + 2, march + 30, march + 31, march + 33, march - 1, march - 27, 0, math.MinInt32, math.MaxInt32} {
		if i, ok := m.Find(date); ok {
			t.Errorf("Find(%s) = %d in a month without it", date, i)
		}
	}
	if err := m.Open(b[1:]); err == nil || m.Len() != 0 {
		t.Errorf("after the error %v the month has %d days", err, m.Len())
	}
	if _, ok := m.Find(march + 1); ok {
		t.Error("after an error there are days")
	}
}

func TestSealedMonthsThatAreRefused(t *testing.T) {
	// A good one: one day of one hour, and what its bytes mean.
	good := []byte{0x81, 0, 1, 0, 0, 0, 4, 60, 3, 1, 1, 2, 14, 0}
	var m interval.SealedMonth
	if err := m.Open(seal(good)); err != nil {
		t.Fatalf("the pattern of this test is refused: %v", err)
	}
	head := func(days uint32, rest ...byte) []byte {
		return append(binary.LittleEndian.AppendUint32([]byte{0x81, 0}, days), rest...)
	}
	one := []byte{4, 60, 3, 1, 1, 2, 14, 0} // the day above
	two := func(control byte, rest ...byte) []byte {
		return head(3, slices.Concat(one, []byte{control}, rest, []byte{2, 14, 0})...)
	}
	if err := m.Open(seal(two(0))); err != nil {
		t.Fatalf("the second pattern of this test is refused: %v", err)
	}
	tests := map[string][]byte{
		"nothing":                           {},
		"a packed day":                      append([]byte{0x10}, good[1:]...),
		"version 2":                         append([]byte{0x82}, good[1:]...),
		"no day":                            head(0),
		"the 32nd of January":               head(1<<31, one...),
		"the 29th of February 1970":         append([]byte{0x81, 2, 0, 0, 0, 1 << 4}, one...),
		"a month in two bytes instead of 1": append([]byte{0x81, 0x80, 0, 1, 0, 0, 0}, one...),
		"a month beyond all starts":         append([]byte{0x81, 0xff, 0xff, 0xff, 0x7f, 1, 0, 0, 0}, one...),
		"a month without an end":            {0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"a day less than it says":           head(3, one...),
		"a day more than it says":           head(1, append(one, one...)...),
		"the first day as before":           head(1, 0, 2, 14, 0),
		"a shape cut off":                   head(1, 4, 60),
		"a shape cut off in its count":      head(1, 4, 60, 3, 0xff),
		"a shape without a quality":         head(1, 4, 60, 3, 1),
		"seven minutes":                     head(1, 4, 7, 3, 1, 1, 2, 14, 0),
		"19 places":                         head(1, 4, 60, 19, 1, 1, 2, 14, 0),
		"no interval":                       head(1, 4, 60, 3, 0, 1, 2, 14, 0),
		"a quality that there is not":       head(1, 4, 60, 3, 1, 4, 2, 14, 0),
		"a run that the shape would say":    head(1, 4, 60, 3, 1, 0, 3, 1, 14, 0),
		"the same behind a bitmap":          head(1, 6, 60, 3, 2, 0, 4, 1, 1, 14, 0),
		"a size without an end":             head(1, 4, 60, 3, 1, 1, 0xff),
		"a size beyond the end":             head(1, 4, 60, 3, 1, 1, 3, 14, 0),
		"a size in two bytes instead of 1":  head(1, 4, 60, 3, 1, 1, 0x82, 0, 14, 0),
		"a size beyond 63 bits":             head(1, 4, 60, 3, 1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 14, 0),
		"the shape again":                   two(4, 60, 3, 1, 1),
		"the start where it should be":      two(8, 0),
		"a start after the end of time":     two(8, 0xfe, 0xff, 0xff, 0xff, 0xff, 1),
		"the revision again":                two(16, 0),
		"revision 0":                        two(16, 1),
		"a revision beyond 31 bits":         two(16, 0xfe, 0xff, 0xff, 0xff, 0x0f),
		"a revision beyond 63 bits":         two(16, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
		"the source again":                  two(32, 0),
		"the instant again":                 two(64, 0),
		"the instant again, from a day":     two(128, 0xff, 0xbf, 0xfe, 0xed, 0x83, 0x05),
		"an instant in both ways":           two(192, 2),
		"a day later the long way":          two(64, 0x80, 0xc0, 0xfe, 0xed, 0x83, 0x05),
		"a microsecond from a day":          two(128, 0xfd, 0xbf, 0xfe, 0xed, 0x83, 0x05),
		"a difference cut off":              head(3, append(one, 64)...),
	}
	for name, b := range tests {
		t.Run(name, func(t *testing.T) {
			if err := m.Open(seal(b)); err == nil || m.Len() != 0 {
				t.Errorf("Open(%x) took it, with %d days", b, m.Len())
			}
		})
	}
}

func TestEveryDamagedBitOfAMonthIsNoticed(t *testing.T) {
	good := checkSealed(t, monthDays(t)[:3])
	var m interval.SealedMonth
	for bit := range len(good) * 8 {
		bad := slices.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		if err := m.Open(bad); err == nil {
			t.Errorf("Open took the month with bit %d turned", bit)
		}
	}
	for n := range good {
		if err := m.Open(good[:n]); err == nil {
			t.Errorf("Open took the first %d of %d bytes", n, len(good))
		}
	}
}

// A sealed month is read by later programs: its bytes are a promise.
func TestTheSealedFormStays(t *testing.T) {
	day := func(pattern string, start int64, values ...int64) []byte {
		d := dayOf(60, 24, pattern, values...)
		d.Start = start
		return packed(t, []*interval.Day{d})[0]
	}
	tests := map[string]struct {
		days []interval.SealedDay
		want []byte
	}{
		"one day": {
			[]interval.SealedDay{{Date: 0, Revision: 1, Data: day("A", 0, 7)}},
			[]byte{0x81, 0, 1, 0, 0, 0, 4, 60, 3, 24, 1, 2, 14, 0},
		},
		"all as before, the next day": {
			[]interval.SealedDay{{Date: 0, Revision: 1, Data: day("A", 0, 7)}, {Date: 1, Revision: 1, Data: day("A", 86400, 7)}},
			[]byte{0x81, 0, 3, 0, 0, 0, 4, 60, 3, 24, 1, 2, 14, 0, 0, 2, 14, 0},
		},
		"all of it otherwise": {
			[]interval.SealedDay{
				{Date: 31, Revision: 2, RecordedAt: 5, Source: 3, Data: day("A", 30*86400, 7)},
				{Date: 34, Revision: 1, RecordedAt: 5 + 3*dayOfMicros, Source: 2, Data: day("AE", 33*86400+60, 7)},
			},
			append([]byte{0x81, 2, 0b1001, 0, 0, 0, 0x7c, 60, 3, 24, 1, 0xbf, 0x16, 2, 10, 6, 2, 14, 0},
				0xbc, 60, 3, 24, 0, 2, 1, 0, 1, 26, 5, 6, 5, 6, 5, 6, 5, 6, 5, 6, 5, 6, 5, 6, 5, 6, 5, 6, 5, 6, 5, 6, 5, 2, 14, 0),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got, want := checkSealed(t, tt.days), seal(tt.want); !bytes.Equal(got, want) {
				t.Errorf("AppendMonth(%+v) = %x, want %x", tt.days, got, want)
			}
		})
	}
}

// FuzzMonth holds that any bytes are a month or an error, and that a month
// whose days all are days seals into the bytes it came from.
func FuzzMonth(f *testing.F) {
	usual := monthDays(f)
	for _, days := range [][]interval.SealedDay{usual[:3], usual[29:], {usual[0], usual[30]}, sealable(f, 0, dayOf(60, 24, "AE.", 3), dayOf(1440, 1, ".", 0))} {
		b, err := interval.AppendMonth(nil, days)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[:len(b)-4])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, seal(b)} {
			var m interval.SealedMonth
			if err := m.Open(b); err != nil {
				if m.Len() != 0 {
					t.Errorf("Open(%x): %d days beside the error %v", b, m.Len(), err)
				}
				continue
			}
			var day interval.Day
			for i := range m.Len() {
				if err := day.Decode(m.AppendDay(nil, i)); err != nil {
					return
				}
			}
			again, err := interval.AppendMonth(nil, unsealed(t, b))
			if err != nil || !bytes.Equal(again, b) {
				t.Errorf("the days of %x seal into %x, %v", b, again, err)
			}
		}
	})
}

func TestSealingAllocatesNothing(t *testing.T) {
	days := monthDays(t)
	var m interval.SealedMonth
	var buf, day []byte
	got := testing.AllocsPerRun(100, func() {
		var err error
		if buf, err = interval.AppendMonth(buf[:0], days); err != nil {
			t.Fatal(err)
		}
		if err := m.Open(buf); err != nil {
			t.Fatal(err)
		}
		for i := range m.Len() {
			day = m.AppendDay(day[:0], i)
		}
	})
	if got != 0 {
		t.Errorf("sealing and reading a month allocates %v times, want 0", got)
	}
}

// sealedSize returns the bytes per reading of a year in sealed months.
func sealedSize(t testing.TB, f func(i int, d *interval.SealedDay)) float64 {
	size, readings := 0, 0
	for _, days := range year(t, f) {
		b, err := interval.AppendMonth(nil, days)
		if err != nil {
			t.Fatal(err)
		}
		size += len(b)
		for _, d := range days {
			h, err := interval.ReadHeader(d.Data)
			if err != nil {
				t.Fatal(err)
			}
			readings += h.Count
		}
	}
	return float64(size) / float64(readings)
}

// year is 2024 of a household in months.
func year(t testing.TB, f func(i int, d *interval.SealedDay)) (months [][]interval.SealedDay) {
	first := domain.NewDate(2024, 1, 1)
	all := changed(sealable(t, first, household(t, first, 366)...), f)
	for len(all) > 0 {
		n := 1
		for _, m, _ := all[0].Date.Civil(); n < len(all); n++ {
			if _, next, _ := all[n].Date.Civil(); next != m {
				break
			}
		}
		months, all = append(months, all[:n]), all[n:]
	}
	return months
}

func asImported(int, *interval.SealedDay) {}

// nightly is a file each night, a little earlier or later.
func nightly(i int, d *interval.SealedDay) {
	d.RecordedAt += int64(i)*dayOfMicros + int64(i*i)*7_654_321%60_000_000
	d.Source += int64(i)
}

func TestSealedMonthsAreSmall(t *testing.T) {
	for name, tt := range map[string]struct {
		f    func(int, *interval.SealedDay)
		most float64
	}{"one import": {asImported, 1.25}, "one a night": {nightly, 1.36}} {
		if got := sealedSize(t, tt.f); got > tt.most {
			t.Errorf("%s: a year of half hours takes %.3f bytes a reading, want at most %.2f", name, got, tt.most)
		}
	}
}

func BenchmarkSealMonth(b *testing.B) {
	days := monthDays(b)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = interval.AppendMonth(buf[:0], days); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(sealedSize(b, asImported), "B/reading")
	b.ReportMetric(sealedSize(b, nightly), "B/reading-nightly")
}

func benchmarkMonths(b *testing.B, f func(m *interval.SealedMonth)) {
	var sealed [][]byte
	for _, days := range year(b, nightly) {
		s, err := interval.AppendMonth(nil, days)
		if err != nil {
			b.Fatal(err)
		}
		sealed = append(sealed, s)
	}
	var m interval.SealedMonth
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range sealed {
			if err := m.Open(s); err != nil {
				b.Fatal(err)
			}
			f(&m)
		}
	}
}

// BenchmarkOpenMonth opens the twelve months of a year.
func BenchmarkOpenMonth(b *testing.B) { benchmarkMonths(b, func(*interval.SealedMonth) {}) }

// BenchmarkUnsealYear makes packed days of a year and decodes them.
func BenchmarkUnsealYear(b *testing.B) {
	var buf []byte
	var day interval.Day
	benchmarkMonths(b, func(m *interval.SealedMonth) {
		for i := range m.Len() {
			buf = m.AppendDay(buf[:0], i)
			if err := day.Decode(buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func reversed(days []*interval.Day) []*interval.Day {
	days = slices.Clone(days)
	slices.Reverse(days)
	return days
}
