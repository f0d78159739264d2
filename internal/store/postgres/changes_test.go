package postgres_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

// TestChangesLookUpADayOnce: each day is looked for in its own partition, and not
// in those of all other months.
func TestChangesLookUpADayOnce(t *testing.T) {
	url := postgrestest.URL(t)
	s := open(t, url, options())
	ch := town(t, s, 1)[0]
	first, last := domain.NewDate(2026, 1, 1), domain.NewDate(2026, 12, 31)
	err := s.TakeIn(t.Context(), func(tx intake.Tx) error {
		for _, date := range []domain.Date{first, last} {
			if err := tx.PutDay(ch, domain.Day{Date: date, Data: []byte("x")}, domain.Provenance{Source: "test"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	o := options()
	o.Readers = 1 // whose connection counts what it did
	reader := open(t, url, o)
	before := lookUps(t, reader)
	list, err := reader.Changes(t.Context(), ch, domain.Change{}, 10)
	if err != nil || len(list) != 2 || list[0].Day != first || list[1].Day != last {
		t.Fatalf("got the changes %v (%v), want the first and the last day", list, err)
	}
	days := int(last-first) + 1
	if got := lookUps(t, reader) - before; got < days || got > days+days/10 {
		t.Errorf("looked %d times into partitions, want once for each of %d days", got, days)
	}
}

// lookUps is how often the indexes of partitions have been used.
func lookUps(t *testing.T, s *postgres.Store) (n int) {
	t.Helper()
	const sql = `SELECT sum(idx_scan)::text FROM pg_stat_user_tables WHERE relname LIKE 'hot\_2%'`
	err := s.Read(t.Context(), func(ctx context.Context, c postgres.Conn) error {
		_, err := c.Exec(ctx, "SELECT pg_stat_force_next_flush()")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Values(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	if n, err = strconv.Atoi(list[0]); err != nil {
		t.Fatal(err)
	}
	return n
}
