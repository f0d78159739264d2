package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/session"
)

const (
	aSession       = "this session"
	forgetSessions = `DELETE FROM session WHERE auth_time < ?1`
)

// CustomerPassword finds a customer of the partner by e-mail address, and the
// hash of the password. Neither of the two is disabled, and the customer is not
// also staff.
func (s *Store) CustomerPassword(ctx context.Context, partner domain.PartnerID, email string) (u domain.User, hash string, err error) {
	const sql = `
		SELECT ` + userColumns + `, password_hash FROM person
		WHERE partner = ?1 AND lower(email) = lower(?2) AND customer = 1 AND staff = 0 AND disabled = 0
			AND EXISTS (SELECT 1 FROM partner WHERE partner.id = ?1 AND partner.disabled = 0)`
	err = s.read(ctx, "find a customer by e-mail", func(conn *sqlite.Conn) error {
		u, err = one(conn, aUser, func(row *sqlite.Stmt) (domain.User, error) {
			hash = row.ColumnText(15)
			return scanUser(row)
		}, sql, partner, email)
		return err
	})
	return u, hash, err
}

// AddSession adds a session of a person whose password still has the hash, in one
// transaction with the end of the one that the browser had before, and forgets
// those that began before the instant.
func (s *Store) AddSession(ctx context.Context, n session.Session, hash string, old session.Digest, before time.Time, e domain.Entry) error {
	// While argon2 worked, the password may have been replaced, or whom it is of
	// disabled: what was checked must still be so.
	const add = `
		INSERT INTO session (digest, person, auth_time, seen_at)
		SELECT ?1, p.id, ?3, ?4 FROM person p JOIN partner q ON q.id = p.partner
		WHERE p.id = ?2 AND p.password_hash = ?5 AND p.customer = 1 AND p.staff = 0 AND p.disabled = 0 AND q.disabled = 0`
	return s.change(ctx, "add a session", func(conn *sqlite.Conn) error {
		if err := run(conn, forgetSessions, micros(before)); err != nil {
			return err
		}
		if err := endSession(conn, old); err != nil {
			return err
		}
		if err := insert(conn, "this session exists", add, n.Digest[:], n.User, micros(n.AuthTime), micros(n.SeenAt), hash); err != nil {
			return err
		}
		if conn.Changes() == 0 {
			return notFound(aUser)
		}
		return s.record(conn, e)
	})
}

// FindSession finds a session and its person, as long as the person stands.
func (s *Store) FindSession(ctx context.Context, d session.Digest) (found session.Session, u domain.User, err error) {
	const sql = `SELECT person, auth_time, seen_at, proven_at FROM session WHERE digest = ?1`
	const who = `
		SELECT ` + userColumns + ` FROM person
		WHERE id = ?1 AND disabled = 0 AND revoked_before < ?2
			AND (partner IS NULL OR EXISTS (SELECT 1 FROM partner WHERE partner.id = person.partner AND partner.disabled = 0 AND partner.revoked_before < ?2))`
	err = s.readAt(ctx, "find a session", func(conn *sqlite.Conn) error {
		found, err = one(conn, aSession, func(row *sqlite.Stmt) (session.Session, error) {
			return session.Session{
				Digest: d, User: domain.UserID(row.ColumnText(0)), AuthTime: instant(row.ColumnInt64(1)), SeenAt: instant(row.ColumnInt64(2)),
				ProvenAt: instant(row.ColumnInt64(3)),
			}, nil
		}, sql, d[:])
		if err != nil {
			return err
		}
		u, err = one(conn, aUser, scanUser, who, found.User, micros(found.AuthTime))
		return err
	})
	return found, u, err
}

// SeeSession notes when a session was used last.
func (s *Store) SeeSession(ctx context.Context, d session.Digest, at time.Time) error {
	return s.change(ctx, "see a session", func(conn *sqlite.Conn) error {
		return run(conn, `UPDATE session SET seen_at = max(seen_at, ?2) WHERE digest = ?1`, d[:], micros(at))
	})
}

// EndSession ends a session; one that does not exist is no mistake.
func (s *Store) EndSession(ctx context.Context, d session.Digest) error {
	return s.change(ctx, "end a session", func(conn *sqlite.Conn) error { return endSession(conn, d) })
}

func endSession(conn *sqlite.Conn, d session.Digest) error {
	return run(conn, `DELETE FROM session WHERE digest = ?1`, d[:])
}
