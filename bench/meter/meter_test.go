package meter_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/bench/meter"
)

// small is a plan of some seconds, without servers.
func small() meter.Plan {
	return meter.Plan{SupplyPoints: 12, Days: 33, Narrow: 2, FlatDays: 2, Reads: 20, Disk: 1, Memory: 1}
}

func TestSQLiteAndItsRows(t *testing.T) {
	p := small()
	p.Flat = 30
	var steps []string
	r, err := meter.Run(t.Context(), p, func(step string) { steps = append(steps, step) })
	if err != nil {
		t.Fatalf("after %q: %v", steps, err)
	}
	if len(r.Keepings) != 2 || len(r.Missing) != 0 || r.Days != p.Days {
		t.Fatalf("got %+v, want SQLite and its rows alone", r)
	}
	whole(t, r.Keepings[0])
	rows(t, r.Keepings[1], p)
	if l := r.Limits; l.Disk <= 0 || l.Memory <= 0 || l.Sync.P50 <= 0 || l.Sync.P99 < l.Sync.P50 {
		t.Errorf("limits: got %+v, want all of them", l)
	}
	for i, points := range []int{p.SupplyPoints, p.Flat} {
		town := r.Flat.Towns[i]
		for name, l := range map[string]meter.Latency{
			"an open day": town.OpenDay, "all open days": town.OpenAll, "a sealed day": town.SealDay, "all sealed days": town.SealAll,
		} {
			ordered(t, name, l)
		}
		if town.SupplyPoints != points || town.Intake.PerSecond <= 0 || town.Seal.PerSecond <= 0 {
			t.Errorf("town %d: got %+v, want %d supply points and all rates", i, town, points)
		}
	}
}

func TestPostgreSQLAndItsRows(t *testing.T) {
	p := small()
	p.Postgres = true
	r, err := meter.Run(t.Context(), p, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Missing) > 0 && os.Getenv("CI") != "true" {
		t.Skip(r.Missing[0])
	}
	if len(r.Keepings) != 4 || r.Keepings[2].Name != "PostgreSQL" {
		t.Fatalf("got %+v, want both engines and their rows", r)
	}
	whole(t, r.Keepings[2])
	rows(t, r.Keepings[3], p)
}

// TestOthersAreMeasuredOrMissing starts servers where they are installed, and
// says so where they are not.
func TestOthersAreMeasuredOrMissing(t *testing.T) {
	p := small()
	p.Days, p.Peers = 2, true
	r, err := meter.Run(t.Context(), p, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"VictoriaMetrics", "ClickHouse"} {
		i := slices.IndexFunc(r.Keepings, func(k meter.Keeping) bool { return strings.HasPrefix(k.Name, name) })
		missing := slices.ContainsFunc(r.Missing, func(m string) bool {
			return strings.HasPrefix(m, name) && strings.HasSuffix(m, "is not installed")
		})
		if missing == (i >= 0) {
			t.Errorf("%s: got %+v and %q, want its figures, or that it is not installed", name, r.Keepings, r.Missing)
		}
		if i >= 0 {
			rows(t, r.Keepings[i], p)
		}
	}
}

// whole checks that an engine has all figures.
func whole(t *testing.T, k meter.Keeping) {
	t.Helper()
	for name, r := range map[string]meter.Rate{
		"daily": k.Daily, "batches": k.Batches, "seal": k.Seal, "CSV": k.CSV, "NEM12": k.NEM12,
	} {
		if r.PerSecond <= 0 {
			t.Errorf("%s: %s: got %+v, want a rate", k.Name, name, r)
		}
	}
	for name, l := range map[string]meter.Latency{
		"day": k.Day, "its values": k.DayValues, "year": k.Year, "the year's values": k.YearValues,
	} {
		ordered(t, k.Name+": "+name, l)
	}
	if k.Weight <= 1 {
		t.Errorf("%s: got %v bytes for each reading, want more than the readings have", k.Name, k.Weight)
	}
}

// rows checks that one row per reading has its figures, and no others.
func rows(t *testing.T, k meter.Keeping, p meter.Plan) {
	t.Helper()
	ordered(t, k.Name+": day", k.Day)
	ordered(t, k.Name+": year", k.Year)
	if k.SupplyPoints != p.Narrow || k.Daily.PerSecond <= 0 || k.Weight <= 1 || k.Batches.PerSecond != 0 || k.YearValues.P50 != 0 {
		t.Errorf("got %+v, want the figures of rows", k)
	}
}

func ordered(t *testing.T, what string, l meter.Latency) {
	t.Helper()
	if l.P50 <= 0 || l.P99 < l.P50 {
		t.Errorf("%s: got %+v, want two latencies in their order", what, l)
	}
}

func TestPlanRefusesWhatCannotBeMeasured(t *testing.T) {
	if err := meter.Usual().Check(); err != nil {
		t.Errorf("the usual plan: got %v", err)
	}
	for name, change := range map[string]func(*meter.Plan){
		"no supply point":           func(p *meter.Plan) { p.SupplyPoints = 0 },
		"too many of them":          func(p *meter.Plan) { p.SupplyPoints = 1_000_001 },
		"no day":                    func(p *meter.Plan) { p.Days = 0 },
		"more than a year":          func(p *meter.Plan) { p.Days = 366 },
		"no row":                    func(p *meter.Plan) { p.Narrow = 0 },
		"a large town that is not":  func(p *meter.Plan) { p.Flat = p.SupplyPoints },
		"a negative town":           func(p *meter.Plan) { p.Flat = -1 },
		"a large town without days": func(p *meter.Plan) { p.FlatDays = 0 },
		"no read":                   func(p *meter.Plan) { p.Reads = 0 },
		"nothing for the disk":      func(p *meter.Plan) { p.Disk = 0 },
		"nothing for the memory":    func(p *meter.Plan) { p.Memory = 0 },
	} {
		p := small()
		change(&p)
		if r, err := meter.Run(t.Context(), p, func(string) {}); err == nil || r != nil {
			t.Errorf("%s: got %+v and no error", name, r)
		}
	}
}

func TestFlatRatioIsTheWorst(t *testing.T) {
	small := meter.Town{OpenDay: meter.Latency{P50: 10}, OpenAll: meter.Latency{P50: 10}, SealDay: meter.Latency{P50: 10}, SealAll: meter.Latency{P50: 10}}
	for name, worse := range map[string]func(*meter.Town) *meter.Latency{
		"an open day":     func(t *meter.Town) *meter.Latency { return &t.OpenDay },
		"all open days":   func(t *meter.Town) *meter.Latency { return &t.OpenAll },
		"a sealed day":    func(t *meter.Town) *meter.Latency { return &t.SealDay },
		"all sealed days": func(t *meter.Town) *meter.Latency { return &t.SealAll },
	} {
		f := meter.Flat{Towns: [2]meter.Town{small, small}}
		worse(&f.Towns[1]).P50 = 25
		if got := f.Ratio(); got != 2.5 {
			t.Errorf("%s takes 2.5 times as long: got %v", name, got)
		}
	}
}
