package sqlite

import (
	"context"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
)

const (
	aFamily       = "this family of tokens"
	familyColumns = `id, client, partner, person, consent, scope, permissions, audience, resource,
		nonce, auth_time, offline, started_at, until, ended_at`
	// grantColumns are those of a family f that scanGrant reads.
	grantColumns = `f.id, f.client, f.partner, f.person, f.consent, f.scope, f.permissions, f.audience, f.resource,
		f.nonce, f.auth_time, f.offline, f.jkt`
	grantWidth = 13
	// standing says whether a family f counts at the instant ?1: everybody that it
	// depends on does, and did ever since it began.
	standing = `f.ended_at = 0 AND EXISTS (
			SELECT 1 FROM application a JOIN partner q ON q.id = a.partner JOIN person p ON p.id = f.person
			WHERE a.id = f.client AND a.disabled = 0 AND q.disabled = 0 AND q.revoked_before < f.started_at
				AND p.customer = 1 AND p.staff = 0 AND p.disabled = 0 AND p.revoked_before < f.started_at)
		AND (f.consent IS NULL OR EXISTS (SELECT 1 FROM consent c WHERE c.id = f.consent AND c.revoked_at = 0 AND c.valid_until > ?1))`
)

// taken is what a statement finds of something that works once.
type taken struct {
	grant  authorize.Grant
	code   authorize.Code
	until  time.Time
	used   bool
	stands bool
}

func scanGrant(row *sqlite.Stmt) (authorize.Grant, error) {
	permissions, err := domain.ParsePermissions(strings.Fields(row.ColumnText(6)))
	if err != nil {
		return authorize.Grant{}, stored(err)
	}
	audience, err := parseList(row.ColumnText(7))
	if err != nil {
		return authorize.Grant{}, stored(err)
	}
	var bound domain.Confirmation
	if jkt := row.ColumnText(12); jkt != "" {
		bound = domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: jkt}
	}
	resource, err := parseList(row.ColumnText(8))
	return authorize.Grant{
		Family:      row.ColumnText(0),
		Client:      domain.ClientID(row.ColumnText(1)),
		Partner:     domain.PartnerID(row.ColumnText(2)),
		User:        domain.UserID(row.ColumnText(3)),
		Consent:     domain.ConsentID(row.ColumnText(4)),
		Scope:       row.ColumnText(5),
		Permissions: permissions,
		Audience:    audience,
		Resource:    resource,
		Nonce:       row.ColumnText(9),
		AuthTime:    instant(row.ColumnInt64(10)),
		Offline:     row.ColumnBool(11),
		Bound:       bound,
	}, stored(err)
}

// ConsumeCode takes a code, whoever presents it.
func (s *Store) ConsumeCode(ctx context.Context, code authorize.Digest, now time.Time, reuse domain.Entry) (g authorize.Grant, c authorize.Code, how authorize.Outcome, err error) {
	const find = `
		SELECT ` + grantColumns + `, k.redirect, k.challenge, k.until, k.used_at, ` + standing + `, k.jkt
		FROM authorization_code k JOIN token_family f ON f.id = k.family WHERE k.digest = ?2`
	const take = `UPDATE authorization_code SET used_at = ?2 WHERE digest = ?1`
	err = s.change(ctx, "take a code", func(conn *sqlite.Conn) error {
		g, c, how = authorize.Grant{}, authorize.Code{}, authorize.Unknown
		found, err := all(conn, scanCode, find, micros(now), code[:])
		if err != nil || len(found) == 0 {
			return err
		}
		t := found[0]
		if how = t.outcome(now); how == authorize.Fresh || how == authorize.Reused {
			g, c = t.grant, t.code
			c.Digest = code
		}
		if how == authorize.Reused {
			return s.endFamily(conn, t.grant, now, reuse)
		}
		return run(conn, take, code[:], micros(now))
	})
	return g, c, how, err
}

func scanCode(row *sqlite.Stmt) (t taken, err error) {
	t.grant, err = scanGrant(row)
	t.code = authorize.Code{Redirect: row.ColumnText(grantWidth), Challenge: row.ColumnText(grantWidth + 1), Until: instant(row.ColumnInt64(grantWidth + 2))}
	t.code.DPoPKey = row.ColumnText(grantWidth + 5)
	t.until, t.used, t.stands = t.code.Until, row.ColumnInt64(grantWidth+3) != 0, row.ColumnBool(grantWidth+4)
	return t, err
}

// outcome says what comes of taking it now.
func (t *taken) outcome(now time.Time) authorize.Outcome {
	switch {
	case t.used:
		return authorize.Reused
	case !now.Before(t.until):
		return authorize.Expired
	case !t.stands:
		return authorize.Dead
	}
	return authorize.Fresh
}

// endFamily ends a family that has not ended, and denies its tokens on all nodes.
func (s *Store) endFamily(conn *sqlite.Conn, g authorize.Grant, now time.Time, e domain.Entry) error {
	if ended, err := stopFamily(conn, g.Family, now); err != nil || !ended {
		return err
	}
	e.Partner, e.Client, e.Object = g.Partner, g.Client, g.Family
	return s.record(conn, e)
}

// stopFamily is endFamily without an entry.
func stopFamily(conn *sqlite.Conn, family string, now time.Time) (ended bool, err error) {
	const end = `UPDATE token_family SET ended_at = ?2 WHERE id = ?1 AND ended_at = 0`
	const deny = `INSERT INTO revoked_token (jti, until) VALUES (?1, ?2) ON CONFLICT (jti) DO NOTHING`
	if err := run(conn, end, family, micros(now)); err != nil || conn.Changes() == 0 {
		return false, err
	}
	r := domain.RevokeFamily(family, now)
	return true, run(conn, deny, r.Token[:], micros(r.Until))
}
