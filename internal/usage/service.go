// Package usage answers one question: what may a customer, or somebody who
// reads for one, know about their energy?
//
// Who is asking is an argument of every question. Its permission is checked
// here, and its scope goes into the store's own query, so that another
// partner's object is found no more than one that does not exist.
package usage

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
)

// Service answers the customer's questions. It is safe for concurrent use.
type Service struct {
	Store Store
	// CursorKey seals the cursors of [Service.Measurements]. All nodes of an
	// installation share it; a new key ends every cursor that is under way.
	CursorKey [32]byte
	// Now tells which consents are active. Without it an application that reads
	// by consent sees nothing.
	Now func() time.Time
}

// scope returns what the caller may see now of what needs a permission.
func (s *Service) scope(caller domain.Caller, need domain.Permission) domain.Scope {
	var now time.Time
	if caller.Reach == domain.ReachConsented && s.Now != nil {
		now = s.Now()
	}
	return authz.Scope(caller, need, now)
}

// Person is a user and the company that sells to them.
type Person struct {
	domain.User
	Vendor domain.Partner
}

// Me returns the user for whom the caller's token speaks, with the vendor where
// that is asked for. A token that speaks for nobody is [domain.Forbidden].
func (s *Service) Me(ctx context.Context, caller domain.Caller, withVendor bool) (Person, error) {
	err := authz.Check(caller, authz.Permit{Need: domain.CanViewPersonalData, User: true})
	if err != nil {
		return Person{}, err
	}
	scope := s.scope(caller, domain.CanViewPersonalData)
	user, err := s.Store.User(ctx, scope, caller.User)
	if err != nil || !withVendor {
		return Person{User: user}, err
	}
	vendor, err := s.Store.Partner(ctx, scope)
	if err != nil {
		return Person{}, err
	}
	return Person{User: user, Vendor: vendor}, nil
}

// Account finds an account; one outside the caller's scope is [domain.NotFound].
func (s *Service) Account(ctx context.Context, caller domain.Caller, number domain.AccountNumber) (domain.Account, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanQueryProperty}); err != nil {
		return domain.Account{}, err
	}
	return s.Store.Account(ctx, s.scope(caller, domain.CanQueryProperty), number)
}

// Property finds a property; one outside the caller's scope is
// [domain.NotFound]. Where it is can be read only by who may see personal data,
// and who reads by consent needs one that allows it; for others the address and
// the postal code are empty.
func (s *Service) Property(ctx context.Context, caller domain.Caller, id domain.PropertyID) (domain.Property, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanQueryProperty}); err != nil {
		return domain.Property{}, err
	}
	p, err := s.Store.Property(ctx, s.scope(caller, domain.CanQueryProperty), id)
	if err != nil {
		return domain.Property{}, err
	}
	if p = shown(caller, p); caller.Reach != domain.ReachConsented || !caller.Permissions.Has(domain.CanViewPersonalData) {
		return p, nil
	}
	_, err = s.Store.Property(ctx, s.scope(caller, domain.CanViewPersonalData), id)
	if absent(err) {
		return placeless(p), nil
	}
	return p, err
}

// Properties lists the properties that an account has, has had or will have, by
// identifier, shown as [Service.Property] shows them; [Service.Periods] tells
// when. An account outside the caller's scope is [domain.NotFound].
func (s *Service) Properties(ctx context.Context, caller domain.Caller, number domain.AccountNumber) ([]domain.Property, error) {
	if _, err := s.Account(ctx, caller, number); err != nil {
		return nil, err
	}
	list, err := s.Store.Properties(ctx, s.scope(caller, domain.CanQueryProperty), number)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i] = shown(caller, list[i])
	}
	if caller.Reach != domain.ReachConsented || !caller.Permissions.Has(domain.CanViewPersonalData) {
		return list, nil
	}
	placed, err := s.Store.Properties(ctx, s.scope(caller, domain.CanViewPersonalData), number)
	if err != nil && !absent(err) {
		return nil, err
	}
	for i := range list {
		if !slices.ContainsFunc(placed, func(p domain.Property) bool { return p.ID == list[i].ID }) {
			list[i] = placeless(list[i])
		}
	}
	return list, nil
}

func absent(err error) bool {
	e, ok := errors.AsType[*domain.Error](err)
	return ok && e.Kind == domain.NotFound
}

func shown(caller domain.Caller, p domain.Property) domain.Property {
	if !caller.Permissions.Has(domain.CanViewPersonalData) {
		return placeless(p)
	}
	return p
}

// placeless is a property without where it is.
func placeless(p domain.Property) domain.Property {
	p.Address, p.Postcode = nil, ""
	return p
}
