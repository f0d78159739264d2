package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

const (
	aHandover       = "this link"
	handoverColumns = `digest, client, overlap, made_at, until, opened_at`
)

// AddHandover adds a link.
func (s *Store) AddHandover(ctx context.Context, h domain.Handover, e domain.Entry) error {
	const sql = `INSERT INTO handover (` + handoverColumns + `) VALUES ($1, $2, $3, $4, $5, $6)`
	return s.changeSilently(ctx, "add a link", func(ctx context.Context, c conn) error {
		err := run(ctx, c, sql, h.Digest[:], h.Client, h.Overlap.Microseconds(), micros(h.MadeAt), micros(h.Until), micros(h.OpenedAt))
		if err != nil {
			return clashes("this link exists", err)
		}
		return s.record(ctx, c, e)
	})
}

// FindHandover finds a link.
func (s *Store) FindHandover(ctx context.Context, digest [32]byte) (h domain.Handover, err error) {
	const sql = `SELECT ` + handoverColumns + ` FROM handover WHERE digest = $1`
	err = s.read(ctx, "find a link", func(ctx context.Context, c conn) error {
		h, err = one(ctx, c, aHandover, scanHandover, sql, digest[:])
		return err
	})
	return h, err
}

// Handovers lists the links of an application, the newest first.
func (s *Store) Handovers(ctx context.Context, id domain.ClientID) (list []domain.Handover, err error) {
	const sql = `SELECT ` + handoverColumns + ` FROM handover WHERE client = $1 ORDER BY made_at DESC, digest`
	err = s.read(ctx, "list links", func(ctx context.Context, c conn) error {
		list, err = all(ctx, c, scanHandover, sql, id)
		return err
	})
	return list, err
}

// OpenHandover marks a link as opened.
func (s *Store) OpenHandover(ctx context.Context, digest [32]byte, now time.Time, e domain.Entry) (h domain.Handover, err error) {
	const mark = `UPDATE handover SET opened_at = $2 WHERE digest = $1 AND opened_at = 0 AND until > $2`
	const sql = `SELECT ` + handoverColumns + ` FROM handover WHERE digest = $1`
	err = s.changeSilently(ctx, "open a link", func(ctx context.Context, c conn) error {
		if err := changed(ctx, c, aHandover, mark, digest[:], micros(now)); err != nil {
			return err
		}
		var err error
		if h, err = one(ctx, c, aHandover, scanHandover, sql, digest[:]); err != nil {
			return err
		}
		return s.record(ctx, c, e)
	})
	return h, err
}

func scanHandover(row pgx.CollectableRow) (domain.Handover, error) {
	var (
		h       domain.Handover
		digest  []byte
		overlap int64
	)
	err := row.Scan(&digest, &h.Client, &overlap, at(&h.MadeAt), at(&h.Until), at(&h.OpenedAt))
	copy(h.Digest[:], digest)
	h.Overlap = time.Duration(overlap) * time.Microsecond
	return h, err
}
