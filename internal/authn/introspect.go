package authn

import (
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// Introspect returns what an application may know of a token (RFC 7662 §2.2),
// and false where it is not active or none of the application's business: the
// two are one answer (RFC 7662 §2.2, last paragraph). An application's business
// are the tokens that were issued to it. That it is granted an audience does not
// make it that API's owner.
//
// A token is active exactly as long as [Tokens.Caller] takes it, and the answer
// never names more audiences than its application is granted now.
func (t *Tokens) Introspect(raw string, app domain.ClientID) (oauth.Introspection, bool, error) {
	claims, err := t.verify(raw)
	if err != nil || claims.ClientID != app {
		return oauth.Introspection{}, false, nil
	}
	caller, _, err := t.standing(claims)
	if err != nil || caller.Audiences == 0 {
		return oauth.Introspection{}, false, nil
	}
	if t.deaf() && (caller.User != "" || caller.Impersonated()) {
		return oauth.Introspection{}, false, errDeaf
	}
	said := oauth.Introspection{
		Scope: claims.Scope, ClientID: string(claims.ClientID), Subject: claims.Subject,
		Expires: claims.Expires, IssuedAt: claims.IssuedAt, NotBefore: claims.NotBefore,
		Audience: caller.Audiences.Names(), Issuer: claims.Issuer, ID: claims.ID,
		Actor: string(claims.Actor), Partner: string(claims.Partner),
	}
	switch claims.Bound.Method {
	case domain.ConfirmKey:
		said.JKT = claims.Bound.Thumbprint
	case domain.ConfirmCertificate:
		said.X5T = claims.Bound.Thumbprint
	}
	return said, true, nil
}
