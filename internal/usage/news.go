package usage

import (
	"context"
	"math"
	"time"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
)

// Latest returns the cursor behind all revisions of a property that are stored
// now, for After of a [ChangesQuery]: whoever begins there is told only of what
// is recorded from now on.
func (s *Service) Latest(ctx context.Context, caller domain.Caller, property domain.PropertyID) (string, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanViewDetailedUsage}); err != nil {
		return "", err
	}
	tails, err := s.tails(ctx, caller, property)
	if err != nil {
		return "", err
	}
	var at places
	for _, t := range tails {
		if t.open != nil { // when something is recorded that they do not see is none of their business
			last, err := t.last(ctx, s.Store)
			if err != nil {
				return "", err
			}
			if !last.RecordedAt.IsZero() {
				at = at.put(s.tag(t.channel.ID), last)
			}
			continue
		}
		known, err := s.Store.Extent(ctx, t.channel.ID)
		if err != nil {
			return "", err
		}
		if !known.RecordedAt.IsZero() {
			at = at.put(s.tag(t.channel.ID), domain.Change{RecordedAt: known.RecordedAt, Day: known.Last})
		}
	}
	return s.sealPlaces(property, at), nil
}

// Recorded is what one channel has recorded at one instant, as far as somebody
// may read it.
type Recorded struct {
	Changes []domain.Change // by day

	service  *Service
	property domain.PropertyID
	channel  domain.ChannelID
	tails    []*tail
}

// Recorded returns what a channel of a property has recorded at one instant: what
// [Service.Changes] would tell the caller of it. A property outside the caller's
// scope is [domain.NotFound], and so is a channel that is not of the property.
func (s *Service) Recorded(ctx context.Context, caller domain.Caller, property domain.PropertyID, channel domain.ChannelID, at time.Time) (Recorded, error) {
	if err := authz.Check(caller, authz.Permit{Need: domain.CanViewDetailedUsage}); err != nil {
		return Recorded{}, err
	}
	tails, err := s.tails(ctx, caller, property)
	if err != nil {
		return Recorded{}, err
	}
	r := Recorded{service: s, property: property, channel: channel, tails: tails}
	for _, t := range tails {
		if t.channel.ID != channel {
			continue
		}
		for t.start(before(at), someChanges); ; t.list = t.list[1:] {
			if err := t.fetch(ctx, s.Store); err != nil {
				return Recorded{}, err
			}
			if len(t.list) == 0 || !t.list[0].RecordedAt.Equal(at) {
				return r, nil
			}
			r.Changes = append(r.Changes, t.list[0])
		}
	}
	return Recorded{}, &domain.Error{Kind: domain.NotFound, Public: "this channel is not known"}
}

// Cursor returns the place behind the last of the changes among all that the
// property has recorded, for After of a [ChangesQuery].
func (r *Recorded) Cursor() string {
	var at places
	last := r.Changes[len(r.Changes)-1]
	met := false
	for _, t := range r.tails { // as [Changes] orders what has one instant
		place := before(last.RecordedAt)
		switch {
		case t.channel.ID == r.channel:
			place, met = last, true
		case !met:
			place = domain.Change{RecordedAt: last.RecordedAt, Day: math.MaxInt32}
		}
		at = at.put(r.service.tag(t.channel.ID), place)
	}
	return r.service.sealPlaces(r.property, at)
}

// before is the place behind everything that was recorded before an instant.
func before(at time.Time) domain.Change {
	return domain.Change{RecordedAt: at.Add(-time.Microsecond), Day: math.MaxInt32}
}
