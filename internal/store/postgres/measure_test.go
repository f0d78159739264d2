package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

// town makes supply points with a channel each.
func town(tb testing.TB, s *postgres.Store, points int) []domain.ChannelID {
	tb.Helper()
	entry := domain.Entry{ID: "aud_1", At: noon, Action: "partner.create", By: "test"}
	if err := s.AddPartner(tb.Context(), domain.Partner{ID: "prt_a", Name: "a"}, entry); err != nil {
		tb.Fatal(err)
	}
	var channels []domain.ChannelID
	err := s.TakeIn(tb.Context(), func(tx intake.Tx) error {
		channels = channels[:0]
		if err := tx.AddProperty(domain.Property{ID: "prop_a", Partner: "prt_a", Zone: "Europe/Amsterdam"}); err != nil {
			return err
		}
		for i := range points {
			p, err := tx.AddSupplyPoint(domain.SupplyPoint{Partner: "prt_a", Property: "prop_a", Market: domain.MarketNLDElectricity, Identifier: fmt.Sprint(i), Zone: "Europe/Amsterdam"})
			if err != nil {
				return err
			}
			c, err := tx.AddChannel(domain.Channel{SupplyPoint: p, Register: "1", Unit: domain.KilowattHour, Zone: p.Zone})
			if err != nil {
				return err
			}
			channels = append(channels, c.ID)
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return channels
}

// household packs a day of half-hours.
func household(tb testing.TB, date domain.Date, seed uint64) []byte {
	tb.Helper()
	zone, err := interval.Zone("Europe/Amsterdam")
	if err != nil {
		tb.Fatal(err)
	}
	start, end := interval.Span(date, zone)
	var d interval.Day
	d.Reset(start, 30, 3, interval.Count(start, end, 30))
	r := rand.New(rand.NewPCG(seed, uint64(date)))
	for i := range d.Values {
		v := 50 + r.Int64N(150)
		if i > 34 && i < 44 {
			v += r.Int64N(900)
		}
		if err := d.Set(i, domain.Decimal{Coefficient: v, Scale: 3}, domain.Actual); err != nil {
			tb.Fatal(err)
		}
	}
	packed, err := d.Append(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return packed
}

var newYear = domain.NewDate(2025, time.January, 1)

// fillTown stores days for all channels, a durable transaction for each day.
func fillTown(tb testing.TB, s *postgres.Store, channels []domain.ChannelID, days int) (readings int, took time.Duration) {
	tb.Helper()
	samples := make([][]byte, 64)
	for n := range days {
		date := newYear + domain.Date(n)
		for i := range samples {
			samples[i] = household(tb, date, uint64(i))
		}
		begin := time.Now()
		err := s.TakeIn(tb.Context(), func(tx intake.Tx) error {
			for i, ch := range channels {
				if err := tx.PutDay(ch, domain.Day{Date: date, Data: samples[i%len(samples)]}, domain.Provenance{Source: "bench"}); err != nil {
					return err
				}
			}
			return nil
		})
		took += time.Since(begin)
		if err != nil {
			tb.Fatal(err)
		}
		readings += 48 * len(channels)
	}
	return readings, took
}

// BenchmarkTown takes in a year for 2,000 supply points, seals it and reads it.
func BenchmarkTown(b *testing.B) {
	const points, days = 2000, 365
	cluster := postgrestest.Durable(b)
	s, err := postgres.Open(b.Context(), cluster.URL(b), postgres.Options{Now: func() time.Time { return noon }})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	channels := town(b, s, points)
	for b.Loop() {
		readings, took := fillTown(b, s, channels, days)
		b.ReportMetric(float64(readings)/took.Seconds()/1e6, "ingest-M/s")
		begin := time.Now()
		n, err := s.Seal(b.Context(), domain.SealRule{Quiet: noon.AddDate(1, 0, 0)}, 1<<30)
		if err != nil || n != 12*points {
			b.Fatalf("sealed %d (%v)", n, err)
		}
		b.ReportMetric(float64(readings)/time.Since(begin).Seconds()/1e6, "seal-M/s")
		size, err := s.Values(b.Context(), `SELECT pg_total_relation_size('seal')::text`)
		if err != nil {
			b.Fatal(err)
		}
		var bytes int
		fmt.Sscan(size[0], &bytes)
		b.ReportMetric(float64(bytes)/float64(readings), "B/reading")
		for name, span := range map[string]int{"day": 1, "year": days} {
			var times []time.Duration
			for i := range 300 {
				first := newYear
				if span == 1 {
					first += domain.Date(i * 7 % days)
				}
				begin, got := time.Now(), 0
				err := s.Days(b.Context(), channels[i*31%points], domain.DayRange{First: first, Last: first + domain.Date(span-1)}, func(domain.Day) error { got++; return nil })
				times = append(times, time.Since(begin))
				if err != nil || got != span {
					b.Fatalf("got %d days (%v), want %d", got, err, span)
				}
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds()), name+"-µs")
		}
	}
}
