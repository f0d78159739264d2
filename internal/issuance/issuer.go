package issuance

import (
	"crypto/rand"
	"io"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/throttle"
	"github.com/wattgate/wattgate/internal/token"
)

// Signer makes a token of claims: the compact JWS, after a prefix.
type Signer interface {
	SignText(prefix string, c *token.Claims) (string, error)
}

// Issuer decides on tokens and has them signed. A routine token touches no lock
// and no database.
type Issuer struct {
	URL       string // iss
	Keys      Signer
	Customers CustomerFinder
	Journal   Journal
	Actors    Actors // for exchanges
	// Misses counts who asks for customers that are not there; nil: nobody does.
	Misses *throttle.Limiter
	// Quota bounds impersonations; nil: nothing does.
	Quota *Quota
	// Resources maps the public URL of a host to its audience (RFC 8707).
	Resources map[string]domain.Audience
	Now       func() time.Time
	Chance    io.Reader // nil: the system's
}

// Request is what an application asks for.
type Request struct {
	From     domain.Origin
	Scope    string
	Audience []string
	Resource []string
}

// ClientCredentials issues a token to an application that has proven who it is
// (RFC 6749 §4.4). The token speaks for the application itself, within its
// partner (E3), and no refresh token goes with it (RFC 6749 §4.4.3).
func (is *Issuer) ClientCredentials(app *domain.Listing, req Request) (oauth.Token, error) {
	if !slices.Contains(app.Grants, oauth.GrantClientCredentials) {
		return oauth.Token{}, &oauth.Error{Code: oauth.UnauthorizedClient, Description: "this application may not use the grant client_credentials"}
	}
	permissions, scope, err := narrow(app.Permissions, req.Scope)
	if err != nil {
		return oauth.Token{}, err
	}
	audiences, err := is.audiences(app.Audiences, req)
	if err != nil {
		return oauth.Token{}, err
	}
	return is.issue(&token.Claims{
		Subject: string(app.ID), ClientID: app.ID, Partner: app.Partner,
		Audiences: audiences, Scope: scope, Permissions: permissions,
	}, app.Lifetime, req.From)
}

// The schemes are what a token stands after wherever a header carries it
// (RFC 6750 §2.1, RFC 9449 §7.1). It is signed in place, so that body and header
// share one string.
const (
	bearerScheme = "Bearer "
	dpopScheme   = "DPoP "
)

// issue stamps the claims and has them signed. The instant is that at which the
// request arrived, before anything was looked up for it: see [domain.Origin].
// Whatever the grant, the token is bound to what the request has proven to hold.
func (is *Issuer) issue(c *token.Claims, lifetime time.Duration, from domain.Origin) (oauth.Token, error) {
	seconds, now := int64(lifetime/time.Second), from.At
	scheme, dpop := bearerScheme, from.Proven.Method == domain.ConfirmKey
	if dpop {
		scheme = dpopScheme
	}
	c.Issuer, c.Bound = is.URL, from.Proven
	c.IssuedAt, c.NotBefore, c.Expires = now.Unix(), now.Unix(), now.Unix()+seconds
	c.ID = token.NewID(later(now, from.Order), is.chance())
	bearer, err := is.Keys.SignText(scheme, c)
	if err != nil {
		return oauth.Token{}, &domain.Error{Kind: domain.Internal, Err: err}
	}
	return oauth.Token{Access: bearer[len(scheme):], Bearer: bearer, DPoP: dpop, Lifetime: seconds, Scope: c.Scope}, nil
}

func (is *Issuer) chance() io.Reader {
	if is.Chance == nil {
		return rand.Reader
	}
	return is.Chance
}

// later returns the later of two instants.
func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
