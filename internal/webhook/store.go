package webhook

import (
	"context"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Store is what web hooks need of an engine. What is not the owner's is not
// found, exactly as if it did not exist.
type Store interface {
	// AddEndpoint adds an endpoint. Where its owner has most already it is
	// [domain.Conflict].
	AddEndpoint(ctx context.Context, e Endpoint, most int, entry domain.Entry) error
	// Endpoints lists an owner's endpoints, oldest first.
	Endpoints(ctx context.Context, owner Owner) ([]Endpoint, error)
	// FindEndpoint finds an endpoint.
	FindEndpoint(ctx context.Context, owner Owner, id domain.EndpointID) (Endpoint, error)
	// ChangeEndpoint stores what change makes of an endpoint: its URL, its events
	// and whether it is paused.
	ChangeEndpoint(ctx context.Context, owner Owner, id domain.EndpointID, change func(*Endpoint) error, entry domain.Entry) (Endpoint, error)
	// RemoveEndpoint removes an endpoint and all its deliveries.
	RemoveEndpoint(ctx context.Context, owner Owner, id domain.EndpointID, entry domain.Entry) error
	// Deliveries lists up to limit deliveries of an endpoint, newest first: from
	// the newest on, or those before the one with the identifier after. With
	// states, only those in one of them. total counts all of them.
	Deliveries(ctx context.Context, owner Owner, id domain.EndpointID, states []State, after domain.DeliveryID, limit int) (list []Delivery, total int, err error)
	// AddDelivery adds a delivery that the owner asks for.
	AddDelivery(ctx context.Context, owner Owner, d Delivery, entry domain.Entry) error
	// Replay lets deliveries wait again from now on: the one with the identifier,
	// or all that failed and were made at since or later. It returns how many, and
	// for one that waits already 0.
	Replay(ctx context.Context, owner Owner, id domain.EndpointID, delivery domain.DeliveryID, since, now time.Time, entry domain.Entry) (int, error)

	// Lease reports whether the holder is, from now on and until an instant, the
	// only one who delivers.
	Lease(ctx context.Context, holder string, now, until time.Time) (bool, error)
	// Notes lists up to limit notes, oldest first.
	Notes(ctx context.Context, limit int) ([]Note, error)
	// Listening lists the endpoints of all partners, or of one.
	Listening(ctx context.Context, partner domain.PartnerID) ([]Endpoint, error)
	// Spread stores deliveries and removes the notes that they are of, all or
	// nothing: where a note is gone, somebody else has done it, and it is
	// [domain.Conflict]. A delivery about something that its endpoint was told of,
	// or whose endpoint is gone, is left out.
	Spread(ctx context.Context, notes []int64, list []Delivery) error
	// Due lists the oldest waiting delivery of each endpoint that is not paused,
	// where it is to be sent by now: up to limit, the longest due first.
	Due(ctx context.Context, now time.Time, limit int) ([]Due, error)
	// Settle stores an outcome.
	Settle(ctx context.Context, o Outcome) error
	// Sweep removes what was settled before an instant, and what failed or waits
	// since before another, of those that are about nothing; the others stay until
	// kept.
	Sweep(ctx context.Context, settled, failed, kept time.Time) error
}
