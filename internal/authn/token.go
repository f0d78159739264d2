package authn

import (
	"errors"
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/dpop"
	"github.com/wattgate/wattgate/internal/token"
)

// TokenReader checks that a token is one of ours and says what it says.
type TokenReader interface {
	Verify(raw string, now time.Time, want token.Expect) (token.Claims, error)
}

// Tokens finds out who holds an access token.
type Tokens struct {
	Keys      TokenReader
	Directory Directory
	Issuer    string
	Login     string // the issuer of account users' own log-ins; empty: none count
	Now       func() time.Time
	// Denied are the tokens that were revoked one by one; nil: none.
	Denied *DenyList
	// FeedAge tells how old the newest news of other nodes' revocations is;
	// nil: there are no other nodes.
	FeedAge func() time.Duration
	// DPoP checks the proofs that go with bound tokens; nil: those are refused.
	DPoP *dpop.Verifier

	verified verified
}

// Caller returns who holds the token, for an API that demands the audience. A
// token counts only as long as its application, its partner and its user do,
// and never for more than the application's role holds now.
//
// A token that is bound to a key or a certificate is refused: [Tokens.Present]
// is for those.
func (t *Tokens) Caller(raw string, audience domain.Audience) (domain.Caller, error) {
	return t.Held(raw, audience, domain.Confirmation{})
}

// holder returns who holds the token, if they prove what it is bound to.
func (t *Tokens) holder(raw string, audience domain.Audience) (domain.Caller, error) {
	if raw == "" {
		return domain.Caller{}, ErrNoToken
	}
	claims, err := t.verify(raw)
	if err != nil {
		if errors.Is(err, token.ErrExpired) {
			return domain.Caller{}, ErrExpired
		}
		return domain.Caller{}, invalid(err)
	}
	caller, held, err := t.standing(claims)
	if err != nil {
		return domain.Caller{}, invalid(err)
	}
	if held && audience == domain.AudienceAuth { // where tokens are made of tokens
		return domain.Caller{}, errHeld
	}
	if t.deaf() && (audience == domain.AudienceAuth || caller.User != "" || caller.Impersonated()) {
		return domain.Caller{}, errDeaf
	}
	if !caller.Audiences.Has(audience) {
		return domain.Caller{}, ErrAudience
	}
	return caller, nil
}

// standing holds the claims against the present picture: what was right when
// the token was issued may be over.
func (t *Tokens) standing(c *token.Claims) (_ domain.Caller, held bool, err error) {
	directory := t.Directory.Directory()
	if c.Method != "" {
		return t.loggedIn(directory, c)
	}
	app := directory.Application(c.ClientID)
	switch {
	case app == nil:
		return domain.Caller{}, false, errors.New("the application is gone")
	case app.Closed:
		return domain.Caller{}, false, errors.New("the application or its partner is disabled")
	case app.Partner != c.Partner:
		return domain.Caller{}, false, errors.New("the application belongs to another partner now")
	}
	if app.FAPI && !c.Bound.Bound() {
		return domain.Caller{}, false, errors.New("bound to nothing, and its application is in FAPI mode")
	}
	issued, ok := token.IssuedAt(c.ID)
	if !ok {
		return domain.Caller{}, false, errors.New("jti tells no time")
	}
	if !issued.After(app.DeadUntil) {
		return domain.Caller{}, false, errors.New("revoked with its application")
	}
	if t.Denied != nil && t.Denied.Denies(c.ID) {
		return domain.Caller{}, false, errors.New("revoked by itself")
	}
	if c.Actor == "" && c.SID != "" && t.Denied != nil && t.Denied.Denies(c.SID) { // sid is a family
		return domain.Caller{}, false, errors.New("revoked with its family")
	}
	caller := domain.Caller{
		Partner: c.Partner, Client: c.ClientID, Actor: c.Actor, Act: c.SID, Audiences: c.Audiences & app.Audiences,
		Permissions: c.Permissions.And(app.Permissions), Scope: c.Scope, Reach: app.Reach,
		TokenID: c.ID, Expires: time.Unix(c.Expires, 0), Bound: c.Bound, FAPI: app.FAPI, TrustedOnly: app.TrustedOnly,
		Own: app.SkipAuthorization && app.Type != domain.Public, // anybody may call themselves a public one
	}
	if c.Subject == string(c.ClientID) {
		return caller, app.Held, nil
	}
	user, err := domain.ParseUserID(c.Subject)
	if err != nil {
		return domain.Caller{}, false, fmt.Errorf("sub: %w", err)
	}
	if !issued.After(directory.Revoked[user]) {
		return domain.Caller{}, false, errors.New("revoked with its user")
	}
	caller.User = user
	caller.Permissions = caller.Permissions.And(domain.CustomerPermissions)
	return caller, app.Held, nil
}

// deaf reports whether this node has not heard for too long what the others
// revoke.
func (t *Tokens) deaf() bool { return t.FeedAge != nil && t.FeedAge() > MaxFeedAge }

// errDeaf asks to come again, or to another node.
var errDeaf = &domain.Error{Kind: domain.Unavailable, Public: "this server has not heard of revocations for too long; try again"}

// invalid keeps the reason for the operator and shows the caller none. It
// matches [ErrInvalid].
func invalid(err error) error { return &invalidError{err} }

type invalidError struct{ cause error }

// Error returns the operator's text.
func (e *invalidError) Error() string { return ErrInvalid.Public + ": " + e.cause.Error() }

// Unwrap gives both what a surface asks for and the cause.
func (e *invalidError) Unwrap() []error { return []error{ErrInvalid, e.cause} }
