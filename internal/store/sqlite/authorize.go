package sqlite

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
)

const aRequest = "this request"

// KeepRequest keeps a request until an instant, and forgets what is over.
func (s *Store) KeepRequest(ctx context.Context, kind authorize.Kind, key authorize.Digest, r authorize.Request, until, now time.Time) error {
	const sql = `INSERT INTO authorization_request (digest, kind, client, request, until, device) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`
	text, err := json.Marshal(r)
	if err != nil {
		return stored(err)
	}
	return s.change(ctx, "keep a request", func(conn *sqlite.Conn) error {
		if err := sweep(conn, now); err != nil {
			return err
		}
		device, err := makeRoom(conn, r)
		if err != nil {
			return err
		}
		return insert(conn, "this request exists", sql, key[:], string(kind), r.Client, string(text), micros(until), device)
	})
}

// FindRequest finds a request that waits.
func (s *Store) FindRequest(ctx context.Context, kind authorize.Kind, key authorize.Digest, now time.Time) (r authorize.Request, err error) {
	const sql = `SELECT request FROM authorization_request WHERE digest = ?1 AND kind = ?2 AND until > ?3`
	err = s.read(ctx, "find a request", func(conn *sqlite.Conn) error {
		r, err = one(conn, aRequest, scanRequest(0), sql, key[:], string(kind), micros(now))
		return err
	})
	return r, err
}

// TakeRequest takes a request of an application, once.
func (s *Store) TakeRequest(ctx context.Context, kind authorize.Kind, key authorize.Digest, client domain.ClientID, now time.Time) (r authorize.Request, err error) {
	err = s.change(ctx, "take a request", func(conn *sqlite.Conn) (err error) {
		r, err = takeRequest(conn, kind, key, client, now)
		return err
	})
	return r, err
}

// takeRequest takes a request of an application, or of any for the empty one.
func takeRequest(conn *sqlite.Conn, kind authorize.Kind, key authorize.Digest, client domain.ClientID, now time.Time) (authorize.Request, error) {
	const sql = `
		DELETE FROM authorization_request
		WHERE digest = ?1 AND kind = ?2 AND (?3 = '' OR client = ?3) AND until > ?4 RETURNING request`
	return one(conn, aRequest, scanRequest(0), sql, key[:], string(kind), client, micros(now))
}

func scanRequest(column int) func(*sqlite.Stmt) (authorize.Request, error) {
	return func(row *sqlite.Stmt) (r authorize.Request, err error) {
		err = stored(json.Unmarshal([]byte(row.ColumnText(column)), &r))
		return r, err
	}
}

// Approve takes a challenge and stores what was decided.
func (s *Store) Approve(ctx context.Context, a authorize.Approval) (ended []string, err error) {
	const customer = `
		SELECT 1 FROM person p JOIN partner q ON q.id = p.partner
		WHERE p.id = ?1 AND p.partner = ?2 AND p.customer = 1 AND p.staff = 0 AND p.disabled = 0 AND q.disabled = 0`
	const application = `SELECT 1 FROM application WHERE id = ?1 AND partner = ?2 AND disabled = 0`
	const known = `SELECT count(*) FROM token_family WHERE client = ?1 AND person = ?2`
	err = s.change(ctx, "keep a decision", func(conn *sqlite.Conn) error {
		a := a
		if err := sweep(conn, a.Now); err != nil {
			return err
		}
		if _, err := takeRequest(conn, authorize.KindChallenge, a.Challenge, a.Grant.Client, a.Now); err != nil {
			return err
		}
		if err := exists(conn, aUser, customer, a.Grant.User, a.Grant.Partner); err != nil {
			return err
		}
		if err := exists(conn, anApplication, application, a.Grant.Client, a.Grant.Partner); err != nil {
			return err
		}
		families, err := one(conn, "a number", scanNumber, known, a.Grant.Client, a.Grant.User)
		if err != nil {
			return err
		}
		if ended, err = keepConsent(conn, &a); err != nil {
			return err
		}
		if err := addFamily(conn, a); err != nil {
			return err
		}
		if a.FirstOnly && families > 0 {
			return nil
		}
		return s.record(conn, a.Entry)
	})
	return ended, err
}

// keepConsent adds the consent of a decision, if there is one, in the place of
// earlier ones. It returns the families that end with those, and says in the
// entry what was replaced.
func keepConsent(conn *sqlite.Conn, a *authorize.Approval) ([]string, error) {
	if a.Consent == nil {
		return nil, nil
	}
	replaced, families, err := replaceConsents(conn, *a.Consent, a.Now)
	if err != nil {
		return nil, err
	}
	if len(replaced) > 0 {
		a.Entry.Detail = strings.TrimPrefix(a.Entry.Detail+"; ", "; ") + "replaced " + strings.Join(replaced, ", ")
	}
	return families, addConsent(conn, *a.Consent)
}

// addFamily starts a family with its code or its device.
func addFamily(conn *sqlite.Conn, a authorize.Approval) error {
	const family = `
		INSERT INTO token_family (` + familyColumns + `)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0)`
	const code = `
		INSERT INTO authorization_code (digest, family, redirect, challenge, until, used_at, jkt)
		VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)`
	const device = `
		UPDATE device_code SET state = 'allowed', family = ?2
		WHERE digest = ?1 AND state = 'waiting' AND until > ?3 AND client = ?4`
	g, start := a.Grant, a.At
	if start.IsZero() {
		start = a.Now
	}
	err := insert(conn, "this family exists", family,
		g.Family, g.Client, g.Partner, g.User, optional(g.Consent), g.Scope, words(g.Permissions.Names()), list(g.Audience), list(g.Resource),
		g.Nonce, micros(g.AuthTime), g.Offline, micros(start), micros(a.Until))
	if err != nil {
		return err
	}
	if a.Code == nil {
		return changed(conn, aDevice, device, a.Device[:], g.Family, micros(a.Now), g.Client)
	}
	return insert(conn, "this code exists", code, a.Code.Digest[:], g.Family, a.Code.Redirect, a.Code.Challenge, micros(a.Code.Until), a.Code.DPoPKey)
}

// Decline takes a challenge and returns its request; a device is declined.
func (s *Store) Decline(ctx context.Context, challenge authorize.Digest, now time.Time, e domain.Entry) (r authorize.Request, err error) {
	const device = `UPDATE device_code SET state = 'denied' WHERE digest = ?1 AND state = 'waiting'`
	err = s.change(ctx, "keep a refusal", func(conn *sqlite.Conn) (err error) {
		if r, err = takeRequest(conn, authorize.KindChallenge, challenge, "", now); err != nil {
			return err
		}
		if key, ok := authorize.ParseDigest(r.Device); ok {
			if err := run(conn, device, key[:]); err != nil {
				return err
			}
		}
		e.Partner, e.Client, e.Object = r.Partner, r.Client, string(r.Client)
		return s.record(conn, e)
	})
	return r, err
}
