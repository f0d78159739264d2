package sqlite

import (
	"context"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// SetLiveKey replaces the key of a customer of the partner, and ends what the
// one before has brought.
func (s *Store) SetLiveKey(ctx context.Context, partner domain.PartnerID, id domain.UserID, key domain.LoginDigest, now time.Time, e domain.Entry) (ended []string, err error) {
	const brought = `
		SELECT l.family FROM login l JOIN live_key k ON k.person = l.person AND k.digest = l.proof
		WHERE l.person = ?1 AND l.ended_at = 0`
	const set = `
		INSERT INTO live_key (person, partner, digest, created_at)
		SELECT p.id, p.partner, ?3, ?4 FROM person p JOIN partner q ON q.id = p.partner
		WHERE p.id = ?1 AND p.partner = ?2 AND ` + personStands + `
		ON CONFLICT (person) DO UPDATE SET digest = excluded.digest, created_at = excluded.created_at`
	err = s.change(ctx, "set a live secret key", func(conn *sqlite.Conn) error {
		if ended, err = stopLogins(conn, now, brought, id); err != nil {
			return err
		}
		if err := insert(conn, "this key exists", set, id, partner, key[:], micros(now)); err != nil {
			return err
		}
		if conn.Changes() == 0 {
			return notFound(aUser)
		}
		return s.record(conn, e)
	})
	return ended, err
}

// LiveKeyOwner finds the customer in good standing whose key has the digest.
func (s *Store) LiveKeyOwner(ctx context.Context, key domain.LoginDigest) (u domain.User, err error) {
	const sql = `
		SELECT ` + userColumns + ` FROM person WHERE id = (
			SELECT p.id FROM live_key k JOIN person p ON p.id = k.person JOIN partner q ON q.id = p.partner
			WHERE k.digest = ?1 AND ` + personStands + `)`
	return s.user(ctx, sql, key[:])
}

// AddPreSigned adds a pre-signed token for a customer of its partner.
func (s *Store) AddPreSigned(ctx context.Context, t domain.PreSigned, e domain.Entry) error {
	const add = `
		INSERT INTO presigned (digest, partner, person, client, permissions, until)
		SELECT ?1, p.partner, p.id, a.id, ?5, ?6 FROM person p JOIN partner q ON q.id = p.partner JOIN application a ON a.partner = p.partner
		WHERE p.id = ?2 AND p.partner = ?3 AND ` + personStands + ` AND a.id = ?4 AND a.disabled = 0`
	return s.change(ctx, "add a pre-signed token", func(conn *sqlite.Conn) error {
		if err := changed(conn, aUser, add, t.Digest[:], t.User, t.Partner, t.Client, words(t.Permissions.Names()), micros(t.Until)); err != nil {
			return err
		}
		return s.record(conn, e)
	})
}

// FindPreSigned finds a pre-signed token that is not over, of a customer in good
// standing and by an application that is.
func (s *Store) FindPreSigned(ctx context.Context, key domain.LoginDigest, now time.Time) (t domain.PreSigned, err error) {
	const sql = `
		SELECT s.partner, s.person, s.client, s.permissions, s.until
		FROM presigned s JOIN person p ON p.id = s.person JOIN partner q ON q.id = s.partner JOIN application a ON a.id = s.client
		WHERE s.digest = ?1 AND s.until > ?2 AND a.disabled = 0 AND ` + personStands
	err = s.read(ctx, "find a pre-signed token", func(conn *sqlite.Conn) error {
		t, err = one(conn, aLogin, func(row *sqlite.Stmt) (domain.PreSigned, error) {
			permissions, err := domain.ParsePermissions(strings.Fields(row.ColumnText(3)))
			return domain.PreSigned{
				Digest: key, Partner: domain.PartnerID(row.ColumnText(0)), User: domain.UserID(row.ColumnText(1)),
				Client: domain.ClientID(row.ColumnText(2)), Permissions: permissions, Until: instant(row.ColumnInt64(4)),
			}, stored(err)
		}, sql, key[:], micros(now))
		return err
	})
	return t, err
}

// EndPreSigned ends pre-signed tokens and what they have brought: the one with
// the digest, or where that is zero all of a customer of the partner. It is
// [domain.NotFound] where there is no such token, or customer.
func (s *Store) EndPreSigned(ctx context.Context, key domain.LoginDigest, partner domain.PartnerID, id domain.UserID, now time.Time, e domain.Entry) (ended []string, err error) {
	const owner = `SELECT partner, person FROM presigned WHERE digest = ?1`
	const customer = `SELECT 1 FROM person WHERE id = ?1 AND partner = ?2 AND customer = 1`
	const brought = `
		SELECT l.family FROM login l JOIN presigned s ON s.person = l.person AND s.digest = l.proof
		WHERE l.person = ?1 AND l.ended_at = 0 AND (?2 IS NULL OR s.digest = ?2)`
	const end = `DELETE FROM presigned WHERE person = ?1 AND (?2 IS NULL OR digest = ?2)`
	err = s.change(ctx, "end pre-signed tokens", func(conn *sqlite.Conn) error {
		e, id := e, id
		if key != (domain.LoginDigest{}) {
			found, err := one(conn, aLogin, func(row *sqlite.Stmt) (domain.User, error) {
				return domain.User{Partner: domain.PartnerID(row.ColumnText(0)), ID: domain.UserID(row.ColumnText(1))}, nil
			}, owner, key[:])
			if err != nil {
				return err
			}
			id, e.Partner, e.Object = found.ID, found.Partner, string(found.ID)
		} else if err := exists(conn, aUser, customer, id, partner); err != nil {
			return err
		}
		if ended, err = stopLogins(conn, now, brought, id, digestOrNone(key)); err != nil {
			return err
		}
		if err := run(conn, end, id, digestOrNone(key)); err != nil {
			return err
		}
		return s.record(conn, e)
	})
	return ended, err
}

// AddMasquerade adds a token for a look at a customer of its partner; whoever
// looks is staff of that partner or of the platform, and may.
func (s *Store) AddMasquerade(ctx context.Context, m domain.Masquerade, now time.Time, e domain.Entry) error {
	const forget = `DELETE FROM masquerade WHERE digest IN (SELECT digest FROM masquerade WHERE until < ?1 LIMIT 16)`
	const add = `
		INSERT INTO masquerade (digest, partner, person, staff, until, used_at)
		SELECT ?1, p.partner, p.id, ?4, ?5, 0 FROM person p JOIN partner q ON q.id = p.partner
		WHERE p.id = ?2 AND p.partner = ?3 AND ` + personStands + ` AND (?4 IS NULL OR ` + staffMayLook + ` s.id = ?4))`
	return s.change(ctx, "add a masquerade", func(conn *sqlite.Conn) error {
		if err := run(conn, forget, micros(now.Add(-domain.RevocationKept))); err != nil {
			return err
		}
		if err := changed(conn, aUser, add, m.Digest[:], m.User, m.Partner, optional(m.Staff), micros(m.Until)); err != nil {
			return err
		}
		return s.record(conn, e)
	})
}

// staffMayLook begins a condition: there is a member of staff s who may look on as
// the person p, and is the one named.
const staffMayLook = `EXISTS (
	SELECT 1 FROM person s LEFT JOIN partner r ON r.id = s.partner
	WHERE s.staff = 1 AND s.disabled = 0 AND (s.partner IS NULL OR s.partner = p.partner AND r.disabled = 0)
		AND instr(' ' || s.permissions || ' ', ' SUPPORT_VIEWER ') > 0 AND`

// TakeMasquerade takes a token for a look at a user, once, and adds the log-in,
// which is completed by it. Whatever is wrong is [domain.NotFound], and takes
// nothing.
func (s *Store) TakeMasquerade(ctx context.Context, key domain.LoginDigest, l domain.Login, now time.Time, e domain.Entry) (domain.Login, error) {
	const find = `
		SELECT m.partner, m.staff, m.until FROM masquerade m JOIN person p ON p.id = m.person JOIN partner q ON q.id = m.partner
		WHERE m.digest = ?1 AND m.person = ?2 AND m.used_at = 0 AND m.until > ?3 AND ` + personStands + `
			AND (m.staff IS NULL OR ` + staffMayLook + ` s.id = m.staff))`
	const take = `UPDATE masquerade SET used_at = ?2 WHERE digest = ?1`
	const add = `
		INSERT INTO login (family, partner, person, staff, method, permissions, started_at, until, ended_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)`
	err := s.change(ctx, "take a masquerade", func(conn *sqlite.Conn) error {
		m, err := one(conn, aLogin, func(row *sqlite.Stmt) (domain.Masquerade, error) {
			return domain.Masquerade{Partner: domain.PartnerID(row.ColumnText(0)), Staff: domain.UserID(row.ColumnText(1)), Until: instant(row.ColumnInt64(2))}, nil
		}, find, key[:], l.User, micros(now))
		if err != nil {
			return err
		}
		l.Partner, l.Staff, l.Until = m.Partner, m.Staff, m.Until
		if err := changed(conn, aLogin, take, key[:], micros(now)); err != nil {
			return err
		}
		if err := insert(conn, "this log-in exists", add, l.Family, l.Partner, l.User, optional(l.Staff), l.Method,
			words(l.Permissions.Names()), micros(l.StartedAt), micros(l.Until)); err != nil {
			return err
		}
		e.Partner, e.User = m.Partner, m.Staff
		return s.record(conn, e)
	})
	return l, err
}
