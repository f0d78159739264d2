package intake

import (
	"context"

	"github.com/wattgate/wattgate/internal/domain"
)

// Store is what intake needs of an engine.
type Store interface {
	// TakeIn runs f in one durable transaction: either all of it is stored when
	// TakeIn returns nil, or none of it. f may run twice.
	TakeIn(ctx context.Context, f func(Tx) error) error
}

// Tx is one transaction of intake. What does not exist is [domain.NotFound].
type Tx interface {
	// Partners lists all partners.
	Partners() ([]domain.Partner, error)
	// Property finds a property of any partner.
	Property(id domain.PropertyID) (domain.Property, error)
	// AddProperty adds a property.
	AddProperty(p domain.Property) error
	// SupplyPoint finds a supply point of any partner.
	SupplyPoint(market domain.Market, identifier string) (domain.SupplyPoint, error)
	// AddSupplyPoint adds a supply point and returns it with its ID.
	AddSupplyPoint(p domain.SupplyPoint) (domain.SupplyPoint, error)
	// Channels lists the channels of a supply point.
	Channels(supplyPoint int64) ([]domain.Channel, error)
	// AddChannel adds a channel and returns it with its ID.
	AddChannel(c domain.Channel) (domain.Channel, error)
	// Day finds a stored day; Revision is 0 where there is none. Data is valid
	// until the next call.
	Day(channel domain.ChannelID, date domain.Date) (domain.Day, error)
	// PutDay stores a day. Its Revision is one more than that of the stored
	// one, which goes into the history with its provenance; the first is 1. All
	// days of a channel in one transaction have the same RecordedAt, later than
	// any before. How far the channel's days go is kept along.
	PutDay(channel domain.ChannelID, day domain.Day, from domain.Provenance) error
	// AmendDay replaces the data of a day that this transaction has put. It
	// makes no revision, and nothing goes into the history.
	AmendDay(channel domain.ChannelID, day domain.Day) error
	// PutIndex stores what a register showed at an instant, as the next revision
	// where another value or quality is stored; changed is false where the same
	// is, and then nothing is written.
	PutIndex(channel domain.ChannelID, index domain.Index, from domain.Provenance) (was domain.Index, changed bool, err error)
	// Batch finds a batch of a sender.
	Batch(sender, id string) (domain.Batch, error)
	// PutBatch remembers a batch; one that is there is [domain.Conflict].
	PutBatch(b domain.Batch) error
	// Record adds an entry to the audit log.
	Record(e domain.Entry) error
}
