package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/session"
)

// isStaff demands of the person p that they are staff, and that neither they nor
// their partner are disabled.
const isStaff = `p.staff AND NOT p.disabled
	AND (p.partner IS NULL OR EXISTS (SELECT 1 FROM partner q WHERE q.id = p.partner AND NOT q.disabled))`

// StaffPasswords lists the members of staff with an e-mail address, and the
// hashes of their passwords.
func (s *Store) StaffPasswords(ctx context.Context, email string) (list []session.Credential, err error) {
	const sql = `SELECT ` + userColumns + `, password_hash FROM person p
		WHERE lower(email) = lower($1 COLLATE "C") AND email <> '' AND ` + isStaff + ` ORDER BY coalesce(partner, ''), id`
	err = s.read(ctx, "find staff by e-mail", func(ctx context.Context, c conn) error {
		list, err = all(ctx, c, func(row pgx.CollectableRow) (session.Credential, error) {
			var hash string
			u, err := scanUserAnd(row, &hash)
			return session.Credential{User: u, Hash: hash}, err
		}, sql, email)
		return err
	})
	return list, err
}

// StaffPassword returns the hash of the password of a member of staff.
func (s *Store) StaffPassword(ctx context.Context, id domain.UserID) (hash string, err error) {
	const sql = `SELECT password_hash FROM person p WHERE id = $1 AND ` + isStaff
	err = s.read(ctx, "find a password", func(ctx context.Context, c conn) error {
		hash, err = one(ctx, c, aUser, pgx.RowTo[string], sql, id)
		return err
	})
	return hash, err
}

// AddStaffSession adds a session of a member of staff whose password still has
// the hash, as AddSession does for a customer.
func (s *Store) AddStaffSession(ctx context.Context, n session.Session, hash string, old session.Digest, before time.Time, e domain.Entry) error {
	const add = `
		INSERT INTO session (digest, person, auth_time, seen_at, proven_at)
		SELECT $1::bytea, p.id, $3::bigint, $4::bigint, $5::bigint FROM person p WHERE p.id = $2 AND p.password_hash = $6 AND ` + isStaff
	return s.changeSilently(ctx, "add a session", func(ctx context.Context, c conn) error {
		if err := run(ctx, c, forgetSessions, micros(before)); err != nil {
			return err
		}
		if err := endSession(ctx, c, old); err != nil {
			return err
		}
		tag, err := c.Exec(ctx, add, n.Digest[:], n.User, micros(n.AuthTime), micros(n.SeenAt), micros(n.ProvenAt), hash)
		if err != nil {
			return clashes("this session exists", err)
		}
		if tag.RowsAffected() == 0 {
			return notFound(aUser)
		}
		return s.record(ctx, c, e)
	})
}

// FindFactor finds the second factor of a person.
func (s *Store) FindFactor(ctx context.Context, id domain.UserID) (f session.Factor, err error) {
	const sql = `SELECT sealed, since, last_step FROM factor WHERE person = $1`
	err = s.read(ctx, "find a second factor", func(ctx context.Context, c conn) error {
		f, err = one(ctx, c, "this second factor", func(row pgx.CollectableRow) (session.Factor, error) {
			var f session.Factor
			return f, row.Scan(&f.Sealed, at(&f.Since), &f.LastStep)
		}, sql, id)
		return err
	})
	return f, err
}

// AddFactor gives a person a second factor and recovery codes, and proves the
// session by it.
func (s *Store) AddFactor(ctx context.Context, id domain.UserID, f session.Factor, recovery []session.Digest, was, is session.Digest, at time.Time, e domain.Entry) error {
	const sql = `INSERT INTO factor (person, sealed, since, last_step) VALUES ($1, $2, $3, $4)`
	return s.changeSilently(ctx, "add a second factor", func(ctx context.Context, c conn) error {
		if err := run(ctx, c, sql, id, f.Sealed, micros(f.Since), f.LastStep); err != nil {
			return clashes("there is a second factor already", err)
		}
		for _, digest := range recovery {
			if err := run(ctx, c, `INSERT INTO recovery_code (person, digest) VALUES ($1, $2)`, id, digest[:]); err != nil {
				return err
			}
		}
		return s.prove(ctx, c, id, was, is, at, e)
	})
}

// RemoveFactor removes a second factor, the recovery codes and all sessions.
func (s *Store) RemoveFactor(ctx context.Context, id domain.UserID, e domain.Entry) error {
	return s.changeSilently(ctx, "remove a second factor", func(ctx context.Context, c conn) error {
		if err := changed(ctx, c, "this second factor", `DELETE FROM factor WHERE person = $1`, id); err != nil {
			return err
		}
		if err := run(ctx, c, `DELETE FROM recovery_code WHERE person = $1`, id); err != nil {
			return err
		}
		if err := run(ctx, c, `DELETE FROM session WHERE person = $1`, id); err != nil {
			return err
		}
		return s.record(ctx, c, e)
	})
}

// Prove notes that the person of a session was proven in full, uses up what it
// was proven by, and gives the session a new digest.
func (s *Store) Prove(ctx context.Context, id domain.UserID, by session.Proof, was, is session.Digest, at time.Time, e domain.Entry) error {
	const step = `UPDATE factor SET last_step = $2 WHERE person = $1 AND last_step < $2`
	const code = `DELETE FROM recovery_code WHERE person = $1 AND digest = $2`
	return s.changeSilently(ctx, "prove a person", func(ctx context.Context, c conn) error {
		var err error
		switch {
		case by.Step != 0:
			err = usedUp(ctx, c, step, id, by.Step)
		case by.Recovery != session.Digest{}:
			err = usedUp(ctx, c, code, id, by.Recovery[:])
		}
		if err != nil {
			return err
		}
		return s.prove(ctx, c, id, was, is, at, e)
	})
}

// usedUp runs a statement that must change something.
func usedUp(ctx context.Context, c conn, sql string, args ...any) error {
	tag, err := c.Exec(ctx, sql, args...)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return &domain.Error{Kind: domain.Conflict, Public: "this was used up before"}
	}
	return nil
}

func (s *Store) prove(ctx context.Context, c conn, id domain.UserID, was, is session.Digest, at time.Time, e domain.Entry) error {
	const sql = `UPDATE session SET digest = $2, proven_at = $3 WHERE digest = $1 AND person = $4`
	if err := changed(ctx, c, aSession, sql, was[:], is[:], micros(at), id); err != nil {
		return err
	}
	return s.record(ctx, c, e)
}
