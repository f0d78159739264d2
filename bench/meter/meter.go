// Package meter answers one question: how fast are readings stored and read, and
// what do they weigh?
//
// Both engines take in the days of a made-up town, seal its months and read it,
// and so does a table of one row per reading in the same database, because a
// figure alone says as much about the machine as about the program. The limits of
// the machine's disk and memory are measured in the same run.
package meter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

// Plan says how much is measured.
type Plan struct {
	SupplyPoints int // of the engines
	Days         int // from the first of January on
	Narrow       int // supply points of one row per reading, and of other servers
	Flat         int // supply points of the town that reads are compared with; 0: none
	FlatDays     int
	Reads        int  // of each kind
	Disk         int  // MiB written to find the disk's limit
	Memory       int  // MiB copied to find the memory's
	Postgres     bool // where its programs are installed
	Peers        bool // other servers, where they are installed
}

// Usual is the plan with the sizes of the project's targets.
func Usual() Plan {
	return Plan{
		SupplyPoints: 2000, Days: 365, Narrow: 100, Flat: 200_000, FlatDays: 30, Reads: 4000, Disk: 256, Memory: 64,
		Postgres: true, Peers: true,
	}
}

// Check refuses what cannot be measured.
func (p Plan) Check() error {
	switch {
	case p.SupplyPoints < 1 || p.SupplyPoints > 1_000_000:
		return fmt.Errorf("%d supply points: want 1 to 1,000,000", p.SupplyPoints)
	case p.Days < 1 || p.Days > 365:
		return fmt.Errorf("%d days: want 1 to 365", p.Days)
	case p.Flat != 0 && (p.Flat <= p.SupplyPoints || p.Flat > 10_000_000):
		return fmt.Errorf("a flat town of %d: want 0, or more supply points than %d", p.Flat, p.SupplyPoints)
	case p.Narrow < 1 || p.FlatDays < 1 || p.FlatDays > 365 || p.Reads < 1 || p.Disk < 1 || p.Memory < 1:
		return errors.New("want at least one of each")
	}
	return nil
}

// Rate is how fast readings went somewhere.
type Rate struct {
	PerSecond float64 // readings
	CPU       float64 // nanoseconds of all processors for each reading; negative: not available
	Written   float64 // bytes to the disk for each reading; negative: not available
}

// Latency is how long one answer took, in microseconds.
type Latency struct{ P50, P99 float64 }

// Keeping is one way of keeping readings in one database.
type Keeping struct {
	Name         string
	SupplyPoints int
	Durable      bool    // what was acknowledged is on the disk
	Daily        Rate    // one transaction a day for all supply points
	Batches      Rate    // one transaction for each 1,000 supply points' day; zero: not measured
	Seal         Rate    // zero: it has no sealing
	Weight       float64 // bytes on disk for each reading, in the end
	// Day and Year are reads of packed days, or of rows; all days there are make a
	// year. DayValues and YearValues have every value decoded; zero: they come so.
	Day, Year, DayValues, YearValues Latency
	CSV, NEM12                       Rate // a file out of the database, and one into another; zero: not measured
}

// Report is everything that was measured.
type Report struct {
	Days     int
	Limits   Limits
	Keepings []Keeping
	Flat     *Flat    `json:",omitempty"`
	Missing  []string `json:",omitempty"` // what was not measured, and why
}

// Run measures, and tells of each step as it begins.
func Run(ctx context.Context, p Plan, step func(string)) (_ *Report, err error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "wattgate-bench-meter-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	r := &Report{Days: p.Days}
	step("the limits of the disk and the memory")
	if r.Limits, err = limits(folder, p.Disk<<20, p.Memory<<20); err != nil {
		return nil, err
	}
	s := newStreet(max(p.Days, p.FlatDays))
	if err := r.engines(ctx, p, s, folder, step); err != nil {
		return nil, err
	}
	if p.Flat > 0 {
		step(fmt.Sprintf("SQLite with %d supply points of %d days", p.Flat, p.FlatDays))
		if r.Flat, err = flat(ctx, p, s, folder); err != nil {
			return nil, fmt.Errorf("flat: %w", err)
		}
	}
	if p.Peers {
		for _, peer := range []peer{victoria{}, clickhouse{}} {
			step(peer.name())
			if err := r.beside(ctx, p, s, peer, folder); err != nil {
				r.Missing = append(r.Missing, fmt.Sprintf("%s: %v", peer.name(), err))
			}
		}
	}
	return r, nil
}

// engines measures both, each beside one row per reading.
func (r *Report) engines(ctx context.Context, p Plan, s *street, folder string, step func(string)) error {
	list := []database{&file{folder: folder}}
	if p.Postgres {
		cluster, err := postgrestest.Alone()
		switch {
		case err == nil:
			defer cluster.Close()
			list = append(list, &server{cluster: cluster})
		case postgrestest.Absent(err):
			r.Missing = append(r.Missing, err.Error())
		default:
			return err
		}
	}
	for _, db := range list {
		for _, measure := range []func(context.Context, Plan, *street, database, func(string)) (Keeping, error){packed, narrow} {
			k, err := measure(ctx, p, s, db, step)
			if err != nil {
				return fmt.Errorf("%s: %w", db.name(), err)
			}
			r.Keepings = append(r.Keepings, k)
		}
	}
	return nil
}

// first is the first day of the town.
var first = date(2023, time.January, 1)
