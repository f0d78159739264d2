package usage

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// MaxChanges is the most revisions that one page of changes may hold, and
// someChanges how many one question to the store brings.
const (
	MaxChanges  = 1000
	someChanges = 256
)

// Revision is one version of one day of a channel: the first, or a correction.
type Revision struct {
	domain.Change
	Channel *domain.Channel
	// Zone is that of the supply point, for RecordedAt.
	Zone *time.Location
}

// ChangesQuery says which page of a property's revisions to give.
type ChangesQuery struct {
	After string // a cursor; empty: from the beginning
	First *int   // from 0 to MaxChanges; nil: DefaultPage
	Count bool   // asks for the total
}

// Changes is one page of a property's revisions, those that were recorded first
// before the others. It is for whoever keeps a copy: who goes on from the last
// cursor gets every revision once.
type Changes struct {
	Revisions []Revision
	// HasNext and HasPrevious say whether anything follows and precedes the page.
	HasNext, HasPrevious bool
	// Total counts the revisions of all pages, where the query asks for it.
	Total int

	service  *Service
	property domain.PropertyID
	begin    places
}

// Cursor returns the place of revision i as an opaque text, for After of a query
// about the same property.
func (c *Changes) Cursor(i int) string {
	at := slices.Clone(c.begin)
	met := map[domain.ChannelID]bool{}
	for ; i >= 0; i-- {
		if r := &c.Revisions[i]; !met[r.Channel.ID] {
			met[r.Channel.ID] = true
			at = at.put(c.service.tag(r.Channel.ID), r.Change)
		}
	}
	return c.service.sealPlaces(c.property, at)
}

// Changes returns one page of the revisions of a property's days. A property
// outside the caller's scope is [domain.NotFound]. Who reads by consent is told
// of the days that the consents open only.
func (s *Service) Changes(ctx context.Context, caller domain.Caller, property domain.PropertyID, q ChangesQuery) (Changes, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanViewDetailedUsage}); err != nil {
		return Changes{}, err
	}
	n := DefaultPage
	if q.First != nil {
		n = *q.First
	}
	if n < 0 || n > MaxChanges {
		return Changes{}, invalid("first", "first is %d: want 0 to %d", n, MaxChanges)
	}
	c := Changes{service: s, property: property}
	if q.After != "" {
		var ok bool
		if c.begin, ok = s.openPlaces(property, q.After); !ok {
			return Changes{}, invalid("after", "after is not a cursor of this property's changes")
		}
	}
	tails, err := s.tails(ctx, caller, property)
	if err != nil {
		return Changes{}, err
	}
	if q.Count {
		if c.Total, err = countTails(ctx, s.Store, tails); err != nil {
			return Changes{}, err
		}
	}
	for _, t := range tails {
		t.start(c.begin.find(s.tag(t.channel.ID)), min(n+1, someChanges))
	}
	c.HasPrevious = len(c.begin) > 0
	err = c.fill(ctx, s.Store, tails, n)
	return c, err
}

// tails are the channels of a property and what the caller may be told of each.
func (s *Service) tails(ctx context.Context, caller domain.Caller, property domain.PropertyID) ([]*tail, error) {
	scope := s.scope(caller, domain.CanViewDetailedUsage)
	channels, err := s.channels(ctx, scope, property)
	if err != nil {
		return nil, err
	}
	had, _, err := s.stays(ctx, scope, property)
	if err != nil {
		return nil, err
	}
	var consents []domain.Consent
	if scope.Application != "" {
		if consents, err = s.Store.ActiveConsents(ctx, scope, property); err != nil {
			return nil, err
		}
	}
	tails := make([]*tail, len(channels))
	for i := range channels {
		if tails[i], err = newTail(&channels[i], scope, had, consents); err != nil {
			return nil, err
		}
	}
	return tails, nil
}

// fill takes n revisions, always the one that was recorded first, and looks
// whether there is another.
func (c *Changes) fill(ctx context.Context, store Store, tails []*tail, n int) error {
	for {
		var best *tail
		for _, t := range tails {
			if err := t.fetch(ctx, store); err != nil {
				return err
			}
			if len(t.list) > 0 && (best == nil || t.list[0].RecordedAt.Before(best.list[0].RecordedAt)) {
				best = t
			}
		}
		if best == nil {
			return nil
		}
		if len(c.Revisions) == n {
			c.HasNext = true
			return nil
		}
		c.Revisions = append(c.Revisions, Revision{best.list[0], best.channel, best.zone})
		best.list = best.list[1:]
	}
}

// tail reads what follows in one channel's revisions.
type tail struct {
	channel *domain.Channel
	zone    *time.Location // of the supply point
	home    *time.Location // whose days the channel is stored by
	open    spans          // only days that begin in them; nil: all

	after domain.Change
	ask   int
	done  bool
	list  []domain.Change
}

func newTail(c *domain.Channel, scope domain.Scope, had stays, consents []domain.Consent) (*tail, error) {
	t := &tail{channel: c}
	var err error
	if t.home, err = interval.Zone(c.Zone); err == nil {
		t.zone, err = interval.Zone(c.SupplyPoint.Zone)
	}
	if err != nil {
		return nil, fmt.Errorf("usage: zones of channel %d: %v", c.ID, err)
	}
	switch {
	case scope.Application != "":
		allowed, _, err := allowances(consents, had, c.SupplyPoint, scope.At)
		if err != nil {
			return nil, err
		}
		t.open = append(spans{}, union(allowed, 0)...)
	case scope.User != "":
		if own := had.of(scope.User, ""); !own.whole() {
			t.open = append(spans{}, own...)
		}
	}
	return t, nil
}

func (t *tail) start(after domain.Change, ask int) {
	t.after, t.ask, t.done, t.list = after, ask, t.open != nil && len(t.open) == 0, nil
}

// fetch sees to it that the list has the next revision, unless there is none.
func (t *tail) fetch(ctx context.Context, store Store) error {
	for len(t.list) == 0 && !t.done {
		list, err := store.Changes(ctx, t.channel.ID, t.after, t.ask)
		if err != nil {
			return err
		}
		if t.done = len(list) < t.ask; len(list) > 0 {
			t.after = list[len(list)-1]
		}
		t.list = slices.DeleteFunc(list, func(c domain.Change) bool { return !t.opens(c.Day) })
	}
	return nil
}

func (t *tail) opens(day domain.Date) bool {
	if t.open == nil {
		return true
	}
	start, _ := interval.Span(day, t.home)
	return t.open.has(start.Unix())
}

// last returns the last revision that is opened, zero where none is.
func (t *tail) last(ctx context.Context, store Store) (last domain.Change, err error) {
	for t.start(domain.Change{}, manyChanges); ; t.list = nil {
		if err := t.fetch(ctx, store); err != nil || len(t.list) == 0 {
			return last, err
		}
		last = t.list[len(t.list)-1]
	}
}

// countTails counts all revisions, from the first.
func countTails(ctx context.Context, store Store, tails []*tail) (n int, err error) {
	for _, t := range tails {
		for t.start(domain.Change{}, manyChanges); ; t.list = nil {
			if err := t.fetch(ctx, store); err != nil {
				return 0, err
			}
			if len(t.list) == 0 {
				break
			}
			n += len(t.list)
		}
	}
	return n, nil
}

// manyChanges is how many revisions are asked for at once to be counted.
const manyChanges = 4096
