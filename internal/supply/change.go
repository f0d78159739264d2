package supply

import (
	"context"
	"errors"
	"strings"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
)

// Contact is how a customer is reached; nil is left as it is.
type Contact struct {
	Email, Phone *string // an empty telephone number removes it
}

// ChangeContact changes how a customer is reached. Without an identifier it is
// the caller's own self.
func (s *Service) ChangeContact(ctx context.Context, caller domain.Caller, origin domain.Origin, id domain.UserID, contact Contact) (Customer, error) {
	scope, id, need, err := s.mayChange(caller, id)
	if err != nil {
		return Customer{}, err
	}
	var what []string
	if contact.Email != nil {
		text := strings.TrimSpace(*contact.Email)
		if contact.Email, what = &text, append(what, "e-mail"); !isEmail(text) {
			return Customer{}, invalid("input.email", "%s is not an e-mail address", domain.Quote(text))
		}
	}
	if contact.Phone != nil {
		text := strings.TrimSpace(*contact.Phone)
		if contact.Phone, what = &text, append(what, "telephone"); text != "" && !isPhone(text) {
			return Customer{}, invalid("input.phoneNumber", "%s is not a telephone number", domain.Quote(text))
		}
	}
	if len(what) == 0 {
		return Customer{}, invalid("input", "nothing is to be changed: give an e-mail address or a telephone number")
	}
	e := s.entry(caller, origin, need, "customer.contact", string(id), strings.Join(what, ", "))
	err = s.Store.ChangeCustomer(ctx, scope, id, func(u *domain.User, _ *Details) error {
		if contact.Email != nil {
			u.Email = *contact.Email
		}
		if contact.Phone != nil {
			u.Phone = *contact.Phone
		}
		return nil
	}, e)
	if err != nil {
		return Customer{}, At("input.email", err)
	}
	return s.find(ctx, scope, id)
}

// SetInvoiceAddress changes where a customer's bills go; nil: where they live.
// Without an identifier it is the caller's own self.
func (s *Service) SetInvoiceAddress(ctx context.Context, caller domain.Caller, origin domain.Origin, id domain.UserID, address *InvoiceAddress) (Customer, error) {
	scope, id, need, err := s.mayChange(caller, id)
	if err != nil {
		return Customer{}, err
	}
	detail := "removed"
	if address != nil {
		detail = "set"
		if err := address.check("input.address"); err != nil {
			return Customer{}, err
		}
	}
	e := s.entry(caller, origin, need, "customer.invoice-address", string(id), detail)
	err = s.Store.ChangeCustomer(ctx, scope, id, func(_ *domain.User, d *Details) error {
		d.Invoice = address
		return nil
	}, e)
	if err != nil {
		return Customer{}, err
	}
	return s.find(ctx, scope, id)
}

// mayChange decides whether the caller may change how a customer is reached, and
// by which permission. An application by itself needs CAN_MANAGE_CUSTOMERS;
// whoever acts as a customer needs the same for themselves, because reading for
// somebody is no leave to change them. Customers change themselves, with what
// only they have or at the partner's own application.
func (s *Service) mayChange(caller domain.Caller, id domain.UserID) (domain.Scope, domain.UserID, domain.Permission, error) {
	need := domain.CanViewPersonalData
	if caller.User == "" {
		need = domain.CanManageCustomers
	}
	if err := authz.Check(caller, authz.Permit{Need: need}); err != nil {
		return domain.Scope{}, "", need, err
	}
	switch {
	case caller.Reach == domain.ReachConsented || caller.LooksOn():
		return domain.Scope{}, "", need, forbidden("who may only look changes nothing")
	case caller.User == "":
	case caller.Impersonated():
		if s.Granted == nil || !s.Granted(caller.Actor).Has(domain.CanManageCustomers) {
			return domain.Scope{}, "", need, forbidden("acting as a customer, this needs CAN_MANAGE_CUSTOMERS")
		}
		need = domain.CanManageCustomers
	case !caller.Themself() && !caller.Own:
		return domain.Scope{}, "", need, forbidden("customers change this themselves, or their supplier does")
	}
	if id == "" {
		id = caller.User
	}
	if id == "" {
		return domain.Scope{}, "", need, invalid("input.customerId", "name the customer")
	}
	return domain.Scope{Partner: caller.Partner, User: caller.User}, id, need, nil
}

// At says of a conflict where it is, unless that is known.
func At(field Field, err error) error {
	if _, known := errors.AsType[Field](err); known {
		return err
	}
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.Conflict {
		return conflict(field, "%s", e.Public)
	}
	return err
}
