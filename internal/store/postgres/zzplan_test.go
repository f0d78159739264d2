package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

func TestZZPlan(t *testing.T) {
	for _, years := range []int{5, 20} {
		url := postgrestest.URL(t)
		a := open(t, url, postgres.Options{Now: time.Now})
		ch := town(t, a, 1)[0]
		err := a.TakeIn(t.Context(), func(tx intake.Tx) error {
			for y := 2027 - years; y < 2027; y++ {
				for i := range 300 {
				d := domain.NewDate(y, 1, 5)+domain.Date(i)
				if err := tx.PutDay(ch, domain.Day{Date: d, Data: []byte("x")}, domain.Provenance{Source: "x"}); err != nil {
					return err
				}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var list []time.Duration
		for range 9 {
			b := time.Now()
			l, err := a.Changes(t.Context(), ch, domain.Change{}, 1 << 20)
			if err != nil || len(l) != 300 * years {
				t.Fatal(err, len(l))
			}
			list = append(list, time.Since(b).Round(100*time.Microsecond))
		}
		fmt.Println(years, "changes", list)
		list = nil
		for range 8 { b := time.Now(); if err := a.Days(context.Background(), ch, domain.DayRange{First: domain.NewDate(2026,1,1), Last: domain.NewDate(2026,1,20)}, func(domain.Day) error { return nil }); err != nil { t.Fatal(err) }; list = append(list, time.Since(b).Round(100*time.Microsecond)) }
		fmt.Println(years, "20 days", list)
		c, _ := pgx.Connect(t.Context(), url)
		rows, err := c.Query(t.Context(), `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT h.recorded_at, d.day, h.rev, NULL::bytea FROM extent e
		CROSS JOIN LATERAL generate_series(e.first_day, e.last_day) AS d (day)
		CROSS JOIN LATERAL (SELECT recorded_at, rev FROM hot WHERE hot.day = d.day AND hot.ch = 1 LIMIT 1) AS h
		WHERE e.ch = 1 AND e.last_recorded_at >= 0 AND (h.recorded_at, d.day) > (0, 0)`)
		if err != nil { t.Fatal(err) }
		n := 0
		for rows.Next() {
			var s string
			_ = rows.Scan(&s)
			if n++; n < 14 || years > 0 && n > years*12*2 - 4 && n > 40 && len(s) > 2 && s[:3] != "   " { fmt.Println(s) }
		}
		c.Close(t.Context())
	}
}
