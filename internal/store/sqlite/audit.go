package sqlite

import (
	"context"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/audit"
	"github.com/wattgate/wattgate/internal/domain"
)

// Record adds an entry to the audit log; it is durable when Record returns.
// Many at once share one write to the disk.
func (s *Store) Record(ctx context.Context, e domain.Entry) error {
	return s.changeOnce(ctx, "record an act", func(conn *sqlite.Conn) error { return s.record(conn, e) })
}

// Recording is Record, for whoever has something else to do meanwhile.
func (s *Store) Recording(ctx context.Context, e domain.Entry) (durable func() error) {
	j := &job{ctx: ctx, f: func(conn *sqlite.Conn) error { return s.record(conn, e) }, single: true, answer: make(chan error, 1)}
	err := s.writer.submit(j)
	return func() error {
		if err == nil {
			err = s.writer.await(j)
		}
		return failure(ctx, "record an act", err)
	}
}

// record is part of the transaction of the act. It puts the entry at the end of
// the log and of the tree.
func (s *Store) record(conn *sqlite.Conn, e domain.Entry) error {
	const sql = `
		INSERT INTO audit_log (seq, id, at, action, partner, client, person, object, allowed_by, request_id, address, detail, hashes)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)`
	if e.ID == "" {
		return errors.New("an entry of the audit log needs an identifier")
	}
	e.Address = s.alias(e.Address)
	number, err := s.tree.length(conn)
	if err != nil {
		return err
	}
	hashes, err := audit.Grow(number, e, func(indexes []int64) ([]audit.Hash, error) { return s.tree.hashes(conn, indexes) })
	if err != nil {
		return err
	}
	stored := make([]byte, 0, len(hashes)*len(audit.Hash{}))
	for _, h := range hashes {
		stored = append(stored, h[:]...)
	}
	err = kept(conn, insert(conn, "this entry of the audit log exists", sql,
		number+1, e.ID, micros(e.At), e.Action, e.Partner, e.Client, e.User, e.Object, e.By, e.RequestID, e.Address, e.Detail, stored))
	if err == nil {
		s.tree.grown(number, hashes)
	}
	return err
}

// auditMigration is the migration that made a tree of the log.
const auditMigration = 4

// plant puts the entries from before the tree into it, in their order, and
// their addresses out of sight.
func (s *Store) plant(conn *sqlite.Conn) error {
	const before = `
		SELECT id, at, action, partner, client, person, object, allowed_by, request_id, address, detail
		FROM audit_before ORDER BY seq`
	err := sqlitex.Execute(conn, before, &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		e, err := scanEntry(row)
		if err != nil {
			return err
		}
		return s.record(conn, e)
	}})
	if err != nil {
		return err
	}
	// The old pages hold the addresses: overwrite them.
	for _, sql := range []string{"PRAGMA secure_delete = ON", "DROP TABLE audit_before", "PRAGMA secure_delete = OFF"} {
		if err := sqlitex.ExecuteTransient(conn, sql, nil); err != nil {
			return err
		}
	}
	return nil
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

// AuditSize returns how many entries there are.
func (s *Store) AuditSize(ctx context.Context) (size int64, err error) {
	err = s.read(ctx, "measure the audit log", func(conn *sqlite.Conn) error {
		size, err = auditSize(conn)
		return err
	})
	return size, err
}

func auditSize(conn *sqlite.Conn) (int64, error) {
	return one(conn, "the audit log", scanNumber, `SELECT max(seq) FROM audit_log`) // NULL reads as 0
}

// AuditHashes returns hashes of the tree by their index.
func (s *Store) AuditHashes(ctx context.Context, indexes []int64) (list []audit.Hash, err error) {
	err = s.read(ctx, "read the tree of the audit log", func(conn *sqlite.Conn) error {
		list, err = auditHashes(conn, indexes)
		return err
	})
	return list, err
}

func auditHashes(conn *sqlite.Conn, indexes []int64) ([]audit.Hash, error) {
	list := make([]audit.Hash, len(indexes))
	for i, index := range indexes {
		number, level := audit.Place(index)
		hashes, err := one(conn, "a hash of the audit log", func(row *sqlite.Stmt) ([]audit.Hash, error) { return scanHashes(row, 0), nil },
			`SELECT hashes FROM audit_log WHERE seq = ?1`, number+1)
		if err == nil && level >= len(hashes) {
			err = fmt.Errorf("entry %d of the audit log has %d hashes", number, len(hashes))
		}
		if err != nil {
			return nil, stored(err)
		}
		list[i] = hashes[level]
	}
	return list, nil
}

// AuditLeaves returns entries in the order of recording.
func (s *Store) AuditLeaves(ctx context.Context, f audit.Filter) (list []audit.Leaf, err error) {
	const columns = `id, at, action, partner, client, person, object, allowed_by, request_id, address, detail, seq, hashes`
	const chosen = `
		FROM audit_log WHERE seq > ?1
		AND (?2 = '' OR action GLOB ?2) AND (?3 = '' OR partner = ?3)
		AND (?4 = '' OR client = ?4 OR object = ?4) AND (?5 = '' OR person = ?5 OR object = ?5)
		AND (?6 = '' OR object = ?6) AND (?7 = '' OR address = ?7)
		AND (?8 = 0 OR at >= ?8) AND (?9 = 0 OR at < ?9) AND (?11 = 0 OR seq <= ?11)`
	sql := `SELECT ` + columns + chosen + ` ORDER BY seq LIMIT ?10`
	if f.Newest {
		sql = `SELECT * FROM (SELECT ` + columns + chosen + ` ORDER BY seq DESC LIMIT ?10) ORDER BY seq`
	}
	err = s.read(ctx, "read the audit log", func(conn *sqlite.Conn) error {
		list, err = all(conn, scanLeaf, sql,
			f.First, f.Action, f.Partner, f.Client, f.User, f.Object, f.Address, micros(f.From), micros(f.To), f.Limit, f.Before)
		return err
	})
	return list, err
}

func scanNumber(row *sqlite.Stmt) (int64, error) { return row.ColumnInt64(0), nil }

func scanLeaf(row *sqlite.Stmt) (audit.Leaf, error) {
	e, err := scanEntry(row)
	return audit.Leaf{Number: row.ColumnInt64(11) - 1, Entry: e, Hashes: scanHashes(row, 12)}, err
}

// scanHashes reads the hashes of an entry; none where they are not whole.
func scanHashes(row *sqlite.Stmt, column int) []audit.Hash {
	const size = len(audit.Hash{})
	b := make([]byte, row.ColumnLen(column))
	row.ColumnBytes(column, b)
	if len(b)%size != 0 {
		return nil
	}
	list := make([]audit.Hash, len(b)/size)
	for i := range list {
		list[i] = audit.Hash(b[i*size:])
	}
	return list
}

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
func scanText(row *sqlite.Stmt) (string, error) { return row.ColumnText(0), nil }
