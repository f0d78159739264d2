package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/session"
)

const (
	aSession       = "this session"
	forgetSessions = `DELETE FROM session WHERE auth_time < $1`
)

// CustomerPassword finds a customer of the partner by e-mail address, and the
// hash of the password. Neither of the two is disabled, and the customer is not
// also staff.
func (s *Store) CustomerPassword(ctx context.Context, partner domain.PartnerID, email string) (u domain.User, hash string, err error) {
	const sql = `
		SELECT ` + userColumns + `, password_hash FROM person
		WHERE partner = $1 AND lower(email) = lower($2 COLLATE "C") AND customer AND NOT staff AND NOT disabled
			AND EXISTS (SELECT 1 FROM partner WHERE partner.id = $1 AND NOT partner.disabled)`
	err = s.read(ctx, "find a customer by e-mail", func(ctx context.Context, c conn) error {
		u, err = one(ctx, c, aUser, func(row pgx.CollectableRow) (domain.User, error) {
			return scanUserAnd(row, &hash)
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
		SELECT $1::bytea, p.id, $3::bigint, $4::bigint FROM person p JOIN partner q ON q.id = p.partner
		WHERE p.id = $2 AND p.password_hash = $5 AND p.customer AND NOT p.staff AND NOT p.disabled AND NOT q.disabled`
	return s.changeSilently(ctx, "add a session", func(ctx context.Context, c conn) error {
		if err := run(ctx, c, forgetSessions, micros(before)); err != nil {
			return err
		}
		if err := endSession(ctx, c, old); err != nil {
			return err
		}
		tag, err := c.Exec(ctx, add, n.Digest[:], n.User, micros(n.AuthTime), micros(n.SeenAt), hash)
		if err != nil {
			return clashes("this session exists", err)
		}
		if tag.RowsAffected() == 0 {
			return notFound(aUser)
		}
		return s.record(ctx, c, e)
	})
}

// FindSession finds a session and its person, as long as the person stands.
func (s *Store) FindSession(ctx context.Context, d session.Digest) (found session.Session, u domain.User, err error) {
	const sql = `SELECT person, auth_time, seen_at, proven_at FROM session WHERE digest = $1`
	const who = `
		SELECT ` + userColumns + ` FROM person
		WHERE id = $1 AND NOT disabled AND revoked_before < $2
			AND (partner IS NULL OR EXISTS (SELECT 1 FROM partner WHERE partner.id = person.partner AND NOT partner.disabled AND partner.revoked_before < $2))`
	err = s.readAt(ctx, "find a session", func(ctx context.Context, c conn) error {
		found, err = one(ctx, c, aSession, func(row pgx.CollectableRow) (session.Session, error) {
			n := session.Session{Digest: d}
			return n, row.Scan(&n.User, at(&n.AuthTime), at(&n.SeenAt), at(&n.ProvenAt))
		}, sql, d[:])
		if err != nil {
			return err
		}
		u, err = one(ctx, c, aUser, scanUser, who, found.User, micros(found.AuthTime))
		return err
	})
	return found, u, err
}

// SeeSession notes when a session was used last.
func (s *Store) SeeSession(ctx context.Context, d session.Digest, at time.Time) error {
	return s.changeSilently(ctx, "see a session", func(ctx context.Context, c conn) error {
		return run(ctx, c, `UPDATE session SET seen_at = greatest(seen_at, $2) WHERE digest = $1`, d[:], micros(at))
	})
}

// EndSession ends a session; one that does not exist is no mistake.
func (s *Store) EndSession(ctx context.Context, d session.Digest) error {
	return s.changeSilently(ctx, "end a session", func(ctx context.Context, c conn) error { return endSession(ctx, c, d) })
}

func endSession(ctx context.Context, c conn, d session.Digest) error {
	return run(ctx, c, `DELETE FROM session WHERE digest = $1`, d[:])
}
