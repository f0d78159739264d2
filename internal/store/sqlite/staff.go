package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/session"
)

// isStaff demands of the person p that they are staff, and that neither they nor
// their partner are disabled.
const isStaff = `p.staff = 1 AND p.disabled = 0
	AND (p.partner IS NULL OR EXISTS (SELECT 1 FROM partner q WHERE q.id = p.partner AND q.disabled = 0))`

// StaffPasswords lists the members of staff with an e-mail address, and the
// hashes of their passwords.
func (s *Store) StaffPasswords(ctx context.Context, email string) (list []session.Credential, err error) {
	const sql = `SELECT ` + userColumns + `, password_hash FROM person p
		WHERE lower(email) = lower(?1) AND email <> '' AND ` + isStaff + ` ORDER BY ifnull(partner, ''), id`
	err = s.read(ctx, "find staff by e-mail", func(conn *sqlite.Conn) error {
		list, err = all(conn, func(row *sqlite.Stmt) (session.Credential, error) {
			u, err := scanUser(row)
			return session.Credential{User: u, Hash: row.ColumnText(15)}, err
		}, sql, email)
		return err
	})
	return list, err
}

// StaffPassword returns the hash of the password of a member of staff.
func (s *Store) StaffPassword(ctx context.Context, id domain.UserID) (hash string, err error) {
	const sql = `SELECT password_hash FROM person p WHERE id = ?1 AND ` + isStaff
	err = s.read(ctx, "find a password", func(conn *sqlite.Conn) error {
		hash, err = one(conn, aUser, func(row *sqlite.Stmt) (string, error) { return row.ColumnText(0), nil }, sql, id)
		return err
	})
	return hash, err
}

// AddStaffSession adds a session of a member of staff whose password still has
// the hash, as AddSession does for a customer.
func (s *Store) AddStaffSession(ctx context.Context, n session.Session, hash string, old session.Digest, before time.Time, e domain.Entry) error {
	const add = `
		INSERT INTO session (digest, person, auth_time, seen_at, proven_at)
		SELECT ?1, p.id, ?3, ?4, ?5 FROM person p WHERE p.id = ?2 AND p.password_hash = ?6 AND ` + isStaff
	return s.change(ctx, "add a session", func(conn *sqlite.Conn) error {
		if err := run(conn, forgetSessions, micros(before)); err != nil {
			return err
		}
		if err := endSession(conn, old); err != nil {
			return err
		}
		err := insert(conn, "this session exists", add, n.Digest[:], n.User, micros(n.AuthTime), micros(n.SeenAt), micros(n.ProvenAt), hash)
		if err != nil {
			return err
		}
		if conn.Changes() == 0 {
			return notFound(aUser)
		}
		return s.record(conn, e)
	})
}

// FindFactor finds the second factor of a person.
func (s *Store) FindFactor(ctx context.Context, id domain.UserID) (f session.Factor, err error) {
	const sql = `SELECT sealed, since, last_step FROM factor WHERE person = ?1`
	err = s.read(ctx, "find a second factor", func(conn *sqlite.Conn) error {
		f, err = one(conn, "this second factor", func(row *sqlite.Stmt) (session.Factor, error) {
			sealed := make([]byte, row.ColumnLen(0))
			row.ColumnBytes(0, sealed)
			return session.Factor{Sealed: sealed, Since: instant(row.ColumnInt64(1)), LastStep: row.ColumnInt64(2)}, nil
		}, sql, id)
		return err
	})
	return f, err
}

// AddFactor gives a person a second factor and recovery codes, and proves the
// session by it.
func (s *Store) AddFactor(ctx context.Context, id domain.UserID, f session.Factor, recovery []session.Digest, was, is session.Digest, at time.Time, e domain.Entry) error {
	const sql = `INSERT INTO factor (person, sealed, since, last_step) VALUES (?1, ?2, ?3, ?4)`
	return s.change(ctx, "add a second factor", func(conn *sqlite.Conn) error {
		if err := insert(conn, "there is a second factor already", sql, id, f.Sealed, micros(f.Since), f.LastStep); err != nil {
			return err
		}
		for _, digest := range recovery {
			if err := run(conn, `INSERT INTO recovery_code (person, digest) VALUES (?1, ?2)`, id, digest[:]); err != nil {
				return err
			}
		}
		return s.prove(conn, id, was, is, at, e)
	})
}

// RemoveFactor removes a second factor, the recovery codes and all sessions.
func (s *Store) RemoveFactor(ctx context.Context, id domain.UserID, e domain.Entry) error {
	return s.change(ctx, "remove a second factor", func(conn *sqlite.Conn) error {
		if err := changed(conn, "this second factor", `DELETE FROM factor WHERE person = ?1`, id); err != nil {
			return err
		}
		if err := run(conn, `DELETE FROM recovery_code WHERE person = ?1`, id); err != nil {
			return err
		}
		if err := run(conn, `DELETE FROM session WHERE person = ?1`, id); err != nil {
			return err
		}
		return s.record(conn, e)
	})
}

// Prove notes that the person of a session was proven in full, uses up what it
// was proven by, and gives the session a new digest.
func (s *Store) Prove(ctx context.Context, id domain.UserID, by session.Proof, was, is session.Digest, at time.Time, e domain.Entry) error {
	const step = `UPDATE factor SET last_step = ?2 WHERE person = ?1 AND last_step < ?2`
	const code = `DELETE FROM recovery_code WHERE person = ?1 AND digest = ?2`
	return s.change(ctx, "prove a person", func(conn *sqlite.Conn) error {
		var err error
		switch {
		case by.Step != 0:
			err = usedUp(conn, step, id, by.Step)
		case by.Recovery != session.Digest{}:
			err = usedUp(conn, code, id, by.Recovery[:])
		}
		if err != nil {
			return err
		}
		return s.prove(conn, id, was, is, at, e)
	})
}

// usedUp runs a statement that must change something.
func usedUp(conn *sqlite.Conn, sql string, args ...any) error {
	if err := run(conn, sql, args...); err != nil {
		return err
	}
	if conn.Changes() == 0 {
		return &domain.Error{Kind: domain.Conflict, Public: "this was used up before"}
	}
	return nil
}

func (s *Store) prove(conn *sqlite.Conn, id domain.UserID, was, is session.Digest, at time.Time, e domain.Entry) error {
	const sql = `UPDATE session SET digest = ?2, proven_at = ?3 WHERE digest = ?1 AND person = ?4`
	if err := changed(conn, aSession, sql, was[:], is[:], micros(at), id); err != nil {
		return err
	}
	return s.record(conn, e)
}
