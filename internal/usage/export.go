package usage

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// MaxExportDays is how many days one export may span: ten years.
const MaxExportDays = 3653

// ExportQuery says what of a supply point to export.
type ExportQuery struct {
	First, Last domain.Date // days of the supply point's zone, both included
	Group       interval.Group
	PointInTime bool              // what the registers showed, rather than intervals
	Direction   *domain.Direction // nil: both
	// Register is the meter's register; nil: all that measure what is delivered,
	// and not reactive energy.
	Register *string
}

// ErrTooFine is the cause inside a [domain.Invalid] error about groups that are
// shorter than the intervals that are stored.
var ErrTooFine = errors.New("the stored intervals are longer than the groups")

// Export is a supply point's readings over a span, ready to be streamed. What it
// says is as it was when it was opened, whatever is recorded meanwhile.
type Export struct {
	Point domain.SupplyPoint
	// From and To bound the readings, [From, To), and are shown in the supply
	// point's zone.
	From, To time.Time
	// Present is the share of the span that has readings, of all channels
	// together: 1 where all of it has. Of indices it is 1 where there is any.
	Present float64
	// Version is another one as soon as the readings are others, or may be.
	Version string

	store  Store
	series []Series
}

// Export opens the readings of the supply point that a market's identifier
// names. One outside the caller's scope is [domain.NotFound], and what a consent
// does not open at all is [domain.Forbidden].
func (s *Service) Export(ctx context.Context, caller domain.Caller, market domain.Market, identifier string, q ExportQuery) (*Export, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanViewDetailedUsage}); err != nil {
		return nil, err
	}
	if days := int64(q.Last) - int64(q.First) + 1; days < 1 || days > MaxExportDays {
		return nil, invalid("to", "the days from %s to %s are %d: want 1 to %d", q.First, q.Last, days, MaxExportDays)
	}
	scope := s.scope(caller, domain.CanViewDetailedUsage)
	point, err := s.Store.SupplyPoint(ctx, scope, market, identifier)
	if err != nil {
		return nil, err
	}
	e := &Export{Point: point, store: s.Store}
	if e.series, err = s.exported(ctx, scope, point, q); err != nil {
		return nil, err
	}
	loc, err := interval.Zone(point.Zone)
	if err != nil {
		return nil, fmt.Errorf("usage: zone of %s: %v", point.Name(), err)
	}
	e.From, _ = interval.Span(q.First, loc)
	_, e.To = interval.Span(q.Last, loc)
	if err := e.weigh(ctx); err != nil {
		return nil, err
	}
	if e.Present == 0 && slices.ContainsFunc(e.series, func(s Series) bool { return s.outside }) {
		return nil, &domain.Error{Kind: domain.Forbidden, Public: "the customer has not agreed to readings as fine as these, or of these days"}
	}
	if e.Present == 0 && slices.ContainsFunc(e.series, func(s Series) bool { return s.coarse }) {
		return nil, &domain.Error{Kind: domain.Invalid, Public: "what is stored cannot be given as finely as this", Err: ErrTooFine}
	}
	e.Version = s.version(e)
	return e, nil
}

// exported chooses the series, each as it is known now.
func (s *Service) exported(ctx context.Context, scope domain.Scope, point domain.SupplyPoint, q ExportQuery) ([]Series, error) {
	channels, err := s.Store.Channels(ctx, scope, point.Property)
	if err != nil {
		return nil, err
	}
	channels = slices.DeleteFunc(channels, func(c domain.Channel) bool { return c.SupplyPoint.ID != point.ID })
	filter := Filter{
		Gas: point.Market.Gas(), Group: q.Group, PointInTime: q.PointInTime,
		AnyDirection: q.Direction == nil, Register: q.Register,
	}
	if q.Direction != nil {
		filter.Direction = *q.Direction
	}
	chosen, err := Query{FirstDay: &q.First, LastDay: &q.Last, Filters: []Filter{filter}}.choose(channels)
	if err == nil {
		err = s.bound(ctx, scope, point.Property, chosen)
	}
	if err != nil {
		return nil, err
	}
	for i := range chosen {
		if chosen[i].Index {
			continue // the indices tell it themselves, when they are weighed
		}
		if chosen[i].bounded { // what others are recorded is none of the customer's business
			if chosen[i].asOf, err = chosen[i].latest(ctx, s.Store); err != nil {
				return nil, err
			}
			continue
		}
		known, err := s.Store.Extent(ctx, chosen[i].Channel.ID)
		if err != nil {
			return nil, err
		}
		chosen[i].asOf = known.RecordedAt // zero: there is nothing
	}
	return chosen, nil
}

// version tells this export from all whose readings may be others.
func (s *Service) version(e *Export) string {
	var b []byte
	for i := range e.series {
		c := &e.series[i]
		if c.bounded && c.asOf.IsZero() {
			continue // whether there is such a channel is for others to know
		}
		b = binary.AppendVarint(b, int64(c.Channel.ID))
		b = binary.AppendVarint(b, c.asOf.UnixMicro())
		b = binary.AppendVarint(b, c.from)
		b = binary.AppendVarint(b, c.to)
		b = append(b, byte(c.Group)|kind(c.Index))
		for _, p := range c.open {
			b = binary.AppendVarint(b, p.from)
			b = binary.AppendVarint(b, p.to)
		}
		for _, a := range c.allowed {
			b = binary.AppendVarint(b, int64(a.finest))
			for _, p := range a.open() {
				b = binary.AppendVarint(b, p.from)
				b = binary.AppendVarint(b, p.to)
			}
		}
	}
	return base64.RawURLEncoding.EncodeToString(s.mac(sealExport, e.Point.Property, b))
}
