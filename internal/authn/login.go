package authn

import (
	"errors"
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

// loggedIn is [Tokens.standing] for what an account user has got by logging in at
// the customer API. There is no application behind it, unless a third party has it
// or one has made the pre-signed token: then that has to count too, and reach all
// customers of the partner.
func (t *Tokens) loggedIn(d *domain.Directory, c *token.Claims) (_ domain.Caller, held bool, err error) {
	issued, ok := token.IssuedAt(c.ID)
	if !ok {
		return domain.Caller{}, false, errors.New("jti tells no time")
	}
	user, err := domain.ParseUserID(c.Subject)
	if err != nil {
		return domain.Caller{}, false, fmt.Errorf("sub: %w", err)
	}
	partner := d.Partners[c.Partner]
	switch {
	case partner.Closed:
		return domain.Caller{}, false, errors.New("the partner is disabled")
	case !issued.After(partner.DeadUntil):
		return domain.Caller{}, false, errors.New("revoked with its partner")
	case !issued.After(d.Revoked[user]):
		return domain.Caller{}, false, errors.New("revoked with its user")
	case c.Staff != "" && !issued.After(d.Revoked[c.Staff]):
		return domain.Caller{}, false, errors.New("revoked with who looks on")
	case t.Denied != nil && t.Denied.Denies(c.ID):
		return domain.Caller{}, false, errors.New("revoked by itself")
	case t.Denied != nil && t.Denied.Denies(c.SID):
		return domain.Caller{}, false, errors.New("revoked with its log-in")
	}
	caller := domain.Caller{
		Partner: c.Partner, Client: c.ClientID, User: user, Act: c.SID, Audiences: c.Audiences,
		Permissions: c.Permissions.And(domain.CustomerPermissions), Scope: c.Scope, Reach: domain.ReachPartner,
		TokenID: c.ID, Expires: time.Unix(c.Expires, 0), Login: c.Method, Staff: c.Staff,
	}
	if c.ClientID == "" {
		return caller, partner.Held, nil
	}
	app := d.Application(c.ClientID)
	switch {
	case app == nil || app.Closed || app.Partner != c.Partner || app.FAPI || app.Reach != domain.ReachPartner:
		return domain.Caller{}, false, errors.New("the third party does not count any more, or not for this")
	case !issued.After(app.DeadUntil):
		return domain.Caller{}, false, errors.New("revoked with its application")
	}
	caller.Permissions, caller.Audiences = caller.Permissions.And(app.Permissions), caller.Audiences&app.Audiences
	return caller, partner.Held || app.Held, nil
}
