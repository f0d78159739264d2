package auth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/throttle"
)

// Desk takes what applications ask of people, and gives out what people have
// allowed.
type Desk interface {
	Check(p authorize.Params) (authorize.Request, error)
	CheckDevice(p authorize.Params) (authorize.Request, error)
	Return(r *authorize.Refused) string
	Push(ctx context.Context, app *domain.Listing, req authorize.Request) (string, error)
	Pushed(ctx context.Context, p authorize.Params) (authorize.Request, error)
	Begin(ctx context.Context, req authorize.Request) (string, error)
	Device(ctx context.Context, app *domain.Listing, req authorize.Request) (authorize.DeviceAnswer, error)
	Redemptions
}

// authorize answers an authorization request (RFC 6749 §4.1.1): the person goes
// on to log in and decide, under a challenge that is good for this request alone.
// Nothing of the request stands in that address.
func (h *Host) authorize(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	if err := h.unproven(call); err != nil {
		return err
	}
	asked, err := dialect.ReadAuthorization(r)
	if err != nil {
		return page(err)
	}
	req, err := h.asked(r.Context(), asked)
	if refused, ok := errors.AsType[*authorize.Refused](err); ok {
		return h.sendBack(w, call, refused)
	}
	if err != nil {
		return page(err)
	}
	call.Event.Client(req.Client, req.Partner)
	challenge, err := h.Desk.Begin(r.Context(), req)
	if err != nil { // the person cannot do anything about it, and the application can
		call.Event.Refused(err)
		return h.sendBack(w, call, &authorize.Refused{Redirect: req.Redirect, State: req.State, Code: codeOf(err), Description: "try again"})
	}
	server.SeeOther(w, h.LoginURL+"?challenge="+url.QueryEscape(challenge))
	return nil
}

// asked checks a request, which may have been pushed ahead (RFC 9126 §4).
func (h *Host) asked(ctx context.Context, asked dialect.Authorization) (authorize.Request, error) {
	if asked.RequestURI != "" {
		return h.Desk.Pushed(ctx, params(asked))
	}
	p := params(asked)
	p.Browser = true
	req, err := h.Desk.Check(p)
	if err == nil && asked.Unsupported != "" { // OpenID Connect Core §3.1.2.6: request_not_supported
		err = &authorize.Refused{
			Redirect: req.Redirect, State: req.State, Code: asked.Unsupported + "_not_supported",
			Description: "this server does not take the parameter " + asked.Unsupported,
		}
	}
	return req, err
}

// UnprovenRequests is how many requests for which nobody has to prove anything, and
// which wait for a person afterwards, are taken from one address: what they leave
// in the database stays there for ten minutes.
var UnprovenRequests = throttle.Limit{Burst: 300, Every: 200 * time.Millisecond}

// unproven counts such a request.
func (h *Host) unproven(call *server.Call) error {
	if h.Unproven == nil {
		return nil
	}
	wait := h.Unproven.Charge(h.Unproven.Key("", throttle.Address(call.Origin.Address)), call.Origin.At)
	if wait == 0 {
		return nil
	}
	return &domain.Error{
		Kind: domain.Throttled, Public: "too many requests come from this address; wait before the next one",
		Err: &domain.Pause{Limit: "authorize", Quota: UnprovenRequests.Burst, Window: UnprovenRequests.Window(), Wait: wait},
	}
}

// sendBack sends the person back with a refusal, or shows a page where nobody
// who can be trusted is there to send them back to (RFC 6749 §4.1.2.1).
func (h *Host) sendBack(w http.ResponseWriter, call *server.Call, refused *authorize.Refused) error {
	to := h.Desk.Return(refused)
	if to == "" {
		return &domain.Error{Kind: domain.Invalid, Public: refused.Description, Err: refused}
	}
	call.Event.Refused(&domain.Error{Kind: domain.Invalid, Err: refused})
	server.SeeOther(w, to)
	return nil
}

// page makes a refusal of the protocol one that a page can show.
func page(err error) error {
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		return &domain.Error{Kind: domain.Invalid, Public: e.Description, Err: e}
	}
	return err
}

// codeOf is how an authorization endpoint says why it failed (RFC 6749 §4.1.2.1).
func codeOf(err error) string {
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.Unavailable {
		return string(oauth.TemporarilyUnavailable)
	}
	return string(oauth.ServerError)
}

// params puts what a dialect read into the desk's words.
func params(a dialect.Authorization) authorize.Params {
	return authorize.Params{
		ResponseType: a.ResponseType, ClientID: a.ClientID, RedirectURI: a.RedirectURI, Scope: a.Scope, State: a.State, Nonce: a.Nonce,
		CodeChallenge: a.CodeChallenge, CodeChallengeMethod: a.CodeChallengeMethod, RequestURI: a.RequestURI,
		ResponseMode: a.ResponseMode, Prompt: a.Prompt, MaxAge: a.MaxAge, Audience: a.Audience, Resource: a.Resource, DPoPKey: a.DPoPKey,
	}
}
