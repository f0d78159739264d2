package chart_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/chart"
	"github.com/wattgate/wattgate/internal/domain"
)

const halfHour = 30 * time.Minute

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func dec(t testing.TB, s string) domain.Decimal {
	t.Helper()
	d, err := domain.ParseDecimal(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDaysAsTheClockShowsThem(t *testing.T) {
	for sentence, c := range map[string]struct {
		zone     string
		day      string
		expected int // readings
		skipped  int // cells
		double   int // cells
	}{
		"an ordinary day":              {"Europe/Amsterdam", "2025-03-29", 48, 0, 0},
		"summer time begins":           {"Europe/Amsterdam", "2025-03-30", 46, 2, 0},
		"summer time ends":             {"Europe/Amsterdam", "2025-10-26", 50, 0, 2},
		"by half an hour":              {"Australia/Lord_Howe", "2025-10-05", 47, 1, 0},
		"back by half an hour":         {"Australia/Lord_Howe", "2025-04-06", 49, 0, 1},
		"a day that a zone left out":   {"Pacific/Apia", "2011-12-30", 0, 48, 0},
		"a day that begins at one":     {"America/Santiago", "2024-09-08", 46, 2, 0},
		"a zone with a quarter's zone": {"Asia/Kathmandu", "2025-03-30", 48, 0, 0},
	} {
		day, err := domain.ParseDate(c.day)
		if err != nil {
			t.Fatal(err)
		}
		s := chart.NewSheet(day, day, zone(t, c.zone), halfHour)
		skipped, double := 0, 0
		for slot := range s.Slots {
			switch s.At(0, slot).Expected {
			case 0:
				skipped++
			case 2:
				double++
			}
		}
		if sum := s.Sum(0, 1); sum.Expected != c.expected || skipped != c.skipped || double != c.double {
			t.Errorf("%s: got %d readings, %d cells skipped, %d double; want %d, %d, %d", sentence, sum.Expected, skipped, double, c.expected, c.skipped, c.double)
		}
	}
}

func TestTheDoubledHourShowsTheSum(t *testing.T) {
	day := domain.NewDate(2025, time.October, 26)
	s := chart.NewSheet(day, day, zone(t, "Europe/Amsterdam"), halfHour)
	first := time.Date(2025, time.October, 26, 0, 0, 0, 0, time.UTC) // 02:00 for the first time
	s.Put(first, dec(t, "0.25"))
	if c := s.At(0, 4); c.State() != chart.Partial {
		t.Errorf("got the state %v of half of it, want %v", c.State(), chart.Partial)
	}
	s.Put(first.Add(time.Hour), dec(t, "0.500"))
	s.Put(first.Add(48*time.Hour), dec(t, "9")) // outside
	c := s.At(0, 4)
	if !c.Value.Equal(dec(t, "0.75")) || c.State() != chart.Whole {
		t.Errorf("got %v and the state %v, want 0.75 and %v", c.Value, c.State(), chart.Whole)
	}
	if sum := s.Sum(0, 1); !sum.Value.Equal(dec(t, "0.75")) || sum.Present != 2 || sum.HighSlot != 4 {
		t.Errorf("got the sum %+v", sum)
	}
}

func TestSteps(t *testing.T) {
	for sentence, c := range map[string]struct {
		value, top string
		want       int
	}{
		"nothing":                    {"0", "2", 0},
		"less than nothing":          {"-1", "2", 0},
		"the top":                    {"2", "2", 11},
		"a quarter is half the way":  {"0.5", "2.000", 6},
		"just below":                 {"0.4999", "2", 5},
		"a hair":                     {"0.0001", "2", 0},
		"a 144th":                    {"1", "144", 1},
		"no top":                     {"0", "0", 0},
		"very long decimals":         {"4.000000000000000001", "4.000000000000000001", 11},
		"a coefficient that is huge": {"9000000000000000000", "9000000000000000000", 11},
	} {
		if got := chart.Step(dec(t, c.value), dec(t, c.top)); got != c.want {
			t.Errorf("%s: %s of %s: got %d, want %d", sentence, c.value, c.top, got, c.want)
		}
	}
}

var cell = regexp.MustCompile(`([Mm])(\d+) (\d+)v(\d+)`)

// Whatever is put in, each cell ends up in its colour.
func TestEveryCellHasItsColour(t *testing.T) {
	loc := zone(t, "Europe/Amsterdam")
	rapid.Check(t, func(t *rapid.T) {
		first := domain.NewDate(2025, time.March, 28)
		s := chart.NewSheet(first, first+3, loc, halfHour)
		begin := time.Date(2025, time.March, 27, 22, 0, 0, 0, time.UTC)
		for range rapid.IntRange(0, 200).Draw(t, "readings") {
			s.Put(begin.Add(time.Duration(rapid.IntRange(0, 220).Draw(t, "at"))*halfHour), domain.Decimal{Coefficient: rapid.Int64Range(-5, 4000).Draw(t, "value"), Scale: 3})
		}
		top := s.Sum(0, s.Days).Highest.Value
		drawn := map[[2]int]string{}
		for _, path := range regexp.MustCompile(`class="(\w+)" d="([^"]*)"`).FindAllSubmatch(s.Carpet(), -1) {
			var day, slot int
			var last [2]int
			for _, m := range cell.FindAllSubmatch(path[2], -1) {
				move, _ := strconv.Atoi(string(m[2]))
				down, _ := strconv.Atoi(string(m[3]))
				n, _ := strconv.Atoi(string(m[4]))
				if day, slot = move, down; m[1][0] == 'm' {
					day, slot = last[0]+move, last[1]+down
				}
				last = [2]int{day, slot + n}
				for i := range n {
					at := [2]int{day, slot + i}
					if was := drawn[at]; was == "hx" || was == "hs" {
						t.Fatalf("cell %v is drawn as %s over %s", at, path[1], was)
					}
					drawn[at] = string(path[1])
				}
			}
		}
		for day := range s.Days {
			for slot := range s.Slots {
				c, want := s.At(day, slot), ""
				switch c.State() {
				case chart.Missing:
					want = "hx"
				case chart.Skipped:
					want = "hs"
				case chart.Partial, chart.Whole:
					want = fmt.Sprint("h", chart.Step(c.Value, top))
				}
				if got := drawn[[2]int{day, slot}]; got != want {
					t.Fatalf("cell %d, %d is drawn as %q, want %q", day, slot, got, want)
				}
			}
		}
	})
}

// A year of half-hours is a picture of at most 25 KB as it travels.
func TestAYearIsSmall(t *testing.T) {
	loc := zone(t, "Europe/Amsterdam")
	s := chart.NewSheet(domain.NewDate(2025, 1, 1), domain.NewDate(2025, 12, 31), loc, halfHour)
	at := time.Date(2024, 12, 31, 23, 0, 0, 0, time.UTC)
	seed := uint32(7)
	for i := range 17520 {
		seed = seed*1664525 + 1013904223
		hour := i / 2 % 24
		value := int64(80 + seed>>24)
		if hour >= 17 && hour < 22 {
			value += 400 + int64(seed>>22&255)
		}
		s.Put(at.Add(time.Duration(i)*halfHour), domain.Decimal{Coefficient: value, Scale: 3})
	}
	picture := s.Carpet()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(picture); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d as they travel", len(picture), b.Len())
	if b.Len() > 25<<10 {
		t.Errorf("got %d bytes, want at most 25 KiB", b.Len())
	}
	if n := bytes.Count(picture, []byte("<path")); n > chart.Colours+2 {
		t.Errorf("got %d paths, want one for each colour", n)
	}
}

func TestBars(t *testing.T) {
	svg := string(chart.Bars([]chart.Bar{
		{Label: "Jan", Value: dec(t, "100"), Before: dec(t, "50.0"), Has: true},
		{Label: "<b>", Value: dec(t, "10"), Partial: true},
		{Label: "Mar", Empty: true},
	}))
	for _, want := range []string{`class="bar" x="121" y="10" width="72" height="140"`, `class="old" x="47" y="80" width="72" height="70"`, `class="bar partial"`, `&lt;b&gt;`, `>Mar<`} {
		if !bytes.Contains([]byte(svg), []byte(want)) {
			t.Errorf("got %s, want %s in it", svg, want)
		}
	}
	if n := bytes.Count([]byte(svg), []byte("<rect")); n != 3 {
		t.Errorf("got %d bars, want 3: of an empty month there is none", n)
	}
	if got := chart.Bars(nil); len(got) != 0 {
		t.Errorf("got %q of nothing", got)
	}
}
