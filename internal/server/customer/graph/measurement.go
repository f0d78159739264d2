package graph

import (
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// MeasurementConnection is one page of measurements.
type MeasurementConnection struct {
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
