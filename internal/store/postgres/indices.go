package postgres

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

// Indices calls f with what a channel's register showed, each in the newest of
// the revisions that are asked for.
func (s *Store) Indices(ctx context.Context, channel domain.ChannelID, asked domain.IndexRange, f func(domain.Index) error) error {
	const each = `
		SELECT DISTINCT ON (at) at, rev, coefficient, scale, quality, recorded_at FROM register_read
		WHERE ch = $1 AND at >= $2 AND at < $3 AND recorded_at <= $4`
	sql, known, limit := each+` ORDER BY at, rev DESC LIMIT $5`, int64(math.MaxInt64), int64(math.MaxInt64)
	if asked.Reverse {
		sql = each + ` ORDER BY at DESC, rev DESC LIMIT $5`
	}
	if !asked.AsOf.IsZero() {
		known = micros(asked.AsOf)
	}
	if asked.Limit > 0 {
		limit = int64(asked.Limit)
	}
	return s.read(ctx, "read the indices of a register", func(ctx context.Context, c conn) error {
		list, err := all(ctx, c, scanIndex, sql, int64(channel), asked.From.UnixMicro(), asked.To.UnixMicro(), known, limit)
		for _, index := range list {
			if err := f(index); err != nil {
				return callers(err)
			}
		}
		return err
	})
}

func scanIndex(row pgx.CollectableRow) (x domain.Index, err error) {
	var at, recorded int64
	err = row.Scan(&at, &x.Revision, &x.Value.Coefficient, &x.Value.Scale, &x.Quality, &recorded)
	x.At, x.RecordedAt = time.UnixMicro(at).UTC(), instant(recorded)
	return x, err
}

// PutIndex stores what a register showed at an instant.
func (t *transfer) PutIndex(channel domain.ChannelID, index domain.Index, from domain.Provenance) (was domain.Index, changed bool, err error) {
	was, changed, err = t.putIndex(channel, index, from)
	return was, changed, failure(t.ctx, "store the index of a register", err)
}

func (t *transfer) putIndex(channel domain.ChannelID, index domain.Index, from domain.Provenance) (was domain.Index, changed bool, err error) {
	const find = `
		SELECT at, rev, coefficient, scale, quality, recorded_at FROM register_read
		WHERE ch = $1 AND at = $2 ORDER BY rev DESC LIMIT 1`
	const sql = `
		INSERT INTO register_read (ch, at, rev, coefficient, scale, quality, recorded_at, src, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	h, err := t.of(channel)
	if err != nil {
		return was, false, err
	}
	at := index.At.UnixMicro()
	list, err := all(t.ctx, t.conn, scanIndex, find, int64(channel), at)
	if err != nil {
		return was, false, err
	}
	if len(list) > 0 {
		was = list[0]
		if was.Value.Equal(index.Value) && was.Quality == index.Quality {
			return was, false, nil
		}
	}
	src, err := t.source(from.Source)
	if err != nil {
		return was, false, err
	}
	return was, true, run(t.ctx, t.conn, sql, int64(channel), at, was.Revision+1,
		index.Value.Coefficient, int16(index.Value.Scale), int16(index.Quality), h.now, src, from.Reason)
}
