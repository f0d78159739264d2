package usage

import (
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// Measure is what an [Amount] is counted in.
type Measure uint8

// The measures, energy before volume.
const (
	WattHours Measure = iota
	KilowattHours
	MegawattHours
	CubicMetres
	Litres
)

// volume reports whether the measure is one of volume, rather than of energy. No
// amount can be turned from one into the other.
func (m Measure) volume() bool { return m >= CubicMetres }

// factors is by how many powers of ten one of a measure is more than a watt-hour
// or a litre.
var factors = [...]int{WattHours: 0, KilowattHours: 3, MegawattHours: 6, CubicMetres: 3, Litres: 0}

// measureOf returns the measure in which a channel of the unit is stored; ok is
// false where it measures nothing that is delivered.
func measureOf(u domain.Unit) (m Measure, ok bool) {
	switch u {
	case domain.WattHour:
		return WattHours, true
	case domain.KilowattHour:
		return KilowattHours, true
	case domain.CubicMetre:
		return CubicMetres, true
	case domain.KilovarHour, domain.VarHour:
	}
	return 0, false
}

// convert turns a value into another measure of the same kind, exactly.
func convert(v domain.Decimal, from, to Measure) (domain.Decimal, error) {
	scale := int(v.Scale) - factors[from] + factors[to]
	if scale > domain.MaxScale {
		t := v.Trim()
		scale -= int(v.Scale) - int(t.Scale)
		v = t
	}
	if scale < 0 {
		whole, ok := domain.Decimal{Coefficient: v.Coefficient}.Rescale(uint8(-scale))
		if !ok {
			return v, unconvertible
		}
		return domain.Decimal{Coefficient: whole.Coefficient}, nil
	}
	if scale > domain.MaxScale && v.Coefficient != 0 {
		return v, unconvertible
	}
	return domain.Decimal{Coefficient: v.Coefficient, Scale: uint8(min(scale, domain.MaxScale))}, nil
}

var unconvertible = invalid("units", "a value has too many digits for the unit that was asked for")

// Amount is what one direction of a supply point brought over an interval: what all
// of its registers counted together.
type Amount struct {
	// Start and End are Unix seconds, [Start, End), as those of a [Reading].
	Start, End int64
	Value      domain.Decimal
	Measure    Measure
	// Quality is Actual, or Estimate where a part is not.
	Quality domain.Quality
	// Present of Expected intervals are in it, over all registers that have any.
	Present, Expected int
	// Actual is the part that was measured, in ActualCount of the intervals that are
	// present, where the question asks for parts.
	Actual      domain.Decimal
	ActualCount int

	zone *time.Location
}

// StartAt returns the start, shown in the zone of the question.
func (a *Amount) StartAt() time.Time { return time.Unix(a.Start, 0).In(a.zone) }

// EndAt returns the end, shown in the zone of the question.
func (a *Amount) EndAt() time.Time { return time.Unix(a.End, 0).In(a.zone) }

// Estimated returns the part that was not measured, and in how many intervals.
func (a *Amount) Estimated() (domain.Decimal, int) {
	rest, _ := a.Value.Add(domain.Decimal{Coefficient: -a.Actual.Coefficient, Scale: a.Actual.Scale})
	return rest, a.Present - a.ActualCount
}

// amountOf returns a reading as an amount of its own.
func amountOf(r *Reading, to Measure) (Amount, error) {
	from, ok := measureOf(r.Series.Channel.Unit)
	if !ok {
		return Amount{}, fmt.Errorf("usage: channel %d measures nothing that is delivered", r.Series.Channel.ID)
	}
	a := Amount{
		Start: r.Start, End: r.End, Measure: to, Quality: r.Quality, Present: r.Present, Expected: r.Expected, zone: r.Series.Zone,
	}
	var err error
	if a.Value, err = convert(r.Value, from, to); err != nil {
		return Amount{}, err
	}
	switch {
	case r.measured != nil:
		a.ActualCount = r.measured.Present
		a.Actual, err = convert(r.measured.Total, from, to)
	case r.Quality == domain.Actual:
		a.Actual, a.ActualCount = a.Value, r.Present
	}
	return a, err
}

// add joins an amount over the same interval to this one.
func (a *Amount) add(b *Amount) error {
	sum, ok := a.Value.Add(b.Value)
	actual, fits := a.Actual.Add(b.Actual)
	if !ok || !fits {
		return &domain.Error{Kind: domain.Invalid, Public: "the sum of these readings has too many digits"}
	}
	if a.Value, a.Actual = sum, actual; b.Quality != domain.Actual {
		a.Quality = b.Quality
	}
	a.Present, a.Expected, a.ActualCount = a.Present+b.Present, a.Expected+b.Expected, a.ActualCount+b.ActualCount
	return nil
}

// split is what a group keeps apart of what was measured.
func (r *reader) split(sum *interval.Sum, p part) error {
	if sum == nil || p.quality != domain.Actual {
		return nil
	}
	return sum.Add(p.value, p.quality, int((p.end-p.start)/60))
}
