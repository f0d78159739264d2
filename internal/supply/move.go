package supply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// ErrProperty is the cause inside a [domain.NotFound] about a property, rather
// than about a customer.
var ErrProperty = errors.New("there is no such property of this partner")

func ofProperty(err error) error {
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		return fmt.Errorf("%w: %w", ErrProperty, err)
	}
	return err
}

// MovingIn is a customer who comes to have a property that is known.
type MovingIn struct {
	Customer domain.UserID
	Account  domain.AccountNumber // empty: the customer's only one
	Property domain.PropertyID
	FirstDay domain.Date // that is the customer's, in the property's zone
}

// MoveIn gives a customer a property from a day on. Somebody who has it then is
// moved out before; who says the same again gets the same answer.
func (s *Service) MoveIn(ctx context.Context, caller domain.Caller, origin domain.Origin, m MovingIn) (Contract, error) {
	scope, err := s.mayMove(ctx, caller, m.Customer)
	if err != nil {
		return Contract{}, err
	}
	if err := checkDay("input.date", m.FirstDay); err != nil {
		return Contract{}, err
	}
	account, err := s.account(ctx, scope, m)
	if err != nil {
		return Contract{}, err
	}
	id := domain.NewOccupancyID(s.Chance)
	e := s.entry(caller, origin, domain.CanManageCustomers, "customer.move-in", string(m.Property), fmt.Sprintf("%s from %s", account, m.FirstDay))
	period, err := s.Store.Move(ctx, scope, m.Property, func(p Place) (domain.Occupancy, error) {
		start, err := startOf(p.Property, m.FirstDay)
		if err != nil {
			return domain.Occupancy{}, err
		}
		o := domain.Occupancy{
			ID: id, Partner: scope.Partner, Property: p.Property.ID, Account: account, User: m.Customer, From: start, Zone: p.Property.Zone,
		}
		for _, other := range p.Periods {
			switch {
			case other.Account == account && other.From.Equal(start):
				return other, nil
			case other.Overlaps(o):
				return o, conflict("input.date", "somebody has this property on %s or later: move them out first", m.FirstDay)
			}
		}
		return o, nil
	}, e)
	if err != nil {
		return Contract{}, ofProperty(err)
	}
	return contract(period, s.Now())
}

// MovingOut is a customer who ceases to have a property.
type MovingOut struct {
	Customer domain.UserID
	Property domain.PropertyID
	LastDay  domain.Date // that is the customer's, in the property's zone
}

// MoveOut ends a customer's latest period at a property. Said again, with the same
// day or another, it moves the end, as long as nobody else has it by then.
func (s *Service) MoveOut(ctx context.Context, caller domain.Caller, origin domain.Origin, m MovingOut) (Contract, error) {
	scope, err := s.mayMove(ctx, caller, m.Customer)
	if err != nil {
		return Contract{}, err
	}
	if err := checkDay("input.date", m.LastDay); err != nil {
		return Contract{}, err
	}
	e := s.entry(caller, origin, domain.CanManageCustomers, "customer.move-out", string(m.Property), fmt.Sprintf("%s up to %s", m.Customer, m.LastDay))
	period, err := s.Store.Move(ctx, scope, m.Property, func(p Place) (domain.Occupancy, error) {
		end, err := startOf(p.Property, m.LastDay+1)
		if err != nil {
			return domain.Occupancy{}, err
		}
		mine := slices.Clone(p.Periods)
		mine = slices.DeleteFunc(mine, func(o domain.Occupancy) bool { return o.User != m.Customer })
		if len(mine) == 0 {
			return domain.Occupancy{}, conflict("input.propertyId", "the customer has never had this property")
		}
		o := mine[len(mine)-1]
		o.Until = end
		if !end.After(o.From) {
			return o, conflict("input.date", "the customer moved in after %s", m.LastDay)
		}
		for _, other := range p.Periods {
			if other.ID != o.ID && other.Overlaps(o) {
				return o, conflict("input.date", "somebody else has this property on %s or before", m.LastDay)
			}
		}
		return o, nil
	}, e)
	if err != nil {
		return Contract{}, ofProperty(err)
	}
	return contract(period, s.Now())
}

// mayMove demands an application that manages customers, and the customer.
func (s *Service) mayMove(ctx context.Context, caller domain.Caller, id domain.UserID) (domain.Scope, error) {
	if err := manages(caller); err != nil {
		return domain.Scope{}, err
	}
	scope := domain.Scope{Partner: caller.Partner}
	u, err := s.Store.User(ctx, scope, id)
	if err == nil && !u.Customer {
		err = &domain.Error{Kind: domain.NotFound, Public: "this user is not known", Err: fmt.Errorf("%s is no customer", id)}
	}
	return scope, err
}

// account finds the account that a customer moves in with.
func (s *Service) account(ctx context.Context, scope domain.Scope, m MovingIn) (domain.AccountNumber, error) {
	list, err := s.Store.Accounts(ctx, scope, m.Customer)
	if err != nil {
		return "", err
	}
	if m.Account == "" && len(list) == 1 {
		return list[0].Number, nil
	}
	if m.Account == "" {
		return "", invalid("input.accountNumber", "the customer has %d accounts: name one", len(list))
	}
	if !slices.ContainsFunc(list, func(a domain.Account) bool { return a.Number == m.Account }) {
		return "", invalid("input.accountNumber", "this is not an account of the customer")
	}
	return m.Account, nil
}

// startOf returns when a day begins at a property.
func startOf(p domain.Property, d domain.Date) (time.Time, error) {
	loc, err := interval.Zone(p.Zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("supply: zone of %s: %v", p.ID, err)
	}
	start, _ := interval.Span(d, loc)
	return start.UTC(), nil
}
