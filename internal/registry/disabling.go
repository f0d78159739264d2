package registry

import (
	"context"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// DisableUser disables a user, which ends every token that stands for them at
// once, or enables them again for tokens from now on. Meanwhile no application
// of the user's partner gets a token: one of them may be about to act as the
// user.
func (r *Registry) DisableUser(ctx context.Context, by By, id domain.UserID, disabled bool) error {
	u, err := r.Store.FindUser(ctx, id)
	if err != nil {
		return err
	}
	action, about := "user.enable", nobody
	if disabled {
		action = "user.disable"
		about = func(a *domain.Listing) bool { return a.Partner == u.Partner }
	}
	return r.endingFor(ctx, about, heldIf(disabled, u.Partner), func(ctx context.Context, dead time.Time) error {
		return r.Store.DisableUser(ctx, id, disabled, deadIf(disabled, dead), r.entry(by, action, string(id), u.Partner, ""))
	})
}

// DisablePartner disables a partner, which closes all its applications and ends
// all their tokens at once, or enables it again for tokens from now on.
func (r *Registry) DisablePartner(ctx context.Context, by By, id domain.PartnerID, disabled bool) error {
	action, about := "partner.enable", nobody
	if disabled {
		action = "partner.disable"
		about = func(a *domain.Listing) bool { return a.Partner == id }
	}
	return r.endingFor(ctx, about, heldIf(disabled, id), func(ctx context.Context, dead time.Time) error {
		return r.Store.DisablePartner(ctx, id, disabled, deadIf(disabled, dead), r.entry(by, action, string(id), id, ""))
	})
}

// deadIf is the instant up to which tokens die: none do when something is
// enabled, because those of before are dead already.
func deadIf(disabled bool, dead time.Time) time.Time {
	if disabled {
		return dead
	}
	return time.Time{}
}

// heldIf is the partner whose customers do not log in while something is disabled.
func heldIf(disabled bool, partner domain.PartnerID) domain.PartnerID {
	if disabled {
		return partner
	}
	return ""
}
