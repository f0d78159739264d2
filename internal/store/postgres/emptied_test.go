package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// TestEmptiedPartitions: what a sealed month has left behind is given back, but
// not while somebody may still look at it, and not where something is.
func TestEmptiedPartitions(t *testing.T) {
	now := noon
	o := options()
	o.Now = func() time.Time { return now }
	s := open(t, "", o)
	size := func() (bytes int) {
		t.Helper()
		list, err := s.Values(t.Context(), `SELECT sum(pg_total_relation_size(inhrelid))::text FROM pg_inherits WHERE inhparent = 'hot'::regclass`)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		if _, err := fmt.Sscan(list[0], &bytes); err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	if err := s.MakeYear(t.Context(), 2024); err != nil {
		t.Fatal(err)
	}
	nothing := size()
	err := s.Exec(t.Context(), `INSERT INTO hot SELECT 19750, n, 1, 1, 1, '\x00' FROM generate_series(1, 5000) n`)
	if err != nil {
		t.Fatal(err)
	}
	rule := domain.SealRule{Quiet: noon}
	round := func(doing string, after time.Duration, given bool) {
		t.Helper()
		now = now.Add(after)
		if _, err := s.Seal(t.Context(), rule, 10); err != nil {
			t.Fatal(err)
		}
		if got := size(); (got <= nothing) != given {
			t.Errorf("%s: the partitions take %d bytes, and without rows %d", doing, got, nothing)
		}
	}
	round("with rows", time.Hour, false)
	round("with rows for long", time.Hour, false)
	if err := s.Exec(t.Context(), `DELETE FROM hot`); err != nil {
		t.Fatal(err)
	}
	round("just empty", time.Hour, false)
	round("empty for a minute", time.Minute, false)
	round("empty for long", 2*time.Minute, true)
}
