package issuance

import (
	"context"
	"crypto/rand"
	"io"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

// Reader says what a token of ours says, whatever its time.
type Reader interface {
	Authentic(raw string) (token.Claims, error)
}

// RevocationStore keeps revocations.
type RevocationStore interface {
	// RevokeToken stores a revocation and the entry of the audit log in one
	// transaction; both are durable when it returns. A token that is revoked
	// already is left as it is, without another entry. Revocations of tokens
	// that ended before the instant over are forgotten.
	RevokeToken(ctx context.Context, r domain.Revocation, over time.Time, e domain.Entry) error
}

// DenyList is asked for every token that is presented to this node.
type DenyList interface {
	Denies(jti string) bool
	Add(r domain.Revocation, now time.Time)
}

// Revoker ends tokens before their time (RFC 7009).
type Revoker struct {
	URL    string // iss
	Login  string // iss of account users' own log-ins; empty: there are none
	Keys   Reader
	Store  RevocationStore
	Denied DenyList
	// Families ends what follows from a refresh token; nil: there are none.
	Families Families
	Now      func() time.Time
	Chance   io.Reader // nil: the system's
}

// Families are the tokens that people have allowed, by their refresh tokens.
type Families interface {
	// EndFamily ends the family of a refresh token of an application, access
	// tokens included (RFC 7009 §2.1). It has taken effect when it returns. What
	// is none of the application's is left alone, without an error.
	EndFamily(ctx context.Context, app *domain.Listing, refresh domain.Secret, from domain.Origin) error
}

// Revoke ends a token of an application that has proven who it is. When it
// returns, the end is durable and no request to this node is accepted with the
// token any more.
//
// What is no token of ours, has expired or was revoked before needs no ending,
// and is no error (RFC 7009 §2.2). Nor is another application's token, which
// stays as it is: RFC 7009 §2.1 would tell its finder that it is genuine.
//
// Tokens for customers that were made from this one go on, as the answers to
// other requests do: each is revoked by itself, or all of them with their
// application, its role or the customer.
func (rv *Revoker) Revoke(ctx context.Context, app *domain.Listing, raw string, from domain.Origin) error {
	if rv.Families != nil && !strings.Contains(raw, ".") { // no token of three parts
		return rv.Families.EndFamily(ctx, app, domain.NewSecret(raw), from)
	}
	now := rv.Now()
	c, err := rv.Keys.Authentic(raw)
	switch {
	case err != nil || c.Issuer != rv.issuer(&c) || c.ClientID != app.ID:
		return nil
	case c.Expires <= now.Unix() || rv.Denied.Denies(c.ID):
		return nil
	}
	r := domain.Revocation{Token: domain.DigestTokenID(c.ID), Until: time.Unix(c.Expires, 0).UTC()}
	entry := domain.Entry{
		ID: domain.NewEntryID(now, rv.chance()), At: now, Action: "token.revoke", Partner: app.Partner, Client: app.ID,
		Object: c.ID, By: "its own application", RequestID: from.RequestID, Address: from.Address, Detail: c.SID,
	}
	storing, cancel := context.WithTimeout(ctx, journalPatience)
	defer cancel()
	if err := rv.Store.RevokeToken(storing, r, now.Add(-domain.RevocationKept), entry); err != nil {
		return err
	}
	rv.Denied.Add(r, now) // durable first: what is refused must stay refused after a crash
	return nil
}

// issuer is that of a token's kind.
func (rv *Revoker) issuer(c *token.Claims) string {
	if c.Method != "" {
		return rv.Login
	}
	return rv.URL
}

func (rv *Revoker) chance() io.Reader {
	if rv.Chance == nil {
		return rand.Reader
	}
	return rv.Chance
}
