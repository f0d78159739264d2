package issuance

import (
	"context"
	"errors"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/throttle"
)

// MissesOfApplication is how often an application may ask for customers who are
// not its partner's: sixty times at once and in a minute. Who has stale
// identifiers stays below; who tries identifiers out does not.
var MissesOfApplication = throttle.Limit{Burst: 60, Every: time.Second}

// customer finds the customer to act for, and counts who is not found. An
// application over its limit is told nothing until it may ask again: otherwise
// it could go on trying.
func (is *Issuer) customer(ctx context.Context, caller domain.Caller, user domain.UserID) (domain.User, error) {
	if is.Misses == nil {
		return is.Customers.ImpersonableCustomer(ctx, caller.Partner, user)
	}
	key, now := is.Misses.Key(string(caller.Client), nil), is.Now()
	wait := is.Misses.Wait(key, now)
	if wait == 0 {
		customer, err := is.Customers.ImpersonableCustomer(ctx, caller.Partner, user)
		if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != domain.NotFound {
			return customer, err
		}
		if wait = is.Misses.Charge(key, now); wait == 0 {
			return domain.User{}, err
		}
	}
	limit := is.Misses.Limit()
	return domain.User{}, &domain.Error{
		Kind: domain.Throttled, Public: "this application asked for too many users who are not known; wait before the next one",
		Err: &domain.Pause{Limit: "misses", Quota: limit.Burst, Window: limit.Window(), Wait: wait},
	}
}
