package customer

import (
	"context"
	"errors"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/usage"
)

// The resolvers of supply points and what hangs on them.
type (
	supplyPoints resolvers
	devices      resolvers
	registers    resolvers
)

// SupplyPointType returns what resolves a supply point's fields.
func (r resolvers) SupplyPointType() graph.SupplyPointTypeResolver { return supplyPoints(r) }

// Device returns what resolves a device's fields.
func (r resolvers) Device() graph.DeviceResolver { return devices(r) }

// DeviceRegister returns what resolves a register's fields.
func (r resolvers) DeviceRegister() graph.DeviceRegisterResolver { return registers(r) }

// SupplyPoint resolves Query.supplyPoint.
func (q queries) SupplyPoint(ctx context.Context, externalIdentifier, marketName string) (*graph.SupplyPointType, error) {
	market, err := domain.ParseMarket(marketName)
	if err != nil {
		return nil, &hidden{noSuchMarket, wrong("marketName", "%v", err)}
	}
	if !market.Electricity() && !market.Gas() {
		return nil, &hidden{noReadings, wrong("marketName", "nothing is measured in the market %s", market)}
	}
	p, err := q.usage.SupplyPoint(ctx, askerOf(ctx).caller, market, externalIdentifier)
	if err != nil {
		return nil, hide(err, noSuchSupplyPoint)
	}
	return &graph.SupplyPointType{Point: p}, nil
}

// SupplyPoints resolves Query.supplyPoints.
func (q queries) SupplyPoints(ctx context.Context, accountNumber, portfolioNumber, before, after *string, first, last *int) (*graph.SupplyPointConnection, error) {
	caller := askerOf(ctx).caller
	if portfolioNumber != nil {
		return nil, &hidden{notYourAccount, &domain.Error{Kind: domain.NotFound, Public: "a portfolio, of which there are none"}}
	}
	var number domain.AccountNumber
	if accountNumber != nil {
		var err error
		if number, err = domain.ParseAccountNumber(*accountNumber); err != nil {
			return nil, hide(err, notYourAccount)
		}
	} else if caller.User == "" {
		return nil, wrong("accountNumber", "accountNumber is missing, and the token speaks for nobody whose accounts could be meant")
	}
	list, err := q.usage.AccountSupplyPoints(ctx, caller, number)
	if err != nil {
		return nil, hide(err, notYourAccount)
	}
	return pointsOf(list, stretch{before, after, first, last})
}

// SupplyPoints resolves PropertyType.supplyPoints.
func (r properties) SupplyPoints(ctx context.Context, obj *graph.PropertyType, before, after *string, first, last *int) (*graph.SupplyPointConnection, error) {
	list, err := resolvers(r).points(ctx, obj)
	if err != nil {
		return nil, err
	}
	return pointsOf(list, stretch{before, after, first, last})
}

// points lists the supply points of a property.
func (r resolvers) points(ctx context.Context, of *graph.PropertyType) ([]domain.SupplyPoint, error) {
	list, err := r.usage.SupplyPoints(ctx, askerOf(ctx).caller, domain.PropertyID(text(of.ID)))
	if notFound(err) {
		err = &hidden{notYourProperty, err} // it went away under the question
	}
	return list, err
}

func pointsOf(list []domain.SupplyPoint, p stretch) (*graph.SupplyPointConnection, error) {
	key := func(p domain.SupplyPoint) string { return string(p.Market) + "\x00" + p.Identifier }
	shown, info, err := page(list, key, p)
	if err != nil {
		return nil, err
	}
	c := &graph.SupplyPointConnection{PageInfo: info, Edges: make([]*graph.SupplyPointEdge, 0, len(shown)), TotalCount: len(list), EdgeCount: len(shown)}
	for _, p := range shown {
		c.Edges = append(c.Edges, &graph.SupplyPointEdge{Node: &graph.SupplyPointType{Point: p}, Cursor: place64(key(p))})
	}
	return c, nil
}

// Property resolves SupplyPointType.property.
func (s supplyPoints) Property(ctx context.Context, obj *graph.SupplyPointType) (*graph.PropertyType, error) {
	p, err := s.usage.Property(ctx, askerOf(ctx).caller, obj.Point.Property)
	if err != nil {
		return nil, hide(err, notYourProperty)
	}
	return property(p), nil
}

// Devices resolves SupplyPointType.devices.
func (s supplyPoints) Devices(ctx context.Context, obj *graph.SupplyPointType, deviceIdentifiers []*string, before, after *string, first, last *int) (*graph.DeviceConnection, error) {
	channels, err := s.usage.Registers(ctx, askerOf(ctx).caller, obj.Point)
	if err != nil {
		return nil, err
	}
	list := []*graph.Device{}
	if len(channels) > 0 && deviceIdentifiers == nil {
		list = append(list, &graph.Device{Point: obj.Point, Channels: channels})
	}
	key := func(d *graph.Device) string { return d.Point.Name() }
	shown, info, err := page(list, key, stretch{before, after, first, last})
	if err != nil {
		return nil, err
	}
	c := &graph.DeviceConnection{PageInfo: info, Edges: make([]*graph.DeviceEdge, 0, len(shown)), TotalCount: len(list), EdgeCount: len(shown)}
	for _, d := range shown {
		c.Edges = append(c.Edges, &graph.DeviceEdge{Node: d, Cursor: place64(key(d))})
	}
	return c, nil
}

// Readings resolves SupplyPointType.readings.
func (supplyPoints) Readings(_ context.Context, obj *graph.SupplyPointType, startAt, endAt graph.DateTime, readingType graph.ReadingTypes,
	timeGranularity *graph.TimeGranularities, timezone *string, units []*graph.Units,
) (*graph.Readings, error) {
	return readAsked(obj.Point, nil, startAt, endAt, readingType, timeGranularity, timezone, units)
}

// Readings resolves Device.readings.
func (devices) Readings(_ context.Context, obj *graph.Device, startAt, endAt graph.DateTime, readingType graph.ReadingTypes,
	timeGranularity *graph.TimeGranularities, timezone *string, units []*graph.Units,
) (*graph.Readings, error) {
	return readAsked(obj.Point, nil, startAt, endAt, readingType, timeGranularity, timezone, units)
}

// Readings resolves DeviceRegister.readings.
func (registers) Readings(_ context.Context, obj *graph.DeviceRegister, startAt, endAt graph.DateTime, readingType graph.ReadingTypes,
	timeGranularity *graph.TimeGranularities, timezone *string, units []*graph.Units,
) (*graph.Readings, error) {
	return readAsked(obj.Point, obj.RegisterIdentifier, startAt, endAt, readingType, timeGranularity, timezone, units)
}

// readAsked reads the arguments of readings. What is asked for is looked up in each
// direction apart.
func readAsked(point domain.SupplyPoint, register *string, startAt, endAt graph.DateTime, readingType graph.ReadingTypes,
	granularity *graph.TimeGranularities, timezone *string, units []*graph.Units,
) (*graph.Readings, error) {
	if readingType != graph.ReadingTypesInterval {
		return nil, &hidden{noSuchReadingType, errors.New("readings of the type " + string(readingType))}
	}
	r := &graph.Readings{Point: point, Register: register, Zone: text(timezone)}
	var err error
	if r.From, err = moment(&startAt); err != nil {
		return nil, err
	}
	if r.To, err = moment(&endAt); err != nil {
		return nil, err
	}
	if r.Zone != "" {
		if _, err := interval.Zone(r.Zone); err != nil {
			return nil, wrong("timezone", "%v", err)
		}
	}
	if granularity != nil {
		r.Group = granularities[*granularity]
	}
	for _, u := range units {
		if u != nil {
			r.Units = append(r.Units, *u)
		}
	}
	return r, nil
}

var granularities = map[graph.TimeGranularities]interval.Group{
	graph.TimeGranularitiesFiveMin: interval.FiveMinutes, graph.TimeGranularitiesFifteenMin: interval.FifteenMinutes,
	graph.TimeGranularitiesThirtyMin: interval.ThirtyMinutes, graph.TimeGranularitiesHour: interval.Hour,
	graph.TimeGranularitiesDay: interval.ByDay, graph.TimeGranularitiesWeek: interval.Week, graph.TimeGranularitiesMonth: interval.Month,
	graph.TimeGranularitiesQuarter: interval.Quarter, graph.TimeGranularitiesYear: interval.Year,
}

var measures = map[graph.Units]usage.Measure{
	graph.UnitsWattHours: usage.WattHours, graph.UnitsKilowattHours: usage.KilowattHours, graph.UnitsMegawattHours: usage.MegawattHours,
	graph.UnitsMetersCubed: usage.CubicMetres, graph.UnitsLiter: usage.Litres,
}

// unitOf is the other way round.
var unitOf = func() map[usage.Measure]string {
	names := map[usage.Measure]string{}
	for name, m := range measures {
		names[m] = string(name)
	}
	return names
}()
