package customer

import (
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/usage"
)

// readFilters turns the argument utilityFilters into filters of package usage,
// and keeps by index what each called its frequency, because the answer
// repeats that word. Clients send lists with null in them; such an item, and
// one that names no utility, asks for nothing of its own.
func readFilters(list []*graph.UtilityFiltersInput) ([]usage.Filter, []graph.ReadingFrequencyType) {
	var (
		filters     []usage.Filter
		frequencies []graph.ReadingFrequencyType
	)
	add := func(f usage.Filter, frequency *graph.ReadingFrequencyType) {
		name := graph.ReadingFrequencyTypeRawInterval
		if frequency != nil {
			name = *frequency
		}
		f.Group, f.PointInTime = groupOf(name)
		filters, frequencies = append(filters, f), append(frequencies, name)
	}
	for _, item := range list {
		if item == nil {
			continue
		}
		if e := item.ElectricityFilters; e != nil {
			add(usage.Filter{
				SupplyPoint: e.MarketSupplyPointID, Device: e.DeviceID, Register: e.RegisterID,
				AnyDirection: e.ReadingDirection == nil, Direction: directionOf(e.ReadingDirection),
				Quality: qualityOf(e.ReadingQuality),
			}, e.ReadingFrequencyType)
		}
		if g := item.GasFilters; g != nil {
			add(usage.Filter{
				Gas: true, AnyDirection: true,
				SupplyPoint: g.MarketSupplyPointID, Device: g.DeviceID, Register: g.RegisterID,
				Quality: qualityOf(g.ReadingQuality),
			}, g.ReadingFrequencyType)
		}
	}
	if len(filters) == 0 {
		add(usage.Filter{}, nil)
	}
	return filters, frequencies
}

func groupOf(f graph.ReadingFrequencyType) (g interval.Group, pointInTime bool) {
	switch f {
	case graph.ReadingFrequencyTypeRawInterval, graph.ReadingFrequencyTypeIntervalized:
		return interval.Raw, false
	case graph.ReadingFrequencyTypeFiveMinInterval:
		return interval.FiveMinutes, false
	case graph.ReadingFrequencyTypeFifteenMinInterval:
		return interval.FifteenMinutes, false
	case graph.ReadingFrequencyTypeThirtyMinInterval:
		return interval.ThirtyMinutes, false
	case graph.ReadingFrequencyTypeHourInterval:
		return interval.Hour, false
	case graph.ReadingFrequencyTypeDayInterval, graph.ReadingFrequencyTypeDaily:
		return interval.ByDay, false
	case graph.ReadingFrequencyTypeWeekInterval:
		return interval.Week, false
	case graph.ReadingFrequencyTypeMonthInterval:
		return interval.Month, false
	case graph.ReadingFrequencyTypeQuarterInterval:
		return interval.Quarter, false
	case graph.ReadingFrequencyTypeYearInterval:
		return interval.Year, false
	case graph.ReadingFrequencyTypePointInTime:
		return interval.Raw, true
	}
	return interval.Raw, false // the schema lets no other word in
}

func directionOf(d *graph.ReadingDirectionType) domain.Direction {
	if d != nil && *d == graph.ReadingDirectionTypeGeneration {
		return domain.Generation
	}
	return domain.Consumption
}

func directionAs(d domain.Direction) graph.ReadingDirectionType {
	if d == domain.Generation {
		return graph.ReadingDirectionTypeGeneration
	}
	return graph.ReadingDirectionTypeConsumption
}

func qualityOf(q *graph.ReadingQualityType) usage.QualityFilter {
	if q == nil {
		return usage.AnyQuality
	}
	switch *q {
	case graph.ReadingQualityTypeActual:
		return usage.OnlyActual
	case graph.ReadingQualityTypeEstimate:
		return usage.OnlyEstimate
	case graph.ReadingQualityTypeCombined:
		return usage.AnyQuality
	}
	return usage.AnyQuality
}
