package interval_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// amsterdam is where the households of these tests live.
func amsterdam(t testing.TB) *time.Location { return zone(t, "Europe/Amsterdam") }

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := interval.Zone(name)
	if err != nil {
		t.Fatalf("Zone(%q): %v", name, err)
	}
	return loc
}

// household returns days of half hours of a made-up household, in watt hours:
// a base load with noise, a morning and an evening, the cooker now and then.
func household(t testing.TB, from domain.Date, days int) []*interval.Day {
	chance := rand.New(rand.NewPCG(1, 2))
	loc := amsterdam(t)
	var out []*interval.Day
	for date := from; date < from+domain.Date(days); date++ {
		start, end := interval.Span(date, loc)
		d := new(interval.Day)
		d.Reset(start, 30, 3, interval.Count(start, end, 30))
		cosy := 0.7 + 0.6*chance.Float64() // some days more is switched on
		for i := range d.Values {
			hour := float64(i) / 2
			wh := 60 + 40*chance.Float64()
			wh += cosy * 130 * math.Exp(-(hour-8)*(hour-8)/3) * (0.7 + 0.6*chance.Float64())
			wh += cosy * 260 * math.Exp(-(hour-19)*(hour-19)/6) * (0.7 + 0.6*chance.Float64())
			if chance.Float64() < 0.03 {
				wh += 1500 * chance.Float64()
			}
			d.Values[i], d.Quality[i] = int64(wh), domain.Actual
		}
		out = append(out, d)
	}
	return out
}

func packed(t testing.TB, days []*interval.Day) [][]byte {
	t.Helper()
	var out [][]byte
	for _, d := range days {
		b, err := d.Append(nil)
		if err != nil {
			t.Fatalf("Append(%+v): %v", d, err)
		}
		out = append(out, b)
	}
	return out
}

func BenchmarkPack(b *testing.B) {
	days := household(b, domain.NewDate(2024, 1, 1), 365)
	var bytes, readings int
	for i, p := range packed(b, days) {
		bytes += len(p)
		readings += len(days[i].Values)
	}
	var buf []byte
	var err error
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if buf, err = days[n%len(days)].Append(buf[:0]); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(bytes)/float64(readings), "B/reading")
}

func BenchmarkUnpack(b *testing.B) {
	chunks := packed(b, household(b, domain.NewDate(2024, 1, 1), 365))
	var d interval.Day
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if err := d.Decode(chunks[n%len(chunks)]); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

func BenchmarkUnpackYear(b *testing.B) {
	chunks := packed(b, household(b, domain.NewDate(2024, 1, 1), 365))
	var d interval.Day
	for b.Loop() {
		for _, c := range chunks {
			if err := d.Decode(c); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkReadHeader(b *testing.B) {
	chunks := packed(b, household(b, domain.NewDate(2024, 1, 1), 365))
	n := 0
	for b.Loop() {
		if _, err := interval.ReadHeader(chunks[n%len(chunks)]); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

func TestPackingAllocatesNothing(t *testing.T) {
	days := household(t, domain.NewDate(2024, 3, 30), 3)
	days[1].Values[7], days[1].Quality[7] = 0, domain.Missing // gaps take their own way
	var buf []byte
	var d interval.Day
	got := testing.AllocsPerRun(100, func() {
		for _, day := range days {
			var err error
			if buf, err = day.Append(buf[:0]); err != nil {
				t.Fatal(err)
			}
			if err := d.Decode(buf); err != nil {
				t.Fatal(err)
			}
			if _, err := interval.ReadHeader(buf); err != nil {
				t.Fatal(err)
			}
		}
	})
	if got != 0 {
		t.Errorf("packing and unpacking three days allocates %v times, want 0", got)
	}
}

// A household's day takes about one and a half bytes a reading, and a change
// that makes stored data grow should be noticed.
func TestPackedDaysAreSmall(t *testing.T) {
	days := household(t, domain.NewDate(2024, 1, 1), 365)
	bytes, readings := 0, 0
	for i, p := range packed(t, days) {
		bytes += len(p)
		readings += len(days[i].Values)
	}
	if got := float64(bytes) / float64(readings); got > 1.5 {
		t.Errorf("a year of %d half hours takes %.3f bytes a reading, want at most 1.5", readings, got)
	}
}
