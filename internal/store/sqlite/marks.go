package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"
)

// Mark returns the latest instant that was stored; zero before the first.
func (s *Store) Mark(ctx context.Context) (at time.Time, err error) {
	err = s.read(ctx, "read the mark", func(conn *sqlite.Conn) error {
		latest, err := one(conn, "the mark", scanNumber, `SELECT latest FROM mark WHERE id = 1`)
		at = instant(latest)
		return err
	})
	return at, err
}

// RaiseMark stores an instant, unless a later one is stored.
func (s *Store) RaiseMark(ctx context.Context, at time.Time) error {
	const sql = `UPDATE mark SET latest = max(latest, ?1) WHERE id = 1`
	return s.change(ctx, "raise the mark", func(conn *sqlite.Conn) error { return changed(conn, "the mark", sql, micros(at)) })
}
