package meter

import (
	"context"
	"errors"
	"os"
)

// Flat compares reads of a small town with those of a large one.
type Flat struct {
	Days  int
	Towns [2]Town // the small one, the large one
}

// Town is reads of one day and of all its days, with their values, before its
// months are sealed and after.
type Town struct {
	SupplyPoints     int
	Intake, Seal     Rate
	Weight           float64 // bytes on disk for each reading, sealed
	OpenDay, OpenAll Latency
	SealDay, SealAll Latency
}

// Ratio is how many times longer the median read takes in the large town, where
// that is worst.
func (f *Flat) Ratio() float64 {
	small, large := &f.Towns[0], &f.Towns[1]
	return max(large.OpenDay.P50/small.OpenDay.P50, large.OpenAll.P50/small.OpenAll.P50,
		large.SealDay.P50/small.SealDay.P50, large.SealAll.P50/small.SealAll.P50)
}

// warmth is how many reads warm a large town for each one that is measured: it
// takes more of them until most of its pages are mapped.
const warmth = 5

// flat builds both towns in files of their own.
func flat(ctx context.Context, p Plan, s *street, folder string) (_ *Flat, err error) {
	db := &file{folder: folder}
	defer func() { err = errors.Join(err, os.Remove(db.path())) }()
	f := &Flat{Days: p.FlatDays}
	for i, points := range []int{p.SupplyPoints, p.Flat} {
		f.Towns[i].SupplyPoints = points
		if err := f.Towns[i].measure(ctx, p, s, db); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (m *Town) measure(ctx context.Context, p Plan, s *street, db database) (err error) {
	p.SupplyPoints, p.Days = m.SupplyPoints, p.FlatDays
	var t *town
	if m.Intake, t, err = intakeOf(ctx, p, s, db, p.SupplyPoints); err != nil {
		return err
	}
	if err := m.reads(ctx, p, db, t, &m.OpenDay, &m.OpenAll); err != nil {
		return err
	}
	if m.Seal, err = sealed(ctx, db, t); err != nil {
		return err
	}
	bytes, err := db.weight(ctx)
	if err != nil {
		return err
	}
	m.Weight = float64(bytes) / float64(s.readings(p.SupplyPoints, p.Days))
	return m.reads(ctx, p, db, t, &m.SealDay, &m.SealAll)
}

func (m *Town) reads(ctx context.Context, p Plan, db database, t *town, day, all *Latency) (err error) {
	if t.engine, err = db.open(ctx, t.clock); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.engine.Close()) }()
	if *day, err = t.reads(ctx, p, warmth*p.Reads, 1, true); err != nil {
		return err
	}
	*all, err = t.reads(ctx, p, warmth*p.Reads, p.Days, true)
	return err
}
