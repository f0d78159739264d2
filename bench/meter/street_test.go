package meter_test

import (
	"testing"
	"time"

	"github.com/wattgate/wattgate/bench/meter"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

func TestStreetIsAYearOfHalfHours(t *testing.T) {
	s := meter.NewStreet(365)
	if got := s.Readings(2, 365); got != 2*365*meter.PerDay {
		t.Errorf("two households: got %d readings, want %d", got, 2*365*meter.PerDay)
	}
	for when, want := range map[domain.Date]int{meter.First: 48, domain.NewDate(2023, time.March, 26): 46, domain.NewDate(2023, time.October, 29): 50, domain.NewDate(2023, time.December, 31): 48} {
		if got := len(s.Day(7, int(when-meter.First)).Values); got != want {
			t.Errorf("%s: got %d half hours, want %d", when, got, want)
		}
	}
}

// TestStreetWeighsWhatHouseholdsDo: the figures would flatter us if the days
// packed better than those of people.
func TestStreetWeighsWhatHouseholdsDo(t *testing.T) {
	s := meter.NewStreet(31)
	again := meter.NewStreet(31)
	bytes, distinct := 0, map[string]bool{}
	for point := range meter.Households {
		for n := range 31 {
			one, err := s.Day(point, n).Append(nil)
			if err != nil {
				t.Fatal(err)
			}
			two, err := again.Day(point+meter.Households, n).Append(nil)
			if err != nil || string(one) != string(two) {
				t.Fatalf("household %d, day %d: another one the second time (%v)", point, n, err)
			}
			bytes += len(one)
			distinct[string(one)] = true
			var d interval.Day
			if err := d.Decode(one); err != nil || d.Present() != meter.PerDay {
				t.Fatalf("household %d, day %d: got %d readings, %v", point, n, d.Present(), err)
			}
		}
	}
	if got := float64(bytes) / float64(s.Readings(meter.Households, 31)); got < 1.2 || got > 2.5 || len(distinct) != meter.Households*31 {
		t.Errorf("got %.2f bytes for each reading and %d different days, want about 1.6 and %d", got, len(distinct), meter.Households*31)
	}
}
