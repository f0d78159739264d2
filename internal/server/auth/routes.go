// Package auth answers one question: how does the auth host give out tokens?
package auth

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/throttle"
)

// Clients finds out which application is asking.
type Clients interface {
	Client(id string, given domain.Secret, method domain.AuthMethod, from domain.Origin) (*domain.Listing, error)
	Assertion(ctx context.Context, id, raw string, from domain.Origin) (*domain.Listing, error)
	Public(id string, from domain.Origin) (*domain.Listing, error)
}

// Tokens finds out who holds an access token.
type Tokens interface {
	Present(p *domain.Presentation, audience domain.Audience) (domain.Caller, error)
}

// Issuer decides on tokens.
type Issuer interface {
	ClientCredentials(app *domain.Listing, req issuance.Request) (oauth.Token, error)
	Impersonate(ctx context.Context, caller domain.Caller, user domain.UserID, from domain.Origin) (oauth.Token, error)
	Exchange(ctx context.Context, app *domain.Listing, req issuance.Exchange) (oauth.Token, error)
	ForUser(ctx context.Context, app *domain.Listing, g issuance.UserGrant, from domain.Origin) (oauth.Token, error)
}

// Keys gives the public halves of the signing keys.
type Keys interface {
	JWKS() (body []byte, etag string)
}

// Host is the auth host.
type Host struct {
	Clients    Clients
	Tokens     Tokens
	Issuer     Issuer
	Keys       Keys
	Revoker    Revoker
	EnergyZero dialect.EnergyZero
	Kraken     dialect.Kraken

	Introspector Introspector
	Statements   Statements // nil: nothing is signed but tokens
	Bound        Bound

	Desk      Desk
	Unproven  *throttle.Limiter // see [UnprovenRequests]; nil: no limit
	People    People
	LoginURL  string // where a person logs in and decides, on the support host
	DeviceURL string // where a person types the code of a device, there too

	URL    string        // of this host, without a slash at the end: the issuer
	MaxAge time.Duration // how long the keys and the metadata may be kept
}

// Table returns the host's table of contents.
func (h *Host) Table() *server.Host {
	ez, kr := h.EnergyZero, h.Kraken
	table := &server.Host{
		Name:         "auth",
		Authenticate: h.authenticate,
		Routes: []server.Route{
			{Pattern: "POST /oauth2/token", Guard: server.Public, Handler: h.energyZeroToken, Dialect: ez, Metadata: "token_endpoint"}, // RFC 6749 §3.2, E13
			{Pattern: "POST /token/{$}", Guard: server.Public, Handler: h.krakenToken, Dialect: kr},                                    // K17
			{Pattern: "POST /token", Guard: server.Public, Handler: h.krakenToken, Dialect: kr},
			{Pattern: "POST /oauth2/revoke", Guard: server.Public, Handler: h.revoke, Dialect: ez, Metadata: "revocation_endpoint", Stale: true}, // RFC 7009 §2
			{Pattern: "POST /revoke-token/{$}", Guard: server.Public, Handler: h.revoke, Dialect: kr, Stale: true},
			{Pattern: "POST /revoke-token", Guard: server.Public, Handler: h.revoke, Dialect: kr, Stale: true},
			{Pattern: "POST /oauth2/introspect", Guard: server.Public, Handler: h.introspect, Dialect: ez, Metadata: "introspection_endpoint", Stale: true},                // RFC 7662 §2
			{Pattern: "GET /v1/auth/impersonate", Guard: server.Permission(domain.CanImpersonate, domain.AudienceAuth), Handler: h.impersonate, Dialect: ez, Writes: true}, // E17
			{Pattern: "GET /.well-known/jwks.json", Guard: server.Public, Handler: h.jwks, Dialect: ez, Metadata: "jwks_uri"},                                              // RFC 7517 §5
			{Pattern: "GET /.well-known/jwks.json/{$}", Guard: server.Public, Handler: h.jwks, Dialect: ez},
			{Pattern: "GET /oauth2/authorize", Guard: server.Public, Handler: h.authorize, Dialect: server.Pages(""), Metadata: "authorization_endpoint"}, // RFC 6749 §3.1
			{Pattern: "POST /oauth2/authorize", Guard: server.Public, Handler: h.authorize, Dialect: server.Pages("")},
			{Pattern: "POST /oauth2/par", Guard: server.Public, Handler: h.push, Dialect: ez, Metadata: "pushed_authorization_request_endpoint"},         // RFC 9126 §2
			{Pattern: "POST /device-authorization/{$}", Guard: server.Public, Handler: h.device, Dialect: ez, Metadata: "device_authorization_endpoint"}, // RFC 8628 §3.1
			{Pattern: "POST /device-authorization", Guard: server.Public, Handler: h.device, Dialect: ez},
			{Pattern: "GET /userinfo", Guard: server.Token(domain.AudienceCustomer), Handler: h.userinfo, Dialect: ez, Metadata: "userinfo_endpoint"}, // OpenID Connect Core §5.3
			{Pattern: "GET /userinfo/{$}", Guard: server.Token(domain.AudienceCustomer), Handler: h.userinfo, Dialect: ez},
			{Pattern: "POST /userinfo", Guard: server.Token(domain.AudienceCustomer), Handler: h.userinfo, Dialect: ez, Stale: true},
			{Pattern: "POST /userinfo/{$}", Guard: server.Token(domain.AudienceCustomer), Handler: h.userinfo, Dialect: ez, Stale: true},
			{Pattern: "GET /errors", Guard: server.Public, Handler: h.errors, Dialect: server.Plain()}, // RFC 6749 §5.2 error_uri
		},
	}
	table.Routes = append(table.Routes, h.metadata(table.Routes)...)
	return table
}

// authenticate reads who is asking from the Authorization header.
func (h *Host) authenticate(r *http.Request, audience domain.Audience) (domain.Caller, error) {
	presented, err := dialect.Presented(r, h.URL)
	if err != nil {
		return domain.Caller{}, err
	}
	return h.Tokens.Present(&presented, audience)
}

// client finds out which application is asking, by whichever one method it chose.
func (h *Host) client(ctx context.Context, c dialect.Credentials, call *server.Call) (*domain.Listing, error) {
	if c.Method == domain.PrivateKeyJWT {
		return h.Clients.Assertion(ctx, c.ID, c.Secret.Reveal(), call.Origin)
	}
	if app, err, ours := h.certified(c, call); ours {
		return app, err
	}
	return h.Clients.Client(c.ID, c.Secret, c.Method, call.Origin)
}

// energyZeroToken answers E13 in EnergyZero's spelling.
func (h *Host) energyZeroToken(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	token, err := h.token(w, r, call, false)
	if err != nil {
		return err
	}
	h.EnergyZero.WriteToken(w, token)
	return nil
}

// krakenToken answers K17 in Kraken's spelling.
func (h *Host) krakenToken(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	token, err := h.token(w, r, call, true)
	if err != nil {
		return err
	}
	h.Kraken.WriteToken(w, token)
	return nil
}

// token is what both spellings have in common. lasting says that refresh tokens
// are not rotated there.
func (h *Host) token(w http.ResponseWriter, r *http.Request, call *server.Call, lasting bool) (oauth.Token, error) {
	req, err := dialect.ReadToken(r)
	if err != nil {
		return oauth.Token{}, err
	}
	grant := slices.IndexFunc(grants, func(g grant) bool { return g.name == req.GrantType })
	if grant < 0 {
		return oauth.Token{}, &oauth.Error{Code: oauth.UnsupportedGrantType, Description: "this server does not know that grant_type"}
	}
	proof, err := h.proof(r)
	if err != nil {
		return oauth.Token{}, err
	}
	call.Origin.Token = true
	client := h.client
	if req.Redemption != nil {
		req.Redemption.Lasting, client = lasting, h.anyClient
	}
	app, err := client(r.Context(), req.Client, call)
	if err != nil {
		return oauth.Token{}, err
	}
	call.Event.Client(app.ID, app.Partner)
	if err := h.bind(w, app, proof, call); err != nil {
		return oauth.Token{}, err
	}
	return grants[grant].token(h, r, call, app, req)
}

// clientCredentials is an application that asks for itself (RFC 6749 §4.4).
func (h *Host) clientCredentials(_ *http.Request, call *server.Call, app *domain.Listing, req *dialect.TokenRequest) (oauth.Token, error) {
	return h.Issuer.ClientCredentials(app, issuance.Request{From: call.Origin, Scope: req.Scope, Audience: req.Audience, Resource: req.Resource})
}

// impersonate answers E17: a GET that makes a token, kept as documented, and
// therefore never cached and never prefetched.
func (h *Host) impersonate(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	user, err := dialect.ReadImpersonate(r)
	if err != nil {
		return err
	}
	call.Event.Subject(user)
	token, err := h.Issuer.Impersonate(r.Context(), call.Caller, user, call.Origin)
	if err != nil {
		return err
	}
	h.EnergyZero.WriteToken(w, token)
	return nil
}

// jwks answers with the keys that verify our tokens.
func (h *Host) jwks(w http.ResponseWriter, r *http.Request, _ *server.Call) error {
	body, etag := h.Keys.JWKS()
	server.Document{Type: "application/jwk-set+json", Body: body, ETag: etag, MaxAge: h.MaxAge}.Write(w, r)
	return nil
}

// errors answers with the page that error_uri leads to.
func (h *Host) errors(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	var b strings.Builder
	b.WriteString("<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Error codes</title>\n<h1>Error codes</h1>\n<dl>\n")
	for _, e := range dialect.Explained {
		b.WriteString("<dt id=\"" + string(e.Code) + "\"><code>" + string(e.Code) + "</code>\n<dd>" + e.Meaning + "\n")
	}
	b.WriteString("</dl>\n</html>\n")
	server.WritePage(w, b.String())
	return nil
}
