package postgres

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
)

const aRequest = "this request"

// KeepRequest keeps a request until an instant, and forgets what is over.
func (s *Store) KeepRequest(ctx context.Context, kind authorize.Kind, key authorize.Digest, r authorize.Request, until, now time.Time) error {
	const sql = `INSERT INTO authorization_request (digest, kind, client, request, until, device) VALUES ($1, $2, $3, $4, $5, $6)`
	text, err := json.Marshal(r)
	if err != nil {
		return stored(err)
	}
	return s.changeSilently(ctx, "keep a request", func(ctx context.Context, c conn) error {
		if err := sweep(ctx, c, now); err != nil {
			return err
		}
		device, err := makeRoom(ctx, c, r)
		if err != nil {
			return err
		}
		return insert(ctx, c, "this request exists", sql, key[:], string(kind), r.Client, string(text), micros(until), device)
	})
}

// FindRequest finds a request that waits.
func (s *Store) FindRequest(ctx context.Context, kind authorize.Kind, key authorize.Digest, now time.Time) (r authorize.Request, err error) {
	const sql = `SELECT request FROM authorization_request WHERE digest = $1 AND kind = $2 AND until > $3`
	err = s.read(ctx, "find a request", func(ctx context.Context, c conn) error {
		r, err = one(ctx, c, aRequest, scanRequest, sql, key[:], string(kind), micros(now))
		return err
	})
	return r, err
}

// TakeRequest takes a request of an application, once.
func (s *Store) TakeRequest(ctx context.Context, kind authorize.Kind, key authorize.Digest, client domain.ClientID, now time.Time) (r authorize.Request, err error) {
	err = s.changeSilently(ctx, "take a request", func(ctx context.Context, c conn) (err error) {
		r, err = takeRequest(ctx, c, kind, key, client, now)
		return err
	})
	return r, err
}

// takeRequest takes a request of an application, or of any for the empty one.
func takeRequest(ctx context.Context, c conn, kind authorize.Kind, key authorize.Digest, client domain.ClientID, now time.Time) (authorize.Request, error) {
	const sql = `
		DELETE FROM authorization_request
		WHERE digest = $1 AND kind = $2 AND ($3 = '' OR client = $3) AND until > $4 RETURNING request`
	return one(ctx, c, aRequest, scanRequest, sql, key[:], string(kind), client, micros(now))
}

func scanRequest(row pgx.CollectableRow) (r authorize.Request, err error) {
	var text string
	if err := row.Scan(&text); err != nil {
		return r, err
	}
	return parseRequest(text)
}

func parseRequest(text string) (r authorize.Request, err error) {
	err = stored(json.Unmarshal([]byte(text), &r))
	return r, err
}

// Approve takes a challenge and stores what was decided.
func (s *Store) Approve(ctx context.Context, a authorize.Approval) (ended []string, err error) {
	const customer = `
		SELECT 1 FROM person p JOIN partner q ON q.id = p.partner
		WHERE p.id = $1 AND p.partner = $2 AND p.customer AND NOT p.staff AND NOT p.disabled AND NOT q.disabled`
	const application = `SELECT 1 FROM application WHERE id = $1 AND partner = $2 AND NOT disabled`
	const known = `SELECT count(*) FROM token_family WHERE client = $1 AND person = $2`
	err = s.changeSilently(ctx, "keep a decision", func(ctx context.Context, c conn) error {
		a := a
		if err := sweep(ctx, c, a.Now); err != nil {
			return err
		}
		if _, err := takeRequest(ctx, c, authorize.KindChallenge, a.Challenge, a.Grant.Client, a.Now); err != nil {
			return err
		}
		if err := exists(ctx, c, aUser, customer, a.Grant.User, a.Grant.Partner); err != nil {
			return err
		}
		if err := exists(ctx, c, anApplication, application, a.Grant.Client, a.Grant.Partner); err != nil {
			return err
		}
		families, err := one(ctx, c, "a number", scanNumber, known, a.Grant.Client, a.Grant.User)
		if err != nil {
			return err
		}
		if ended, err = keepConsent(ctx, c, &a); err != nil {
			return err
		}
		if err := addFamily(ctx, c, a); err != nil {
			return err
		}
		if a.FirstOnly && families > 0 {
			return nil
		}
		return s.record(ctx, c, a.Entry)
	})
	return ended, err
}

// keepConsent adds the consent of a decision, if there is one, in the place of
// earlier ones. It returns the families that end with those, and says in the
// entry what was replaced.
func keepConsent(ctx context.Context, c conn, a *authorize.Approval) ([]string, error) {
	if a.Consent == nil {
		return nil, nil
	}
	replaced, families, err := replaceConsents(ctx, c, *a.Consent, a.Now)
	if err != nil {
		return nil, err
	}
	if len(replaced) > 0 {
		a.Entry.Detail = strings.TrimPrefix(a.Entry.Detail+"; ", "; ") + "replaced " + strings.Join(replaced, ", ")
	}
	return families, addConsent(ctx, c, *a.Consent)
}

// addFamily starts a family with its code or its device.
func addFamily(ctx context.Context, c conn, a authorize.Approval) error {
	const family = `
		INSERT INTO token_family (` + familyColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0)`
	const code = `
		INSERT INTO authorization_code (digest, family, redirect, challenge, until, used_at, jkt)
		VALUES ($1, $2, $3, $4, $5, 0, $6)`
	const device = `
		UPDATE device_code SET state = 'allowed', family = $2
		WHERE digest = $1 AND state = 'waiting' AND until > $3 AND client = $4`
	g, start := a.Grant, a.At
	if start.IsZero() {
		start = a.Now
	}
	err := insert(ctx, c, "this family exists", family,
		g.Family, g.Client, g.Partner, g.User, optional(g.Consent), g.Scope, words(g.Permissions.Names()), list(g.Audience), list(g.Resource),
		g.Nonce, micros(g.AuthTime), g.Offline, micros(start), micros(a.Until))
	if err != nil {
		return err
	}
	if a.Code == nil {
		return changed(ctx, c, aDevice, device, a.Device[:], g.Family, micros(a.Now), g.Client)
	}
	return insert(ctx, c, "this code exists", code, a.Code.Digest[:], g.Family, a.Code.Redirect, a.Code.Challenge, micros(a.Code.Until), a.Code.DPoPKey)
}

// Decline takes a challenge and returns its request; a device is declined.
func (s *Store) Decline(ctx context.Context, challenge authorize.Digest, now time.Time, e domain.Entry) (r authorize.Request, err error) {
	const device = `UPDATE device_code SET state = 'denied' WHERE digest = $1 AND state = 'waiting'`
	err = s.changeSilently(ctx, "keep a refusal", func(ctx context.Context, c conn) (err error) {
		if r, err = takeRequest(ctx, c, authorize.KindChallenge, challenge, "", now); err != nil {
			return err
		}
		if key, ok := authorize.ParseDigest(r.Device); ok {
			if err := run(ctx, c, device, key[:]); err != nil {
				return err
			}
		}
		e.Partner, e.Client, e.Object = r.Partner, r.Client, string(r.Client)
		return s.record(ctx, c, e)
	})
	return r, err
}
