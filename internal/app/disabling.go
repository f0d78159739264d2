package app

import (
	"context"

	"github.com/wattgate/wattgate/internal/domain"
)

// disableUser ends a user's tokens, or lets there be new ones.
func disableUser(disabled bool) func(context.Context, *App, Named) (UserView, error) {
	return func(ctx context.Context, a *App, in Named) (UserView, error) {
		u, err := a.user(ctx, in.ID)
		if err != nil {
			return UserView{}, err
		}
		if err := a.Registry.DisableUser(ctx, by(), u.ID, disabled); err != nil {
			return UserView{}, err
		}
		return showUser(ctx, a, Named{string(u.ID)})
	}
}

// disablePartner closes a partner's applications, or opens them again.
func disablePartner(disabled bool) func(context.Context, *App, Named) (PartnerView, error) {
	return func(ctx context.Context, a *App, in Named) (PartnerView, error) {
		id, err := a.partner(ctx, in.ID)
		if err != nil {
			return PartnerView{}, err
		}
		if err := a.Registry.DisablePartner(ctx, by(), id, disabled); err != nil {
			return PartnerView{}, err
		}
		list, err := a.Registry.Store.Partners(ctx)
		if err != nil {
			return PartnerView{}, err
		}
		for _, p := range list {
			if p.ID == id {
				return partnerView(p), nil
			}
		}
		return PartnerView{}, &domain.Error{Kind: domain.NotFound, Public: "there is no such partner"}
	}
}
