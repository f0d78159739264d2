package customer

import (
	"context"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/supply"
)

func (r resolvers) User() graph.UserResolver         { return users(r) }
func (r resolvers) Contract() graph.ContractResolver { return contracts(r) }

type (
	users     resolvers
	contracts resolvers
)

// Contracts resolves User.contracts.
func (u users) Contracts(ctx context.Context, obj *graph.User, statuses []graph.ContractPhase, ids []string, first int, after *string, last int, before *string) (*graph.ContractConnection, error) {
	customers, id, err := u.customer(obj)
	if err != nil {
		return nil, err
	}
	q := supply.ContractQuery{First: first, Last: last, After: text(after), Before: text(before)}
	for _, phase := range statuses {
		q.Phases = append(q.Phases, supply.Phase(phase))
	}
	if statuses != nil && len(statuses) == 0 {
		q.Phases = []supply.Phase{""} // none of them
	}
	for _, text := range ids {
		id, err := domain.ParseOccupancyID(text)
		if err != nil {
			id = "" // nobody's
		}
		q.IDs = append(q.IDs, id)
	}
	if ids != nil && len(ids) == 0 {
		q.IDs = []domain.OccupancyID{""}
	}
	p, err := customers.Contracts(ctx, askerOf(ctx).caller, id, q)
	if err != nil {
		return nil, pointed(err)
	}
	n := len(p.List)
	shown := &graph.ContractConnection{
		PageInfo:   &graph.PageInfo{HasNextPage: p.HasNext, HasPreviousPage: p.HasPrevious},
		Edges:      make([]*graph.ContractEdge, n),
		TotalCount: p.Total,
		EdgeCount:  n,
	}
	for i, c := range p.List {
		shown.Edges[i] = &graph.ContractEdge{Node: &graph.Contract{Contract: c}, Cursor: p.Cursor(i)}
	}
	if n > 0 {
		shown.PageInfo.StartCursor, shown.PageInfo.EndCursor = &shown.Edges[0].Cursor, &shown.Edges[n-1].Cursor
	}
	return shown, nil
}

// Accounts resolves User.accounts.
func (u users) Accounts(ctx context.Context, obj *graph.User) ([]*graph.Account, error) {
	customers, id, err := u.customer(obj)
	if err != nil {
		return nil, err
	}
	list, err := customers.Accounts(ctx, askerOf(ctx).caller, id)
	if err != nil {
		return nil, hide(err, notYourCustomer)
	}
	shown := make([]*graph.Account, 0, len(list))
	for _, a := range list {
		shown = append(shown, &graph.Account{Number: optional(string(a.Number))})
	}
	return shown, nil
}

// InvoiceAddress resolves User.invoiceAddress.
func (u users) InvoiceAddress(ctx context.Context, obj *graph.User) (*graph.InvoiceAddress, error) {
	d, err := u.details(ctx, obj)
	if err != nil || d.Invoice == nil {
		return nil, err
	}
	return &graph.InvoiceAddress{Lines: d.Invoice.Lines, Postcode: d.Invoice.Postcode, City: d.Invoice.City, Country: d.Invoice.Country}, nil
}

// Reference resolves User.reference.
func (u users) Reference(ctx context.Context, obj *graph.User) (*string, error) {
	d, err := u.details(ctx, obj)
	return optional(d.Reference), err
}

func (u users) details(ctx context.Context, obj *graph.User) (supply.Details, error) {
	customers, id, err := u.customer(obj)
	if err != nil {
		return supply.Details{}, err
	}
	d, err := customers.Details(ctx, askerOf(ctx).caller, id)
	return d, hide(err, notYourCustomer)
}

// customer returns who knows about customers, and which one is asked about.
func (u users) customer(obj *graph.User) (*supply.Service, domain.UserID, error) {
	id, err := domain.ParseUserID(obj.ID)
	if err != nil {
		return nil, "", err
	}
	customers, err := resolvers(u).customers()
	return customers, id, err
}

// Property resolves Contract.property.
func (c contracts) Property(ctx context.Context, obj *graph.Contract) (*graph.PropertyType, error) {
	p, err := c.usage.Property(ctx, askerOf(ctx).caller, obj.Contract.Property)
	if err != nil {
		return nil, hide(err, notYourProperty)
	}
	return property(p), nil
}

// SupplyPoints resolves Contract.supplyPoints.
func (c contracts) SupplyPoints(ctx context.Context, obj *graph.Contract) ([]*graph.SupplyPointType, error) {
	list, err := c.usage.SupplyPoints(ctx, askerOf(ctx).caller, obj.Contract.Property)
	if err != nil {
		return nil, hide(err, notYourProperty)
	}
	shown := make([]*graph.SupplyPointType, 0, len(list))
	for _, p := range list {
		shown = append(shown, &graph.SupplyPointType{Point: p})
	}
	return shown, nil
}
