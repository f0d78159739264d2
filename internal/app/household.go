package app

import (
	"math"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// household simulates a home with a base load, an evening peak, a heat pump and
// solar panels. The same seed and day always give the same values, so that a
// demo can be stopped, started again later and continued.
type household struct {
	seed uint64
	zone *time.Location
	// first is the day on which it moved in; what is irregular is counted from it.
	first domain.Date
}

// halfHours is how many minutes its meter counts in one interval.
const halfHours = 30

// missing are the days, counted from the first, on which nothing arrived.
var missing = [2]domain.Date{11, 29}

// day fills in the packed days of consumption and generation, in kWh with three
// places. It reports false for a day that is missing.
func (h *household) day(date domain.Date, consumption, generation *interval.Day) bool {
	since := date - h.first
	if since == missing[0] || since == missing[1] {
		return false
	}
	start, end := interval.Span(date, h.zone)
	n := interval.Count(start, end, halfHours)
	consumption.Reset(start, halfHours, 3, n)
	generation.Reset(start, halfHours, 3, n)
	quality := domain.Actual
	if h.noise(uint64(date), 1) < 0.02 || since == missing[1]+1 {
		quality = domain.Estimate // the network operator fills in what came late
	}
	weather := h.weather(date)
	for i := range n {
		at := time.Unix(consumption.At(i), 0).In(h.zone)
		load := h.load(date, at, weather)
		sun := weather.sun(at)
		consumption.Values[i] = int64(math.Round(max(0, load-sun) / 2)) // watts over half an hour are half the watt-hours
		generation.Values[i] = int64(math.Round(max(0, sun-load) / 2))
		consumption.Quality[i], generation.Quality[i] = quality, quality
	}
	return true
}

// weather is what the sky does on one day.
type weather struct {
	mean     float64 // °C
	clear    float64 // 0 overcast to 1 clear
	daylight float64 // hours
	noon     float64 // hours UTC
}

// weather draws a day's weather around the season's, at 52 degrees north.
func (h *household) weather(date domain.Date) weather {
	year, _, _ := date.Civil()
	season := 2 * math.Pi * float64(date-domain.NewDate(year, time.January, 15)) / 365
	return weather{
		mean:     10.5 - 7.5*math.Cos(season) + 6*(h.noise(uint64(date), 2)-0.5),
		clear:    0.15 + 0.85*h.noise(uint64(date), 3),
		daylight: 12.2 - 4.3*math.Cos(season+0.4),
		noon:     11.7, // around 5 degrees east
	}
}

// sun returns what the panels give, in watts.
func (w weather) sun(at time.Time) float64 {
	utc := at.UTC()
	hour := float64(utc.Hour()) + float64(utc.Minute())/60 + 0.25
	height := math.Cos(math.Pi * (hour - w.noon) / w.daylight)
	if math.Abs(hour-w.noon) > w.daylight/2 {
		return 0
	}
	return 3400 * w.clear * height * (w.daylight / 16.5)
}

// load returns what the home draws, in watts.
func (h *household) load(date domain.Date, at time.Time, w weather) float64 {
	slot := uint64(at.Unix() / (halfHours * 60))
	hour := float64(at.Hour()) + float64(at.Minute())/60
	watts := 110 + 60*h.noise(slot, 4) // router, refrigerator, standby
	outside := w.mean + 3.5*math.Cos(2*math.Pi*(hour-15)/24)
	if cold := 15 - outside; cold > 0 {
		watts += 75 * cold * (0.8 + 0.4*h.noise(slot, 5)) // the heat pump
	}
	if h.away(date) {
		return watts
	}
	watts += 420 * bump(hour, 7.3, 0.8)
	watts += 1050 * bump(hour, 18.8, 1.5) * (0.7 + 0.6*h.noise(uint64(date), 6))
	if d := date.Weekday(); d == time.Saturday || d == time.Sunday {
		watts += 350 * bump(hour, 12.5, 3)
	}
	if washing := 9 + 10*h.noise(uint64(date), 7); h.noise(uint64(date), 8) < 0.45 && math.Abs(hour-washing) < 0.8 {
		watts += 1300
	}
	return watts
}

// away reports whether the home is empty: two weeks in summer.
func (h *household) away(date domain.Date) bool {
	year, _, _ := date.Civil()
	since := date - domain.NewDate(year, time.July, 22)
	return since >= 0 && since < 14
}

// bump is 1 at the hour and falls away on both sides.
func bump(hour, at, width float64) float64 {
	d := (hour - at) / width
	return math.Exp(-d * d / 2)
}

// noise returns a number in [0, 1) that depends on nothing but its arguments
// and the seed.
func (h *household) noise(x, what uint64) float64 {
	z := h.seed + x*0x9e3779b97f4a7c15 + what*0xd1b54a32d192ed03
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11) / (1 << 53)
}
