package customer

import (
	"context"
	"fmt"
	"slices"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/usage"
)

// mostHalfHours is how many readings a list without pages may hold: those of 31
// days.
const mostHalfHours = 31 * 48

// listed is how many nodes a list has that is no connection.
type listed int

// Length returns how many there are.
func (l listed) Length() int { return int(l) }

// legacyPoints resolves the fields of ElectricitySupplyPoint that ask something.
type legacyPoints resolvers

// ElectricitySupplyPoint returns what resolves its readings.
func (r resolvers) ElectricitySupplyPoint() graph.ElectricitySupplyPointResolver {
	return legacyPoints(r)
}

// named lists the supply points of a property that a test takes, by an older name.
func named[T any](ctx context.Context, r properties, of *graph.PropertyType, takes func(domain.Market) bool, name func(graph.Point) T) ([]T, error) {
	points, err := resolvers(r).points(ctx, of)
	if err != nil {
		return nil, err
	}
	list := []T{}
	for _, p := range points {
		if takes(p.Market) {
			list = append(list, name(graph.Point{Point: p, Registers: func(ctx context.Context) ([]domain.Channel, error) {
				return r.usage.Registers(ctx, askerOf(ctx).caller, p)
			}}))
		}
	}
	return list, nil
}

// german reports whether a market is in Germany.
func german(m domain.Market) bool { return m.Territory() == "DEU" }

// ElectricityMeterPoints resolves PropertyType.electricityMeterPoints.
func (r properties) ElectricityMeterPoints(ctx context.Context, obj *graph.PropertyType) ([]*graph.ElectricityMeterPoint, error) {
	return named(ctx, r, obj, domain.Market.Electricity, func(p graph.Point) *graph.ElectricityMeterPoint {
		return &graph.ElectricityMeterPoint{Point: p}
	})
}

// GasMeterPoints resolves PropertyType.gasMeterPoints.
func (r properties) GasMeterPoints(ctx context.Context, obj *graph.PropertyType) ([]*graph.GasMeterPoint, error) {
	return named(ctx, r, obj, domain.Market.Gas, func(p graph.Point) *graph.GasMeterPoint { return &graph.GasMeterPoint{Point: p} })
}

// MeterPoints resolves PropertyType.meterPoints.
func (r properties) MeterPoints(ctx context.Context, obj *graph.PropertyType) ([]graph.MeterPointInterface, error) {
	takes := func(m domain.Market) bool { return m.Electricity() || m.Gas() }
	return named(ctx, r, obj, takes, func(p graph.Point) graph.MeterPointInterface {
		if p.Point.Market.Gas() {
			return &graph.GasMeterPoint{Point: p}
		}
		return &graph.ElectricityMeterPoint{Point: p}
	})
}

// ElectricityMalos resolves PropertyType.electricityMalos.
func (r properties) ElectricityMalos(ctx context.Context, obj *graph.PropertyType) ([]*graph.ElectricityMalo, error) {
	takes := func(m domain.Market) bool { return german(m) && m.Electricity() }
	return named(ctx, r, obj, takes, func(p graph.Point) *graph.ElectricityMalo { return &graph.ElectricityMalo{Point: p} })
}

// GasMalos resolves PropertyType.gasMalos.
func (r properties) GasMalos(ctx context.Context, obj *graph.PropertyType) ([]*graph.GasMalo, error) {
	takes := func(m domain.Market) bool { return german(m) && m.Gas() }
	return named(ctx, r, obj, takes, func(p graph.Point) *graph.GasMalo { return &graph.GasMalo{Point: p} })
}

// ElectricitySupplyPoints resolves PropertyType.electricitySupplyPoints.
func (r properties) ElectricitySupplyPoints(ctx context.Context, obj *graph.PropertyType) ([]*graph.ElectricitySupplyPoint, error) {
	return named(ctx, r, obj, domain.Market.Electricity, func(p graph.Point) *graph.ElectricitySupplyPoint {
		return &graph.ElectricitySupplyPoint{Point: p}
	})
}

// HalfHourlyReadings resolves ElectricitySupplyPoint.halfHourlyReadings.
func (l legacyPoints) HalfHourlyReadings(ctx context.Context, obj *graph.ElectricitySupplyPoint, fromDatetime, toDatetime *graph.DateTime, productCode *string) ([]*graph.ElectricityHalfHourReading, error) {
	return l.consumed(ctx, obj.Point.Point, interval.ThirtyMinutes, fromDatetime, toDatetime, productCode)
}

// IntervalReadings resolves ElectricitySupplyPoint.intervalReadings.
func (l legacyPoints) IntervalReadings(ctx context.Context, obj *graph.ElectricitySupplyPoint, sortOrder *graph.SortOrder, startAt, endAt *graph.DateTime, productCode *string) ([]*graph.ElectricityHalfHourReading, error) {
	list, err := l.consumed(ctx, obj.Point.Point, interval.Raw, startAt, endAt, productCode)
	if sortOrder != nil && *sortOrder == graph.SortOrderDesc {
		slices.Reverse(list)
	}
	return list, err
}

// consumed lists all that a supply point took from the grid over a span.
func (l legacyPoints) consumed(ctx context.Context, point domain.SupplyPoint, group interval.Group, from, to *graph.DateTime, product *string) ([]*graph.ElectricityHalfHourReading, error) {
	most := mostHalfHours
	q := usage.PointQuery{Group: group, Direction: domain.Consumption, Measures: []usage.Measure{usage.KilowattHours}, First: &most}
	var err error
	if q.From, err = moment(from); err != nil {
		return nil, err
	}
	if q.To, err = moment(to); err != nil {
		return nil, err
	}
	a, err := l.usage.PointReadings(ctx, askerOf(ctx).caller, point, q)
	switch {
	case notFound(err):
		return nil, &hidden{noSuchSupplyPoint, err}
	case err != nil:
		return nil, err
	case product != nil:
		return []*graph.ElectricityHalfHourReading{}, nil
	case a.HasNext:
		return nil, &tooMuch{tooManyNodes, fmt.Sprintf("the span has more than %d readings: ask for 31 days or less, or for readings of the supply point, which has pages", most)}
	}
	askerOf(ctx).pages.add(listed(len(a.List)))
	version := "DAILY"
	list := make([]*graph.ElectricityHalfHourReading, 0, len(a.List))
	for i := range a.List {
		start, end := graph.FormatDateTime(a.List[i].StartAt()), graph.FormatDateTime(a.List[i].EndAt())
		list = append(list, &graph.ElectricityHalfHourReading{StartAt: &start, EndAt: &end, Value: &a.List[i].Value, Version: &version})
	}
	return list, nil
}
