package usage

import (
	"context"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
)

// Page is one page of a property's measurements.
type Page struct {
	// Readings are in the order start, identifier, direction, register, also
	// where the page was taken from the end.
	Readings []Reading
	// Blocks are the readings instead, where the query brings room for them and
	// they are intervals of one channel as they are stored; otherwise nil.
	Blocks *Blocks
	// HasNext and HasPrevious say whether anything follows the last reading and
	// precedes the first in the whole, however the page was asked for. Of an
	// empty page they speak about the place where it lies.
	HasNext, HasPrevious bool
	// Total counts the readings of all pages, where the query asks for it.
	Total int
	// OutsideConsent says of a page on which there is nothing at all that the
	// question asked for more than was agreed to: for intervals that are finer,
	// or for a span that is wholly outside.
	OutsideConsent bool
	// Empty says why there is nothing at all, where the query asks for it.
	Empty EmptyReason
	// Until is the end of the last day up to which every reading is there, in the
	// channel's zone; of several channels the earliest. It is zero where the query
	// does not ask for it, for indices alone, and where a channel has no readings.
	Until time.Time
	// Gaps are the spans in which a channel lacks readings, in the order of time
	// and merged, up to [MaxGaps] of them; MoreGaps says that there are more, behind
	// the last of these.
	Gaps     []Gap
	MoreGaps bool

	service  *Service
	property domain.PropertyID
}

// Cursor returns the place of reading i as an opaque text, for After and
// Before of a query about the same property.
func (p *Page) Cursor(i int) string {
	r := &p.Readings[i]
	return p.service.seal(p.property, mark{r.Start, r.Series.name()})
}

// Measurements returns one page of a property's measurements. A property
// outside the caller's scope is [domain.NotFound]; what the query says wrongly
// is [domain.Invalid] with an [Argument] or [ErrTooMany] inside.
func (s *Service) Measurements(ctx context.Context, caller domain.Caller, property domain.PropertyID, q Query) (Page, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanViewDetailedUsage}); err != nil {
		return Page{}, err
	}
	n, backwards, err := q.size()
	if err != nil {
		return Page{}, err
	}
	scope := s.scope(caller, domain.CanViewDetailedUsage)
	channels, err := s.channels(ctx, scope, property)
	if err != nil {
		return Page{}, err
	}
	chosen, err := q.choose(channels)
	if err != nil {
		return Page{}, err
	}
	if err := s.bound(ctx, scope, property, chosen); err != nil {
		return Page{}, err
	}
	p := Page{service: s, property: property}
	after, err := s.place(ctx, chosen, property, "after", q.After)
	if err != nil {
		return Page{}, err
	}
	before, err := s.place(ctx, chosen, property, "before", q.Before)
	if err != nil {
		return Page{}, err
	}
	if packs(chosen) {
		p.Blocks = q.Room
	}
	if err := p.fill(ctx, s.Store, chosen, after, before, n, backwards); err != nil {
		return Page{}, err
	}
	p.OutsideConsent = p.nothing() && slices.ContainsFunc(chosen, func(s Series) bool { return s.outside })
	err = s.tell(ctx, q, chosen, &p)
	return p, err
}

// tell adds what else the query asks for.
func (s *Service) tell(ctx context.Context, q Query, chosen []Series, p *Page) (err error) {
	if q.Count {
		if p.Total, err = total(ctx, s.Store, chosen); err != nil {
			return err
		}
	}
	if q.Until {
		if p.Until, err = until(ctx, s.Store, chosen); err != nil {
			return err
		}
	}
	if q.Gaps {
		if p.Gaps, p.MoreGaps, err = s.gaps(ctx, chosen); err != nil {
			return err
		}
	}
	if q.Why && p.nothing() {
		p.Empty, err = why(ctx, s.Store, chosen)
	}
	return err
}

// nothing reports whether there is nothing on the page nor around it.
func (p *Page) nothing() bool { return p.Len() == 0 && !p.HasNext && !p.HasPrevious }

// channels lists the property's channels. That there are none says nothing
// about whether the property exists, so that is asked then.
func (s *Service) channels(ctx context.Context, scope domain.Scope, property domain.PropertyID) ([]domain.Channel, error) {
	channels, err := s.Store.Channels(ctx, scope, property)
	if err == nil && len(channels) == 0 {
		_, err = s.Store.Property(ctx, scope, property)
	}
	return channels, err
}

// roomFor is for how many readings there is room on a page from the beginning.
const roomFor = 256

// fill takes n readings from one end of what lies between the two marks, and
// looks whether there is anything on either side.
func (p *Page) fill(ctx context.Context, store Store, chosen []Series, after, before *mark, n int, backwards bool) error {
	between := window{}
	if after != nil {
		between.lower = &cut{mark: *after}
	}
	if before != nil {
		between.upper = &cut{mark: *before}
	}
	var more bool
	var err error
	if p.Blocks != nil {
		more, err = p.Blocks.pack(ctx, store, &chosen[0], between, n, backwards)
	} else {
		more, err = p.read(ctx, newWalk(store, chosen, between, backwards), n)
	}
	if err != nil {
		return err
	}
	if backwards {
		p.HasPrevious = more
	} else {
		p.HasNext = more
	}
	if !p.HasNext && before != nil {
		p.HasNext, err = anything(ctx, store, chosen, window{lower: &cut{*before, true}}, false)
	}
	if err == nil && !p.HasPrevious && after != nil {
		p.HasPrevious, err = anything(ctx, store, chosen, window{upper: &cut{*after, true}}, true)
	}
	return err
}

// read takes n readings of a walk; more says that others follow.
func (p *Page) read(ctx context.Context, k *walk, n int) (more bool, err error) {
	p.Readings = make([]Reading, 0, min(n, roomFor))
	for len(p.Readings) < n {
		r, ok, err := k.next(ctx)
		if err != nil {
			return false, err
		}
		if !ok {
			break
		}
		p.Readings = append(p.Readings, r)
	}
	_, more, err = k.next(ctx)
	if k.reverse {
		slices.Reverse(p.Readings)
	}
	return more, err
}

func anything(ctx context.Context, store Store, chosen []Series, w window, reverse bool) (bool, error) {
	_, ok, err := newWalk(store, chosen, w, reverse).next(ctx)
	return ok, err
}

// beyond is a mark that no reading follows.
var beyond = mark{start: end}

// place finds the mark that a cursor means, or nil where there is no cursor.
func (s *Service) place(ctx context.Context, chosen []Series, property domain.PropertyID, argument Argument, cursor string) (*mark, error) {
	if cursor == "" {
		return nil, nil
	}
	if m, ok := s.open(property, cursor); ok {
		return &m, nil
	}
	index, ok := oldIndex(cursor)
	if !ok {
		return nil, invalid(argument, "%s is not a cursor of this property's measurements", string(argument))
	}
	k := newWalk(s.Store, chosen, window{}, false)
	for {
		r, ok, err := k.next(ctx)
		if err != nil {
			return nil, err
		}
		if !ok {
			return &beyond, nil
		}
		if index == 0 {
			return &mark{r.Start, r.Series.name()}, nil
		}
		index--
	}
}
