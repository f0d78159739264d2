package sqlite_test

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

const (
	benchChannels = 200
	benchDays     = 400
	benchFirst    = domain.Date(20000)
	perDay        = 48
)

func openFile(tb testing.TB) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), filepath.Join(tb.TempDir(), "wattgate.db"), sqlite.Options{Now: time.Now})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// BenchmarkRecord measures durable entries of the audit log from many
// goroutines at once, which is what an impersonation waits for.
func BenchmarkRecord(b *testing.B) {
	s := openFile(b)
	var n atomic.Int64
	b.SetParallelism(32) // 64 goroutines on two cores
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			e := domain.Entry{ID: fmt.Sprintf("aud_%020d", n.Add(1)), At: time.Now(), Action: "user.impersonate"}
			if err := s.Record(b.Context(), e); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkDayRead measures one day of one of many channels.
func BenchmarkDayRead(b *testing.B) {
	s, channels := filled(b)
	benchmarkRead(b, s, channels, 1)
}

// BenchmarkYearRead measures 365 days of one of many channels.
func BenchmarkYearRead(b *testing.B) {
	s, channels := filled(b)
	benchmarkRead(b, s, channels, 365)
}

func benchmarkRead(b *testing.B, s *sqlite.Store, channels []domain.ChannelID, span int) {
	i := 0
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		first := benchFirst + domain.Date(i*7%(benchDays-span))
		got := 0
		err := s.Days(b.Context(), channels[i%len(channels)], domain.DayRange{First: first, Last: first + domain.Date(span-1)}, func(domain.Day) error {
			got++
			return nil
		})
		if err != nil || got != span {
			b.Fatalf("reading %d days from %v: got %d days and %v", span, first, got, err)
		}
		i++
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
}

// BenchmarkPutDay measures durable intake: one transaction with five days of
// every channel, 1,000 in all.
func BenchmarkPutDay(b *testing.B) {
	s, channels := filled(b)
	date := benchFirst + benchDays
	data := packed(0, 0)
	for b.Loop() {
		putDays(b, s, channels, date, 5, data)
		date += 5
	}
	b.ReportMetric(float64(b.N)*5*perDay*float64(len(channels))/b.Elapsed().Seconds(), "readings/s")
}

// BenchmarkDirectory measures the picture that the token path swaps in, with
// 10,000 applications.
func BenchmarkDirectory(b *testing.B) {
	s := openFile(b)
	p := domain.Partner{ID: "prt_a", Name: "a"}
	if err := s.AddPartner(b.Context(), p, domain.Entry{ID: "aud_p"}); err != nil {
		b.Fatal(err)
	}
	add := func(i int) error {
		id := domain.ClientID(fmt.Sprintf("app_%05d", i))
		a := domain.Application{
			ID: id, Name: string(id), Partner: p.ID, Type: domain.Confidential,
			Grants: []string{"client_credentials"}, Role: domain.RolePartnerIntegration, Reach: domain.ReachPartner,
			Audiences: domain.AudienceSet(domain.AudienceAuth, domain.AudienceCustomer), Lifetime: domain.DefaultLifetime,
		}
		first := domain.StoredSecret{ID: domain.SecretID(fmt.Sprintf("sec_%05d", i)), Client: id, Hint: "abcde"}
		return s.AddApplication(b.Context(), a, &first, domain.Entry{ID: fmt.Sprintf("aud_%05d", i)})
	}
	const applications = 10000
	var next atomic.Int64
	done := make(chan error)
	for range 64 {
		go func() {
			for i := next.Add(1); i <= applications; i = next.Add(1) {
				if err := add(int(i)); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 64 {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		d, err := s.Directory(b.Context())
		if err != nil || len(d.Applications) != applications {
			b.Fatalf("got %v", err)
		}
	}
}

// filled is a store with 400 days of 200 channels.
func filled(tb testing.TB) (*sqlite.Store, []domain.ChannelID) {
	tb.Helper()
	s := openFile(tb)
	p := domain.Partner{ID: "prt_a", Name: "a"}
	if err := s.AddPartner(tb.Context(), p, domain.Entry{ID: "aud_p"}); err != nil {
		tb.Fatal(err)
	}
	channels := make([]domain.ChannelID, benchChannels)
	err := s.TakeIn(tb.Context(), func(tx intake.Tx) error {
		for i := range channels {
			point, err := tx.AddSupplyPoint(domain.SupplyPoint{
				Partner: p.ID, Market: domain.MarketNLDElectricity,
				Identifier: fmt.Sprint(i), Zone: "Europe/Amsterdam",
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
	for d := range domain.Date(benchDays) {
		putDays(tb, s, channels, benchFirst+d, 1, packed(int(d), 1))
	}
	return s, channels
}

func putDays(tb testing.TB, s *sqlite.Store, channels []domain.ChannelID, first domain.Date, days int, data []byte) {
	err := s.TakeIn(tb.Context(), func(tx intake.Tx) error {
		for d := range domain.Date(days) {
			for _, c := range channels {
				if err := tx.PutDay(c, domain.Day{Date: first + d, Data: data}, domain.Provenance{Source: "bench"}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// packed is about as long as a packed day of household data: 70 bytes.
func packed(a, b int) []byte {
	data := make([]byte, 70)
	binary.LittleEndian.PutUint64(data, uint64(a))
	binary.LittleEndian.PutUint64(data[8:], uint64(b))
	return data
}
