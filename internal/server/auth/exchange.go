package auth

import (
	"net/http"

	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
)

// exchange is impersonation in the standard's spelling (RFC 8693): the
// application has proven who it is, and its own token says what it may.
func (h *Host) exchange(r *http.Request, call *server.Call, app *domain.Listing, req *dialect.TokenRequest) (oauth.Token, error) {
	call.Event.Subject(req.Exchange.User)
	return h.Issuer.Exchange(r.Context(), app, issuance.Exchange{
		Request: issuance.Request{From: call.Origin, Scope: req.Scope, Audience: req.Audience, Resource: req.Resource},
		User:    req.Exchange.User, Actor: req.Exchange.Actor, Reason: req.Exchange.Reason,
	})
}
