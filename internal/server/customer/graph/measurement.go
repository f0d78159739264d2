package graph

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/wattgate/wattgate/internal/domain"
)

// MeasurementConnection is one page of measurements. It writes itself, so that
// its rows need not go through gqlgen one value at a time.
type MeasurementConnection struct {
	// Hot writes what is selected, EdgeCount edges; nil: gqlgen does, out of the
	// fields below.
	Hot func(ctx context.Context, w io.Writer) error

	PageInfo   *PageInfo
	Edges      []*MeasurementEdge
	TotalCount int // filled only where it is selected
	EdgeCount  int

	// These too are filled only where they are selected.
	AvailableUntil *DateTime
	Gaps           []*MeasurementGap
	HasMoreGaps    bool
	EmptyReason    *MeasurementEmptyReason
}

// Length is how many edges there are.
func (c *MeasurementConnection) Length() int { return c.EdgeCount }

// MarshalGQLContext writes the page as it is selected.
func (c *MeasurementConnection) MarshalGQLContext(ctx context.Context, w io.Writer) error {
	if c.Hot != nil {
		return c.Hot(ctx, w)
	}
	// No field of a page has a resolver, so that the types alone suffice.
	ec := executionContext{OperationContext: graphql.GetOperationContext(ctx), executableSchema: &executableSchema{}}
	ec._MeasurementConnection(ctx, graphql.GetFieldContext(ctx).Field.Selections, c).MarshalGQL(w)
	return nil
}

// UnmarshalGQLContext refuses: a page is an answer, and no argument. gqlgen wants
// both ways of whatever writes itself.
func (c *MeasurementConnection) UnmarshalGQLContext(context.Context, any) error {
	return errors.New("a page of measurements cannot be read")
}

// MeasurementChangeEdge is one change and its place, whose cursor is made when it
// is selected.
type MeasurementChangeEdge struct {
	Node     *MeasurementChange
	MakeMark func() string
}

// Cursor returns the place as an opaque text.
func (e *MeasurementChangeEdge) Cursor() string { return e.MakeMark() }

// MeasurementEdge is one measurement and its place. The cursor is made when it
// is selected, because sealing it costs more than the rest of the row.
type MeasurementEdge struct {
	Node     MeasurementInterface
	MakeMark func() string
}

// Cursor returns the place as an opaque text.
func (e *MeasurementEdge) Cursor() string { return e.MakeMark() }

// IntervalMeasurementType is an amount over a span of time.
type IntervalMeasurementType struct {
	Source            string
	MetaData          *MeasurementsMetadataOutput
	Value             domain.Decimal
	Unit              string
	ReadAt            DateTime
	StartAt           DateTime
	EndAt             DateTime
	DurationInSeconds int
	Accumulation      *domain.Decimal // always nil
	Revision          int
	Updated           time.Time // in the zone of the answer
}

// UpdatedAt returns when it was stored last, as text: few select it.
func (m *IntervalMeasurementType) UpdatedAt() DateTime { return FormatDateTime(m.Updated) }

// IsMeasurementInterface marks what implements MeasurementInterface.
func (IntervalMeasurementType) IsMeasurementInterface() {}
