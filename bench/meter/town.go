package meter

import (
	"context"
	"fmt"
	"slices"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/store"
)

const partner = domain.PartnerID("prt_meter")

// found is how many supply points are made in one transaction.
const found = 10_000

// town is supply points with a channel each, in an engine.
type town struct {
	engine   store.Engine
	clock    *night
	street   *street
	channels []domain.ChannelID
}

// newTown makes the supply points. The second town of an engine needs another
// name.
func newTown(ctx context.Context, e store.Engine, c *night, s *street, name string, points int) (*town, error) {
	entry := domain.Entry{ID: "aud_" + name, At: c.now(), Action: "partner.create", By: "bench"}
	owner := partner + domain.PartnerID("_"+name)
	if err := e.AddPartner(ctx, domain.Partner{ID: owner, Name: name, CreatedAt: c.now()}, entry); err != nil {
		return nil, err
	}
	t := &town{engine: e, clock: c, street: s, channels: make([]domain.ChannelID, points)}
	for begin := 0; begin < points; begin += found {
		err := e.TakeIn(ctx, func(tx intake.Tx) error {
			for i := begin; i < min(begin+found, points); i++ {
				if err := t.settle(tx, owner, name, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return t, nil
}

// settle makes supply point i, on a property of its own.
func (t *town) settle(tx intake.Tx, owner domain.PartnerID, name string, i int) error {
	property := domain.Property{ID: domain.PropertyID(fmt.Sprintf("prop_%s_%d", name, i)), Partner: owner, Zone: zone}
	if err := tx.AddProperty(property); err != nil {
		return err
	}
	point, err := tx.AddSupplyPoint(domain.SupplyPoint{
		Partner: owner, Property: property.ID, Market: domain.MarketNLDElectricity, Identifier: identifier(name, i), Zone: zone,
	})
	if err != nil {
		return err
	}
	channel, err := tx.AddChannel(domain.Channel{SupplyPoint: point, Register: "E1", Unit: domain.KilowattHour, Zone: zone})
	t.channels[i] = channel.ID
	return err
}

func identifier(name string, i int) string { return fmt.Sprintf("%s%07d", name, i) }

// fill takes in days in the order of time, with one durable transaction for each
// batch of supply points.
func (t *town) fill(ctx context.Context, days, batch int) error {
	for n := range days {
		t.clock.day.Store(int64(n))
		begin := 0
		for part := range slices.Chunk(t.channels, batch) {
			if err := t.take(ctx, part, begin, n); err != nil {
				return err
			}
			begin += len(part)
		}
	}
	return nil
}

// take stores day n of channels, packed as it comes.
func (t *town) take(ctx context.Context, channels []domain.ChannelID, begin, n int) error {
	var packed []byte
	return t.engine.TakeIn(ctx, func(tx intake.Tx) error {
		for i, c := range channels {
			var err error
			if packed, err = t.street.day(begin+i, n).Append(packed[:0]); err != nil {
				return err
			}
			day := domain.Day{Date: first + domain.Date(n), Data: packed}
			if err := tx.PutDay(c, day, domain.Provenance{Source: "night"}); err != nil {
				return err
			}
		}
		return nil
	})
}

// seal packs all months of the town, as many at a time as the server does.
func (t *town) seal(ctx context.Context) error {
	const some = 1000
	const never = domain.Date(1 << 20)
	quiet := t.clock.now().AddDate(1, 0, 0)
	for {
		n, err := t.engine.Seal(ctx, domain.SealRule{Quiet: quiet, Late: never}, some)
		if err != nil {
			return err
		}
		if n < some {
			break
		}
	}
	// Nights later, when it is certain that nobody looks at what was there before.
	night := t.clock.day.Load()
	defer t.clock.day.Store(night)
	for later := int64(1); later <= 2; later++ {
		t.clock.day.Store(night + later)
		if _, err := t.engine.Seal(ctx, domain.SealRule{Quiet: quiet, Late: never}, some); err != nil {
			return err
		}
	}
	return nil
}
