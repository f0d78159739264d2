package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
)

// People finds a person within a scope.
type People interface {
	User(ctx context.Context, scope domain.Scope, id domain.UserID) (domain.User, error)
}

// userinfo says who the person is that a token speaks for (OpenID Connect Core
// §5.3): the identifier to every token that was asked with openid, the name and
// the address to those that may see what is personal, by a consent that counts
// where the application reads by consent.
func (h *Host) userinfo(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	caller := call.Caller
	if caller.User == "" || !dialect.ScopeHolds(caller.Scope, "openid") {
		return &domain.Error{Kind: domain.Forbidden, Public: "this token speaks for no person, or was not asked with the scope openid"}
	}
	info := dialect.UserInfo{Subject: string(caller.User)}
	if caller.Permissions.Has(domain.CanViewPersonalData) {
		u, err := h.People.User(r.Context(), authz.Scope(caller, domain.CanViewPersonalData, call.Origin.At), caller.User)
		if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound { // the consent is over
			return &oauth.Error{Code: oauth.InvalidToken, Description: "the access token is not valid", Err: err}
		}
		if err != nil {
			return err
		}
		info.Name = strings.Join(strings.Fields(u.FirstName+" "+u.MiddleName+" "+u.Surname), " ")
		info.GivenName, info.FamilyName = u.FirstName, strings.TrimSpace(u.MiddleName+" "+u.Surname)
		info.Email = u.Email
	}
	dialect.WriteUserInfo(w, info)
	return nil
}
