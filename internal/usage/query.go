package usage

import (
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// MaxPage is the most readings that one page may hold; DefaultPage is how many
// it holds where neither first nor last is given.
const (
	MaxPage     = 10_000
	DefaultPage = 100
)

// Query says which measurements of a property, and which page of them.
//
// A reading belongs to a span when it starts in it. The two ways to give a
// span, moments and days, narrow each other.
type Query struct {
	// From and To are the span [From, To); nil is unbounded.
	From, To *interval.Moment
	// FirstDay and LastDay are days of the zone, both included; nil is unbounded.
	FirstDay, LastDay *domain.Date
	// Zone is where groups begin, what moments without an offset mean, and how
	// the answer's times are shown. Empty: that of each supply point.
	Zone string
	// Filters give a union. None is the same as the zero Filter alone.
	Filters []Filter
	// After and Before are cursors; empty is none.
	After, Before string
	// First and Last: at most one of them, from 0 to MaxPage.
	First, Last *int
	// AsOf asks for what was known at that moment; nil is now.
	AsOf *interval.Moment
	// Count asks for the total, Until for how far readings are complete, Gaps for
	// what is absent, and Why for the reason where there is nothing. Each costs
	// something, so that none is told unasked.
	Count, Until, Gaps, Why bool
	// Room takes the readings in blocks, where they can be given so; nil: they
	// come one by one. The page is good for as long as the room is left alone.
	Room *Blocks
}

// Filter chooses channels, and how they are read. The zero Filter is the
// documented default: electricity, consumption, any quality, as stored.
type Filter struct {
	Gas     bool
	Group   interval.Group
	Quality QualityFilter
	// Direction is what the channel's must be, unless AnyDirection is set.
	Direction    domain.Direction
	AnyDirection bool
	// PointInTime asks for what the registers showed rather than for intervals. The
	// Group is Raw then.
	PointInTime bool
	// SupplyPoint is the external identifier, Register the meter's register and
	// Device the device; nil is any. No devices are kept, so that naming one
	// chooses nothing. Registers that do not measure what is delivered, such as
	// reactive energy, are chosen only by name.
	SupplyPoint, Register, Device *string
}

// QualityFilter says which readings to give. A group is judged as a whole, by
// its own quality, so that its sum never leaves out a part.
type QualityFilter uint8

// The quality filters.
const (
	AnyQuality QualityFilter = iota
	OnlyActual
	OnlyEstimate
)

// matches reports whether the filter chooses the channel.
func (f Filter) matches(c *domain.Channel) bool {
	switch {
	case f.Device != nil:
		return false
	case f.Gas != c.SupplyPoint.Market.Gas():
		return false
	case !f.AnyDirection && f.Direction != c.Direction:
		return false
	case f.SupplyPoint != nil && *f.SupplyPoint != c.SupplyPoint.Identifier:
		return false
	case f.Register != nil:
		return *f.Register == c.Register
	}
	return c.Unit.Energy()
}

// Argument names the argument that is wrong; it is the cause inside an
// [domain.Invalid] error, so that a surface can point at it.
type Argument string

// Error returns the sentence for the operator.
func (a Argument) Error() string { return "argument " + string(a) }

// ErrTooMany is the cause inside an [domain.Invalid] error about a page of
// more than [MaxPage] readings.
var ErrTooMany = fmt.Errorf("more than %d readings on a page", MaxPage)

func invalid(argument Argument, format string, args ...any) error {
	return &domain.Error{Kind: domain.Invalid, Public: fmt.Sprintf(format, args...), Err: argument}
}

// size returns how many readings the page holds at most, and from which end.
func (q Query) size() (n int, backwards bool, err error) {
	n, name := DefaultPage, Argument("first")
	switch {
	case q.First != nil && q.Last != nil:
		return 0, false, invalid("last", "first and last exclude each other")
	case q.First != nil:
		n = *q.First
	case q.Last != nil:
		n, name, backwards = *q.Last, "last", true
	}
	if n < 0 {
		return 0, false, invalid(name, "%s is negative: want 0 to %d", string(name), MaxPage)
	}
	if n > MaxPage {
		return 0, false, &domain.Error{
			Kind:   domain.Invalid,
			Public: fmt.Sprintf("%s is above the limit: want 0 to %d", string(name), MaxPage),
			Err:    fmt.Errorf("%w: %w", ErrTooMany, name),
		}
	}
	return n, backwards, nil
}

// The span that an unbounded question means, in Unix seconds: the years 1 to 9999.
const (
	beginning = -62_135_596_800
	end       = 253_402_300_800
)

// span returns [from, to) in Unix seconds, as the question means it in loc. An
// interval starts on a whole second, so a fraction rounds up.
func (q Query) span(loc *time.Location) (from, to int64) {
	from, to = beginning, end
	if q.From != nil {
		from = max(from, ceil(q.From.In(loc)))
	}
	if q.To != nil {
		to = min(to, ceil(q.To.In(loc)))
	}
	if q.FirstDay != nil {
		start, _ := interval.Span(*q.FirstDay, loc)
		from = max(from, start.Unix())
	}
	if q.LastDay != nil {
		_, next := interval.Span(*q.LastDay, loc)
		to = min(to, next.Unix())
	}
	return from, to
}

// asOf returns the instant whose knowledge is asked for, or zero for now. The
// zero instant itself, which a caller may well name, means just after it.
func (q Query) asOf(loc *time.Location) time.Time {
	if q.AsOf == nil {
		return time.Time{}
	}
	t := q.AsOf.In(loc)
	if t.IsZero() {
		return t.Add(1)
	}
	return t
}

func ceil(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}
