package customer

import (
	"context"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/usage"
)

// resolvers answer the fields that ask something. A field's permission was
// checked by the guard; whose object it is, is up to usage.
type resolvers struct{ usage *usage.Service }

func (r resolvers) Query() graph.QueryResolver               { return queries(r) }
func (r resolvers) Account() graph.AccountResolver           { return accounts(r) }
func (r resolvers) PropertyType() graph.PropertyTypeResolver { return properties(r) }

type (
	queries    resolvers
	accounts   resolvers
	properties resolvers
)

// Me resolves Query.me.
func (q queries) Me(ctx context.Context) (*graph.User, error) {
	p, err := q.usage.Me(ctx, askerOf(ctx).caller)
	if err != nil {
		return nil, err
	}
	year, month, day := p.BirthDate.Civil()
	return &graph.User{
		ID:             p.ID.UUID(),
		CustomerNumber: p.CustomerNumber,
		Email:          p.Email,
		FirstName:      p.FirstName,
		MiddleName:     optional(p.MiddleName),
		Surname:        p.Surname,
		PhoneNumber:    optional(p.Phone),
		BirthDate:      time.Date(year, month, day, 0, 0, 0, 0, time.UTC),
		Vendor:         &graph.Vendor{ID: string(p.Vendor.ID), Name: p.Vendor.Name},
	}, nil
}

// Account resolves Query.account.
func (q queries) Account(ctx context.Context, accountNumber string) (*graph.Account, error) {
	number, err := domain.ParseAccountNumber(accountNumber)
	if err != nil {
		return nil, hide(err, notYourAccount)
	}
	a, err := q.usage.Account(ctx, askerOf(ctx).caller, number)
	if err != nil {
		return nil, hide(err, notYourAccount)
	}
	return &graph.Account{Number: optional(string(a.Number))}, nil
}

// Property resolves Query.property.
func (q queries) Property(ctx context.Context, id string) (*graph.PropertyType, error) {
	p, err := resolvers(q).property(ctx, id)
	if err != nil {
		return nil, err
	}
	return property(p), nil
}

// Properties resolves Query.properties.
func (q queries) Properties(ctx context.Context, accountNumber string, active *bool) ([]*graph.PropertyType, error) {
	list, err := resolvers(q).properties(ctx, accountNumber)
	if err != nil {
		return nil, err
	}
	if active != nil && !*active {
		return []*graph.PropertyType{}, nil
	}
	return list, nil
}

// Properties resolves Account.properties. All that are kept are the account's
// now, and so at any time asked for or later.
func (a accounts) Properties(ctx context.Context, obj *graph.Account, _ *graph.DateTime) ([]*graph.PropertyType, error) {
	return resolvers(a).properties(ctx, *obj.Number)
}

// Property resolves Account.property.
func (a accounts) Property(ctx context.Context, obj *graph.Account, id string) (*graph.PropertyType, error) {
	p, err := resolvers(a).property(ctx, id)
	if err == nil && string(p.Account) != *obj.Number {
		err = &hidden{notYourProperty, &domain.Error{Kind: domain.NotFound, Public: "a property of another account"}}
	}
	if err != nil {
		return nil, err
	}
	return property(p), nil
}

func (r resolvers) property(ctx context.Context, text string) (domain.Property, error) {
	id, err := domain.ParsePropertyID(text)
	if err != nil {
		return domain.Property{}, hide(err, notYourProperty)
	}
	p, err := r.usage.Property(ctx, askerOf(ctx).caller, id)
	return p, hide(err, notYourProperty)
}

func (r resolvers) properties(ctx context.Context, accountNumber string) ([]*graph.PropertyType, error) {
	number, err := domain.ParseAccountNumber(accountNumber)
	if err != nil {
		return nil, hide(err, notYourAccount)
	}
	list, err := r.usage.Properties(ctx, askerOf(ctx).caller, number)
	if err != nil {
		return nil, hide(err, notYourAccount)
	}
	shown := make([]*graph.PropertyType, 0, len(list))
	for _, p := range list {
		shown = append(shown, property(p))
	}
	return shown, nil
}

func property(p domain.Property) *graph.PropertyType {
	lines := make([]*string, 0, len(p.Address))
	for _, line := range p.Address {
		lines = append(lines, &line)
	}
	return &graph.PropertyType{
		ID:           optional(string(p.ID)),
		Postcode:     p.Postcode,
		Address:      optional(strings.Join(p.Address, ", ")),
		SplitAddress: lines,
		Label:        optional(p.Label),
	}
}

// optional is nil for a text that is not there.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
