package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

// KeepRanges stores from where applications were right. Ranges from before the
// hour oldest are forgotten, and the oldest of more than most.
func (s *Store) KeepRanges(ctx context.Context, list []domain.KnownRange, oldest int64, most int) error {
	// One message for all of them. A range that is there twice counts once: one
	// statement cannot change a row twice.
	const add = `
		INSERT INTO known_range (digest, hour)
		SELECT digest, max(hour) FROM unnest($1::bytea[], $2::bigint[]) AS r (digest, hour) GROUP BY digest
		ON CONFLICT (digest) DO UPDATE SET hour = greatest(known_range.hour, excluded.hour)`
	const forget = `DELETE FROM known_range WHERE hour < $1`
	const fewer = `DELETE FROM known_range WHERE digest IN (SELECT digest FROM known_range ORDER BY hour DESC OFFSET $1)`
	digests, hours := make([][]byte, len(list)), make([]int64, len(list))
	for i, r := range list {
		digests[i], hours[i] = r.Digest[:], r.Hour
	}
	return s.changeSilently(ctx, "keep ranges of addresses", func(ctx context.Context, c conn) error {
		if err := run(ctx, c, add, digests, hours); err != nil {
			return err
		}
		if err := run(ctx, c, forget, oldest); err != nil {
			return err
		}
		return run(ctx, c, fewer, most)
	})
}

// KnownRanges returns the newest ranges, at most so many.
func (s *Store) KnownRanges(ctx context.Context, most int) (list []domain.KnownRange, err error) {
	const sql = `SELECT digest, hour FROM known_range ORDER BY hour DESC, digest LIMIT $1`
	err = s.read(ctx, "read ranges of addresses", func(ctx context.Context, c conn) error {
		list, err = all(ctx, c, func(row pgx.CollectableRow) (r domain.KnownRange, err error) {
			var digest []byte
			err = row.Scan(&digest, &r.Hour)
			copy(r.Digest[:], digest)
			return r, err
		}, sql, most)
		return err
	})
	return list, err
}
