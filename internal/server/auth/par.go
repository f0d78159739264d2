package auth

import (
	"errors"
	"net/http"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
)

// push takes an authorization request from the application itself, before any
// browser sees it (RFC 9126 §2).
func (h *Host) push(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	proof, err := h.proof(r)
	if err != nil {
		return err
	}
	app, p, err := h.asking(r, call)
	if err != nil {
		return err
	}
	if p.DPoPKey, err = h.pushedKey(w, r, app, proof, call, p.DPoPKey); err != nil {
		return err
	}
	req, err := h.Desk.Check(p)
	if err != nil {
		return direct(err)
	}
	uri, err := h.Desk.Push(r.Context(), app, req)
	if err != nil {
		return direct(err)
	}
	dialect.WritePushed(w, uri, int64(authorize.PushedLifetime/time.Second))
	return nil
}

// pushedKey returns the key that the code is to be for: that of the request's
// proof, or the one that it names; both are the same (RFC 9449 §10.1).
func (h *Host) pushedKey(w http.ResponseWriter, r *http.Request, app *domain.Listing, proof authn.Proof, call *server.Call, named string) (string, error) {
	if len(dialect.Proofs(r)) == 0 || h.Bound.Bindings == nil {
		return named, nil
	}
	if err := h.bind(w, app, proof, call); err != nil {
		return "", err
	}
	key := call.Origin.Proven.Thumbprint
	if named != "" && named != key {
		return "", &oauth.Error{Code: oauth.InvalidRequest, Description: "dpop_jkt is another key than that of the DPoP proof"}
	}
	return key, nil
}

// asking reads what an application brings itself, and finds out which it is.
func (h *Host) asking(r *http.Request, call *server.Call) (*domain.Listing, authorize.Params, error) {
	asked, err := dialect.ReadAsking(r)
	if err != nil {
		return nil, authorize.Params{}, err
	}
	app, err := h.anyClient(r.Context(), asked.Client, call)
	if err != nil {
		return nil, authorize.Params{}, err
	}
	if app.Type == domain.Public {
		if err := h.unproven(call); err != nil {
			return nil, authorize.Params{}, err
		}
	}
	call.Event.Client(app.ID, app.Partner)
	p := params(asked.Authorization)
	p.ClientID = string(app.ID) // who has proven it may have left it out (RFC 9126 §2.1)
	return app, p, nil
}

// direct makes a refusal that a browser would have carried back one of the
// endpoint's own answers (RFC 9126 §2.3).
func direct(err error) error {
	if refused, ok := errors.AsType[*authorize.Refused](err); ok {
		return &oauth.Error{Code: oauth.Code(refused.Code), Description: refused.Description}
	}
	return err
}
