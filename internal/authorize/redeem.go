package authorize

import (
	"context"
	"crypto/subtle"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// errGrant is the one answer to whatever is wrong with a code, a refresh token
// or a device code (RFC 6749 §5.2): nobody learns how close they were.
func errGrant(why string) error {
	return &oauth.Error{
		Code:        oauth.InvalidGrant,
		Description: "the code or token is unknown, was used, has expired or was ended, or does not belong to this request",
		Err:         reason(why),
	}
}

// reason is what only the operator reads.
type reason string

// Error returns the reason.
func (r reason) Error() string { return string(r) }

// may reports whether an application may use a grant now.
func may(app *domain.Listing, grant string) error {
	switch {
	case app.Closed:
		return errGrant("the application or its partner is disabled")
	case app.Held:
		return errHeld
	case !slices.Contains(app.Grants, grant):
		return &oauth.Error{Code: oauth.UnauthorizedClient, Description: "this application may not use the grant " + grant}
	}
	return nil
}

// Redeem takes a code (RFC 6749 §4.1.3) of an application that has proven who it
// is, or is public. The code is gone whatever else is wrong: who has the one and
// not the verifier has stolen it. A code that comes a second time ends all that
// the first one brought (RFC 6749 §4.1.2), before the answer.
func (d *Desk) Redeem(ctx context.Context, app *domain.Listing, code, redirect, verifier string, from domain.Origin) (Grant, error) {
	if err := may(app, oauth.GrantAuthorizationCode); err != nil {
		return Grant{}, err
	}
	key, ok := digest(code, prefixCode)
	if !ok {
		return Grant{}, errGrant("not a code of ours")
	}
	now := d.now()
	g, kept, how, err := d.Store.ConsumeCode(ctx, key, now, d.entry("family.end", "a code that was used twice", from))
	if err != nil {
		return Grant{}, err
	}
	if err := d.settle(how, g, now); err != nil {
		return Grant{}, err
	}
	switch {
	case g.Client != app.ID:
		return Grant{}, errGrant("a code of another application")
	case subtle.ConstantTimeCompare([]byte(kept.Redirect), []byte(redirect)) != 1:
		return Grant{}, errGrant("another redirect_uri than the code was asked with")
	case !proves(verifier, kept.Challenge): // RFC 7636 §4.6
		return Grant{}, errGrant("the code_verifier is wrong")
	case kept.DPoPKey != "" && from.Proven != keyOf(kept.DPoPKey): // RFC 9449 §10
		return Grant{}, errGrant("a code for another key than the request proves")
	}
	g.Offline = g.Offline && slices.Contains(app.Grants, oauth.GrantRefreshToken)
	return g, nil
}

// keyOf is the confirmation of a key by its thumbprint.
func keyOf(thumbprint string) domain.Confirmation {
	return domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: thumbprint}
}

// settle says what an outcome means, and denies a family that has ended on this
// node: it is durable already.
func (d *Desk) settle(how Outcome, g Grant, now time.Time) error {
	switch how {
	case Fresh:
		return nil
	case Reused:
		d.deny(g.Family, now)
		return errGrant("used before; its family has ended")
	case Expired:
		return errGrant("expired")
	case Dead:
		return errGrant("its family, consent or person has ended")
	case Unknown, Waiting, Early, Declined:
	}
	return errGrant("unknown")
}

func (d *Desk) deny(family string, now time.Time) {
	if d.Denied != nil && family != "" {
		d.Denied.Add(domain.RevokeFamily(family, now), now)
	}
}
