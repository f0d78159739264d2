package usage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// Series is one channel read in one way: what a [Reading] belongs to.
type Series struct {
	Channel domain.Channel
	// Filter is the index of the first of the query's filters that chose it.
	Filter int
	Group  interval.Group
	// Index is set where the readings are what the register showed, rather than
	// intervals; the group is Raw then.
	Index bool
	// Zone is how the readings' times are shown.
	Zone *time.Location

	home     *time.Location // whose days the channel is stored by
	grid     *time.Location // where groups begin
	actual   bool           // give what was measured
	estimate bool           // give what was not
	from, to int64          // the span of the question
	asOf     time.Time      // what was known then; zero: what is known now
	apart    bool           // groups keep apart what was measured
	coarse   bool           // a day was met whose intervals are longer than the group

	bounded bool  // only what was measured in
	own     spans // the customer's own periods
	open    spans // of from and to, where several parts are left; nil: all
	away    bool  // the question asked for what is outside the periods

	limited bool        // only what consents allow
	allowed []allowance // of a limited series that is read as it is stored
	outside bool        // the question asked for what is outside the consents
}

// wants reports whether readings of this quality are asked for.
func (s *Series) wants(q domain.Quality) bool {
	if q == domain.Actual {
		return s.actual
	}
	return s.estimate
}

// name is what tells a reading from the others that start with it, in the
// documented order: identifier, direction, register; and then what makes the
// order total.
type name struct {
	identifier string
	direction  domain.Direction
	register   string
	market     domain.Market
	unit       domain.Unit
	group      interval.Group
	index      bool
}

func (s *Series) name() name {
	c := &s.Channel
	return name{c.SupplyPoint.Identifier, c.Direction, c.Register, c.SupplyPoint.Market, c.Unit, s.Group, s.Index}
}

func (n name) compare(m name) int {
	return cmp.Or(
		strings.Compare(n.identifier, m.identifier),
		cmp.Compare(n.direction, m.direction),
		strings.Compare(n.register, m.register),
		strings.Compare(string(n.market), string(m.market)),
		strings.Compare(string(n.unit), string(m.unit)),
		cmp.Compare(n.group, m.group),
		cmp.Compare(kind(n.index), kind(m.index)),
	)
}

// kind puts intervals before indices.
func kind(index bool) byte {
	if index {
		return indexKind
	}
	return 0
}

// choose returns what the filters choose among the channels, each once, in the
// order of their names.
func (q Query) choose(channels []domain.Channel) ([]Series, error) {
	asked, err := q.zone()
	if err != nil {
		return nil, err
	}
	filters := q.Filters
	if len(filters) == 0 {
		filters = []Filter{{}}
	}
	var chosen []Series
	for i, f := range filters {
		for _, c := range channels {
			if !f.matches(&c) {
				continue
			}
			at := slices.IndexFunc(chosen, func(s Series) bool { return s.Channel.ID == c.ID && s.Group == f.Group && s.Index == f.PointInTime })
			if at < 0 {
				s, err := q.series(c, asked)
				if err != nil {
					return nil, err
				}
				s.Filter, s.Group, s.Index = i, f.Group, f.PointInTime
				at = len(chosen)
				chosen = append(chosen, s)
			}
			chosen[at].actual = chosen[at].actual || f.Quality != OnlyEstimate
			chosen[at].estimate = chosen[at].estimate || f.Quality != OnlyActual
		}
	}
	slices.SortFunc(chosen, func(s, t Series) int { return s.name().compare(t.name()) })
	return chosen, nil
}

// zone returns the zone asked for, or nil for that of each supply point.
func (q Query) zone() (*time.Location, error) {
	if q.Zone == "" {
		return nil, nil
	}
	loc, err := interval.Zone(q.Zone)
	if err != nil {
		return nil, invalid("timezone", "%v", err)
	}
	return loc, nil
}

func (q Query) series(c domain.Channel, asked *time.Location) (Series, error) {
	home, err := interval.Zone(c.Zone)
	if err != nil {
		return Series{}, fmt.Errorf("usage: zone of channel %d: %v", c.ID, err)
	}
	shown := asked
	if shown == nil {
		if shown, err = interval.Zone(c.SupplyPoint.Zone); err != nil {
			return Series{}, fmt.Errorf("usage: zone of %s: %v", c.SupplyPoint.Name(), err)
		}
	}
	from, to := q.span(shown)
	return Series{Channel: c, Zone: shown, home: home, grid: shown, from: from, to: to, asOf: q.asOf(shown)}, nil
}
