package customer

import (
	"context"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
)

// viewers resolves the fields of AccountUserType that ask something.
type viewers resolvers

// AccountUserType returns what resolves the viewer's fields.
func (r resolvers) AccountUserType() graph.AccountUserTypeResolver { return viewers(r) }

// Viewer resolves Query.viewer.
func (q queries) Viewer(ctx context.Context) (*graph.AccountUserType, error) {
	caller := askerOf(ctx).caller
	u, err := q.usage.Viewer(ctx, caller)
	if err != nil {
		return nil, err
	}
	return viewer(u, caller), nil
}

func viewer(u domain.User, caller domain.Caller) *graph.AccountUserType {
	family := strings.TrimSpace(u.MiddleName + " " + u.Surname)
	v := &graph.AccountUserType{
		ID:         u.ID.UUID(),
		Number:     optional(u.CustomerNumber),
		GivenName:  optional(u.FirstName),
		FamilyName: optional(family),
		FullName:   optional(strings.TrimSpace(u.FirstName + " " + family)),
		Email:      optional(u.Email),
	}
	for _, name := range caller.Permissions.Names() {
		v.Permissions = append(v.Permissions, &graph.AccountUserPermission{Permission: &name})
	}
	return v
}

// Accounts resolves AccountUserType.accounts.
func (v viewers) Accounts(ctx context.Context, _ *graph.AccountUserType) ([]graph.AccountInterface, error) {
	list, err := v.usage.Accounts(ctx, askerOf(ctx).caller)
	if err != nil {
		return nil, err
	}
	shown := make([]graph.AccountInterface, 0, len(list))
	for _, a := range list {
		shown = append(shown, &graph.Account{Number: optional(string(a.Number))})
	}
	return shown, nil
}

// AuthorizedApplications resolves AccountUserType.authorizedApplications.
func (v viewers) AuthorizedApplications(ctx context.Context, _ *graph.AccountUserType) ([]*graph.AuthorizedApplication, error) {
	return resolvers(v).readers(ctx, "")
}

// AuthorizedApplications resolves Query.authorizedApplications.
func (q queries) AuthorizedApplications(ctx context.Context) ([]*graph.AuthorizedApplication, error) {
	return resolvers(q).readers(ctx, "")
}

// AuthorizedApplications resolves Account.authorizedApplications.
func (a accounts) AuthorizedApplications(ctx context.Context, obj *graph.Account) ([]*graph.AuthorizedApplication, error) {
	list, err := resolvers(a).readers(ctx, domain.AccountNumber(*obj.Number))
	return list, hide(err, notYourAccount)
}

// readers lists who may read what is an account's, or without a number the
// viewer's. Whose token it is decides what is told, as with the consents themselves.
func (r resolvers) readers(ctx context.Context, number domain.AccountNumber) ([]*graph.AuthorizedApplication, error) {
	caller := askerOf(ctx).caller
	only, _ := whose(caller)
	list, err := r.usage.Readers(ctx, caller, number, only)
	if err != nil {
		return nil, err
	}
	shown := make([]*graph.AuthorizedApplication, 0, len(list))
	for _, a := range list {
		shown = append(shown, &graph.AuthorizedApplication{Name: &a.Name, ClientID: optional(string(a.Application))})
	}
	return shown, nil
}
