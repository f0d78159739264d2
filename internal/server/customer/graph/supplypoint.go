package graph

import (
	"context"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// SupplyPointType is where the grid ends.
type SupplyPointType struct{ Point domain.SupplyPoint }

// ID returns the name under which REST knows the supply point too.
func (s *SupplyPointType) ID() string { return s.Point.Name() }

// MarketName returns the market.
func (s *SupplyPointType) MarketName() string { return string(s.Point.Market) }

// ExternalIdentifier returns the identifier that the market uses.
func (s *SupplyPointType) ExternalIdentifier() *string { return &s.Point.Identifier }

// IsHasReadings marks what implements HasReadings.
func (SupplyPointType) IsHasReadings() {}

// Device is what measures at a supply point, by all of its registers.
type Device struct {
	DeviceIdentifier *string // always nil
	Point            domain.SupplyPoint
	Channels         []domain.Channel
}

// Registers returns the registers in the order of the channels.
func (d *Device) Registers() []*DeviceRegister {
	list := make([]*DeviceRegister, 0, len(d.Channels))
	for _, c := range d.Channels {
		list = append(list, &DeviceRegister{RegisterIdentifier: &c.Register, Point: d.Point})
	}
	return list
}

// IsHasReadings marks what implements HasReadings.
func (Device) IsHasReadings() {}

// DeviceRegister is one register of a device.
type DeviceRegister struct {
	RegisterIdentifier *string
	Point              domain.SupplyPoint
}

// IsHasReadings marks what implements HasReadings.
func (DeviceRegister) IsHasReadings() {}

// Readings is a question about a supply point, whose two directions are answered
// apart.
type Readings struct {
	Point    domain.SupplyPoint
	Register *string // nil: all together
	From, To *interval.Moment
	Zone     string
	Group    interval.Group
	Units    []Units
}

// Reading is what was brought over an interval. What it is made of is told when it
// is selected.
type Reading struct {
	Value                      domain.Decimal
	Units, Source, Quality     string
	IntervalStart, IntervalEnd DateTime
	MakeQualities              func() []*ReadingQuality
}

// Qualities returns the parts that have one quality each.
func (r *Reading) Qualities() []*ReadingQuality { return r.MakeQualities() }

// ReadingEdge is one reading and its place, whose cursor is made when it is
// selected.
type ReadingEdge struct {
	Node     *Reading
	MakeMark func() string
}

// Cursor returns the place as an opaque text.
func (e *ReadingEdge) Cursor() string { return e.MakeMark() }

// Point is a supply point by one of its older names.
type Point struct {
	Point     domain.SupplyPoint
	Registers func(context.Context) ([]domain.Channel, error) // asked when they are selected
}

// ID returns the name under which REST knows the supply point too.
func (p *Point) ID() *string {
	name := p.Point.Name()
	return &name
}

// MarketIdentifier returns the identifier that the market uses.
func (p *Point) MarketIdentifier() *string { return &p.Point.Identifier }

// in returns the identifier where the supply point is in a territory, by the
// name that it has there.
func (p *Point) in(territory string) *string {
	if p.Point.Market.Territory() != territory {
		return nil
	}
	return &p.Point.Identifier
}

// Meters returns the one meter of a supply point that has registers.
func (p *Point) Meters(ctx context.Context) ([]*SupplyPointMeter, error) {
	channels, err := p.Registers(ctx)
	if err != nil || len(channels) == 0 {
		return []*SupplyPointMeter{}, err
	}
	m := &SupplyPointMeter{Registers: make([]*SupplyPointRegister, 0, len(channels))}
	for _, c := range channels {
		m.Registers = append(m.Registers, &SupplyPointRegister{Identifier: &c.Register})
	}
	return []*SupplyPointMeter{m}, nil
}

// Meter is the same where one is all that can be.
func (p *Point) Meter(ctx context.Context) (*SupplyPointMeter, error) {
	list, err := p.Meters(ctx)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// Agreements returns nil: no contracts of supply are kept.
func (p *Point) Agreements() []*SupplyPointAgreement { return nil }

// ElectricityMeterPoint is a supply point of electricity.
type ElectricityMeterPoint struct{ Point }

// Mpan returns the identifier in Great Britain.
func (p *ElectricityMeterPoint) Mpan() *string { return p.in("GBR") }

// IsMeterPointInterface marks what implements MeterPointInterface.
func (ElectricityMeterPoint) IsMeterPointInterface() {}

// GasMeterPoint is a supply point of gas.
type GasMeterPoint struct{ Point }

// Mprn returns the identifier in Great Britain.
func (p *GasMeterPoint) Mprn() *string { return p.in("GBR") }

// IsMeterPointInterface marks what implements MeterPointInterface.
func (GasMeterPoint) IsMeterPointInterface() {}

// ElectricityMalo is a German supply point of electricity.
type ElectricityMalo struct {
	Point
	MeloNumber *string // always nil
}

// MaloNumber returns the identifier in Germany.
func (p *ElectricityMalo) MaloNumber() *string { return p.in("DEU") }

// GasMalo is a German supply point of gas.
type GasMalo struct {
	Point
	MeloNumber *string // always nil
}

// MaloNumber returns the identifier in Germany.
func (p *GasMalo) MaloNumber() *string { return p.in("DEU") }

// ElectricitySupplyPoint is a supply point of electricity.
type ElectricitySupplyPoint struct {
	Point
	Status *string // always nil
}

// Spin returns the identifier in Japan.
func (p *ElectricitySupplyPoint) Spin() *string { return p.in("JPN") }

// Pod returns the identifier in Italy.
func (p *ElectricitySupplyPoint) Pod() *string { return p.in("ITA") }

// Cups returns the identifier in Spain.
func (p *ElectricitySupplyPoint) Cups() *string { return p.in("ESP") }
