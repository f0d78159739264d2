package issuance

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/token"
)

// UserGrant is what a person has allowed an application: the outcome of a code, a
// refresh token or a device code.
type UserGrant struct {
	User        domain.UserID
	Family      string // sid: the token ends with it
	Scope       string
	Audience    []string
	Resource    []string
	Permissions domain.Permissions // what was allowed; the token never holds more
	Nonce       string             // for the ID token
	AuthTime    time.Time          // when the person logged in; zero: unknown
}

// IdentitySigner makes ID tokens.
type IdentitySigner interface {
	SignID(id *token.Identity) (string, error)
}

// ForUser issues the access token of a grant (RFC 6749 §5.1) and, where openid
// was asked, the ID token (OpenID Connect Core §3.1.3.3). The person is the
// subject and nobody acts. The token never has more permission than the
// application's role holds now, the customer has, and was allowed; and never the
// audience auth, which makes tokens of tokens. Its lifetime is the application's.
//
// Who is no customer of the application's partner any more, is staff or disabled,
// gets invalid_grant.
func (is *Issuer) ForUser(ctx context.Context, app *domain.Listing, g UserGrant, from domain.Origin) (oauth.Token, error) {
	if g.User == "" || g.Family == "" {
		return oauth.Token{}, &domain.Error{Kind: domain.Internal, Err: errors.New("a grant without a user or a family")}
	}
	permissions, scope, err := narrow(authz.Combine(authz.Combine(app.Permissions, domain.CustomerPermissions), g.Permissions), g.Scope)
	if err != nil {
		return oauth.Token{}, err
	}
	audiences, err := is.audiences(app.Audiences.Without(domain.AudienceAuth), Request{Audience: g.Audience, Resource: g.Resource})
	if err != nil {
		return oauth.Token{}, err
	}
	customer, err := is.Customers.ImpersonableCustomer(ctx, app.Partner, g.User)
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		return oauth.Token{}, &oauth.Error{Code: oauth.InvalidGrant, Description: "the customer may not use this application any more", Err: err}
	}
	if err != nil {
		return oauth.Token{}, err
	}
	t, err := is.issue(&token.Claims{
		Subject: string(customer.ID), ClientID: app.ID, Partner: app.Partner, SID: g.Family,
		Audiences: audiences, Scope: scope, Permissions: permissions,
	}, app.Lifetime, from)
	if err != nil || !slices.Contains(strings.Fields(g.Scope), "openid") {
		return t, err
	}
	t.IDToken, err = is.identity(app, g, from.At)
	return t, err
}

// identity makes the ID token of a grant, as old as the access token.
func (is *Issuer) identity(app *domain.Listing, g UserGrant, now time.Time) (string, error) {
	signer, ok := is.Keys.(IdentitySigner)
	if !ok {
		return "", &domain.Error{Kind: domain.Internal, Err: errors.New("the keys sign no ID tokens")}
	}
	id := &token.Identity{
		Issuer: is.URL, Subject: g.User, Audience: app.ID, Expires: now.Add(app.Lifetime).Unix(), IssuedAt: now.Unix(), Nonce: g.Nonce, SID: g.Family,
	}
	if !g.AuthTime.IsZero() {
		id.AuthTime = g.AuthTime.Unix()
	}
	text, err := signer.SignID(id)
	if err != nil {
		return "", &domain.Error{Kind: domain.Internal, Err: err}
	}
	return text, nil
}

// Targets says what is wrong with the audiences and resources that are asked for
// a person's token, of those that are granted to an application, or nothing. A
// request is refused with it before anybody logs in (RFC 8707 §2.1).
func (is *Issuer) Targets(granted domain.Audiences, audience, resource []string) error {
	_, err := is.audiences(granted.Without(domain.AudienceAuth), Request{Audience: audience, Resource: resource})
	return err
}
