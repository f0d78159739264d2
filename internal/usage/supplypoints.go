package usage

import (
	"cmp"
	"context"
	"slices"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
)

// Viewer returns the user for whom the caller's token speaks. A token that speaks
// for nobody is [domain.Forbidden]. What the user is called and how they are
// reached can be read only by who may see personal data, and who reads by consent
// needs one that allows it; for others that is empty.
func (s *Service) Viewer(ctx context.Context, caller domain.Caller) (domain.User, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanQueryProperty, User: true}); err != nil {
		return domain.User{}, err
	}
	u, err := s.Store.User(ctx, s.scope(caller, domain.CanQueryProperty), caller.User)
	if err != nil {
		return domain.User{}, err
	}
	known := caller.Permissions.Has(domain.CanViewPersonalData)
	if known && caller.Reach == domain.ReachConsented {
		_, err := s.Store.User(ctx, s.scope(caller, domain.CanViewPersonalData), caller.User)
		if err != nil && !absent(err) {
			return domain.User{}, err
		}
		known = err == nil
	}
	if !known {
		u = domain.User{ID: u.ID, Partner: u.Partner, CustomerNumber: u.CustomerNumber}
	}
	return u, nil
}

// Accounts lists the accounts of the user for whom the caller's token speaks, by
// number. A token that speaks for nobody is [domain.Forbidden].
func (s *Service) Accounts(ctx context.Context, caller domain.Caller) ([]domain.Account, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanQueryProperty, User: true}); err != nil {
		return nil, err
	}
	list, err := s.Store.Accounts(ctx, s.scope(caller, domain.CanQueryProperty), caller.User)
	if absent(err) { // nothing of the user's is open to this application
		return []domain.Account{}, nil
	}
	return list, err
}

// Readers lists the applications that may read by consent now, by name: of one
// account where a number is given, otherwise of the user for whom the caller's
// token speaks. With only set, no other application than that is told.
func (s *Service) Readers(ctx context.Context, caller domain.Caller, number domain.AccountNumber, only domain.ClientID) ([]domain.Reader, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanQueryProperty, User: number == ""}); err != nil {
		return nil, err
	}
	f := domain.ReaderFilter{Partner: caller.Partner, User: caller.User, Account: number, Application: only}
	if number != "" {
		a, err := s.Account(ctx, caller, number)
		if err != nil {
			return nil, err
		}
		f.User = a.User
	}
	if s.Now == nil {
		return []domain.Reader{}, nil
	}
	return s.Store.Readers(ctx, f, s.Now())
}

// SupplyPoint finds a supply point by its name; one outside the caller's scope is
// [domain.NotFound].
func (s *Service) SupplyPoint(ctx context.Context, caller domain.Caller, market domain.Market, identifier string) (domain.SupplyPoint, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanQueryProperty}); err != nil {
		return domain.SupplyPoint{}, err
	}
	return s.Store.SupplyPoint(ctx, s.scope(caller, domain.CanQueryProperty), market, identifier)
}

// SupplyPoints lists the supply points of a property, by market and identifier. A
// property outside the caller's scope is [domain.NotFound].
func (s *Service) SupplyPoints(ctx context.Context, caller domain.Caller, property domain.PropertyID) ([]domain.SupplyPoint, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanQueryProperty}); err != nil {
		return nil, err
	}
	return s.Store.SupplyPoints(ctx, s.scope(caller, domain.CanQueryProperty), property)
}

// AccountSupplyPoints lists the supply points of an account, by market and
// identifier; without a number those of all accounts of the user for whom the
// caller's token speaks. An account outside the caller's scope is
// [domain.NotFound].
func (s *Service) AccountSupplyPoints(ctx context.Context, caller domain.Caller, number domain.AccountNumber) ([]domain.SupplyPoint, error) {
	numbers := []domain.AccountNumber{number}
	if number == "" {
		accounts, err := s.Accounts(ctx, caller)
		if err != nil {
			return nil, err
		}
		numbers = numbers[:0]
		for _, a := range accounts {
			numbers = append(numbers, a.Number)
		}
	}
	points := []domain.SupplyPoint{}
	for _, number := range numbers {
		properties, err := s.Properties(ctx, caller, number)
		if err != nil {
			return nil, err
		}
		for _, p := range properties {
			list, err := s.SupplyPoints(ctx, caller, p.ID)
			if err != nil {
				return nil, err
			}
			points = append(points, list...)
		}
	}
	slices.SortFunc(points, func(a, b domain.SupplyPoint) int {
		return cmp.Or(cmp.Compare(a.Market, b.Market), cmp.Compare(a.Identifier, b.Identifier))
	})
	return slices.Compact(points), nil
}

// Periods lists the periods in which properties are accounts', by property and
// time, as far as they are in the caller's scope.
func (s *Service) Periods(ctx context.Context, caller domain.Caller, f domain.OccupancyFilter) ([]domain.Occupancy, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanQueryProperty}); err != nil {
		return nil, err
	}
	return s.Store.Occupancies(ctx, s.scope(caller, domain.CanQueryProperty), f)
}

// Registers lists the channels of a supply point in the order direction, register,
// unit. A supply point outside the caller's scope has none. Whoever had the property
// once, and whoever reads for them, is told of those alone that counted then.
func (s *Service) Registers(ctx context.Context, caller domain.Caller, point domain.SupplyPoint) ([]domain.Channel, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanQueryProperty}); err != nil {
		return nil, err
	}
	scope := s.scope(caller, domain.CanQueryProperty)
	channels, err := s.pointChannels(ctx, scope, point)
	if err != nil || len(channels) == 0 {
		return nil, err
	}
	had, all, err := s.stays(ctx, scope, point.Property)
	if err != nil || all || s.Now != nil && slices.ContainsFunc(had, func(o domain.Occupancy) bool { return o.Holds(s.Now()) }) {
		return channels, err
	}
	var own spans
	for _, o := range had {
		own = append(own, had.of(o.User, o.Account)...)
	}
	counted := []domain.Channel{}
	for _, c := range channels {
		series, err := Query{}.series(c, nil)
		if err != nil {
			return nil, err
		}
		series.stay(join(own))
		did, err := series.counted(ctx, s.Store)
		if err != nil {
			return nil, err
		}
		if did {
			counted = append(counted, c)
		}
	}
	return counted, nil
}

// counted reports whether a series that is bounded has anything in the customer's
// own periods: intervals, or indices of its register.
func (s *Series) counted(ctx context.Context, store Store) (bool, error) {
	did, err := s.sees(ctx, store, beginning, end)
	if err != nil || did {
		return did, err
	}
	shown := *s
	shown.Index, shown.actual, shown.estimate = true, true, true
	_, did, err = newReader(store, &shown, window{}, false).next(ctx)
	return did, err
}

// pointChannels lists the channels of one supply point that the scope sees.
func (s *Service) pointChannels(ctx context.Context, scope domain.Scope, point domain.SupplyPoint) ([]domain.Channel, error) {
	channels, err := s.Store.Channels(ctx, scope, point.Property)
	if err != nil && !absent(err) {
		return nil, err
	}
	return slices.DeleteFunc(channels, func(c domain.Channel) bool {
		return c.SupplyPoint.Market != point.Market || c.SupplyPoint.Identifier != point.Identifier
	}), nil
}
