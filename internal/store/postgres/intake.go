package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
)

// TakeIn runs f in one durable transaction of its own, beside those of others:
// whoever writes to the same channel waits for its end. It is run again where
// that is all it takes.
func (s *Store) TakeIn(ctx context.Context, f func(intake.Tx) error) error {
	const doing = "take in measurements"
	var l lessons
	for {
		err := s.changeAlone(ctx, doing, func(ctx context.Context, c conn) error {
			t := newTransfer(ctx, s, c)
			t.lessons = &l
			defer l.learn(t)
			return t.run(f)
		})
		missing, ok := errors.AsType[missingPeriods](err)
		switch {
		case ok:
			if err := s.makePeriods(ctx, missing.periods); err != nil {
				return failure(ctx, doing, err)
			}
		case errors.Is(err, errMet):
		case code(err) == codeDeadlock && l.later():
		default:
			return err
		}
	}
}

// run is one attempt.
func (t *transfer) run(f func(intake.Tx) error) error {
	if err := t.hold(t.lessons.channels...); err != nil {
		return err
	}
	err := f(t)
	if t.stuck != nil {
		return t.stuck
	}
	if err != nil {
		return callers(err)
	}
	return t.finish()
}

// transfer is one transaction of intake.
type transfer struct {
	ctx      context.Context
	store    *Store
	conn     conn
	now      int64    // when all of it is recorded, unless a channel is ahead
	lessons  *lessons // of earlier attempts; nil: there are none
	channels map[domain.ChannelID]*held
	asked    []domain.ChannelID        // to be held, whether they are or not
	added    map[domain.ChannelID]bool // nobody else knows of them
	entries  []domain.Entry            // which are recorded last
	sources  map[string]int64
	pending  pending
	ahead    int // for how many channels days were read ahead
	// askedPeriods is set once it was read which partitions there are.
	askedPeriods bool
	stuck        error // what ends the transaction, whatever the caller makes of it
}

func newTransfer(ctx context.Context, s *Store, c conn) *transfer {
	return &transfer{
		ctx: ctx, store: s, conn: c, now: s.instant(),
		channels: map[domain.ChannelID]*held{}, added: map[domain.ChannelID]bool{}, sources: map[string]int64{},
	}
}

// instant is now, or just behind what this node recorded last where the clock
// stands still: what is recorded later has a later instant.
func (s *Store) instant() int64 {
	now := micros(s.now())
	for {
		last := s.recorded.Load()
		if next := max(now, last+1); s.recorded.CompareAndSwap(last, next) {
			return next
		}
	}
}

// Partners lists all partners.
func (t *transfer) Partners() ([]domain.Partner, error) {
	list, err := partners(t.ctx, t.conn)
	return list, failure(t.ctx, "list the partners", err)
}

// Property finds a property of any partner.
func (t *transfer) Property(id domain.PropertyID) (domain.Property, error) {
	p, err := findProperty(t.ctx, t.conn, id)
	return p, failure(t.ctx, "find a property", err)
}

// AddProperty adds a property.
func (t *transfer) AddProperty(p domain.Property) error {
	return failure(t.ctx, "add a property", t.apart(func() error { return addProperty(t.ctx, t.conn, p) }))
}

// SupplyPoint finds a supply point of any partner.
func (t *transfer) SupplyPoint(market domain.Market, identifier string) (domain.SupplyPoint, error) {
	p, err := supplyPoint(t.ctx, t.conn, market, identifier)
	return p, failure(t.ctx, "find a supply point", err)
}

// AddSupplyPoint adds a supply point and returns it with its ID.
func (t *transfer) AddSupplyPoint(p domain.SupplyPoint) (added domain.SupplyPoint, err error) {
	err = t.apart(func() error {
		added, err = addSupplyPoint(t.ctx, t.conn, p)
		return err
	})
	return added, failure(t.ctx, "add a supply point", err)
}

// Channels lists the channels of a supply point.
func (t *transfer) Channels(supplyPoint int64) ([]domain.Channel, error) {
	list, err := supplyPointChannels(t.ctx, t.conn, supplyPoint)
	return list, failure(t.ctx, "list channels", err)
}

// AddChannel adds a channel and returns it with its ID.
func (t *transfer) AddChannel(c domain.Channel) (added domain.Channel, err error) {
	err = t.apart(func() error {
		added, err = addChannel(t.ctx, t.conn, c)
		return err
	})
	if err == nil {
		t.added[added.ID] = true
	}
	return added, failure(t.ctx, "add a channel", err)
}

// apart runs an addition, which may fail so that the transaction goes on. Where
// another node was quicker to add the same, the transaction is run once more: it
// then finds what is there.
func (t *transfer) apart(f func() error) error {
	if err := run(t.ctx, t.conn, "SAVEPOINT addition"); err != nil {
		return err
	}
	if err := f(); err != nil {
		if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.Conflict && t.lessons != nil && !t.lessons.met {
			t.stuck = errMet
		}
		return errors.Join(err, run(context.WithoutCancel(t.ctx), t.conn, "ROLLBACK TO SAVEPOINT addition"))
	}
	return run(t.ctx, t.conn, "RELEASE SAVEPOINT addition")
}

// Record adds an entry to the audit log at the end of the transaction: that takes
// the lock that all nodes share.
func (t *transfer) Record(e domain.Entry) error {
	t.entries = append(t.entries, e)
	return nil
}

// source returns the number of a source, which it adds if it is new.
func (t *transfer) source(name string) (int64, error) {
	if id, ok := t.sources[name]; ok {
		return id, nil
	}
	err := run(t.ctx, t.conn, `INSERT INTO source (name) VALUES ($1) ON CONFLICT (name) DO NOTHING`, name)
	if err != nil {
		return 0, err
	}
	id, err := one(t.ctx, t.conn, "this source", pgx.RowTo[int64], `SELECT id FROM source WHERE name = $1`, name)
	if err == nil {
		t.sources[name] = id
	}
	return id, err
}
