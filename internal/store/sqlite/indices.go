package sqlite

import (
	"context"
	"math"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// Indices calls f with what a channel's register showed, each in the newest of
// the revisions that are asked for.
func (s *Store) Indices(ctx context.Context, channel domain.ChannelID, asked domain.IndexRange, f func(domain.Index) error) error {
	const each = `
		SELECT at, rev, coefficient, scale, quality, recorded_at FROM register_read r
		WHERE ch = ?1 AND at >= ?2 AND at < ?3
			AND rev = (SELECT max(rev) FROM register_read WHERE ch = r.ch AND at = r.at AND recorded_at <= ?4)`
	sql, known, limit := each+` ORDER BY at LIMIT ?5`, int64(math.MaxInt64), -1
	if asked.Reverse {
		sql = each + ` ORDER BY at DESC LIMIT ?5`
	}
	if !asked.AsOf.IsZero() {
		known = micros(asked.AsOf)
	}
	if asked.Limit > 0 {
		limit = asked.Limit
	}
	return s.read(ctx, "read the indices of a register", func(conn *sqlite.Conn) error {
		list, err := all(conn, scanIndex, sql, channel, asked.From.UnixMicro(), asked.To.UnixMicro(), known, limit)
		for _, index := range list {
			if err := f(index); err != nil {
				return callers(err)
			}
		}
		return err
	})
}

func scanIndex(row *sqlite.Stmt) (domain.Index, error) {
	return domain.Index{
		At:         time.UnixMicro(row.ColumnInt64(0)).UTC(),
		Revision:   row.ColumnInt32(1),
		Value:      domain.Decimal{Coefficient: row.ColumnInt64(2), Scale: uint8(row.ColumnInt64(3))},
		Quality:    domain.Quality(row.ColumnInt64(4)),
		RecordedAt: instant(row.ColumnInt64(5)),
	}, nil
}

// PutIndex stores what a register showed at an instant.
func (t *transfer) PutIndex(channel domain.ChannelID, index domain.Index, from domain.Provenance) (was domain.Index, changed bool, err error) {
	was, changed, err = t.putIndex(channel, index, from)
	return was, changed, failure(t.ctx, "store the index of a register", err)
}

func (t *transfer) putIndex(channel domain.ChannelID, index domain.Index, from domain.Provenance) (was domain.Index, changed bool, err error) {
	const find = `
		SELECT at, rev, coefficient, scale, quality, recorded_at FROM register_read
		WHERE ch = ?1 AND at = ?2 ORDER BY rev DESC LIMIT 1`
	const sql = `
		INSERT INTO register_read (ch, at, rev, coefficient, scale, quality, recorded_at, src, reason)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`
	if err := exists(t.conn, "this channel", `SELECT 1 FROM channel WHERE ch = ?1`, channel); err != nil {
		return was, false, err
	}
	at := index.At.UnixMicro()
	list, err := all(t.conn, scanIndex, find, channel, at)
	if err != nil {
		return was, false, err
	}
	if len(list) > 0 {
		was = list[0]
		if was.Value.Equal(index.Value) && was.Quality == index.Quality {
			return was, false, nil
		}
	}
	src, err := t.sourceOf(from.Source)
	if err != nil {
		return was, false, err
	}
	return was, true, run(t.conn, sql, channel, at, was.Revision+1,
		index.Value.Coefficient, int64(index.Value.Scale), int64(index.Quality), t.now, src, from.Reason)
}
