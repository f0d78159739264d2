package issuance

import (
	"context"
	"errors"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// Actors finds out who holds an access token, for a request that has proven to
// hold a key or certificate, or nothing.
type Actors interface {
	Held(raw string, audience domain.Audience, proven domain.Confirmation) (domain.Caller, error)
}

// Exchange is what an application asks for when it exchanges its own token and
// the name of a user for a token that speaks for that user (RFC 8693 §2.1).
type Exchange struct {
	Request // narrows what the actor's token holds
	User    domain.UserID
	Actor   string // the access token of the application itself
	Reason  string // for the audit log; at most 200 characters
}

// maxReason is how long, in characters, the reason for an impersonation may be.
const maxReason = 200

// Exchange is [Issuer.Impersonate] in the standard's spelling: the same checks,
// the same entry in the audit log, the same token. Besides, the application
// proves who it is, the actor's token must be its own, and the result can be
// narrowed.
//
// Refusals are those of RFC 8693 §2.2.2: invalid_request for whatever is wrong
// with subject or actor, so that an unknown user, another partner's and a member
// of staff are the same here too. Which of our own codes explains it stands in
// the error_uri.
func (is *Issuer) Exchange(ctx context.Context, app *domain.Listing, req Exchange) (oauth.Token, error) {
	// GET /v1/auth/impersonate asks for no grant, and this opens nothing more.
	if !slices.Contains(app.Grants, oauth.GrantTokenExchange) && !app.Permissions.Has(domain.CanImpersonate) {
		return oauth.Token{}, &oauth.Error{Code: oauth.UnauthorizedClient, Description: "this application may not exchange tokens"}
	}
	if !readable(req.Reason) {
		return oauth.Token{}, &oauth.Error{Code: oauth.InvalidRequest, Description: "the reason is longer than 200 characters, or holds some that nobody can see"}
	}
	actor, err := is.Actors.Held(req.Actor, domain.AudienceAuth, req.From.Proven)
	if err != nil {
		return oauth.Token{}, unacceptable("the actor_token is not accepted: ", err)
	}
	if actor.Client != app.ID { // somebody else's token is as good as none
		return oauth.Token{}, unacceptable("the actor_token is not accepted: ", &domain.Error{
			Kind: domain.Unauthenticated, Public: "the access token is not valid", Err: errors.New("the actor_token belongs to " + string(actor.Client)),
		})
	}
	t, err := is.actAs(ctx, actor, req.User, req.Request, req.Reason)
	if err != nil {
		return oauth.Token{}, unacceptable("", err)
	}
	t.Issued = oauth.TokenTypeAccess
	return t, nil
}

// unacceptable says a refusal in the words of RFC 8693 §2.2.2. What is not the
// caller's doing stays what it is.
func unacceptable(what string, err error) error {
	if e, ok := errors.AsType[*oauth.Error](err); ok && e.Code == oauth.InvalidRequest { // an audience
		return &oauth.Error{Code: oauth.InvalidTarget, Description: e.Description, Err: e.Err}
	}
	e, ok := errors.AsType[*domain.Error](err)
	if !ok {
		return err
	}
	refusal := &oauth.Error{Code: oauth.InvalidRequest, Description: what + e.Public, Err: err}
	switch e.Kind {
	case domain.Unauthenticated:
		refusal.About = oauth.InvalidToken
	case domain.Forbidden:
		refusal.About = oauth.InsufficientScope
	case domain.NotFound:
		refusal.About = oauth.NotFound
	case domain.Invalid, domain.Conflict:
	case domain.Internal, domain.Unavailable, domain.Throttled:
		return err
	}
	return refusal
}

// readable reports whether a reason is one that people can read in the audit
// log: not too long, and without characters that turn or hide others.
func readable(reason string) bool {
	if utf8.RuneCountInString(reason) > maxReason {
		return false
	}
	for _, r := range reason {
		if !unicode.IsGraphic(r) {
			return false
		}
	}
	return true
}
