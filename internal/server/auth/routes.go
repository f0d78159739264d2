// Package auth answers one question: how does the auth host give out tokens?
package auth

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
)

// Clients finds out which application is asking.
type Clients interface {
	Client(id string, given domain.Secret, method domain.AuthMethod) (*domain.Listing, error)
}

// Tokens finds out who holds an access token.
type Tokens interface {
	Caller(raw string, audience domain.Audience) (domain.Caller, error)
}

// Issuer decides on tokens.
type Issuer interface {
	ClientCredentials(app *domain.Listing, req issuance.Request) (oauth.Token, error)
	Impersonate(ctx context.Context, caller domain.Caller, user domain.UserID, from domain.Origin) (oauth.Token, error)
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
	EnergyZero dialect.EnergyZero
	Kraken     dialect.Kraken
}

// Table returns the host's table of contents.
func (h *Host) Table() *server.Host {
	ez, kr := h.EnergyZero, h.Kraken
	return &server.Host{
		Name:         "auth",
		Authenticate: h.authenticate,
		Routes: []server.Route{
			{Pattern: "POST /oauth2/token", Guard: server.Public, Handler: h.energyZeroToken, Dialect: ez}, // RFC 6749 §3.2, E13
			{Pattern: "POST /token/{$}", Guard: server.Public, Handler: h.krakenToken, Dialect: kr},        // K17
			{Pattern: "POST /token", Guard: server.Public, Handler: h.krakenToken, Dialect: kr},
			{Pattern: "GET /v1/auth/impersonate", Guard: server.Permission(domain.CanImpersonate, domain.AudienceAuth), Handler: h.impersonate, Dialect: ez}, // E17
			{Pattern: "GET /.well-known/jwks.json", Guard: server.Public, Handler: h.jwks, Dialect: ez},                                                      // RFC 7517 §5
			{Pattern: "GET /.well-known/jwks.json/{$}", Guard: server.Public, Handler: h.jwks, Dialect: ez},
			{Pattern: "GET /errors", Guard: server.Public, Handler: h.errors, Dialect: server.Plain()}, // RFC 6749 §5.2 error_uri
		},
	}
}

// authenticate reads who is asking from the Authorization header.
func (h *Host) authenticate(r *http.Request, audience domain.Audience) (domain.Caller, error) {
	raw, err := dialect.BearerToken(r)
	if err != nil {
		return domain.Caller{}, err
	}
	return h.Tokens.Caller(raw, audience)
}

// energyZeroToken answers E13 in EnergyZero's spelling.
func (h *Host) energyZeroToken(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	token, err := h.token(r, call)
	if err != nil {
		return err
	}
	h.EnergyZero.WriteToken(w, token)
	return nil
}

// krakenToken answers K17 in Kraken's spelling.
func (h *Host) krakenToken(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	token, err := h.token(r, call)
	if err != nil {
		return err
	}
	h.Kraken.WriteToken(w, token)
	return nil
}

// token is what both spellings have in common.
func (h *Host) token(r *http.Request, call *server.Call) (oauth.Token, error) {
	req, err := dialect.ReadToken(r)
	if err != nil {
		return oauth.Token{}, err
	}
	if req.GrantType != oauth.GrantClientCredentials {
		return oauth.Token{}, &oauth.Error{Code: oauth.UnsupportedGrantType, Description: "this server knows the grant client_credentials"}
	}
	app, err := h.Clients.Client(req.Client.ID, req.Client.Secret, req.Client.Method)
	if err != nil {
		return oauth.Token{}, err
	}
	call.Event.Client(app.ID, app.Partner)
	return h.Issuer.ClientCredentials(app, issuance.Request{From: call.Origin, Scope: req.Scope, Audience: req.Audience, Resource: req.Resource})
}

// impersonate answers E17: a GET that makes a token, kept as documented, and
// therefore never cached and never prefetched.
func (h *Host) impersonate(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	user, err := dialect.ReadImpersonate(r)
	if err != nil {
		return err
	}
	call.Event.Add(slog.String("subject", string(user)))
	token, err := h.Issuer.Impersonate(r.Context(), call.Caller, user, call.Origin)
	if err != nil {
		return err
	}
	h.EnergyZero.WriteToken(w, token)
	return nil
}

// jwks answers with the keys that verify our tokens.
func (h *Host) jwks(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	body, etag := h.Keys.JWKS()
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag { // RFC 9110 §13.1.2
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	server.WriteBody(w, http.StatusOK, "application/jwk-set+json", body)
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
