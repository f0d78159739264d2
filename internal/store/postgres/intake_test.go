package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

const market = domain.MarketNLDElectricity

// town makes supply points with a channel each.
func town(tb testing.TB, s *postgres.Store, points int) (channels []domain.ChannelID) {
	tb.Helper()
	if err := s.AddPartner(tb.Context(), domain.Partner{ID: "prt_a", Name: "a"}, domain.Entry{ID: "aud_town"}); err != nil {
		tb.Fatal(err)
	}
	if err := s.MakeYear(tb.Context(), 2026); err != nil { // so that no import is run again for it
		tb.Fatal(err)
	}
	err := s.TakeIn(tb.Context(), func(tx intake.Tx) error {
		if err := tx.AddProperty(domain.Property{ID: "prop_a", Partner: "prt_a", Zone: "Europe/Amsterdam"}); err != nil {
			return err
		}
		for i := range points {
			c, err := addMeter(tx, fmt.Sprint(i))
			if err != nil {
				return err
			}
			channels = append(channels, c)
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return channels
}

// addMeter adds a supply point with a channel.
func addMeter(tx intake.Tx, identifier string) (domain.ChannelID, error) {
	p, err := tx.AddSupplyPoint(domain.SupplyPoint{
		Partner: "prt_a", Property: "prop_a", Market: market, Identifier: identifier, Zone: "Europe/Amsterdam",
	})
	if err != nil {
		return 0, err
	}
	c, err := tx.AddChannel(domain.Channel{SupplyPoint: p, Register: "1", Unit: domain.KilowattHour, Zone: p.Zone})
	return c.ID, err
}

// findMeter is what an import does: it adds what is not there.
func findMeter(tx intake.Tx, identifier string) (domain.ChannelID, error) {
	p, err := tx.SupplyPoint(market, identifier)
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		return addMeter(tx, identifier)
	}
	if err != nil {
		return 0, err
	}
	list, err := tx.Channels(p.ID)
	if err != nil {
		return 0, err
	}
	return list[0].ID, nil
}

var midsummer = domain.NewDate(2026, 6, 21)

func putDay(tx intake.Tx, ch domain.ChannelID, from string) error {
	if _, err := tx.Day(ch, midsummer); err != nil {
		return err
	}
	return tx.PutDay(ch, domain.Day{Date: midsummer, Data: []byte("x")}, domain.Provenance{Source: from})
}

// waits returns once somebody in the database waits for a lock.
func waits(t *testing.T, s *postgres.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		list, err := s.Values(ctx, `SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
		if err != nil {
			t.Errorf("nobody waits for a lock: %v", err)
			return
		}
		if len(list) > 0 {
			return
		}
	}
}

// TestTwoNodesAddTheSame: the one that comes second finds what the first has
// added, and neither its lines nor its file are refused.
func TestTwoNodesAddTheSame(t *testing.T) {
	url := postgrestest.URL(t)
	a, b := open(t, url, options()), open(t, url, options())
	town(t, a, 1)
	done := make(chan error, 1)
	var first, second domain.ChannelID
	runs, refused := 0, 0
	take := func(tx intake.Tx) (err error) {
		runs++
		if second, err = findMeter(tx, "new"); err != nil {
			refused++
			return nil // a batch that leaves lines out takes the others
		}
		refused = 0
		return putDay(tx, second, "b")
	}
	err := a.TakeIn(t.Context(), func(tx intake.Tx) (err error) {
		if first, err = findMeter(tx, "new"); err != nil {
			return err
		}
		go func() { done <- b.TakeIn(t.Context(), take) }()
		waits(t, a)
		return putDay(tx, first, "a")
	})
	if err = errors.Join(err, <-done); err != nil || runs != 2 || refused != 0 || first != second {
		t.Errorf("got %d runs, %d refusals and the channels %d and %d (%v), want two runs and one channel", runs, refused, first, second, err)
	}
	if days := days(t, b, first); len(days) != 1 || days[0].Revision != 2 {
		t.Errorf("got the days %v, want one that both have put", days)
	}
}

func days(t *testing.T, s *postgres.Store, ch domain.ChannelID) (list []domain.Day) {
	t.Helper()
	err := s.Days(t.Context(), ch, domain.DayRange{First: midsummer - 1000, Last: midsummer + 1000}, func(d domain.Day) error {
		list = append(list, d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestOppositeOrders: imports that have the same channels in other orders wait
// for each other once, and then all are taken.
func TestOppositeOrders(t *testing.T) {
	url := postgrestest.With(postgrestest.URL(t), "deadlock_timeout", "20ms")
	a, b := open(t, url, options()), open(t, url, options())
	channels := town(t, a, 4)
	both := sync.WaitGroup{}
	both.Add(2)
	take := func(s *postgres.Store, order []int) error {
		met := false
		return s.TakeIn(t.Context(), func(tx intake.Tx) error {
			for i, n := range order {
				if err := putDay(tx, channels[n], fmt.Sprint(order)); err != nil {
					return err
				}
				if i == 1 && !met { // each holds half of what the other one wants
					met = true
					both.Done()
					both.Wait()
				}
			}
			return nil
		})
	}
	done := make(chan error, 1)
	go func() { done <- take(b, []int{3, 2, 1, 0}) }()
	if err := errors.Join(take(a, []int{0, 1, 2, 3}), <-done); err != nil {
		t.Fatal(err)
	}
	for _, ch := range channels {
		if days := days(t, a, ch); len(days) != 1 || days[0].Revision != 2 {
			t.Errorf("channel %d: got the days %v, want one that both have put", ch, days)
		}
	}
}

// TestEntriesComeLast: an import that has recorded its act does not hold up the
// changes of other nodes before its end.
func TestEntriesComeLast(t *testing.T) {
	url := postgrestest.URL(t)
	a, b := open(t, url, options()), open(t, url, options())
	ch := town(t, a, 1)[0]
	err := a.TakeIn(t.Context(), func(tx intake.Tx) error {
		for _, id := range []string{"aud_2", "aud_3"} {
			if err := tx.Record(domain.Entry{ID: id}); err != nil {
				return err
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := b.Record(ctx, domain.Entry{ID: "aud_1"}); err != nil {
			t.Errorf("another node's change in the middle of an import: %v", err)
		}
		return putDay(tx, ch, "a")
	})
	if err != nil {
		t.Fatal(err)
	}
	list, err := a.Entries(t.Context(), "aud_town", 10)
	if err != nil || len(list) != 3 || list[0].ID != "aud_1" || list[1].ID != "aud_2" || list[2].ID != "aud_3" {
		t.Errorf("got the entries %+v (%v), want the other node's and then the import's", list, err)
	}
}
