package customer

import (
	"context"
	"errors"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/supply"
)

// notYourCustomer is for customers whom the caller is not to learn anything about.
var notYourCustomer = code{
	typeAuthorization, "KT-CT-461", "Unauthorized.",
	"There is no such customer, or it is not yours to see.",
}

// customers returns who knows about customers.
func (r resolvers) customers() (*supply.Service, error) {
	if r.api.Customers == nil {
		return nil, &domain.Error{Kind: domain.Unavailable, Public: "this installation keeps no customers", Err: errors.New("no supply service")}
	}
	return r.api.Customers, nil
}

// pointed points at what is wrong in the input.
func pointed(err error) error {
	if f, ok := errors.AsType[supply.Field](err); ok {
		return &atInput{f.Path(), err}
	}
	return err
}

// user is a person as the EnergyZero dialect shows them.
func user(u domain.User, vendor domain.Partner) *graph.User {
	year, month, day := u.BirthDate.Civil()
	return &graph.User{
		ID:             u.ID.UUID(),
		CustomerNumber: u.CustomerNumber,
		Email:          u.Email,
		FirstName:      u.FirstName,
		MiddleName:     optional(u.MiddleName),
		Surname:        u.Surname,
		PhoneNumber:    optional(u.Phone),
		BirthDate:      time.Date(year, month, day, 0, 0, 0, 0, time.UTC),
		Vendor:         &graph.Vendor{ID: string(vendor.ID), Name: vendor.Name},
	}
}

// Customer resolves Query.customer.
func (q queries) Customer(ctx context.Context, id string) (*graph.User, error) {
	customers, err := resolvers(q).customers()
	if err != nil {
		return nil, err
	}
	who, err := domain.ParseUserID(id)
	if err != nil {
		return nil, hide(err, notYourCustomer)
	}
	c, err := customers.Customer(ctx, askerOf(ctx).caller, who)
	if err != nil {
		return nil, hide(err, notYourCustomer)
	}
	return user(c.User, c.Vendor), nil
}

// Customers resolves Query.customers.
func (q queries) Customers(ctx context.Context, search *string, first *int, after *string, last *int, before *string) (*graph.CustomerConnection, error) {
	customers, err := resolvers(q).customers()
	if err != nil {
		return nil, err
	}
	p, err := customers.List(ctx, askerOf(ctx).caller, supply.Query{
		Search: text(search), First: first, Last: last, After: text(after), Before: text(before),
		Count: selects(ctx, "CustomerConnection")("totalCount"),
	})
	if err != nil {
		return nil, pointed(err)
	}
	n := len(p.List)
	shown := &graph.CustomerConnection{
		PageInfo:   &graph.PageInfo{HasNextPage: p.HasNext, HasPreviousPage: p.HasPrevious},
		Edges:      make([]*graph.CustomerEdge, n),
		TotalCount: p.Total,
		EdgeCount:  n,
	}
	for i, c := range p.List {
		shown.Edges[i] = &graph.CustomerEdge{Node: user(c.User, c.Vendor), Cursor: p.Cursor(i)}
	}
	if n > 0 {
		shown.PageInfo.StartCursor, shown.PageInfo.EndCursor = &shown.Edges[0].Cursor, &shown.Edges[n-1].Cursor
	}
	return shown, nil
}

// CreateCustomer resolves Mutation.createCustomer.
func (m mutations) CreateCustomer(ctx context.Context, in graph.CreateCustomerInput) (*graph.CreateCustomerPayload, error) {
	customers, err := resolvers(m).customers()
	if err != nil {
		return nil, err
	}
	n := supply.NewCustomer{
		Reference: in.Reference, FirstName: in.FirstName, MiddleName: text(in.MiddleName), Surname: in.Surname, Email: in.Email,
		Phone: text(in.PhoneNumber), BirthDate: in.BirthDate, CustomerNumber: text(in.CustomerNumber), Invoice: invoice(in.InvoiceAddress),
	}
	for _, p := range in.Properties {
		own := supply.NewProperty{
			Label: text(p.Label), Address: p.Address, Postcode: p.Postcode, Zone: p.Timezone, FirstDay: p.MoveInDate,
		}
		for _, s := range p.SupplyPoints {
			own.Points = append(own.Points, domain.SupplyPointRef{Market: domain.Market(s.MarketName), Identifier: s.ExternalIdentifier})
		}
		n.Properties = append(n.Properties, own)
	}
	c, err := customers.Add(ctx, askerOf(ctx).caller, m.api.originOf(ctx), n)
	if err != nil {
		return nil, pointed(err)
	}
	return &graph.CreateCustomerPayload{Customer: user(c.User, c.Vendor), PossibleErrors: m.possible("createCustomer")}, nil
}

func invoice(in *graph.InvoiceAddressInput) *supply.InvoiceAddress {
	if in == nil {
		return nil
	}
	return &supply.InvoiceAddress{Lines: in.Lines, Postcode: in.Postcode, City: in.City, Country: in.Country}
}

// whom reads who is to be changed; nobody is the caller's own self, and what
// cannot be a customer is no customer's.
func whom(id *string) (domain.UserID, error) {
	if id == nil {
		return "", nil
	}
	who, err := domain.ParseUserID(*id)
	return who, hide(err, notYourCustomer)
}

// UpdateContactDetails resolves Mutation.updateContactDetails.
func (m mutations) UpdateContactDetails(ctx context.Context, in graph.UpdateContactDetailsInput) (*graph.UpdateContactDetailsPayload, error) {
	customers, err := resolvers(m).customers()
	if err != nil {
		return nil, err
	}
	who, err := whom(in.CustomerID)
	if err != nil {
		return nil, err
	}
	c, err := customers.ChangeContact(ctx, askerOf(ctx).caller, m.api.originOf(ctx), who, supply.Contact{Email: in.Email, Phone: in.PhoneNumber})
	if err != nil {
		return nil, unlessThere(err, notYourCustomer)
	}
	return &graph.UpdateContactDetailsPayload{Customer: user(c.User, c.Vendor), PossibleErrors: m.possible("updateContactDetails")}, nil
}

// SetInvoiceAddress resolves Mutation.setInvoiceAddress.
func (m mutations) SetInvoiceAddress(ctx context.Context, in graph.SetInvoiceAddressInput) (*graph.SetInvoiceAddressPayload, error) {
	customers, err := resolvers(m).customers()
	if err != nil {
		return nil, err
	}
	who, err := whom(in.CustomerID)
	if err != nil {
		return nil, err
	}
	c, err := customers.SetInvoiceAddress(ctx, askerOf(ctx).caller, m.api.originOf(ctx), who, invoice(in.Address))
	if err != nil {
		return nil, unlessThere(err, notYourCustomer)
	}
	return &graph.SetInvoiceAddressPayload{Customer: user(c.User, c.Vendor), PossibleErrors: m.possible("setInvoiceAddress")}, nil
}

// unlessThere gives what is not found its code, and points at what is wrong.
func unlessThere(err error, as code) error {
	if notFound(err) {
		return &hidden{as, err}
	}
	return pointed(err)
}

// MoveIn resolves Mutation.moveIn.
func (m mutations) MoveIn(ctx context.Context, in graph.MoveInInput) (*graph.MoveInPayload, error) {
	customers, err := resolvers(m).customers()
	if err != nil {
		return nil, err
	}
	move := supply.MovingIn{FirstDay: in.Date}
	if move.Customer, move.Property, err = moving(in.CustomerID, in.PropertyID); err != nil {
		return nil, err
	}
	if in.AccountNumber != nil {
		if move.Account, err = domain.ParseAccountNumber(*in.AccountNumber); err != nil {
			return nil, &atInput{[]string{"input", "accountNumber"}, err}
		}
	}
	c, err := customers.MoveIn(ctx, askerOf(ctx).caller, m.api.originOf(ctx), move)
	if err != nil {
		return nil, moved(err)
	}
	return &graph.MoveInPayload{Contract: &graph.Contract{Contract: c}, PossibleErrors: m.possible("moveIn")}, nil
}

// MoveOut resolves Mutation.moveOut.
func (m mutations) MoveOut(ctx context.Context, in graph.MoveOutInput) (*graph.MoveOutPayload, error) {
	customers, err := resolvers(m).customers()
	if err != nil {
		return nil, err
	}
	move := supply.MovingOut{LastDay: in.Date}
	if move.Customer, move.Property, err = moving(in.CustomerID, in.PropertyID); err != nil {
		return nil, err
	}
	c, err := customers.MoveOut(ctx, askerOf(ctx).caller, m.api.originOf(ctx), move)
	if err != nil {
		return nil, moved(err)
	}
	return &graph.MoveOutPayload{Contract: &graph.Contract{Contract: c}, PossibleErrors: m.possible("moveOut")}, nil
}

func moving(customerID, propertyID string) (domain.UserID, domain.PropertyID, error) {
	who, err := domain.ParseUserID(customerID)
	if err != nil {
		return "", "", hide(err, notYourCustomer)
	}
	where, err := domain.ParsePropertyID(propertyID)
	return who, where, hide(err, notYourProperty)
}

// moved says whether it is the customer or the property that is not there.
func moved(err error) error {
	if errors.Is(err, supply.ErrProperty) {
		return &hidden{notYourProperty, err}
	}
	return unlessThere(err, notYourCustomer)
}
