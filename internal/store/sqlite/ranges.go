package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// KeepRanges stores from where applications were right. Ranges from before the
// hour oldest are forgotten, and the oldest of more than most.
func (s *Store) KeepRanges(ctx context.Context, list []domain.KnownRange, oldest int64, most int) error {
	const add = `INSERT INTO known_range (digest, hour) VALUES (?1, ?2) ON CONFLICT (digest) DO UPDATE SET hour = max(hour, excluded.hour)`
	const forget = `DELETE FROM known_range WHERE hour < ?1`
	const fewer = `DELETE FROM known_range WHERE digest IN (SELECT digest FROM known_range ORDER BY hour DESC LIMIT -1 OFFSET ?1)`
	return s.change(ctx, "keep ranges of addresses", func(conn *sqlite.Conn) error {
		for _, r := range list {
			if err := run(conn, add, r.Digest[:], r.Hour); err != nil {
				return err
			}
		}
		if err := run(conn, forget, oldest); err != nil {
			return err
		}
		return run(conn, fewer, most)
	})
}

// KnownRanges returns the newest ranges, at most so many.
func (s *Store) KnownRanges(ctx context.Context, most int) (list []domain.KnownRange, err error) {
	const sql = `SELECT digest, hour FROM known_range ORDER BY hour DESC, digest LIMIT ?1`
	err = s.read(ctx, "read ranges of addresses", func(conn *sqlite.Conn) error {
		list, err = all(conn, func(row *sqlite.Stmt) (domain.KnownRange, error) {
			r := domain.KnownRange{Hour: row.ColumnInt64(1)}
			row.ColumnBytes(0, r.Digest[:])
			return r, nil
		}, sql, most)
		return err
	})
	return list, err
}
