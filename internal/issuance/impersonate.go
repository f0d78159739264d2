package issuance

import (
	"context"
	"time"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/token"
)

// Impersonate issues a token that speaks for a customer of the caller's partner
// (E17 to E20). It never has more permission than the application and the
// customer both have; it names who acts (RFC 8693 §4.1); and it cannot make
// another one. The act is durable in the audit log before the token leaves.
//
// An unknown user, another partner's and a member of staff are the same
// [domain.NotFound]: the query has the partner and the kind in its predicate.
func (is *Issuer) Impersonate(ctx context.Context, caller domain.Caller, user domain.UserID, from domain.Origin) (oauth.Token, error) {
	from.Proven = caller.Bound // what it was asked for with
	return is.actAs(ctx, caller, user, Request{From: from}, "")
}

// actAs is what both spellings of impersonation have in common. The request
// narrows what caller and customer both have; the reason goes into the audit log.
func (is *Issuer) actAs(ctx context.Context, caller domain.Caller, user domain.UserID, req Request, reason string) (oauth.Token, error) {
	if caller.User != "" || caller.Impersonated() {
		return oauth.Token{}, forbidden("a token that speaks for a user cannot impersonate; use the application's own token")
	}
	if err := authz.Check(caller, authz.Permit{Need: domain.CanImpersonate}); err != nil {
		return oauth.Token{}, err
	}
	if caller.Reach != domain.ReachPartner {
		return oauth.Token{}, forbidden("an application that reaches only customers who agreed cannot impersonate")
	}
	audiences := caller.Audiences.Without(domain.AudienceAuth)
	if audiences == 0 {
		return oauth.Token{}, forbidden("this token opens no API that a customer's token could open; ask for another audience")
	}
	audiences, err := is.audiences(audiences, req)
	if err != nil {
		return oauth.Token{}, err
	}
	permissions := authz.Combine(caller.Permissions, domain.CustomerPermissions)
	scope := within(caller.Scope, permissions)
	if req.Scope != "" {
		if permissions, scope, err = narrow(permissions, req.Scope); err != nil {
			return oauth.Token{}, err
		}
	}
	if err := is.within(ctx, caller, false, req.From); err != nil { // who is over it learns of nobody
		return oauth.Token{}, err
	}
	customer, err := is.customer(ctx, caller, user)
	if err != nil {
		return oauth.Token{}, err
	}
	if err := is.within(ctx, caller, true, req.From); err != nil {
		return oauth.Token{}, err
	}
	act := domain.NewEntryID(is.Now(), is.chance())
	// Whoever waits longer than this has better things to do than to hold on.
	recording, cancel := context.WithTimeout(ctx, journalPatience)
	defer cancel()
	durable := is.Journal.Recording(recording, domain.Entry{
		ID: act, At: is.Now(), Action: "user.impersonate", Partner: caller.Partner, Client: caller.Client,
		Object: string(customer.ID), By: domain.CanImpersonate.String(), RequestID: req.From.RequestID, Address: req.From.Address,
		Detail: reason,
	})
	lifetime := domain.ImpersonationLifetime
	if caller.FAPI {
		lifetime = domain.MaxFAPILifetime
	}
	// The disk takes longer than the signature: one while the other. Nothing
	// leaves before both are done.
	made, err := is.issue(&token.Claims{
		Subject: string(customer.ID), ClientID: caller.Client, Partner: caller.Partner, Actor: caller.Client, SID: act,
		Audiences: audiences, Scope: scope, Permissions: permissions,
	}, lifetime, req.From)
	if lost := durable(); err == nil {
		err = lost
	}
	if err != nil {
		return oauth.Token{}, err
	}
	// Asked again, now that whatever was changed before the entry is known here.
	if _, err := is.Customers.ImpersonableCustomer(ctx, caller.Partner, customer.ID); err != nil {
		return oauth.Token{}, err
	}
	return made, nil
}

// journalPatience is how long an act waits for its entry in the audit log.
const journalPatience = 5 * time.Second

func forbidden(why string) error { return &domain.Error{Kind: domain.Forbidden, Public: why} }
