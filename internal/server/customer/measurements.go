package customer

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/usage"
)

// source is what measured, in the words of a measurement's source field. All
// readings of ours come from metering companies, who read smart meters.
const source = "smart meter"

// Measurements resolves PropertyType.measurements.
func (r properties) Measurements(ctx context.Context, obj *graph.PropertyType, startAt, endAt *graph.DateTime,
	startOn, endOn *domain.Date, timezone *string, utilityFilters []*graph.UtilityFiltersInput,
	before, after *string, first, last *int,
) (*graph.MeasurementConnection, error) {
	filters, frequencies := readFilters(utilityFilters)
	q := usage.Query{
		FirstDay: startOn, LastDay: endOn, Zone: text(timezone), Filters: filters,
		After: text(after), Before: text(before), First: first, Last: last,
		Count: selects(ctx, "MeasurementConnection", "totalCount"),
	}
	var err error
	if q.From, err = moment(startAt); err != nil {
		return nil, err
	}
	if q.To, err = moment(endAt); err != nil {
		return nil, err
	}
	p, err := r.usage.Measurements(ctx, askerOf(ctx).caller, domain.PropertyID(text(obj.ID)), q)
	if e, ok := err.(*domain.Error); ok && e.Kind == domain.NotFound {
		return nil, &hidden{notYourProperty, err} // it went away under the question
	}
	if err != nil {
		return nil, err
	}
	return connection(&p, frequencies), nil
}

func connection(p *usage.Page, frequencies []graph.ReadingFrequencyType) *graph.MeasurementConnection {
	n := len(p.Readings)
	c := &graph.MeasurementConnection{
		PageInfo:   &graph.PageInfo{HasNextPage: p.HasNext, HasPreviousPage: p.HasPrevious},
		Edges:      make([]*graph.MeasurementEdge, n),
		TotalCount: p.Total,
		EdgeCount:  n,
	}
	if n > 0 {
		start, end := p.Cursor(0), p.Cursor(n-1)
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &start, &end
	}
	for i := range p.Readings {
		reading := &p.Readings[i]
		c.Edges[i] = &graph.MeasurementEdge{
			Node:     node(reading, frequencies[reading.Series.Filter]),
			MakeMark: func() string { return p.Cursor(i) },
		}
	}
	return c
}

func node(r *usage.Reading, frequency graph.ReadingFrequencyType) *graph.IntervalMeasurementType {
	end := graph.FormatDateTime(r.EndAt())
	return &graph.IntervalMeasurementType{
		Source:            source,
		Value:             r.Value,
		Unit:              string(r.Series.Channel.Unit),
		StartAt:           graph.FormatDateTime(r.StartAt()),
		EndAt:             end,
		ReadAt:            end,
		DurationInSeconds: int(r.End - r.Start),
		MetaData:          &graph.MeasurementsMetadataOutput{UtilityFilters: filtersOf(r, frequency), Extras: extras(r)},
	}
}

func filtersOf(r *usage.Reading, frequency graph.ReadingFrequencyType) graph.UtilityFiltersOutput {
	c := &r.Series.Channel
	if c.SupplyPoint.Market.Gas() {
		return &graph.GasFiltersOutput{
			RegisterID: &c.Register, ReadingFrequencyType: &frequency,
			MarketSupplyPointID: &c.SupplyPoint.Identifier,
		}
	}
	direction, quality := graph.ReadingDirectionTypeConsumption, graph.ReadingQualityTypeEstimate
	if c.Direction == domain.Generation {
		direction = graph.ReadingDirectionTypeGeneration
	}
	if r.Quality == domain.Actual {
		quality = graph.ReadingQualityTypeActual
	}
	return &graph.ElectricityFiltersOutput{
		ReadingDirection: &direction, RegisterID: &c.Register,
		ReadingQuality: &quality, ReadingFrequencyType: &frequency, MarketSupplyPointID: &c.SupplyPoint.Identifier,
	}
}

// extras says of a group that lacks intervals how much of it is there.
func extras(r *usage.Reading) []*graph.ExtrasOutput {
	if r.Present == r.Expected {
		return nil
	}
	label, value := "INTERVALS", fmt.Sprintf("%d/%d", r.Present, r.Expected)
	description := "Intervals of this group that are there, of those that it has."
	return []*graph.ExtrasOutput{{Label: &label, Value: &value, Description: &description}}
}

// selects reports whether the field at hand selects name, under any alias.
func selects(ctx context.Context, object, name string) bool {
	for _, f := range graphql.CollectFieldsCtx(ctx, []string{object}) {
		if f.Name == name {
			return true
		}
	}
	return false
}

// moment reads a date-time whose form the scalar has checked.
func moment(d *graph.DateTime) (*interval.Moment, error) {
	if d == nil {
		return nil, nil
	}
	m, err := interval.ParseMoment(string(*d))
	return &m, err
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
