package sqlite_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

// The size of the figures that the project names: a year of half hours.
const (
	tierChannels = 2000
	tierDays     = 365
	tierFirst    = domain.Date(19358) // 2023-01-01
)

// street is the days of some made-up households: a base load with noise, a
// morning and an evening, the cooker now and then.
func street(tb testing.TB, households int) [][]*interval.Day {
	zone, err := interval.Zone("Europe/Amsterdam")
	if err != nil {
		tb.Fatal(err)
	}
	chance := rand.New(rand.NewPCG(1, 2))
	out := make([][]*interval.Day, households)
	for h := range out {
		for n := range domain.Date(tierDays) {
			start, end := interval.Span(tierFirst+n, zone)
			d := new(interval.Day)
			d.Reset(start, 30, 3, interval.Count(start, end, 30))
			cosy := 0.7 + 0.6*chance.Float64()
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
			out[h] = append(out[h], d)
		}
	}
	return out
}

// meters adds supply points with one channel each.
func meters(tb testing.TB, s *sqlite.Store, n int) []domain.ChannelID {
	p := domain.Partner{ID: "prt_a", Name: "a"}
	if err := s.AddPartner(tb.Context(), p, domain.Entry{ID: "aud_p"}); err != nil {
		tb.Fatal(err)
	}
	channels := make([]domain.ChannelID, n)
	err := s.TakeIn(tb.Context(), func(tx intake.Tx) error {
		for i := range channels {
			point, err := tx.AddSupplyPoint(domain.SupplyPoint{
				Partner: p.ID, Market: domain.MarketNLDElectricity, Identifier: fmt.Sprint(i), Zone: "Europe/Amsterdam",
			})
			if err != nil {
				return err
			}
			c, err := tx.AddChannel(domain.Channel{SupplyPoint: point, Register: "1", Unit: domain.KilowattHour, Zone: point.Zone})
			if err != nil {
				return err
			}
			channels[i] = c.ID
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return channels
}

// nightlyClock passes a day, and not quite the same time of it, with each
// import.
type nightlyClock struct{ day, moment int64 }

func (c *nightlyClock) now() time.Time {
	c.moment++
	return time.Unix(int64(tierFirst)*86400+c.day*86400, 0).Add(2*time.Hour + time.Duration(c.moment*7_654_321%60_000_000)*time.Microsecond)
}

// BenchmarkTiers takes a year in, one transaction a day or one for each thousand
// days of channels, seals it and reads it.
func BenchmarkTiers(b *testing.B) {
	for name, batch := range map[string]int{"a transaction a day": tierChannels, "a transaction for 1000": 1000} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				benchmarkTiers(b, batch)
			}
		})
	}
}

func benchmarkTiers(b *testing.B, batch int) {
	path := filepath.Join(b.TempDir(), "wattgate.db")
	clock := &nightlyClock{}
	s, err := sqlite.Open(b.Context(), path, sqlite.Options{Now: clock.now})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	channels, households := meters(b, s, tierChannels), street(b, 20)
	readings := tierChannels * tierDays * 48

	cpu, begin := used(), time.Now()
	for n := range tierDays {
		clock.day = int64(n)
		for part := range slices.Chunk(channels, batch) {
			takeDay(b, s, part, households, n)
		}
	}
	took := time.Since(begin)
	b.ReportMetric(float64(readings)/took.Seconds()/1e6, "M-readings/s")
	b.ReportMetric(float64(used()-cpu)/float64(readings), "CPU-ns/reading")
	b.ReportMetric(size(b, path)/float64(readings), "B/reading-hot")

	begin = time.Now()
	sealed, longest := 0, time.Duration(0)
	for n := -1; n != 0; sealed += n {
		one := time.Now()
		if n, err = s.Seal(b.Context(), domain.SealRule{Quiet: clock.now().Add(time.Hour), Late: 1 << 20}, 32); err != nil {
			b.Fatal(err)
		}
		longest = max(longest, time.Since(one))
		if sealed < 0 {
			sealed = 0
		}
	}
	b.ReportMetric(float64(time.Since(begin).Microseconds())/float64(sealed+1), "µs/seal")
	b.ReportMetric(float64(longest.Microseconds())/1000, "ms-longest-seal")
	if err := s.Close(); err != nil { // writes the log back
		b.Fatal(err)
	}
	b.ReportMetric(size(b, path)/float64(readings), "B/reading")
	if s, err = sqlite.Open(b.Context(), path, sqlite.Options{Now: clock.now}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(p50(b, s, channels, 1, true), "p50-day-decoded-µs")
	b.ReportMetric(p50(b, s, channels, tierDays, false), "p50-year-µs")
	b.ReportMetric(p50(b, s, channels, tierDays, true), "p50-year-decoded-µs")
	b.ReportMetric(polls(b, s, channels), "p50-poll-µs")

	// All days of a month are corrected, which is sealed.
	begin = time.Now()
	for n := range 31 {
		correctDay(b, s, channels, households, n)
	}
	b.ReportMetric(float64(tierChannels*31)/time.Since(begin).Seconds()/1000, "k-corrections/s")
}

func takeDay(b *testing.B, s *sqlite.Store, channels []domain.ChannelID, households [][]*interval.Day, n int) {
	var packed []byte
	date := tierFirst + domain.Date(n)
	err := s.TakeIn(b.Context(), func(tx intake.Tx) error {
		for _, c := range channels {
			if was, err := tx.Day(c, date); err != nil || was.Revision > 0 {
				return fmt.Errorf("found revision %d and %w", was.Revision, err)
			}
			var err error
			if packed, err = households[int(c)%len(households)][n].Append(packed[:0]); err != nil {
				return err
			}
			if err := tx.PutDay(c, domain.Day{Date: date, Data: packed}, domain.Provenance{Source: "night"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// polls is the time in the middle of asking for changes when there are none.
func polls(b *testing.B, s *sqlite.Store, channels []domain.ChannelID) float64 {
	var took []time.Duration
	for i := range 1000 {
		c := channels[i*997%len(channels)]
		all, err := s.Changes(b.Context(), c, domain.Change{}, 1000)
		if err != nil || len(all) != tierDays {
			b.Fatalf("got %d changes and %v", len(all), err)
		}
		begin := time.Now()
		more, err := s.Changes(b.Context(), c, all[len(all)-1], 1000)
		took = append(took, time.Since(begin))
		if err != nil || len(more) != 0 {
			b.Fatalf("got %d changes more and %v", len(more), err)
		}
	}
	slices.Sort(took)
	return float64(took[len(took)/2].Nanoseconds()) / 1000
}

func correctDay(b *testing.B, s *sqlite.Store, channels []domain.ChannelID, households [][]*interval.Day, n int) {
	var packed []byte
	date := tierFirst + domain.Date(n)
	err := s.TakeIn(b.Context(), func(tx intake.Tx) error {
		for _, c := range channels {
			if was, err := tx.Day(c, date); err != nil || was.Revision != 1 {
				return fmt.Errorf("found revision %d and %w", was.Revision, err)
			}
			var err error
			if packed, err = households[int(c+1)%len(households)][n].Append(packed[:0]); err != nil {
				return err
			}
			if err := tx.PutDay(c, domain.Day{Date: date, Data: packed}, domain.Provenance{Source: "late"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// p50 is the time in the middle of reading so many days, in µs.
func p50(b *testing.B, s *sqlite.Store, channels []domain.ChannelID, days int, decoded bool) float64 {
	var took []time.Duration
	var day interval.Day
	for i := range 4000 {
		first := tierFirst + domain.Date(i*7%(tierDays-days+1))
		got := 0
		begin := time.Now()
		err := s.Days(b.Context(), channels[i*997%len(channels)], domain.DayRange{First: first, Last: first + domain.Date(days-1)}, func(d domain.Day) error {
			got++
			if !decoded {
				return nil
			}
			return day.Decode(d.Data)
		})
		took = append(took, time.Since(begin))
		if err != nil || got != days {
			b.Fatalf("reading %d days: got %d and %v", days, got, err)
		}
	}
	slices.Sort(took)
	return float64(took[len(took)/2].Nanoseconds()) / 1000
}

// size returns the bytes of the database's file, without the log.
func size(b *testing.B, path string) float64 {
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return float64(info.Size())
}

// used returns the processor time of this process.
func used() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkSealNothing walks over 200,000 channels that have nothing to seal.
func BenchmarkSealNothing(b *testing.B) {
	s := openFile(b)
	if err := s.AddPartner(b.Context(), domain.Partner{ID: "prt_a", Name: "a"}, domain.Entry{ID: "aud_p"}); err != nil {
		b.Fatal(err)
	}
	for _, sql := range []string{
		`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
		INSERT INTO supply_point (id, partner, market, identifier, zone) SELECT i, 'prt_a', 'M', i, 'UTC' FROM n`,
		`INSERT INTO channel (ch, supply_point_id, partner_id, register, direction, unit, tz)
		SELECT id, id, 'prt_a', '1', 'CONSUMPTION', 'kwh', 'UTC' FROM supply_point`,
		`INSERT INTO reach SELECT ch, 20000, 20030, 20030, 1, 19997, 20028, 9223372036854775807, 0 FROM channel`,
	} {
		if err := s.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if n, err := s.Seal(b.Context(), domain.SealRule{Quiet: time.Now()}, 1000); n != 0 || err != nil {
			b.Fatal(n, err)
		}
	}
}
