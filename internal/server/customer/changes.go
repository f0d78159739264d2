package customer

import (
	"context"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/usage"
)

// MeasurementChanges resolves Query.measurementChanges.
func (q queries) MeasurementChanges(ctx context.Context, propertyID string, after *string, first *int) (*graph.MeasurementChangeConnection, error) {
	id, err := domain.ParsePropertyID(propertyID)
	if err != nil {
		return nil, hide(err, notYourProperty)
	}
	selected := selects(ctx, "MeasurementChangeConnection")
	c, err := q.usage.Changes(ctx, askerOf(ctx).caller, id, usage.ChangesQuery{
		After: text(after), First: first, Count: selected("totalCount"),
	})
	if notFound(err) {
		return nil, &hidden{notYourProperty, err}
	}
	if err != nil {
		return nil, err
	}
	return changed(&c), nil
}

func changed(c *usage.Changes) *graph.MeasurementChangeConnection {
	n := len(c.Revisions)
	shown := &graph.MeasurementChangeConnection{
		PageInfo:   &graph.PageInfo{HasNextPage: c.HasNext, HasPreviousPage: c.HasPrevious},
		Edges:      make([]*graph.MeasurementChangeEdge, n),
		TotalCount: c.Total,
		EdgeCount:  n,
	}
	if n > 0 {
		start, end := c.Cursor(0), c.Cursor(n-1)
		shown.PageInfo.StartCursor, shown.PageInfo.EndCursor = &start, &end
	}
	for i := range c.Revisions {
		r := &c.Revisions[i]
		shown.Edges[i] = &graph.MeasurementChangeEdge{
			Node:     revisionNode(r),
			MakeMark: func() string { return c.Cursor(i) },
		}
	}
	return shown
}

func revisionNode(r *usage.Revision) *graph.MeasurementChange {
	return &graph.MeasurementChange{
		Identifier: r.Channel.SupplyPoint.Identifier, Direction: directionAs(r.Channel.Direction), Register: r.Channel.Register,
		Day: r.Day, Revision: int(r.Revision), RecordedAt: graph.FormatDateTime(r.RecordedAt.In(r.Zone)),
	}
}
