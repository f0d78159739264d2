package postgres

import (
	"context"
	"time"
)

// Mark returns the latest instant that was stored; zero before the first.
func (s *Store) Mark(ctx context.Context) (latest time.Time, err error) {
	err = s.read(ctx, "read the mark", func(ctx context.Context, c conn) error {
		us, err := one(ctx, c, "the mark", scanNumber, `SELECT latest FROM mark WHERE id = 1`)
		latest = instant(us)
		return err
	})
	return latest, err
}

// RaiseMark stores an instant, unless a later one is stored.
func (s *Store) RaiseMark(ctx context.Context, latest time.Time) error {
	const sql = `UPDATE mark SET latest = greatest(latest, $1) WHERE id = 1`
	return s.changeSilently(ctx, "raise the mark", func(ctx context.Context, c conn) error {
		return changed(ctx, c, "the mark", sql, micros(latest))
	})
}
