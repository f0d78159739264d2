package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

// SetLiveKey replaces the key of a customer of the partner, and ends what the
// one before has brought.
func (s *Store) SetLiveKey(ctx context.Context, partner domain.PartnerID, id domain.UserID, key domain.LoginDigest, now time.Time, e domain.Entry) (ended []string, err error) {
	const brought = `
		SELECT l.family FROM login l JOIN live_key k ON k.person = l.person AND k.digest = l.proof
		WHERE l.person = $1 AND l.ended_at = 0`
	const set = `
		INSERT INTO live_key (person, partner, digest, created_at)
		SELECT p.id, p.partner, $3::bytea, $4::bigint FROM person p JOIN partner q ON q.id = p.partner
		WHERE p.id = $1 AND p.partner = $2 AND ` + personStands + `
		ON CONFLICT (person) DO UPDATE SET digest = excluded.digest, created_at = excluded.created_at`
	err = s.changeSilently(ctx, "set a live secret key", func(ctx context.Context, c conn) error {
		if ended, err = stopLogins(ctx, c, now, brought, id); err != nil {
			return err
		}
		tag, err := c.Exec(ctx, set, id, partner, key[:], micros(now))
		if err != nil {
			return clashes("this key exists", err)
		}
		if tag.RowsAffected() == 0 {
			return notFound(aUser)
		}
		return s.record(ctx, c, e)
	})
	return ended, err
}

// LiveKeyOwner finds the customer in good standing whose key has the digest.
func (s *Store) LiveKeyOwner(ctx context.Context, key domain.LoginDigest) (u domain.User, err error) {
	const sql = `
		SELECT ` + userColumns + ` FROM person WHERE id = (
			SELECT p.id FROM live_key k JOIN person p ON p.id = k.person JOIN partner q ON q.id = p.partner
			WHERE k.digest = $1 AND ` + personStands + `)`
	return s.user(ctx, sql, key[:])
}

// AddPreSigned adds a pre-signed token for a customer of its partner.
func (s *Store) AddPreSigned(ctx context.Context, t domain.PreSigned, e domain.Entry) error {
	const add = `
		INSERT INTO presigned (digest, partner, person, client, permissions, until)
		SELECT $1::bytea, p.partner, p.id, a.id, $5::text, $6::bigint
		FROM person p JOIN partner q ON q.id = p.partner JOIN application a ON a.partner = p.partner
		WHERE p.id = $2 AND p.partner = $3 AND ` + personStands + ` AND a.id = $4 AND NOT a.disabled`
	return s.changeSilently(ctx, "add a pre-signed token", func(ctx context.Context, c conn) error {
		if err := changed(ctx, c, aUser, add, t.Digest[:], t.User, t.Partner, t.Client, words(t.Permissions.Names()), micros(t.Until)); err != nil {
			return err
		}
		return s.record(ctx, c, e)
	})
}

// FindPreSigned finds a pre-signed token that is not over, of a customer in good
// standing and by an application that is.
func (s *Store) FindPreSigned(ctx context.Context, key domain.LoginDigest, now time.Time) (t domain.PreSigned, err error) {
	const sql = `
		SELECT s.partner, s.person, s.client, s.permissions, s.until
		FROM presigned s JOIN person p ON p.id = s.person JOIN partner q ON q.id = s.partner JOIN application a ON a.id = s.client
		WHERE s.digest = $1 AND s.until > $2 AND NOT a.disabled AND ` + personStands
	err = s.read(ctx, "find a pre-signed token", func(ctx context.Context, c conn) error {
		t, err = one(ctx, c, aLogin, func(row pgx.CollectableRow) (domain.PreSigned, error) {
			t, permissions := domain.PreSigned{Digest: key}, ""
			if err := row.Scan(&t.Partner, &t.User, &t.Client, &permissions, at(&t.Until)); err != nil {
				return t, err
			}
			var err error
			t.Permissions, err = domain.ParsePermissions(strings.Fields(permissions))
			return t, stored(err)
		}, sql, key[:], micros(now))
		return err
	})
	return t, err
}

// EndPreSigned ends pre-signed tokens and what they have brought: the one with
// the digest, or where that is zero all of a customer of the partner. It is
// [domain.NotFound] where there is no such token, or customer.
func (s *Store) EndPreSigned(ctx context.Context, key domain.LoginDigest, partner domain.PartnerID, id domain.UserID, now time.Time, e domain.Entry) (ended []string, err error) {
	const owner = `SELECT partner, person FROM presigned WHERE digest = $1`
	const customer = `SELECT 1 FROM person WHERE id = $1 AND partner = $2 AND customer`
	const brought = `
		SELECT l.family FROM login l JOIN presigned s ON s.person = l.person AND s.digest = l.proof
		WHERE l.person = $1 AND l.ended_at = 0 AND ($2::bytea IS NULL OR s.digest = $2)`
	const end = `DELETE FROM presigned WHERE person = $1 AND ($2::bytea IS NULL OR digest = $2)`
	err = s.changeSilently(ctx, "end pre-signed tokens", func(ctx context.Context, c conn) error {
		e, id := e, id
		if key != (domain.LoginDigest{}) {
			found, err := one(ctx, c, aLogin, func(row pgx.CollectableRow) (u domain.User, err error) {
				return u, row.Scan(&u.Partner, &u.ID)
			}, owner, key[:])
			if err != nil {
				return err
			}
			id, e.Partner, e.Object = found.ID, found.Partner, string(found.ID)
		} else if err := exists(ctx, c, aUser, customer, id, partner); err != nil {
			return err
		}
		if ended, err = stopLogins(ctx, c, now, brought, id, digestOrNone(key)); err != nil {
			return err
		}
		if err := run(ctx, c, end, id, digestOrNone(key)); err != nil {
			return err
		}
		return s.record(ctx, c, e)
	})
	return ended, err
}

// AddMasquerade adds a token for a look at a customer of its partner; whoever
// looks is staff of that partner or of the platform, and may.
func (s *Store) AddMasquerade(ctx context.Context, m domain.Masquerade, now time.Time, e domain.Entry) error {
	const forget = `DELETE FROM masquerade WHERE digest IN (SELECT digest FROM masquerade WHERE until < $1 LIMIT 16)`
	const add = `
		INSERT INTO masquerade (digest, partner, person, staff, until, used_at)
		SELECT $1::bytea, p.partner, p.id, $4::text, $5::bigint, 0 FROM person p JOIN partner q ON q.id = p.partner
		WHERE p.id = $2 AND p.partner = $3 AND ` + personStands + ` AND ($4::text IS NULL OR ` + staffMayLook + ` s.id = $4::text))`
	return s.changeSilently(ctx, "add a masquerade", func(ctx context.Context, c conn) error {
		if err := run(ctx, c, forget, micros(now.Add(-domain.RevocationKept))); err != nil {
			return err
		}
		if err := changed(ctx, c, aUser, add, m.Digest[:], m.User, m.Partner, optional(m.Staff), micros(m.Until)); err != nil {
			return err
		}
		return s.record(ctx, c, e)
	})
}

// staffMayLook begins a condition: there is a member of staff s who may look on as
// the person p, and is the one named.
const staffMayLook = `EXISTS (
	SELECT 1 FROM person s LEFT JOIN partner r ON r.id = s.partner
	WHERE s.staff AND NOT s.disabled AND (s.partner IS NULL OR s.partner = p.partner AND NOT r.disabled)
		AND 'SUPPORT_VIEWER' = ANY (string_to_array(s.permissions, ' ')) AND`

// TakeMasquerade takes a token for a look at a user, once, and adds the log-in,
// which is completed by it. Whatever is wrong is [domain.NotFound], and takes
// nothing.
func (s *Store) TakeMasquerade(ctx context.Context, key domain.LoginDigest, l domain.Login, now time.Time, e domain.Entry) (domain.Login, error) {
	const find = `
		SELECT m.partner, m.staff, m.until FROM masquerade m JOIN person p ON p.id = m.person JOIN partner q ON q.id = m.partner
		WHERE m.digest = $1 AND m.person = $2 AND m.used_at = 0 AND m.until > $3 AND ` + personStands + `
			AND (m.staff IS NULL OR ` + staffMayLook + ` s.id = m.staff))`
	const take = `UPDATE masquerade SET used_at = $2 WHERE digest = $1`
	const add = `
		INSERT INTO login (family, partner, person, staff, method, permissions, started_at, until, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)`
	err := s.changeSilently(ctx, "take a masquerade", func(ctx context.Context, c conn) error {
		m, err := one(ctx, c, aLogin, func(row pgx.CollectableRow) (m domain.Masquerade, err error) {
			return m, row.Scan(&m.Partner, maybe(&m.Staff), at(&m.Until))
		}, find, key[:], l.User, micros(now))
		if err != nil {
			return err
		}
		l.Partner, l.Staff, l.Until = m.Partner, m.Staff, m.Until
		if err := changed(ctx, c, aLogin, take, key[:], micros(now)); err != nil {
			return err
		}
		if err := insert(ctx, c, "this log-in exists", add, l.Family, l.Partner, l.User, optional(l.Staff), l.Method,
			words(l.Permissions.Names()), micros(l.StartedAt), micros(l.Until)); err != nil {
			return err
		}
		e.Partner, e.User = m.Partner, m.Staff
		return s.record(ctx, c, e)
	})
	return l, err
}
