// Package supply answers one question: whom does a partner supply, where, and
// since when?
//
// A partner's applications find customers here, bring new ones, and move them in
// and out; customers change how they themselves are reached. Who is asking is an
// argument of every question, and the partner goes into every one to the store,
// so that another partner's customer is found no more than one that does not
// exist.
package supply

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
)

// Service answers what is asked about customers, and changes them. It is safe for
// concurrent use.
type Service struct {
	Store Store
	// Granted returns what an application may do now: whoever acts as a customer
	// changes no more than they may change by themselves. Without it they change
	// nothing.
	Granted func(domain.ClientID) domain.Permissions
	// CursorKey seals the cursors. All nodes of an installation share it.
	CursorKey [32]byte
	Now       func() time.Time
	Chance    io.Reader
}

// Customer is a customer and who supplies them.
type Customer struct {
	domain.User
	Vendor domain.Partner
}

// Details are what is kept of a customer beside who they are.
type Details struct {
	Reference string          // the partner's own name for the onboarding; empty: there was none
	Invoice   *InvoiceAddress // nil: bills go where they live
}

// InvoiceAddress is where bills go.
type InvoiceAddress struct {
	Lines    []string
	Postcode string
	City     string
	Country  string // two letters, ISO 3166-1
}

// Equal reports whether two addresses are the same; both may be nil.
func (a *InvoiceAddress) Equal(b *InvoiceAddress) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(a.Lines, b.Lines) && a.Postcode == b.Postcode && a.City == b.City && a.Country == b.Country
}

// Field is the way to what is wrong in what was sent, its steps separated by
// dots. It is the cause inside an error, so that a surface can point at it.
type Field string

// Error returns the sentence for the operator.
func (f Field) Error() string { return "field " + string(f) }

// Path returns the steps.
func (f Field) Path() []string { return strings.Split(string(f), ".") }

func invalid(field Field, format string, args ...any) error {
	return &domain.Error{Kind: domain.Invalid, Public: fmt.Sprintf(format, args...), Err: field}
}

func conflict(field Field, format string, args ...any) error {
	return &domain.Error{Kind: domain.Conflict, Public: fmt.Sprintf(format, args...), Err: field}
}

func forbidden(why string) error { return &domain.Error{Kind: domain.Forbidden, Public: why} }

// scope returns which customers the caller may see now.
func (s *Service) scope(caller domain.Caller) domain.Scope {
	return authz.Scope(caller, domain.CanViewPersonalData, s.Now())
}

// Customer finds a customer: one of the partner, or the caller's own self. Anybody
// else is [domain.NotFound], and so is whoever is no customer.
func (s *Service) Customer(ctx context.Context, caller domain.Caller, id domain.UserID) (Customer, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanViewPersonalData}); err != nil {
		return Customer{}, err
	}
	return s.find(ctx, s.scope(caller), id)
}

func (s *Service) find(ctx context.Context, scope domain.Scope, id domain.UserID) (c Customer, err error) {
	if c.User, err = s.Store.User(ctx, scope, id); err != nil {
		return Customer{}, err
	}
	if !c.User.Customer {
		return Customer{}, &domain.Error{Kind: domain.NotFound, Public: "this user is not known", Err: fmt.Errorf("%s is no customer", id)}
	}
	c.Vendor, err = s.Store.Partner(ctx, scope)
	return c, err
}

// Details finds what is kept of a customer beside who they are.
func (s *Service) Details(ctx context.Context, caller domain.Caller, id domain.UserID) (Details, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanViewPersonalData}); err != nil {
		return Details{}, err
	}
	return s.Store.CustomerDetails(ctx, s.scope(caller), id)
}

// Accounts lists a customer's accounts, by number.
func (s *Service) Accounts(ctx context.Context, caller domain.Caller, id domain.UserID) ([]domain.Account, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanQueryProperty}); err != nil {
		return nil, err
	}
	return s.Store.Accounts(ctx, authz.Scope(caller, domain.CanQueryProperty, s.Now()), id)
}

// entry starts an entry of the audit log. What a person is called, and how they
// are reached, never gets there.
func (s *Service) entry(caller domain.Caller, origin domain.Origin, need domain.Permission, action, object, detail string) domain.Entry {
	now := s.Now()
	e := domain.Entry{
		ID: domain.NewEntryID(now, s.Chance), At: now, Action: action, Partner: caller.Partner, Client: caller.Client, User: caller.User,
		Object: object, By: need.String(), RequestID: origin.RequestID, Address: origin.Address, Detail: detail,
	}
	if caller.Impersonated() {
		e.Client = caller.Actor
	}
	return e
}
