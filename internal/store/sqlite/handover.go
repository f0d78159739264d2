package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

const (
	aHandover       = "this link"
	handoverColumns = `digest, client, overlap, made_at, until, opened_at`
)

// AddHandover adds a link.
func (s *Store) AddHandover(ctx context.Context, h domain.Handover, e domain.Entry) error {
	const sql = `INSERT INTO handover (` + handoverColumns + `) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`
	return s.change(ctx, "add a link", func(conn *sqlite.Conn) error {
		err := insert(conn, "this link exists", sql, h.Digest[:], h.Client, h.Overlap.Microseconds(), micros(h.MadeAt), micros(h.Until), micros(h.OpenedAt))
		if err != nil {
			return err
		}
		return s.record(conn, e)
	})
}

// FindHandover finds a link.
func (s *Store) FindHandover(ctx context.Context, digest [32]byte) (h domain.Handover, err error) {
	const sql = `SELECT ` + handoverColumns + ` FROM handover WHERE digest = ?1`
	err = s.read(ctx, "find a link", func(conn *sqlite.Conn) error {
		h, err = one(conn, aHandover, scanHandover, sql, digest[:])
		return err
	})
	return h, err
}

// Handovers lists the links of an application, the newest first.
func (s *Store) Handovers(ctx context.Context, id domain.ClientID) (list []domain.Handover, err error) {
	const sql = `SELECT ` + handoverColumns + ` FROM handover WHERE client = ?1 ORDER BY made_at DESC, digest`
	err = s.read(ctx, "list links", func(conn *sqlite.Conn) error {
		list, err = all(conn, scanHandover, sql, id)
		return err
	})
	return list, err
}

// OpenHandover marks a link as opened.
func (s *Store) OpenHandover(ctx context.Context, digest [32]byte, now time.Time, e domain.Entry) (h domain.Handover, err error) {
	const mark = `UPDATE handover SET opened_at = ?2 WHERE digest = ?1 AND opened_at = 0 AND until > ?2`
	const sql = `SELECT ` + handoverColumns + ` FROM handover WHERE digest = ?1`
	err = s.change(ctx, "open a link", func(conn *sqlite.Conn) error {
		if err := changed(conn, aHandover, mark, digest[:], micros(now)); err != nil {
			return err
		}
		var err error
		if h, err = one(conn, aHandover, scanHandover, sql, digest[:]); err != nil {
			return err
		}
		return s.record(conn, e)
	})
	return h, err
}

func scanHandover(row *sqlite.Stmt) (domain.Handover, error) {
	h := domain.Handover{
		Client: domain.ClientID(row.ColumnText(1)), Overlap: time.Duration(row.ColumnInt64(2)) * time.Microsecond,
		MadeAt: instant(row.ColumnInt64(3)), Until: instant(row.ColumnInt64(4)), OpenedAt: instant(row.ColumnInt64(5)),
	}
	row.ColumnBytes(0, h.Digest[:])
	return h, nil
}
