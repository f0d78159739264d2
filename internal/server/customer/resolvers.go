package customer

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/usage"
)

// resolvers answer the fields that ask something. A field's permission was
// checked by the guard; whose object it is, is up to usage.
type resolvers struct {
	usage *usage.Service
	api   *API
}

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
	p, err := q.usage.Me(ctx, askerOf(ctx).caller, selects(ctx, "User")("vendor"))
	if err != nil {
		return nil, err
	}
	return user(p.User, p.Vendor), nil
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
	now, past := q.api.Now(), active != nil && !*active
	return resolvers(q).properties(ctx, accountNumber, func(periods []domain.Occupancy) bool {
		return slices.ContainsFunc(periods, func(o domain.Occupancy) bool { return o.Holds(now) }) != past
	})
}

// Properties resolves Account.properties.
func (a accounts) Properties(ctx context.Context, obj *graph.Account, activeFrom *graph.DateTime) ([]*graph.PropertyType, error) {
	from, err := moment(activeFrom)
	if err != nil {
		return nil, err
	}
	if from == nil {
		return resolvers(a).properties(ctx, *obj.Number, nil)
	}
	return resolvers(a).properties(ctx, *obj.Number, func(periods []domain.Occupancy) bool {
		return slices.ContainsFunc(periods, func(o domain.Occupancy) bool {
			loc, err := interval.Zone(o.Zone)
			return err == nil && (o.Until.IsZero() || o.Until.After(from.In(loc)))
		})
	})
}

// Property resolves Account.property.
func (a accounts) Property(ctx context.Context, obj *graph.Account, id string) (*graph.PropertyType, error) {
	list, err := resolvers(a).properties(ctx, *obj.Number, nil)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(p *graph.PropertyType) bool { return text(p.ID) == id })
	if i < 0 {
		return nil, &hidden{notYourProperty, &domain.Error{Kind: domain.NotFound, Public: "a property of another account, or of none"}}
	}
	return list[i], nil
}

// OccupancyPeriods resolves PropertyType.occupancyPeriods.
func (r properties) OccupancyPeriods(ctx context.Context, obj *graph.PropertyType) ([]*graph.OccupancyPeriodType, error) {
	list, err := r.usage.Periods(ctx, askerOf(ctx).caller, domain.OccupancyFilter{Property: domain.PropertyID(text(obj.ID))})
	if err != nil {
		return nil, err
	}
	shown, occupier := make([]*graph.OccupancyPeriodType, 0, len(list)), true
	for _, o := range list {
		loc, err := interval.Zone(o.Zone)
		if err != nil {
			return nil, err
		}
		shown = append(shown, &graph.OccupancyPeriodType{
			ID: optional(string(o.ID)), EffectiveFrom: dateTime(o.From, loc), EffectiveTo: dateTime(o.Until, loc),
			IsOccupier: &occupier, AccountNumber: optional(string(o.Account)),
		})
	}
	return shown, nil
}

// dateTime is nil for an instant that is not there.
func dateTime(t time.Time, loc *time.Location) *graph.DateTime {
	if t.IsZero() {
		return nil
	}
	d := graph.FormatDateTime(t.In(loc))
	return &d
}

func (r resolvers) property(ctx context.Context, text string) (domain.Property, error) {
	id, err := domain.ParsePropertyID(text)
	if err != nil {
		return domain.Property{}, hide(err, notYourProperty)
	}
	p, err := r.usage.Property(ctx, askerOf(ctx).caller, id)
	return p, hide(err, notYourProperty)
}

// properties lists the properties that an account has, has had or will have; of
// these, those whose periods a test takes, where there is one.
func (r resolvers) properties(ctx context.Context, accountNumber string, takes func([]domain.Occupancy) bool) ([]*graph.PropertyType, error) {
	number, err := domain.ParseAccountNumber(accountNumber)
	if err != nil {
		return nil, hide(err, notYourAccount)
	}
	caller := askerOf(ctx).caller
	list, err := r.usage.Properties(ctx, caller, number)
	if err != nil {
		return nil, hide(err, notYourAccount)
	}
	var periods []domain.Occupancy
	if takes != nil {
		if periods, err = r.usage.Periods(ctx, caller, domain.OccupancyFilter{Account: number}); err != nil {
			return nil, err
		}
	}
	shown := make([]*graph.PropertyType, 0, len(list))
	for _, p := range list {
		own := slices.DeleteFunc(slices.Clone(periods), func(o domain.Occupancy) bool { return o.Property != p.ID })
		if takes == nil || takes(own) {
			shown = append(shown, property(p))
		}
	}
	return shown, nil
}

func property(p domain.Property) *graph.PropertyType {
	lines := make([]*string, 0, len(p.Address))
	for _, line := range p.Address {
		lines = append(lines, &line)
	}
	shown := &graph.PropertyType{
		ID:           optional(string(p.ID)),
		Postcode:     p.Postcode,
		Address:      optional(strings.Join(p.Address, ", ")),
		SplitAddress: lines,
		Label:        optional(p.Label),
	}
	if len(p.Address) > 0 || p.Postcode != "" {
		shown.RichAddress = &graph.RichAddressType{
			StreetAddress: optional(strings.Join(p.Address, "\n")), PostalCode: optional(p.Postcode),
		}
	}
	return shown
}

// optional is nil for a text that is not there.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
