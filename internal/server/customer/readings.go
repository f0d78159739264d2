package customer

import (
	"context"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/usage"
)

// readings resolves the two directions of Readings.
type readings resolvers

// Readings returns what resolves the fields of Readings.
func (r resolvers) Readings() graph.ReadingsResolver { return readings(r) }

// ImportReadings resolves Readings.importReadings.
func (r readings) ImportReadings(ctx context.Context, obj *graph.Readings, before, after *string, first, last *int) (*graph.ReadingConnection, error) {
	return r.direction(ctx, obj, domain.Consumption, before, after, first, last)
}

// ExportReadings resolves Readings.exportReadings.
func (r readings) ExportReadings(ctx context.Context, obj *graph.Readings, before, after *string, first, last *int) (*graph.ReadingConnection, error) {
	return r.direction(ctx, obj, domain.Generation, before, after, first, last)
}

func (r readings) direction(ctx context.Context, obj *graph.Readings, direction domain.Direction, before, after *string, first, last *int) (*graph.ReadingConnection, error) {
	selected := selects(ctx, "ReadingConnection")
	q := usage.PointQuery{
		From: obj.From, To: obj.To, Zone: obj.Zone, Group: obj.Group, Direction: direction, Register: obj.Register,
		After: text(after), Before: text(before), First: first, Last: last, Count: selected("totalCount"), Parts: true,
	}
	for _, u := range obj.Units {
		q.Measures = append(q.Measures, measures[u])
	}
	a, err := r.usage.PointReadings(ctx, askerOf(ctx).caller, obj.Point, q)
	if notFound(err) {
		err = &hidden{noSuchSupplyPoint, err}
	}
	if err != nil {
		return nil, err
	}
	return readingsOf(&a), nil
}

func readingsOf(a *usage.Amounts) *graph.ReadingConnection {
	n := len(a.List)
	c := &graph.ReadingConnection{
		PageInfo:   &graph.PageInfo{HasNextPage: a.HasNext, HasPreviousPage: a.HasPrevious},
		Edges:      make([]*graph.ReadingEdge, n),
		TotalCount: a.Total,
		EdgeCount:  n,
	}
	if n > 0 {
		start, end := a.Cursor(0), a.Cursor(n-1)
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &start, &end
	}
	for i := range a.List {
		c.Edges[i] = &graph.ReadingEdge{Node: readingOf(&a.List[i]), MakeMark: func() string { return a.Cursor(i) }}
	}
	return c
}

func readingOf(a *usage.Amount) *graph.Reading {
	return &graph.Reading{
		Value: a.Value, Units: unitOf[a.Measure], Source: source, Quality: qualityName(a.Quality),
		IntervalStart: graph.FormatDateTime(a.StartAt()), IntervalEnd: graph.FormatDateTime(a.EndAt()),
		MakeQualities: func() []*graph.ReadingQuality { return qualitiesOf(a) },
	}
}

// qualitiesOf says what an amount is made of.
func qualitiesOf(a *usage.Amount) []*graph.ReadingQuality {
	list := []*graph.ReadingQuality{}
	add := func(quality string, value *domain.Decimal, count int) {
		if count > 0 {
			list = append(list, &graph.ReadingQuality{Quality: &quality, Value: value, Count: &count})
		}
	}
	estimated, count := a.Estimated()
	add(qualityName(domain.Actual), &a.Actual, a.ActualCount)
	add(qualityName(domain.Estimate), &estimated, count)
	add(domain.Missing.String(), nil, a.Expected-a.Present)
	return list
}

// qualityName is a quality as the API shows it.
func qualityName(q domain.Quality) string {
	if q == domain.Actual {
		return string(graph.ReadingQualityTypeActual)
	}
	return string(graph.ReadingQualityTypeEstimate)
}
