package authorize

import (
	"context"
	"errors"
	"slices"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// Push keeps a checked request of an application that has proven who it is
// (RFC 9126 §2.2). The URI is good for [PushedLifetime], once, for this
// application.
func (d *Desk) Push(ctx context.Context, app *domain.Listing, req Request) (uri string, err error) {
	if req.Client != app.ID {
		return "", &oauth.Error{Code: oauth.InvalidRequest, Description: "client_id is another application than the one that authenticates (RFC 9126 §2.1)"}
	}
	s, key := d.draw(prefixPushed)
	now := d.now()
	return s.Reveal(), d.Store.KeepRequest(ctx, KindPushed, key, req, now.Add(PushedLifetime), now)
}

// Pushed takes the request that p.RequestURI names, once, for p.ClientID
// (RFC 9126 §4). What else stands in p must say the same. The error is a
// [*Refused] where the request is to blame.
func (d *Desk) Pushed(ctx context.Context, p Params) (Request, error) {
	client, err := domain.ParseClientID(p.ClientID)
	key, ok := digest(p.RequestURI, prefixPushed)
	if err != nil || !ok {
		return Request{}, errPushed
	}
	now := d.now()
	req, err := d.Store.FindRequest(ctx, KindPushed, key, now)
	if err == nil && req.Client == client && clash(&p, &req) {
		return Request{}, page(oauth.InvalidRequest, "the request has parameters that differ from the pushed ones; send client_id and request_uri alone")
	}
	if err == nil {
		req, err = d.Store.TakeRequest(ctx, KindPushed, key, client, now)
	}
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		return Request{}, errPushed
	}
	if err != nil {
		return Request{}, err
	}
	if app := d.Directory.Directory().Application(client); app == nil || app.Closed || !mayReturn(&app.Application, req.Redirect) {
		return Request{}, page(oauth.UnauthorizedClient, "this application is not known here")
	}
	return req, nil
}

var errPushed = page(oauth.InvalidRequestURI, "request_uri is unknown, was used, belongs to another application or is older than 60 seconds; push the request again")

// clash reports whether parameters beside request_uri say anything else than what
// was pushed: nobody could tell which of the two was meant (RFC 9101 §6.3).
func clash(p *Params, r *Request) bool {
	return p.RedirectURI != "" && p.RedirectURI != r.Redirect ||
		p.ResponseType != "" && p.ResponseType != "code" ||
		p.ResponseMode != "" && p.ResponseMode != "query" ||
		p.Scope != "" && p.Scope != r.Scope ||
		p.State != "" && p.State != r.State ||
		p.Nonce != "" && p.Nonce != r.Nonce ||
		p.CodeChallenge != "" && p.CodeChallenge != r.Challenge ||
		p.CodeChallengeMethod != "" && p.CodeChallengeMethod != "S256" ||
		p.Prompt != "" && p.Prompt != r.Prompt ||
		p.MaxAge != "" && p.MaxAge != r.MaxAge ||
		len(p.Audience) > 0 && !slices.Equal(p.Audience, r.Audience) ||
		len(p.Resource) > 0 && !slices.Equal(p.Resource, r.Resource)
}

// Begin keeps a request while its person logs in and decides.
func (d *Desk) Begin(ctx context.Context, req Request) (challenge string, err error) {
	s, key := d.draw(prefixChallenge)
	now := d.now()
	return s.Reveal(), d.Store.KeepRequest(ctx, KindChallenge, key, req, now.Add(ChallengeLifetime), now)
}

// Pending returns the request under a challenge and leaves it there; otherwise
// [domain.NotFound].
func (d *Desk) Pending(ctx context.Context, challenge string) (Request, error) {
	req, _, err := d.pending(ctx, challenge)
	return req, err
}

func (d *Desk) pending(ctx context.Context, challenge string) (Request, Digest, error) {
	key, ok := digest(challenge, prefixChallenge)
	if !ok {
		return Request{}, key, errGone
	}
	req, err := d.Store.FindRequest(ctx, KindChallenge, key, d.now())
	return req, key, gone(err)
}

var errGone = &domain.Error{Kind: domain.NotFound, Public: "this request has been answered or is too old; start again at the application"}

// gone tells a person what a request that is not there means.
func gone(err error) error {
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		return errGone
	}
	return err
}
