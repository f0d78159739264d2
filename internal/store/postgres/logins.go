package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

const (
	aLogin       = "this log-in"
	loginColumns = `l.family, l.partner, l.person, l.client, l.staff, l.method, l.permissions, l.started_at, l.until`
	// maxLogins is how many log-ins of a person, and of a third party for them, live
	// at once. The oldest ends for a new one.
	maxLogins = 100
	// loginKept is how long one that is over is still known, so that its refresh
	// token is said to have expired.
	loginKept = 7 * 24 * time.Hour
	// personStands says whether a person p of a partner q is a customer in good
	// standing.
	personStands = `p.customer AND NOT p.staff AND NOT p.disabled AND NOT q.disabled`
)

// OnlyPartner returns the partner of the only customer with an e-mail address.
func (s *Store) OnlyPartner(ctx context.Context, email string) (partner domain.PartnerID, err error) {
	const sql = `
		SELECT partner FROM person
		WHERE lower(email) = lower($1 COLLATE "C") AND email <> '' AND customer AND NOT staff LIMIT 2`
	err = s.read(ctx, "find a customer's partner", func(ctx context.Context, c conn) error {
		list, err := all(ctx, c, scanText, sql, email)
		if err != nil {
			return err
		}
		if len(list) != 1 {
			return notFound(aUser)
		}
		partner = domain.PartnerID(list[0])
		return nil
	})
	return partner, err
}

// AddLogin adds a log-in of a customer, who must still stand, and what proved it
// must still be so; otherwise [domain.NotFound]. It returns the log-ins that
// ended for it.
func (s *Store) AddLogin(ctx context.Context, l domain.Login, refresh domain.LoginDigest, proof domain.LoginProof, now time.Time, e domain.Entry) (ended []string, err error) {
	const forget = `DELETE FROM login WHERE family IN (SELECT family FROM login WHERE until < $1 LIMIT 16)`
	const forgetPreSigned = `DELETE FROM presigned WHERE digest IN (SELECT digest FROM presigned WHERE until < $1 LIMIT 16)`
	const add = `
		INSERT INTO login (family, partner, person, client, method, permissions, refresh, proof, started_at, until, ended_at)
		SELECT $1::text, p.partner, p.id, $4::text, $5::text, $6::text, $7::bytea, $8::bytea, $9::bigint, $10::bigint, 0
		FROM person p JOIN partner q ON q.id = p.partner
		WHERE p.id = $2 AND p.partner = $3 AND ` + personStands + `
			AND ($11::text = '' OR p.password_hash = $11::text)
			AND ($8::bytea IS NULL OR EXISTS (SELECT 1 FROM live_key k WHERE k.person = p.id AND k.digest = $8::bytea)
				OR EXISTS (SELECT 1 FROM presigned s WHERE s.person = p.id AND s.digest = $8::bytea AND s.until > $12::bigint))
			AND ($4::text IS NULL OR EXISTS (SELECT 1 FROM application a WHERE a.id = $4::text AND a.partner = p.partner AND NOT a.disabled))`
	const old = `
		SELECT family FROM login WHERE person = $1 AND client IS NOT DISTINCT FROM $2::text AND ended_at = 0
		ORDER BY started_at DESC, family DESC OFFSET $3`
	err = s.changeSilently(ctx, "add a log-in", func(ctx context.Context, c conn) error {
		if err := run(ctx, c, forget, micros(now.Add(-loginKept))); err != nil {
			return err
		}
		if err := run(ctx, c, forgetPreSigned, micros(now.Add(-loginKept))); err != nil {
			return err
		}
		tag, err := c.Exec(ctx, add,
			l.Family, l.User, l.Partner, optional(l.Client), l.Method, words(l.Permissions.Names()), refresh[:], digestOrNone(proof.Key),
			micros(l.StartedAt), micros(l.Until), proof.PasswordHash, micros(now))
		if err != nil {
			return clashes("this log-in exists", err)
		}
		if tag.RowsAffected() == 0 {
			return notFound(aUser)
		}
		if ended, err = stopLogins(ctx, c, now, old, l.User, optional(l.Client), maxLogins); err != nil {
			return err
		}
		return s.record(ctx, c, e)
	})
	return ended, err
}

// digestOrNone writes the zero digest as NULL.
func digestOrNone(d domain.LoginDigest) []byte {
	if d == (domain.LoginDigest{}) {
		return nil
	}
	return d[:]
}

// FindLogin finds a log-in by its refresh token, over or not, as long as all that
// it depends on stands, and the user and the partner have since it began.
func (s *Store) FindLogin(ctx context.Context, refresh domain.LoginDigest) (l domain.Login, err error) {
	const sql = `
		SELECT ` + loginColumns + ` FROM login l JOIN person p ON p.id = l.person JOIN partner q ON q.id = l.partner
		WHERE l.refresh = $1 AND l.ended_at = 0 AND ` + personStands + `
			AND p.revoked_before < l.started_at AND q.revoked_before < l.started_at
			AND (l.client IS NULL OR EXISTS (
				SELECT 1 FROM application a WHERE a.id = l.client AND NOT a.disabled))`
	err = s.read(ctx, "find a log-in", func(ctx context.Context, c conn) error {
		l, err = one(ctx, c, aLogin, scanLogin, sql, refresh[:])
		return err
	})
	return l, err
}

func scanLogin(row pgx.CollectableRow) (l domain.Login, err error) {
	var permissions string
	err = row.Scan(&l.Family, &l.Partner, &l.User, maybe(&l.Client), maybe(&l.Staff), &l.Method, &permissions, at(&l.StartedAt), at(&l.Until))
	if err != nil {
		return l, err
	}
	l.Permissions, err = domain.ParsePermissions(strings.Fields(permissions))
	return l, stored(err)
}

// stopLogins ends the log-ins that a statement finds, and denies their tokens on
// all nodes.
func stopLogins(ctx context.Context, c conn, now time.Time, sql string, args ...any) ([]string, error) {
	const end = `UPDATE login SET ended_at = $2 WHERE family = $1 AND ended_at = 0`
	const deny = `INSERT INTO revoked_token (jti, until) VALUES ($1, $2) ON CONFLICT (jti) DO NOTHING`
	families, err := all(ctx, c, scanText, sql, args...)
	if err != nil || len(families) == 0 {
		return nil, err
	}
	for _, family := range families {
		if err := run(ctx, c, end, family, micros(now)); err != nil {
			return nil, err
		}
		r := domain.RevokeFamily(family, now)
		if err := run(ctx, c, deny, r.Token[:], micros(r.Until)); err != nil {
			return nil, err
		}
	}
	return families, notify(ctx, c)
}

// EndLogin ends the log-in of a refresh token that the caller has: the user of
// their own, a third party of its own. Any other is [domain.NotFound]. It returns
// nothing for one that has ended.
func (s *Store) EndLogin(ctx context.Context, refresh domain.LoginDigest, by domain.Caller, now time.Time, e domain.Entry) (ended []string, err error) {
	const find = `
		SELECT ` + loginColumns + ` FROM login l
		WHERE l.refresh = $1 AND l.partner = $2 AND ($3::text <> '' AND l.person = $3 OR $3 = '' AND $4::text <> '' AND l.client = $4)`
	const living = `SELECT family FROM login WHERE family = $1 AND ended_at = 0`
	err = s.changeSilently(ctx, "end a log-in", func(ctx context.Context, c conn) error {
		l, err := one(ctx, c, aLogin, scanLogin, find, refresh[:], by.Partner, by.User, by.Client)
		if err != nil {
			return err
		}
		if ended, err = stopLogins(ctx, c, now, living, l.Family); err != nil || len(ended) == 0 {
			return err
		}
		e.Object = l.Family
		return s.record(ctx, c, e)
	})
	return ended, err
}

// EndLogins ends what a customer of the partner has got by logging in, looks of
// staff included; with thirdParties what third parties have got, too.
func (s *Store) EndLogins(ctx context.Context, partner domain.PartnerID, id domain.UserID, thirdParties bool, now time.Time, e domain.Entry) (ended []string, err error) {
	const customer = `SELECT 1 FROM person WHERE id = $1 AND partner = $2 AND customer`
	const living = `SELECT family FROM login WHERE partner = $1 AND person = $2 AND ended_at = 0 AND ($3::boolean OR client IS NULL)`
	err = s.changeSilently(ctx, "end a customer's log-ins", func(ctx context.Context, c conn) error {
		if err := exists(ctx, c, aUser, customer, id, partner); err != nil {
			return err
		}
		if ended, err = stopLogins(ctx, c, now, living, partner, id, thirdParties); err != nil {
			return err
		}
		return s.record(ctx, c, e)
	})
	return ended, err
}

// EndTokens ends everything that speaks for a customer of the partner: sessions,
// families, log-ins, and by the instant dead what was made by acting as them.
func (s *Store) EndTokens(ctx context.Context, partner domain.PartnerID, id domain.UserID, dead, now time.Time, e domain.Entry) (ended []string, err error) {
	const sql = `UPDATE person SET revoked_before = greatest(revoked_before, $3) WHERE id = $1 AND partner = $2 AND customer`
	err = s.change(ctx, "end a customer's tokens", func(ctx context.Context, c conn) error {
		if err := changed(ctx, c, aUser, sql, id, partner, micros(dead)); err != nil {
			return err
		}
		if ended, err = endAllOf(ctx, c, id, now); err != nil {
			return err
		}
		return s.record(ctx, c, e)
	})
	return ended, err
}

// endAllOf ends a person's sessions, and the families and log-ins that speak for
// them, whose names it returns.
func endAllOf(ctx context.Context, c conn, id domain.UserID, now time.Time) ([]string, error) {
	// By the applications of the partner, because families have an index by these.
	const living = `
		SELECT f.id FROM person p
			JOIN application a ON a.partner = p.partner
			JOIN token_family f ON f.client = a.id AND f.person = p.id
		WHERE p.id = $1 AND f.ended_at = 0`
	if err := run(ctx, c, `DELETE FROM session WHERE person = $1`, id); err != nil {
		return nil, err
	}
	families, err := all(ctx, c, scanText, living, id)
	if err != nil {
		return nil, err
	}
	for _, family := range families {
		if _, err := stopFamily(ctx, c, family, now); err != nil {
			return nil, err
		}
	}
	logins, err := stopLogins(ctx, c, now, `SELECT family FROM login WHERE person = $1 AND ended_at = 0`, id)
	return append(families, logins...), err
}

// forgetKeys removes what a person's programs log in with.
func forgetKeys(ctx context.Context, c conn, id domain.UserID) error {
	for _, sql := range []string{`DELETE FROM live_key WHERE person = $1`, `DELETE FROM presigned WHERE person = $1`} {
		if err := run(ctx, c, sql, id); err != nil {
			return err
		}
	}
	return nil
}
