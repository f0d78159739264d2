package meter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/meterfile"
	"github.com/wattgate/wattgate/internal/usage"
)

// How much goes through files: a quarter of the town's supply points out of it,
// and at most so many days into it.
const (
	exportShare = 4
	importDays  = 28 // with 48 half hours each
)

// files measures an export and an import.
func (k *Keeping) files(ctx context.Context, p Plan, db database, t *town) (err error) {
	points := max(1, p.SupplyPoints/exportShare)
	k.CSV, err = timed(db.pid(), t.street.readings(points, p.Days), func() error { return t.export(ctx, points, p.Days) })
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	days := min(importDays, p.Days)
	f, err := t.street.nem12(p.SupplyPoints, days)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	k.NEM12, err = timed(db.pid(), t.street.readings(p.SupplyPoints, days), func() error { return t.load(ctx, f, p.SupplyPoints, days) })
	return err
}

// export writes years of supply points as CSV, as a customer gets them.
func (t *town) export(ctx context.Context, points, days int) error {
	service := &usage.Service{Store: t.engine, Now: t.clock.now}
	caller := domain.Caller{Partner: partner + "_town", Permissions: domain.AllPermissions(), Reach: domain.ReachPartner}
	got := 0
	for i := range points {
		x, err := service.Export(ctx, caller, domain.MarketNLDElectricity, identifier("town", i), usage.ExportQuery{
			First: first, Last: first + domain.Date(days-1),
		})
		if err != nil {
			return err
		}
		w, err := meterfile.NewWriter(meterfile.CSV, io.Discard, meterfile.Export{Now: t.clock.now(), From: x.From, To: x.To})
		if err != nil {
			return err
		}
		err = x.Stream(ctx, func(b *meterfile.Block) error {
			got += len(b.Values)
			return w.Write(b)
		})
		if err := errors.Join(err, w.Close()); err != nil {
			return err
		}
	}
	return want("readings", got, t.street.readings(points, days), nil)
}

// load imports a file of new meters, in one durable transaction.
func (t *town) load(ctx context.Context, f *os.File, meters, days int) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	im := &intake.Importer{Store: t.engine, Now: func() time.Time { return t.clock.now().AddDate(1, 0, 0) }}
	report, err := im.Import(ctx, intake.File{Name: "meters.csv", Content: f, Size: info.Size()}, intake.Target{Partner: partner + "_town"}, nil)
	return want("readings", int(report.Accepted), t.street.readings(meters, days), err)
}

// nem12 writes the first days of so many meters into a temporary file.
func (s *street) nem12(meters, days int) (*os.File, error) {
	f, err := os.CreateTemp("", "wattgate-bench-nem12-")
	if err != nil {
		return nil, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, "100,NEM12,202401010900,METER,BENCH")
	for m := range meters {
		fmt.Fprintf(w, "200,M%09d,E1,1,E1,N1,METER,KWH,30,\n", m)
		for n := range days {
			year, month, day := (first + domain.Date(n)).Civil()
			fmt.Fprintf(w, "300,%04d%02d%02d", year, month, day)
			for _, v := range s.day(m, n).Values {
				fmt.Fprintf(w, ",%d.%03d", v/1000, v%1000)
			}
			fmt.Fprint(w, ",A,,,20240101090000,\n")
		}
	}
	fmt.Fprintln(w, "900")
	if err := w.Flush(); err != nil { // it remembers the first failure
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return f, nil
}
