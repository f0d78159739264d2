package meter

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// The town's readings are half hours of watt hours.
const (
	perDay     = 48 // on most days
	minutes    = 30
	scale      = 3 // decimal places of a kilowatt hour
	households = 50
	zone       = "Europe/Amsterdam"
)

func date(year int, month time.Month, day int) domain.Date { return domain.NewDate(year, month, day) }

// street is the days of some made-up households; a town has each of them many
// times. The same days come out every time.
type street struct{ days [households][]interval.Day }

// newStreet makes days from the first on.
func newStreet(days int) *street {
	loc, err := interval.Zone(zone)
	if err != nil {
		panic(err) // it is embedded in the program
	}
	s := &street{}
	chance := rand.New(rand.NewPCG(1, 2))
	for h := range s.days {
		s.days[h] = make([]interval.Day, days)
		for n := range s.days[h] {
			start, end := interval.Span(first+domain.Date(n), loc)
			d := &s.days[h][n]
			d.Reset(start, minutes, scale, interval.Count(start, end, minutes))
			live(d, chance)
		}
	}
	return s
}

// live gives a day a base load with noise, a morning and an evening, and the
// cooker now and then.
func live(d *interval.Day, chance *rand.Rand) {
	peak := func(hour, at, width, height float64) float64 {
		return height * math.Exp(-(hour-at)*(hour-at)/width) * (0.7 + 0.6*chance.Float64())
	}
	busy := 0.7 + 0.6*chance.Float64()
	for i := range d.Values {
		hour := float64(i) * minutes / 60
		used := 60 + 40*chance.Float64() + busy*(peak(hour, 8, 3, 130)+peak(hour, 19, 6, 260))
		if chance.Float64() < 0.03 {
			used += 1500 * chance.Float64()
		}
		d.Values[i], d.Quality[i] = int64(used), domain.Actual
	}
}

// day is day n of the household at a supply point.
func (s *street) day(point, n int) *interval.Day { return &s.days[point%households][n] }

// readings counts those of so many supply points.
func (s *street) readings(points, days int) int {
	sum := 0
	for n := range days {
		sum += len(s.days[0][n].Values)
	}
	return sum * points
}

// night is the clock that engines record by: each day of readings arrives in the
// night that follows it, and no two at the same time.
type night struct{ day, moment atomic.Int64 }

func (c *night) now() time.Time {
	const hour = int64(time.Hour / time.Microsecond)
	since := time.Duration(c.moment.Add(1)*7_654_321%hour) * time.Microsecond
	return time.Unix((int64(first)+c.day.Load()+1)*86400, 0).Add(2*time.Hour + since).UTC()
}
