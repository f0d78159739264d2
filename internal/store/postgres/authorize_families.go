package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

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
	// standing says whether a family f counts at the instant $1: everybody that it
	// depends on does, and did ever since it began.
	standing = `f.ended_at = 0 AND EXISTS (
			SELECT 1 FROM application a JOIN partner q ON q.id = a.partner JOIN person p ON p.id = f.person
			WHERE a.id = f.client AND NOT a.disabled AND NOT q.disabled AND q.revoked_before < f.started_at
				AND p.customer AND NOT p.staff AND NOT p.disabled AND p.revoked_before < f.started_at)
		AND (f.consent IS NULL OR EXISTS (SELECT 1 FROM consent c WHERE c.id = f.consent AND c.revoked_at = 0 AND c.valid_until > $1))`
)

// taken is what a statement finds of something that works once.
type taken struct {
	grant  authorize.Grant
	code   authorize.Code
	until  time.Time
	used   bool
	stands bool
}

// scanGrant reads the columns of a grant, and those that follow them into more.
func scanGrant(row pgx.CollectableRow, more ...any) (g authorize.Grant, err error) {
	var permissions, audience, resource, jkt string
	fields := []any{
		&g.Family, &g.Client, &g.Partner, &g.User, maybe(&g.Consent), &g.Scope, &permissions, &audience, &resource,
		&g.Nonce, at(&g.AuthTime), &g.Offline, &jkt,
	}
	if err := row.Scan(append(fields, more...)...); err != nil {
		return g, err
	}
	if jkt != "" {
		g.Bound = domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: jkt}
	}
	if g.Permissions, err = domain.ParsePermissions(strings.Fields(permissions)); err != nil {
		return g, stored(err)
	}
	if g.Audience, err = parseList(audience); err != nil {
		return g, stored(err)
	}
	g.Resource, err = parseList(resource)
	return g, stored(err)
}

// ConsumeCode takes a code, whoever presents it.
func (s *Store) ConsumeCode(ctx context.Context, key authorize.Digest, now time.Time, reuse domain.Entry) (g authorize.Grant, code authorize.Code, how authorize.Outcome, err error) {
	const find = `
		SELECT ` + grantColumns + `, k.redirect, k.challenge, k.until, k.used_at, ` + standing + `, k.jkt
		FROM authorization_code k JOIN token_family f ON f.id = k.family WHERE k.digest = $2`
	const take = `UPDATE authorization_code SET used_at = $2 WHERE digest = $1`
	err = s.changeSilently(ctx, "take a code", func(ctx context.Context, c conn) error {
		g, code, how = authorize.Grant{}, authorize.Code{}, authorize.Unknown
		found, err := all(ctx, c, scanCode, find, micros(now), key[:])
		if err != nil || len(found) == 0 {
			return err
		}
		t := found[0]
		if how = t.outcome(now); how == authorize.Fresh || how == authorize.Reused {
			g, code = t.grant, t.code
			code.Digest = key
		}
		if how == authorize.Reused {
			return s.endFamily(ctx, c, t.grant, now, reuse)
		}
		return run(ctx, c, take, key[:], micros(now))
	})
	return g, code, how, err
}

func scanCode(row pgx.CollectableRow) (t taken, err error) {
	var used time.Time
	t.grant, err = scanGrant(row, &t.code.Redirect, &t.code.Challenge, at(&t.code.Until), at(&used), &t.stands, &t.code.DPoPKey)
	t.until, t.used = t.code.Until, !used.IsZero()
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
func (s *Store) endFamily(ctx context.Context, c conn, g authorize.Grant, now time.Time, e domain.Entry) error {
	if ended, err := stopFamily(ctx, c, g.Family, now); err != nil || !ended {
		return err
	}
	e.Partner, e.Client, e.Object = g.Partner, g.Client, g.Family
	return s.record(ctx, c, e)
}

// stopFamily is endFamily without an entry. Nodes that do not hear of it at once
// still take its tokens; it is in the feed of revocations, and in no directory.
func stopFamily(ctx context.Context, c conn, family string, now time.Time) (ended bool, err error) {
	const sql = `
		WITH ended AS (UPDATE token_family SET ended_at = $2 WHERE id = $1 AND ended_at = 0 RETURNING id),
			denied AS (INSERT INTO revoked_token (jti, until) SELECT $3::bytea, $4::bigint FROM ended ON CONFLICT (jti) DO NOTHING)
		SELECT 1 FROM ended`
	r := domain.RevokeFamily(family, now)
	tag, err := c.Exec(ctx, sql, family, micros(now), r.Token[:], micros(r.Until))
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	return true, notify(ctx, c)
}
