package usage

import (
	"context"
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// allowance is what one consent allows of a channel.
type allowance struct {
	finest   time.Duration // no interval may be shorter; 0: as measured
	from, to int64         // the intervals start in [from, to)
}

// limit cuts the series down to what the property's customer has agreed to.
func (s *Service) limit(ctx context.Context, scope domain.Scope, property domain.PropertyID, chosen []Series) error {
	consents, err := s.Store.ActiveConsents(ctx, scope, property)
	if err != nil {
		return err
	}
	for i := range chosen {
		allowed, loc, err := allowances(consents, chosen[i].Channel.SupplyPoint, scope.At)
		if err != nil {
			return err
		}
		chosen[i].limit(allowed, loc, scope.At.Unix())
	}
	return nil
}

// allowances returns what the consents that are active now allow of a supply
// point, and its zone, whose days they mean. History that begins later opens
// nothing yet; all that is left holds the present, so that together it is one
// span.
func allowances(consents []domain.Consent, point domain.SupplyPoint, now time.Time) ([]allowance, *time.Location, error) {
	loc, err := interval.Zone(point.Zone)
	if err != nil {
		return nil, nil, fmt.Errorf("usage: zone of %s: %v", point.Name(), err)
	}
	var list []allowance
	for _, c := range consents {
		start, _ := interval.Span(c.HistoryFrom, loc)
		if c.Status(now) != domain.ConsentActive || start.After(now) {
			continue
		}
		for _, agreed := range c.SupplyPoints {
			if agreed.Market == point.Market && agreed.Identifier == point.Identifier {
				list = append(list, allowance{c.Finest, start.Unix(), ceil(c.ValidUntil)})
			}
		}
	}
	return list, loc, nil
}

// limit cuts the series down to what is allowed of its supply point, which lies
// in the zone loc.
//
// Where a resolution was agreed to, groups are given only whole, only when they
// are over, and only as they lie in loc. Otherwise two questions whose spans,
// moments or zones differ by less than the resolution would tell, by the
// difference of their sums, what was not to be told.
func (s *Series) limit(allowed []allowance, loc *time.Location, now int64) {
	asked := s.from < s.to
	s.limited = true
	if s.Index {
		s.limitIndices(allowed)
		return
	}
	if s.Group == interval.Raw {
		s.allowed = allowed // each day decides, by its own resolution
		from, to := union(allowed, interval.WholeDay*time.Minute)
		s.from, s.to = max(s.from, from), min(s.to, to)
		s.outside = asked && s.from >= s.to
		return
	}
	var (
		open   []allowance
		strict bool
	)
	for _, a := range allowed {
		if a.opens(s.Group) {
			open = append(open, a)
			strict = strict || a.finest > 0
		}
	}
	if strict {
		s.grid = loc
	}
	from, to := union(open, 0)
	ruler := s.Group.Ruler(s.grid)
	switch {
	case from >= to || !asked:
		s.from, s.to = 0, 0
	case strict:
		present, _ := ruler.Bounds(now)
		s.from = groupsFrom(s.Group, &ruler, max(s.from, from))
		s.to = min(groupsFrom(s.Group, &ruler, min(s.to, now)), present)
	default:
		s.from, s.to = max(s.from, groupsFrom(s.Group, &ruler, from)), min(s.to, to)
	}
	s.outside = asked && s.from >= s.to
}

// union returns the span that all allowances for intervals of this size make
// together, or an empty one. Size 0 is any.
func union(list []allowance, size time.Duration) (from, to int64) {
	for _, a := range list {
		if size != 0 && size < a.finest {
			continue
		}
		if from == to {
			from, to = a.from, a.to
		}
		from, to = min(from, a.from), max(to, a.to)
	}
	return from, to
}

// opens reports whether groups may be read under the allowance: those whose
// borders are borders of the agreed resolution as well. Weeks are no part of
// months, so that months beside agreed weeks would tell single days.
func (a allowance) opens(g interval.Group) bool {
	const day, week = 24 * time.Hour, 7 * 24 * time.Hour
	switch g {
	case interval.Raw:
		return false // the stored resolution decides
	case interval.FiveMinutes, interval.FifteenMinutes, interval.ThirtyMinutes, interval.Hour, interval.ByDay:
		return time.Duration(g.Minutes())*time.Minute >= a.finest
	case interval.Week:
		return week >= a.finest
	case interval.Month:
		return a.finest <= day || a.finest > week && a.finest <= 31*day
	case interval.Quarter:
		return a.finest <= day || a.finest > week && a.finest <= 92*day
	case interval.Year:
		return a.finest <= day || a.finest > week && a.finest <= 366*day
	}
	return false
}
