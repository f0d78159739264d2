package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/wattgate/wattgate/bench/meter"
)

// The targets of measurements, with 2,000 supply points and a year of half hours
// on two idle cores.
const (
	targetDaily   = 4e6 // readings a second
	targetBatches = 8e6
	targetNEM12   = 2e6
	targetCSV     = 5e6
	targetDay     = 15 // microseconds
	targetYear    = 80
	targetFlat    = 1.5 // times
)

// targetWeight is bytes on disk for each reading.
var targetWeight = map[string]float64{"SQLite": 1.6, "PostgreSQL": 1.8}

// measured measures how readings are stored and read.
func measured(ctx context.Context, p plan, out io.Writer) (*meter.Report, error) {
	r, err := meter.Run(ctx, p.Meter, func(step string) { fmt.Fprintf(out, "measuring %s\n", step) })
	if err != nil {
		return nil, fmt.Errorf("meter: %w", err)
	}
	return r, printMeter(out, r)
}

func printMeter(out io.Writer, r *meter.Report) error {
	fmt.Fprintf(out, "\nMeasurements: half hours of %d days. Batches hold 1,000 supply points' day each; reads are in process,\n"+
		"warm, p50/p99 in µs; \"values\" has each of them decoded; M/s are millions of readings a second\n", r.Days)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tsupply\t— a transaction a day —\t\t\tbatches\tsealing\tbytes/\tCSV out\tNEM12 in\t")
	fmt.Fprintln(w, "\tpoints\tM/s\tCPU ns\twritten B\tM/s\tM/s\treading\tM/s\tM/s\t")
	for _, k := range r.Keepings {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%.2f\t%s\t%s\t\n", k.Name, k.SupplyPoints, millions(k.Daily),
			known(k.Daily.CPU), known(k.Daily.Written), millions(k.Batches), millions(k.Seal), k.Weight, millions(k.CSV), millions(k.NEM12))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\tday\tits values\tyear\tits values\t")
	for _, k := range r.Keepings {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t\n", k.Name, micro(k.Day), micro(k.DayValues), micro(k.Year), micro(k.YearValues))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	printLimits(out, r)
	printFlat(out, r.Flat)
	for _, missing := range r.Missing {
		fmt.Fprintf(out, "not measured: %s\n", missing)
	}
	return nil
}

// printLimits shows where the time goes: what one reading costs, beside what the
// machine could do at all.
func printLimits(out io.Writer, r *meter.Report) {
	l := r.Limits
	fmt.Fprintf(out, "the limits here: %.0f MB/s written and synchronised, %.0f/%.0f µs (p50/p99) for 8 KiB synchronised, %.1f GB/s copied in memory\n",
		l.Disk/1e6, l.Sync.P50, l.Sync.P99, l.Memory/1e9)
	for _, k := range r.Keepings {
		if k.Durable && k.Daily.Written >= 0 {
			used := k.Daily.PerSecond * k.Daily.Written
			fmt.Fprintf(out, "%s wrote %.1f MB/s, %.0f %% of the disk's limit, with %.2f processors busy\n",
				k.Name, used/1e6, 100*used/l.Disk, k.Daily.PerSecond*k.Daily.CPU/1e9)
		}
		if k.YearValues.P50 > 0 {
			const halfHours, bytes = 48, 8
			opened := float64(r.Days*halfHours*bytes) / (k.YearValues.P50 / 1e6)
			fmt.Fprintf(out, "%s opened a year's values at %.1f GB/s, %.0f %% of what one core copies\n", k.Name, opened/1e9, 100*opened/l.Memory)
		}
	}
}

func printFlat(out io.Writer, f *meter.Flat) {
	if f == nil {
		return
	}
	for _, t := range f.Towns {
		fmt.Fprintf(out, "SQLite, %d supply points, %d days: values of a day %s µs, of all days %s µs; sealed: %s and %s µs, %.2f bytes/reading; intake %s M/s, sealing %s M/s\n",
			t.SupplyPoints, f.Days, micro(t.OpenDay), micro(t.OpenAll), micro(t.SealDay), micro(t.SealAll), t.Weight, millions(t.Intake), millions(t.Seal))
	}
}

func millions(r meter.Rate) string {
	if r.PerSecond == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", r.PerSecond/1e6)
}

func known(figure float64) string {
	if figure < 0 {
		return "not available"
	}
	return fmt.Sprintf("%.1f", figure)
}

func micro(l meter.Latency) string {
	if l.P50 == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f/%.1f", l.P50, l.P99)
}

// judgeMeter compares with the targets what was measured of readings. Those of
// reads, batches and files are of SQLite: a question to a server takes its way
// there and back.
func judgeMeter(r *meter.Report, add func(figure string, got float64, target string, reached bool)) {
	least := func(what string, got, target float64) {
		add(what+" M readings/s", got/1e6, fmt.Sprintf(">= %g", target/1e6), got >= target)
	}
	most := func(what string, got, target float64) {
		add(what, got, fmt.Sprintf("<= %g", target), got <= target)
	}
	for _, k := range r.Keepings {
		weight, ours := targetWeight[k.Name]
		if !ours {
			continue
		}
		least(k.Name+" intake by the day", k.Daily.PerSecond, targetDaily)
		most(k.Name+" bytes/reading", k.Weight, weight)
		if k.Name != "SQLite" {
			continue
		}
		least(k.Name+" intake in batches", k.Batches.PerSecond, targetBatches)
		most(k.Name+" day µs", k.Day.P50, targetDay)
		most(k.Name+" day's values µs", k.DayValues.P50, targetDay)
		most(k.Name+" year µs", k.Year.P50, targetYear)
		most(k.Name+" year's values µs", k.YearValues.P50, targetYear)
		least("NEM12 to disk", k.NEM12.PerSecond, targetNEM12)
		least("CSV", k.CSV.PerSecond, targetCSV)
	}
	if f := r.Flat; f != nil {
		what := fmt.Sprintf("reads among %d over reads among %d", f.Towns[1].SupplyPoints, f.Towns[0].SupplyPoints)
		most(what, f.Ratio(), targetFlat)
	}
}
