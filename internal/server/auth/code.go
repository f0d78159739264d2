package auth

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
)

// Redemptions changes what a person has allowed into grants, once.
type Redemptions interface {
	Redeem(ctx context.Context, app *domain.Listing, code, redirect, verifier string, from domain.Origin) (authorize.Grant, error)
	Renew(ctx context.Context, app *domain.Listing, refresh domain.Secret, scope string, check func(authorize.Grant) error, from domain.Origin) (authorize.Grant, domain.Secret, error)
	Remember(ctx context.Context, g authorize.Grant, lifetime time.Duration) (domain.Secret, error)
	Poll(ctx context.Context, app *domain.Listing, device domain.Secret, from domain.Origin) (authorize.Grant, error)
}

// code changes a code into tokens (RFC 6749 §4.1.3).
func (h *Host) code(r *http.Request, call *server.Call, app *domain.Listing, req *dialect.TokenRequest) (oauth.Token, error) {
	if !slices.Contains(app.Grants, oauth.GrantAuthorizationCode) {
		return oauth.Token{}, errGrant(oauth.GrantAuthorizationCode)
	}
	is := req.Redemption
	g, err := h.Desk.Redeem(r.Context(), app, is.Code, is.Redirect, is.Verifier, call.Origin)
	if err != nil {
		return oauth.Token{}, err
	}
	return h.first(r, call, app, req, g)
}

// deviceCode changes a device code into tokens, once its person has decided
// (RFC 8628 §3.4).
func (h *Host) deviceCode(r *http.Request, call *server.Call, app *domain.Listing, req *dialect.TokenRequest) (oauth.Token, error) {
	if !slices.Contains(app.Grants, oauth.GrantDeviceCode) {
		return oauth.Token{}, errGrant(oauth.GrantDeviceCode)
	}
	g, err := h.Desk.Poll(r.Context(), app, req.Redemption.Device, call.Origin)
	if err != nil {
		return oauth.Token{}, err
	}
	return h.first(r, call, app, req, g)
}

// first issues the first tokens of what a person has allowed. A refresh token is
// among them where the person was asked for access while away, and the
// application is set up for it.
func (h *Host) first(r *http.Request, call *server.Call, app *domain.Listing, req *dialect.TokenRequest, g authorize.Grant) (oauth.Token, error) {
	token, err := h.allowed(r, call, app, req, g)
	if err != nil || !g.Offline || !slices.Contains(app.Grants, oauth.GrantRefreshToken) {
		return token, err
	}
	lifetime := authorize.RefreshLifetime
	if g.Lasting = req.Redemption.Lasting && app.Type != domain.Public; g.Lasting {
		lifetime = authorize.KrakenRefreshLifetime
	}
	if app.Type == domain.Public { // RFC 9449 §5: it cannot prove who it is, but that it has the key
		g.Bound = call.Origin.Proven
	}
	refresh, err := h.Desk.Remember(r.Context(), g, lifetime)
	if err != nil {
		return oauth.Token{}, err
	}
	token.Refresh = refresh.Reveal()
	return token, nil
}

// refresh changes a refresh token into an access token and its successor
// (RFC 6749 §6). The access token is made first: whatever is wrong with the
// request, or with us, the refresh token is good for another try.
func (h *Host) refresh(r *http.Request, call *server.Call, app *domain.Listing, req *dialect.TokenRequest) (oauth.Token, error) {
	if !slices.Contains(app.Grants, oauth.GrantRefreshToken) {
		return oauth.Token{}, errGrant(oauth.GrantRefreshToken)
	}
	var token oauth.Token
	issue := func(g authorize.Grant) (err error) {
		token, err = h.allowed(r, call, app, req, g)
		return err
	}
	_, next, err := h.Desk.Renew(r.Context(), app, req.Redemption.Refresh, req.Scope, issue, call.Origin)
	if err != nil {
		return oauth.Token{}, err
	}
	token.Refresh = next.Reveal()
	return token, nil
}

// anyClient finds out which application is asking, which may be one that cannot
// prove it: what it is given then is worth something only together with what it
// alone knows, and what it ends is a token that it holds.
func (h *Host) anyClient(ctx context.Context, c dialect.Credentials, call *server.Call) (*domain.Listing, error) {
	if c.Method == "" && c.ID != "" {
		if app, err, ours := h.certified(c, call); ours { // RFC 8705 §2: by its certificate
			return app, err
		}
		return h.Clients.Public(c.ID, call.Origin)
	}
	return h.client(ctx, c, call)
}

// allowed issues the access token of a grant, and the ID token where openid was
// asked. What the request asks to be narrowed to stays within what was allowed.
func (h *Host) allowed(r *http.Request, call *server.Call, app *domain.Listing, req *dialect.TokenRequest, g authorize.Grant) (oauth.Token, error) {
	call.Event.Caller(domain.Caller{Client: app.ID, Partner: app.Partner, User: g.User})
	audience, resource, err := part(g, req)
	if err != nil {
		return oauth.Token{}, err
	}
	return h.Issuer.ForUser(r.Context(), app, issuance.UserGrant{
		User: g.User, Family: g.Family, Scope: g.Scope, Permissions: g.Permissions, Audience: audience, Resource: resource,
		Nonce: g.Nonce, AuthTime: g.AuthTime,
	}, call.Origin)
}

// part returns what a token request asks of what was allowed (RFC 8707 §2.2): all
// of it where it asks for nothing. Where nothing was named before, whoever issues
// the token holds it against what the application is granted.
func part(g authorize.Grant, req *dialect.TokenRequest) (audience, resource []string, err error) {
	if len(req.Audience)+len(req.Resource) == 0 {
		return g.Audience, g.Resource, nil
	}
	beyond := func(allowed []string) func(string) bool {
		return func(name string) bool { return !slices.Contains(allowed, name) }
	}
	if len(g.Audience)+len(g.Resource) > 0 &&
		(slices.ContainsFunc(req.Audience, beyond(g.Audience)) || slices.ContainsFunc(req.Resource, beyond(g.Resource))) {
		return nil, nil, &oauth.Error{Code: oauth.InvalidTarget, Description: "more is asked than the customer was asked for"}
	}
	return req.Audience, req.Resource, nil
}
