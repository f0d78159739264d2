// Package authz answers one question: may this caller do this to that?
//
// It is pure: it looks at a caller, at what is demanded and at whose object it
// is, and at nothing else. Whether a token is genuine was settled before
// (package authn), and what lies outside a caller's [Scope] is never loaded at
// all, so that it cannot be told from what does not exist.
package authz

import (
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Permit is what an act demands of its caller.
type Permit struct {
	// Need is the API permission that opens it.
	Need domain.Permission
	// User demands a token that speaks for a user: the customer's own, or one
	// made by impersonation. A partner token is refused.
	User bool
	// Of is the partner whose object is at hand; empty where no object is.
	Of domain.PartnerID
}

// Check returns nil where the caller may, and otherwise a [domain.Error]: of
// kind Forbidden where a permission or the user is lacking, and of kind
// NotFound where the object is another partner's, because its existence is
// nobody else's business.
func Check(caller domain.Caller, permit Permit) error {
	if permit.Of != "" && permit.Of != caller.Partner {
		return &domain.Error{
			Kind: domain.NotFound, Public: "not found",
			Err: fmt.Errorf("%s asked for an object of %s", caller.Partner, permit.Of),
		}
	}
	if caller.Partner == "" {
		return forbidden("the caller has no partner")
	}
	if permit.User && caller.User == "" {
		return forbidden("this needs a token that speaks for a user")
	}
	if !caller.Permissions.Has(permit.Need) {
		return forbidden("this needs " + permit.Need.String())
	}
	return nil
}

// Opens returns nil where the caller's token was issued for this API, and
// otherwise a [domain.Error] of kind Forbidden: each API demands its own
// audience (RFC 9068 §4).
func Opens(caller domain.Caller, api domain.Audience) error {
	if !caller.Audiences.Has(api) {
		return forbidden("this token was not issued for the audience " + api.String())
	}
	return nil
}

// Scope returns whose objects the caller may see at the instant now: the
// partner's, and with a user token only that user's. An application that
// reaches only customers who have agreed sees, by itself and with a user's
// token alike, only what an active consent that allows need opens to it. Whatever
// is not known to be allowed gives the zero Scope, which sees nothing.
func Scope(caller domain.Caller, need domain.Permission, now time.Time) domain.Scope {
	scope := domain.Scope{Partner: caller.Partner, User: caller.User}
	switch {
	case caller.Partner == "":
		return domain.Scope{}
	case caller.Reach == domain.ReachConsented:
		if caller.Client == "" || now.IsZero() {
			return domain.Scope{}
		}
		scope.Application, scope.At, scope.Need = caller.Client, now, need
	case caller.User == "" && caller.Reach != domain.ReachPartner:
		return domain.Scope{}
	}
	return scope
}

// Combine returns what an application may do while it acts as a customer: what
// both may. Nobody gains a permission by speaking for somebody else.
func Combine(application, customer domain.Permissions) domain.Permissions {
	return application.And(customer)
}

func forbidden(why string) error {
	return &domain.Error{Kind: domain.Forbidden, Public: why}
}
