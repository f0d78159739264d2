package customer

import (
	"context"
	"fmt"
	"io"
	"slices"

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
	before, after *string, first, last *int, asOf *graph.DateTime,
) (*graph.MeasurementConnection, error) {
	filters, frequencies := readFilters(utilityFilters)
	q := usage.Query{
		FirstDay: startOn, LastDay: endOn, Zone: text(timezone), Filters: filters,
		After: text(after), Before: text(before), First: first, Last: last,
	}
	who := askerOf(ctx)
	by := planOf(ctx, who)
	if by != nil {
		q.Count, q.Until, q.Why, q.Gaps, q.Room = by.count, by.until, by.why, by.gap, who.out.room()
	} else {
		selected := selects(ctx, "MeasurementConnection")
		q.Count, q.Until, q.Why = selected("totalCount"), selected("availableUntil"), selected("emptyReason")
		q.Gaps = selected("gaps") || selected("hasMoreGaps")
	}
	var err error
	if q.From, err = moment(startAt); err != nil {
		return nil, err
	}
	if q.To, err = moment(endAt); err != nil {
		return nil, err
	}
	if q.AsOf, err = moment(asOf); err != nil {
		return nil, err
	}
	p, err := r.usage.Measurements(ctx, who.caller, domain.PropertyID(text(obj.ID)), q)
	if notFound(err) {
		return nil, &hidden{notYourProperty, err} // it went away under the question
	}
	if err != nil {
		return nil, err
	}
	if by != nil {
		return &graph.MeasurementConnection{EdgeCount: p.Len(), Hot: func(ctx context.Context, w io.Writer) error {
			return who.out.write(ctx, w, by, &p, frequencies)
		}}, nil
	}
	return connection(&p, frequencies), nil
}

// connection is a page for gqlgen's own way, field by field.
func connection(p *usage.Page, frequencies []graph.ReadingFrequencyType) *graph.MeasurementConnection {
	n := len(p.Readings)
	c := &graph.MeasurementConnection{
		PageInfo:   &graph.PageInfo{HasNextPage: p.HasNext, HasPreviousPage: p.HasPrevious},
		Edges:      make([]*graph.MeasurementEdge, n),
		TotalCount: p.Total,
		EdgeCount:  n,
	}
	tell(p, c)
	if n > 0 {
		start, end := p.Cursor(0), p.Cursor(n-1)
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &start, &end
	}
	for i := range p.Readings {
		reading := &p.Readings[i]
		c.Edges[i] = &graph.MeasurementEdge{
			Node:     nodeOf(reading, frequencies[reading.Series.Filter]),
			MakeMark: func() string { return p.Cursor(i) },
		}
	}
	return c
}

// tell fills in what the page says beside its readings.
func tell(p *usage.Page, c *graph.MeasurementConnection) {
	if !p.Until.IsZero() {
		until := graph.FormatDateTime(p.Until)
		c.AvailableUntil = &until
	}
	c.Gaps, c.HasMoreGaps = make([]*graph.MeasurementGap, 0, len(p.Gaps)), p.MoreGaps
	for _, g := range p.Gaps {
		c.Gaps = append(c.Gaps, &graph.MeasurementGap{StartAt: graph.FormatDateTime(g.StartAt()), EndAt: graph.FormatDateTime(g.EndAt())})
	}
	c.EmptyReason = reasonOf(p.Empty)
}

// reasonOf returns why there is nothing; nil where there is something.
func reasonOf(empty usage.EmptyReason) *graph.MeasurementEmptyReason {
	var reason graph.MeasurementEmptyReason
	switch empty {
	case usage.NotEmpty:
		return nil
	case usage.NoReadingsYet:
		reason = graph.MeasurementEmptyReasonNoReadingsYet
	case usage.OutsideSupplyPeriod:
		reason = graph.MeasurementEmptyReasonOutsideSupplyPeriod
	case usage.UnsupportedFrequency:
		reason = graph.MeasurementEmptyReasonUnsupportedFrequency
	case usage.OutsideConsent:
		reason = graph.MeasurementEmptyReasonOutsideConsent
	}
	return &reason
}

// nodeOf returns a reading as the API shows it: an index at a moment, or an
// amount over an interval.
func nodeOf(r *usage.Reading, frequency graph.ReadingFrequencyType) graph.MeasurementInterface {
	if !r.Series.Index {
		return node(r, frequency)
	}
	return &graph.MeasurementType{
		Source:    source,
		Value:     r.Value,
		Unit:      string(r.Series.Channel.Unit),
		ReadAt:    graph.FormatDateTime(r.StartAt()),
		Revision:  int(r.Revision),
		UpdatedAt: graph.FormatDateTime(r.UpdatedAt()),
		MetaData:  &graph.MeasurementsMetadataOutput{UtilityFilters: filtersOf(r, frequency)},
	}
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
		Revision:          int(r.Revision),
		Updated:           r.UpdatedAt(),
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
	direction, quality := directionAs(c.Direction), graph.ReadingQualityTypeEstimate
	if r.Quality == domain.Actual {
		quality = graph.ReadingQualityTypeActual
	}
	return &graph.ElectricityFiltersOutput{
		ReadingDirection: &direction, RegisterID: &c.Register,
		ReadingQuality: &quality, ReadingFrequencyType: &frequency, MarketSupplyPointID: &c.SupplyPoint.Identifier,
	}
}

const (
	extraLabel       = "INTERVALS"
	extraDescription = "Intervals of this group that are there, of those that it has."
)

// extras says of a group that lacks intervals how much of it is there.
func extras(r *usage.Reading) []*graph.ExtrasOutput {
	if r.Present == r.Expected {
		return nil
	}
	label, value, description := extraLabel, fmt.Sprintf("%d/%d", r.Present, r.Expected), extraDescription
	return []*graph.ExtrasOutput{{Label: &label, Value: &value, Description: &description}}
}

// selects returns what tells whether the field at hand, which is of the type
// object, selects a field of it, under any alias.
func selects(ctx context.Context, object string) func(name string) bool {
	fields := graphql.CollectFieldsCtx(ctx, []string{object})
	return func(name string) bool {
		return slices.ContainsFunc(fields, func(f graphql.CollectedField) bool { return f.Name == name })
	}
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
