package sqlite

import (
	"context"
	"errors"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// Record adds an entry to the audit log; it is durable when Record returns.
// Many at once share one write to the disk.
func (s *Store) Record(ctx context.Context, e domain.Entry) error {
	return s.change(ctx, "record an act", func(conn *sqlite.Conn) error { return record(conn, e) })
}

// record is part of the transaction of the act.
func record(conn *sqlite.Conn, e domain.Entry) error {
	const sql = `
		INSERT INTO audit_log (id, at, action, partner, client, person, object, allowed_by, request_id, address, detail)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`
	if e.ID == "" {
		return errors.New("an entry of the audit log needs an identifier")
	}
	return insert(conn, "this entry of the audit log exists", sql,
		e.ID, micros(e.At), e.Action, e.Partner, e.Client, e.User, e.Object, e.By, e.RequestID, e.Address, e.Detail)
}

// Entries returns up to limit entries in the order of recording: from the
// beginning, or those that follow the entry with the identifier after.
func (s *Store) Entries(ctx context.Context, after string, limit int) (list []domain.Entry, err error) {
	const sql = `
		SELECT id, at, action, partner, client, person, object, allowed_by, request_id, address, detail
		FROM audit_log WHERE seq > ?1 ORDER BY seq LIMIT ?2`
	const place = `SELECT seq FROM audit_log WHERE id = ?1`
	err = s.readAt(ctx, "read the audit log", func(conn *sqlite.Conn) error {
		seq := int64(0)
		if after != "" {
			seq, err = one(conn, "this entry", scanNumber, place, after)
			if err != nil {
				return err
			}
		}
		list, err = all(conn, scanEntry, sql, seq, limit)
		return err
	})
	return list, err
}

func scanNumber(row *sqlite.Stmt) (int64, error) { return row.ColumnInt64(0), nil }

func scanEntry(row *sqlite.Stmt) (domain.Entry, error) {
	return domain.Entry{
		ID:        row.ColumnText(0),
		At:        instant(row.ColumnInt64(1)),
		Action:    row.ColumnText(2),
		Partner:   domain.PartnerID(row.ColumnText(3)),
		Client:    domain.ClientID(row.ColumnText(4)),
		User:      domain.UserID(row.ColumnText(5)),
		Object:    row.ColumnText(6),
		By:        row.ColumnText(7),
		RequestID: row.ColumnText(8),
		Address:   row.ColumnText(9),
		Detail:    row.ColumnText(10),
	}, nil
}
