package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/store"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

// TestDaysFromBeforeTheTiers: a database that knew no sealed months has all its
// days open, from the month of the first one on.
func TestDaysFromBeforeTheTiers(t *testing.T) {
	const tiers = 11
	list, err := store.Scripts(sqlite.Migrations)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := zombie.OpenConn(filepath.Join(t.TempDir(), "old.db"), zombie.OpenReadWrite|zombie.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	run := func(sql string) {
		t.Helper()
		if err := sqlitex.ExecScript(conn, sql); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range list[:tiers-1] {
		run(text)
	}
	dates := []domain.Date{domain.NewDate(2024, 2, 29), domain.NewDate(2024, 12, 1), domain.NewDate(1969, 12, 31), 0}
	for i, date := range dates {
		if err := sqlitex.Execute(conn, `INSERT INTO extent VALUES (?1, ?2, ?2 + 40, 77)`, &sqlitex.ExecOptions{Args: []any{i + 1, int64(date)}}); err != nil {
			t.Fatal(err)
		}
	}
	run(list[tiers-1])
	for i, date := range dates {
		first, last := interval.MonthOf(date)
		want := []int64{int64(date), int64(date) + 40, int64(date) - 1, 77, int64(first), int64(last), 77, 0}
		var got []int64
		err := sqlitex.Execute(conn, `SELECT * FROM reach WHERE ch = ?1`, &sqlitex.ExecOptions{Args: []any{i + 1}, ResultFunc: func(row *zombie.Stmt) error {
			for c := 1; c < row.ColumnCount(); c++ {
				got = append(got, row.ColumnInt64(c))
			}
			return nil
		}})
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s: got %v and %v, want %v", date, got, err, want)
		}
		for c := range want {
			if got[c] != want[c] {
				t.Errorf("%s: got %v, want %v", date, got, want)
				break
			}
		}
	}
}

// TestSealingGivesPagesBack: what was hot goes back to the file system.
func TestSealingGivesPagesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wattgate.db")
	s := open(t, path, options())
	channels := meters(t, s, 20)
	zone, err := interval.Zone("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	err = s.TakeIn(t.Context(), func(tx intake.Tx) error {
		var d interval.Day
		for date := tierFirst; date < tierFirst+tierDays; date++ {
			start, end := interval.Span(date, zone)
			d.Reset(start, 5, 3, interval.Count(start, end, 5))
			for i := range d.Values {
				d.Values[i], d.Quality[i] = int64(i*i%997), domain.Actual
			}
			data, err := d.Append(nil)
			if err != nil {
				return err
			}
			for _, c := range channels {
				if err := tx.PutDay(c, domain.Day{Date: date, Data: data}, domain.Provenance{Source: "s"}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Seal(t.Context(), domain.SealRule{Quiet: noon.Add(time.Hour), Late: 1 << 20}, 1000); n != 240 || err != nil {
		t.Fatalf("sealed %d months (%v), want 240", n, err)
	}
	got, err := s.Values(t.Context(), `SELECT freelist_count * 20 < page_count FROM pragma_freelist_count, pragma_page_count`)
	if err != nil || len(got) != 1 || got[0] != "1" {
		t.Errorf("few pages are free: got %v (%v), want 1", got, err)
	}
	if rows, err := s.Values(t.Context(), `SELECT count(*) FROM hot`); err != nil || rows[0] != "0" {
		t.Errorf("got %v rows that are hot (%v), want none", rows, err)
	}
}
