package usage

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// allowance is what one consent allows of a channel.
type allowance struct {
	finest   time.Duration // no interval may be shorter; 0: as measured
	from, to int64         // the intervals start in [from, to)
	stays    spans         // and when its giver had the property
}

// open returns the spans in which the intervals start that the consent opens.
func (a allowance) open() spans { return a.stays.clip(a.from, a.to) }

// limit cuts the series down to what the property's customers have agreed to,
// each for what was measured while they had it.
func (s *Service) limit(ctx context.Context, scope domain.Scope, property domain.PropertyID, had stays, chosen []Series) error {
	consents, err := s.Store.ActiveConsents(ctx, scope, property)
	if err != nil {
		return err
	}
	for i := range chosen {
		allowed, loc, err := allowances(consents, had, chosen[i].Channel.SupplyPoint, scope.At)
		if err != nil {
			return err
		}
		chosen[i].stay(agreedStays(consents, had, chosen[i].Channel.SupplyPoint))
		chosen[i].limit(allowed, loc, scope.At.Unix())
	}
	return nil
}

// agreedStays returns when those who have agreed to something of a supply point
// had the property, whether or not that opens anything yet.
func agreedStays(consents []domain.Consent, had stays, point domain.SupplyPoint) spans {
	var own spans
	for _, c := range consents {
		if slices.Contains(c.SupplyPoints, domain.SupplyPointRef{Market: point.Market, Identifier: point.Identifier}) {
			own = append(own, had.of(c.User, c.Account)...)
		}
	}
	return join(own)
}

// allowances returns what the consents that are active now allow of a supply
// point, and its zone, whose days they mean. History that begins later opens
// nothing yet.
func allowances(consents []domain.Consent, had stays, point domain.SupplyPoint, now time.Time) ([]allowance, *time.Location, error) {
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
				list = append(list, allowance{c.Finest, start.Unix(), ceil(c.ValidUntil), had.of(c.User, c.Account)})
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
	if s.away {
		return // nobody who has agreed was there
	}
	if s.Index {
		s.limitIndices(allowed)
		return
	}
	if s.Group == interval.Raw {
		s.allowed = allowed // each day decides, by its own resolution
		s.leave(union(allowed, interval.WholeDay*time.Minute).clip(s.from, s.to))
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
	ruler := s.Group.Ruler(s.grid)
	switch {
	case len(open) == 0 || !asked:
		s.leave(nil)
	case strict:
		present, _ := ruler.Bounds(now)
		from := groupsFrom(s.Group, &ruler, s.from)
		s.leave(whole(union(open, 0), s.Group, &ruler).clip(from, min(groupsFrom(s.Group, &ruler, min(s.to, now)), present)))
	default:
		for i := range open {
			open[i].from = groupsFrom(s.Group, &ruler, open[i].from)
		}
		s.leave(union(open, 0).clip(s.from, s.to))
	}
	s.outside = asked && s.from >= s.to
}

// whole returns the whole groups in the spans. Part of one, when somebody moved
// in or out, would be finer than what was agreed to.
func whole(list spans, g interval.Group, ruler *interval.Ruler) spans {
	var groups spans
	for _, s := range list {
		if s.from > beginning {
			s.from = groupsFrom(g, ruler, s.from)
		}
		if s.to < end {
			s.to, _ = ruler.Bounds(s.to)
		}
		if s.from < s.to {
			groups = append(groups, s)
		}
	}
	return groups
}

// union returns the spans that all allowances for intervals of this size make
// together. Size 0 is any.
func union(list []allowance, size time.Duration) spans {
	if len(list) == 1 && (size == 0 || size >= list[0].finest) { // as most are
		return list[0].open()
	}
	var all spans
	for _, a := range list {
		if size == 0 || size >= a.finest {
			all = append(all, a.open()...)
		}
	}
	return join(all)
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
