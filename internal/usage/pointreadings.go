package usage

import (
	"cmp"
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// PointQuery says which amounts of a supply point, and which page of them. What a
// [Query] has too means the same.
type PointQuery struct {
	From, To  *interval.Moment
	Zone      string
	Group     interval.Group
	Direction domain.Direction
	// Register is the meter's register; nil: all that measure what is delivered,
	// together.
	Register *string
	// Measures are what the amounts may be counted in, the preferred one first. None:
	// kilowatt-hours, or cubic metres where no register counts energy.
	Measures      []Measure
	After, Before string
	First, Last   *int
	Count         bool // asks for the total
	Parts         bool // asks for what was measured of each
}

// ErrNoReadings is the cause inside an [domain.Invalid] error about a supply point
// that has no register at all.
var ErrNoReadings = errors.New("the supply point has no registers")

// Amounts is one page of what a supply point brought, in the order of time.
type Amounts struct {
	List []Amount
	// HasNext, HasPrevious and Total are those of a [Page].
	HasNext, HasPrevious bool
	Total                int

	service *Service
	point   domain.SupplyPoint
	query   PointQuery
}

// Cursor returns the place of amount i as an opaque text, for After and Before of
// a query about the same direction and registers of the same supply point.
func (a *Amounts) Cursor(i int) string {
	return a.service.sealSpot(a.point, a.query, spot{a.List[i].Start, a.List[i].End})
}

// PointReadings returns one page of what a supply point brought in one direction:
// the same readings as [Service.Measurements] gives, bounded in the same way, those
// of its registers over one interval added up. A supply point outside the caller's
// scope is [domain.NotFound]; groups finer than what is stored are [ErrTooFine];
// and what the customer has not agreed to at all is [domain.Forbidden].
func (s *Service) PointReadings(ctx context.Context, caller domain.Caller, point domain.SupplyPoint, q PointQuery) (Amounts, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanViewDetailedUsage}); err != nil {
		return Amounts{}, err
	}
	n, backwards, err := Query{First: q.First, Last: q.Last}.size()
	if err != nil {
		return Amounts{}, err
	}
	chosen, measure, err := s.pointSeries(ctx, caller, point, q)
	if err != nil {
		return Amounts{}, err
	}
	a := Amounts{service: s, point: point, query: q}
	j := &joint{store: s.Store, chosen: chosen, measure: measure}
	after, err := s.spot(ctx, j, point, q, "after", q.After)
	if err != nil {
		return Amounts{}, err
	}
	before, err := s.spot(ctx, j, point, q, "before", q.Before)
	if err != nil {
		return Amounts{}, err
	}
	if err := a.fill(ctx, j, after, before, n, backwards); err != nil {
		return Amounts{}, err
	}
	if q.Count {
		if a.Total, err = j.count(ctx); err != nil {
			return Amounts{}, err
		}
	}
	nothing := len(a.List) == 0 && !a.HasNext && !a.HasPrevious
	if nothing && slices.ContainsFunc(chosen, func(s Series) bool { return s.outside }) {
		return Amounts{}, &domain.Error{Kind: domain.Forbidden, Public: "the customer has not agreed to readings as fine as these, or of this span"}
	}
	if slices.ContainsFunc(chosen, func(s Series) bool { return s.coarse }) {
		return Amounts{}, &domain.Error{Kind: domain.Invalid, Public: "what is stored cannot be given as finely as this", Err: ErrTooFine}
	}
	return a, nil
}

// pointSeries chooses what is read of a supply point, and in what it is counted.
func (s *Service) pointSeries(ctx context.Context, caller domain.Caller, point domain.SupplyPoint, q PointQuery) ([]Series, Measure, error) {
	scope := s.scope(caller, domain.CanViewDetailedUsage)
	channels, err := s.pointChannels(ctx, scope, point)
	if err == nil && len(channels) == 0 {
		if _, err = s.Store.SupplyPoint(ctx, scope, point.Market, point.Identifier); err == nil {
			err = &domain.Error{Kind: domain.Invalid, Public: "this supply point has no registers", Err: ErrNoReadings}
		}
	}
	if err != nil {
		return nil, 0, err
	}
	filter := Filter{Gas: point.Market.Gas(), Group: q.Group, Direction: q.Direction, Register: q.Register}
	chosen, err := Query{From: q.From, To: q.To, Zone: q.Zone, Filters: []Filter{filter}}.choose(channels)
	if err != nil {
		return nil, 0, err
	}
	measure, err := q.measure(chosen)
	if err != nil {
		return nil, 0, err
	}
	chosen = slices.DeleteFunc(chosen, func(s Series) bool {
		stored, ok := measureOf(s.Channel.Unit)
		return !ok || stored.volume() != measure.volume()
	})
	if err := s.bound(ctx, scope, point.Property, chosen); err != nil {
		return nil, 0, err
	}
	for i := range chosen {
		chosen[i].apart = q.Parts
	}
	return chosen, measure, nil
}

// measure returns in what the amounts of the series are counted.
func (q PointQuery) measure(chosen []Series) (Measure, error) {
	var energy, volume bool
	for i := range chosen {
		if m, ok := measureOf(chosen[i].Channel.Unit); ok {
			energy, volume = energy || !m.volume(), volume || m.volume()
		}
	}
	for _, m := range q.Measures {
		if m.volume() && volume || !m.volume() && energy {
			return m, nil
		}
	}
	switch {
	case len(q.Measures) > 0 && (energy || volume):
		return 0, invalid("units", "none of these units is one of what this supply point brings")
	case volume && !energy:
		return CubicMetres, nil
	}
	return KilowattHours, nil
}

// fill takes n amounts from one end of what lies between two places, and looks
// whether there is anything on either side.
func (a *Amounts) fill(ctx context.Context, j *joint, after, before *spot, n int, backwards bool) error {
	k := j.walk(after, before, backwards)
	a.List = make([]Amount, 0, min(n, roomFor))
	for len(a.List) < n {
		next, ok, err := k.next(ctx)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		a.List = append(a.List, next)
	}
	_, more, err := k.next(ctx)
	if err != nil {
		return err
	}
	if backwards {
		slices.Reverse(a.List)
		a.HasPrevious = more
	} else {
		a.HasNext = more
	}
	if !a.HasNext && before != nil {
		_, a.HasNext, err = j.walk(&spot{before.start, before.end - 1}, nil, false).next(ctx)
	}
	if err == nil && !a.HasPrevious && after != nil {
		_, a.HasPrevious, err = j.walk(nil, &spot{after.start, after.end + 1}, true).next(ctx)
	}
	return err
}

// spot is a place in the order of a supply point's amounts. Nothing need be there.
type spot struct{ start, end int64 }

func (s spot) compare(t spot) int {
	return cmp.Or(cmp.Compare(s.start, t.start), cmp.Compare(s.end, t.end))
}

// joint gives the amounts of several registers together.
type joint struct {
	store   Store
	chosen  []Series
	measure Measure
}

// walk goes through what lies after one place and before another; nil is no bound.
func (j *joint) walk(after, before *spot, reverse bool) *jointWalk {
	var w window
	if after != nil {
		w.lower = &cut{mark{start: after.start}, true}
	}
	if before != nil {
		w.upper = &cut{mark{before.start, name{identifier: "\xff"}}, true} // behind every name
	}
	return &jointWalk{j, newWalk(j.store, j.chosen, w, reverse), after, before, nil, nil}
}

func (j *joint) count(ctx context.Context) (int, error) {
	k := j.walk(nil, nil, false)
	for n := 0; ; n++ {
		_, ok, err := k.next(ctx)
		if err != nil || !ok {
			return n, err
		}
	}
}

// jointWalk gives the amounts in the order start, end, or backwards.
type jointWalk struct {
	*joint
	readings      *walk
	after, before *spot
	head          *Reading // taken from the readings, and not yet joined
	ready         []Amount // of one start, in their order
}

// next returns the next amount; ok is false at the end.
func (k *jointWalk) next(ctx context.Context) (a Amount, ok bool, err error) {
	for {
		for len(k.ready) > 0 {
			a, k.ready = k.ready[0], k.ready[1:]
			at := spot{a.Start, a.End}
			if (k.after == nil || at.compare(*k.after) > 0) && (k.before == nil || at.compare(*k.before) < 0) {
				return a, true, nil
			}
		}
		if err := k.gather(ctx); err != nil || len(k.ready) == 0 {
			return Amount{}, false, err
		}
	}
}

// gather joins all readings that start together.
func (k *jointWalk) gather(ctx context.Context) error {
	k.ready = k.ready[:0]
	for {
		r := k.head
		if k.head = nil; r == nil {
			taken, ok, err := k.readings.next(ctx)
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			r = &taken
		}
		if len(k.ready) > 0 && r.Start != k.ready[0].Start {
			k.head = r
			break
		}
		a, err := amountOf(r, k.measure)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(k.ready, func(b Amount) bool { return b.End == a.End })
		if i < 0 {
			k.ready = append(k.ready, a)
		} else if err := k.ready[i].add(&a); err != nil {
			return err
		}
	}
	slices.SortFunc(k.ready, func(a, b Amount) int {
		if k.readings.reverse {
			a, b = b, a
		}
		return cmp.Compare(a.End, b.End)
	})
	return nil
}

// sealSpot writes a place as an opaque text that holds for this question alone:
// version, start, end, MAC.
func (s *Service) sealSpot(point domain.SupplyPoint, q PointQuery, at spot) string {
	b := make([]byte, 0, 96)
	b = append(b, cursorVersion)
	b = binary.AppendVarint(b, at.start)
	b = binary.AppendVarint(b, at.end)
	b = append(b, s.mac(sealAmounts, point.Property, append(b[:len(b):len(b)], whose(point, q)...))...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// whose is what a cursor's MAC covers beside the place, and the reader of it knows.
func whose(point domain.SupplyPoint, q PointQuery) []byte {
	b := []byte{byte(q.Group), byte(q.Direction)}
	b = appendText(b, string(point.Market))
	b = appendText(b, point.Identifier)
	if q.Register != nil {
		b = appendText(append(b, 1), *q.Register)
	}
	return b
}

// spot finds the place that a cursor means, or nil where there is no cursor.
func (s *Service) spot(ctx context.Context, j *joint, point domain.SupplyPoint, q PointQuery, argument Argument, cursor string) (*spot, error) {
	if cursor == "" {
		return nil, nil
	}
	if at, ok := s.openSpot(point, q, cursor); ok {
		return &at, nil
	}
	index, ok := oldIndex(cursor)
	if !ok {
		return nil, invalid(argument, "%s is not a cursor of these readings", string(argument))
	}
	k := j.walk(nil, nil, false)
	for {
		a, ok, err := k.next(ctx)
		if err != nil {
			return nil, err
		}
		if !ok {
			return &spot{end, end}, nil
		}
		if index == 0 {
			return &spot{a.Start, a.End}, nil
		}
		index--
	}
}

// openSpot reads what sealSpot wrote for the same question and nothing else.
func (s *Service) openSpot(point domain.SupplyPoint, q PointQuery, cursor string) (at spot, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) <= macSize || b[0] != cursorVersion || strings.ContainsAny(cursor, "\r\n") { // which base64 skips
		return spot{}, false
	}
	b, sum := b[:len(b)-macSize], b[len(b)-macSize:]
	if !hmac.Equal(sum, s.mac(sealAmounts, point.Property, append(b[:len(b):len(b)], whose(point, q)...))) {
		return spot{}, false
	}
	var n, m int
	if at.start, n = binary.Varint(b[1:]); n <= 0 {
		return spot{}, false
	}
	at.end, m = binary.Varint(b[1+n:])
	return at, m > 0 && 1+n+m == len(b)
}

// sealAmounts is what the cursors of [Amounts] are sealed as.
const sealAmounts = "supply point readings"
