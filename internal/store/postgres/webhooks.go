package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/webhook"
)

const (
	anEndpoint      = "this web hook"
	aDelivery       = "this delivery"
	endpointColumns = `e.id, e.client, e.partner, e.url, e.events, e.key, e.created_at, e.changed_at, e.paused, e.delivered_at, e.failing_since`
	deliveryColumns = `d.n, d.id, d.endpoint, d.event, d.ch, d.recorded_at, d.first_day, d.last_day, d.secret, d.about,
		d.created_at, d.state, d.attempts, d.next_at, d.settled_at, d.status, d.problem`
)

// AddEndpoint adds an endpoint, unless its owner has most already.
func (s *Store) AddEndpoint(ctx context.Context, e webhook.Endpoint, most int, entry domain.Entry) error {
	const count = `SELECT count(*) FROM webhook_endpoint WHERE client = $1 AND partner = $2`
	const sql = `
		INSERT INTO webhook_endpoint (id, client, partner, url, events, key, created_at, changed_at, paused, delivered_at, failing_since)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	const application = `SELECT 1 FROM application WHERE id = $1 AND partner = $2`
	return s.changeSilently(ctx, "add a web hook", func(ctx context.Context, c conn) error {
		n, err := one(ctx, c, anEndpoint, scanNumber, count, e.Application, e.Partner)
		if err != nil {
			return err
		}
		if n >= int64(most) {
			return &domain.Error{Kind: domain.Conflict, Public: "this application has as many web hooks as it may; remove one first"}
		}
		if err := exists(ctx, c, anApplication, application, e.Application, e.Partner); err != nil {
			return err
		}
		err = insert(ctx, c, "this web hook exists", sql, e.ID, e.Application, e.Partner, e.URL, words(names(e.Events)), e.Key,
			micros(e.CreatedAt), micros(e.ChangedAt), e.Paused, micros(e.DeliveredAt), micros(e.FailingSince))
		if err != nil {
			return err
		}
		return s.record(ctx, c, entry)
	})
}

// Endpoints lists an owner's endpoints, oldest first.
func (s *Store) Endpoints(ctx context.Context, owner webhook.Owner) (list []webhook.Endpoint, err error) {
	const sql = `SELECT ` + endpointColumns + ` FROM webhook_endpoint e WHERE e.client = $1 AND e.partner = $2 ORDER BY e.n`
	err = s.read(ctx, "list web hooks", func(ctx context.Context, c conn) error {
		list, err = all(ctx, c, scanEndpoint, sql, owner.Application, owner.Partner)
		return err
	})
	return list, err
}

// FindEndpoint finds an owner's endpoint.
func (s *Store) FindEndpoint(ctx context.Context, owner webhook.Owner, id domain.EndpointID) (e webhook.Endpoint, err error) {
	err = s.read(ctx, "find a web hook", func(ctx context.Context, c conn) error {
		e, err = ownEndpoint(ctx, c, owner, id)
		return err
	})
	return e, err
}

func ownEndpoint(ctx context.Context, c conn, owner webhook.Owner, id domain.EndpointID) (webhook.Endpoint, error) {
	const sql = `SELECT ` + endpointColumns + ` FROM webhook_endpoint e WHERE e.id = $1 AND e.client = $2 AND e.partner = $3`
	return one(ctx, c, anEndpoint, scanEndpoint, sql, id, owner.Application, owner.Partner)
}

// ChangeEndpoint stores what change makes of an owner's endpoint.
func (s *Store) ChangeEndpoint(ctx context.Context, owner webhook.Owner, id domain.EndpointID, change func(*webhook.Endpoint) error, entry domain.Entry) (e webhook.Endpoint, err error) {
	const sql = `
		UPDATE webhook_endpoint SET url = $4, events = $5, paused = $6, changed_at = $7, failing_since = $8
		WHERE id = $1 AND client = $2 AND partner = $3`
	err = s.changeSilently(ctx, "change a web hook", func(ctx context.Context, c conn) error {
		if e, err = ownEndpoint(ctx, c, owner, id); err != nil {
			return err
		}
		if err := change(&e); err != nil {
			return callers(err)
		}
		err := changed(ctx, c, anEndpoint, sql, id, owner.Application, owner.Partner, e.URL, words(names(e.Events)), e.Paused, micros(e.ChangedAt), micros(e.FailingSince))
		if err != nil {
			return err
		}
		return s.record(ctx, c, entry)
	})
	return e, err
}

// RemoveEndpoint removes an owner's endpoint and all its deliveries.
func (s *Store) RemoveEndpoint(ctx context.Context, owner webhook.Owner, id domain.EndpointID, entry domain.Entry) error {
	const sql = `DELETE FROM webhook_endpoint WHERE id = $1 AND client = $2 AND partner = $3`
	return s.changeSilently(ctx, "remove a web hook", func(ctx context.Context, c conn) error {
		if err := changed(ctx, c, anEndpoint, sql, id, owner.Application, owner.Partner); err != nil {
			return err
		}
		return s.record(ctx, c, entry)
	})
}

// Deliveries lists deliveries of an owner's endpoint, newest first, and counts
// all of them.
func (s *Store) Deliveries(ctx context.Context, owner webhook.Owner, id domain.EndpointID, states []webhook.State, after domain.DeliveryID, limit int) (list []webhook.Delivery, total int, err error) {
	const count = `SELECT count(*) FROM webhook_delivery d WHERE d.endpoint = $1 AND (cardinality($2::text[]) = 0 OR d.state = ANY ($2))`
	const place = `SELECT n FROM webhook_delivery WHERE id = $1 AND endpoint = $2`
	const sql = `
		SELECT ` + deliveryColumns + ` FROM webhook_delivery d
		WHERE d.endpoint = $1 AND (cardinality($2::text[]) = 0 OR d.state = ANY ($2)) AND ($3 = 0 OR d.n < $3)
		ORDER BY d.n DESC LIMIT $4`
	in := names(states)
	err = s.readAt(ctx, "list the deliveries of a web hook", func(ctx context.Context, c conn) error {
		if _, err := ownEndpoint(ctx, c, owner, id); err != nil {
			return err
		}
		n, err := one(ctx, c, aDelivery, scanNumber, count, id, in)
		if err != nil {
			return err
		}
		total = int(n)
		var from int64
		if after != "" {
			if from, err = one(ctx, c, aDelivery, scanNumber, place, after, id); err != nil {
				return err
			}
		}
		list, err = all(ctx, c, scanDelivery, sql, id, in, from, limit)
		return err
	})
	return list, total, err
}

// AddDelivery adds a delivery to an owner's endpoint.
func (s *Store) AddDelivery(ctx context.Context, owner webhook.Owner, d webhook.Delivery, entry domain.Entry) error {
	return s.changeSilently(ctx, "add a delivery", func(ctx context.Context, c conn) error {
		if _, err := ownEndpoint(ctx, c, owner, d.Endpoint); err != nil {
			return err
		}
		if err := addDelivery(ctx, c, d); err != nil {
			return err
		}
		return s.record(ctx, c, entry)
	})
}

// addDelivery adds a delivery, unless its endpoint is gone or was told of it.
func addDelivery(ctx context.Context, c conn, d webhook.Delivery) error {
	const sql = `
		INSERT INTO webhook_delivery (id, endpoint, event, ch, recorded_at, first_day, last_day, secret, about, created_at, state, attempts, next_at, settled_at, status, problem)
		SELECT $1::text, e.id, $3::text, $4::bigint, $5::bigint, $6::integer, $7::integer, $8::text, $9::text, $10::bigint, $11::text, $12::integer,
			$13::bigint, $14::bigint, $15::integer, $16::text
		FROM webhook_endpoint e WHERE e.id = $2
		ON CONFLICT (endpoint, about) DO NOTHING`
	var channel any
	if d.Channel != 0 {
		channel = int64(d.Channel)
	}
	return insert(ctx, c, "this delivery exists", sql, d.ID, d.Endpoint, d.Event, channel, micros(d.RecordedAt), int32(d.First), int32(d.Last),
		optional(d.Secret), optional(d.About), micros(d.CreatedAt), d.State, d.Attempts, micros(d.NextAt), micros(d.SettledAt), d.Status, d.Problem)
}

// Replay lets deliveries of an owner's endpoint wait again.
func (s *Store) Replay(ctx context.Context, owner webhook.Owner, id domain.EndpointID, delivery domain.DeliveryID, since, now time.Time, entry domain.Entry) (n int, err error) {
	const find = `SELECT 1 FROM webhook_delivery WHERE id = $1 AND endpoint = $2`
	const again = `UPDATE webhook_delivery SET state = 'waiting', attempts = 0, next_at = $3, settled_at = 0, status = 0, problem = '' `
	const this = again + `WHERE id = $1 AND endpoint = $2 AND state <> 'waiting'`
	const failed = again + `WHERE created_at >= $1 AND endpoint = $2 AND state = 'failed'`
	err = s.changeSilently(ctx, "replay deliveries", func(ctx context.Context, c conn) error {
		if _, err := ownEndpoint(ctx, c, owner, id); err != nil {
			return err
		}
		sql, which := failed, any(micros(since))
		if delivery != "" {
			if err := exists(ctx, c, aDelivery, find, delivery, id); err != nil {
				return err
			}
			sql, which = this, delivery
		}
		tag, err := c.Exec(ctx, sql, which, id, micros(now))
		if err != nil {
			return err
		}
		n = int(tag.RowsAffected())
		return s.record(ctx, c, entry)
	})
	return n, err
}

// Lease reports whether the holder is the only one who delivers until then.
func (s *Store) Lease(ctx context.Context, holder string, now, until time.Time) (ok bool, err error) {
	const sql = `UPDATE webhook_lease SET holder = $1, until = $3 WHERE id = 1 AND (holder = $1 OR until <= $2)`
	err = s.changeAlone(ctx, "lease the deliveries", func(ctx context.Context, c conn) error {
		tag, err := c.Exec(ctx, sql, holder, micros(now), micros(until))
		ok = tag.RowsAffected() == 1
		return err
	})
	return ok && err == nil, err
}

// note is part of a transfer: it writes down, where anybody of a channel's
// partner listens, that it has recorded days of the channel.
func (t *transfer) note() error {
	const sql = `
		INSERT INTO webhook_note (ch, recorded_at)
		SELECT c.ch, u.at FROM unnest($1::bigint[], $2::bigint[]) AS u (ch, at) JOIN channel c ON c.ch = u.ch
		WHERE c.partner_id IN (SELECT partner FROM webhook_endpoint) ORDER BY c.ch`
	var channels, recorded []int64
	for ch, h := range t.channels {
		if h.written {
			channels, recorded = append(channels, int64(ch)), append(recorded, h.now)
		}
	}
	if len(channels) == 0 {
		return nil
	}
	return run(t.ctx, t.conn, sql, channels, recorded)
}

// Notes lists notes, oldest first.
func (s *Store) Notes(ctx context.Context, limit int) (list []webhook.Note, err error) {
	const sql = `
		SELECT ` + channelColumns + `, n.id, n.recorded_at
		FROM webhook_note n JOIN channel c ON c.ch = n.ch JOIN supply_point s ON s.id = c.supply_point_id
		ORDER BY n.id LIMIT $1`
	err = s.read(ctx, "list what is to be told", func(ctx context.Context, c conn) error {
		list, err = all(ctx, c, func(row pgx.CollectableRow) (n webhook.Note, err error) {
			n.Channel, err = scanChannelAnd(row, &n.ID, at(&n.RecordedAt))
			return n, err
		}, sql, limit)
		return err
	})
	return list, err
}

// Listening lists the endpoints of all partners, or of one.
func (s *Store) Listening(ctx context.Context, partner domain.PartnerID) (list []webhook.Endpoint, err error) {
	const sql = `SELECT ` + endpointColumns + ` FROM webhook_endpoint e WHERE $1::text = '' OR e.partner = $1 ORDER BY e.n`
	err = s.read(ctx, "list who listens", func(ctx context.Context, c conn) error {
		list, err = all(ctx, c, scanEndpoint, sql, partner)
		return err
	})
	return list, err
}

// Spread stores deliveries and removes the notes that they are of.
func (s *Store) Spread(ctx context.Context, notes []int64, list []webhook.Delivery) error {
	return s.changeAlone(ctx, "spread what is to be told", func(ctx context.Context, c conn) error {
		if len(notes) > 0 {
			tag, err := c.Exec(ctx, `DELETE FROM webhook_note WHERE id = ANY ($1)`, notes)
			if err != nil {
				return err
			}
			if tag.RowsAffected() != int64(len(notes)) {
				return &domain.Error{Kind: domain.Conflict, Public: "somebody else has told of this"}
			}
		}
		for _, d := range list {
			if err := addDelivery(ctx, c, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// Due lists the oldest waiting delivery of each endpoint, where it is to be sent.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) (list []webhook.Due, err error) {
	const sql = `
		SELECT ` + endpointColumns + `, ` + deliveryColumns + `
		FROM webhook_endpoint e
			JOIN webhook_delivery d ON d.n = (SELECT min(w.n) FROM webhook_delivery w WHERE w.endpoint = e.id AND w.state = 'waiting')
		WHERE NOT e.paused AND d.next_at <= $1 ORDER BY d.next_at, d.n LIMIT $2`
	const channel = `
		SELECT ` + channelColumns + `
		FROM channel c JOIN supply_point s ON s.id = c.supply_point_id WHERE c.ch = $1`
	err = s.readAt(ctx, "list what is to be sent", func(ctx context.Context, c conn) error {
		list, err = all(ctx, c, func(row pgx.CollectableRow) (d webhook.Due, err error) {
			var events string
			err = row.Scan(append(endpointFields(&d.Endpoint, &events), deliveryFields(&d.Delivery)...)...)
			d.Endpoint.Events = eventsOf(events)
			return d, err
		}, sql, micros(now), limit)
		if err != nil {
			return err
		}
		for i := range list {
			if ch := list[i].Delivery.Channel; ch != 0 {
				if list[i].Channel, err = one(ctx, c, aDelivery, scanChannel, channel, int64(ch)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return list, err
}

// Settle stores an outcome.
func (s *Store) Settle(ctx context.Context, o webhook.Outcome) error {
	const sql = `
		UPDATE webhook_delivery SET state = $3, attempts = $4, next_at = $5, settled_at = $6, status = $7, problem = $8
		WHERE n = $1 AND attempts = $2 AND state = 'waiting'`
	const arrived = `UPDATE webhook_endpoint SET delivered_at = $2, failing_since = 0 WHERE id = $1`
	const givenUp = `UPDATE webhook_endpoint SET failing_since = $2 WHERE id = $1 AND failing_since = 0`
	return s.changeAlone(ctx, "settle a delivery", func(ctx context.Context, c conn) error {
		tag, err := c.Exec(ctx, sql, o.N, o.Before, o.State, o.Attempts, micros(o.NextAt), micros(o.SettledAt), o.Status, o.Problem)
		switch {
		case err != nil || tag.RowsAffected() == 0:
			return err
		case o.Arrived:
			return run(ctx, c, arrived, o.Endpoint, micros(o.At))
		case o.GivenUp:
			return run(ctx, c, givenUp, o.Endpoint, micros(o.At))
		}
		return nil
	})
}

// Sweep removes old deliveries.
func (s *Store) Sweep(ctx context.Context, settled, failed, kept time.Time) error {
	const sql = `
		DELETE FROM webhook_delivery
		WHERE created_at < $3 OR about IS NULL AND (created_at < $2 OR created_at < $1 AND state IN ('delivered', 'withheld') AND settled_at < $1)`
	return s.changeAlone(ctx, "sweep deliveries", func(ctx context.Context, c conn) error {
		return run(ctx, c, sql, micros(settled), micros(failed), micros(kept))
	})
}

// names are texts of a type of their own.
func names[T ~string](list []T) []string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = string(v)
	}
	return texts
}

func endpointFields(e *webhook.Endpoint, events *string) []any {
	return []any{
		&e.ID, &e.Application, &e.Partner, &e.URL, events, &e.Key, at(&e.CreatedAt), at(&e.ChangedAt), &e.Paused, at(&e.DeliveredAt), at(&e.FailingSince),
	}
}

func eventsOf(text string) (list []webhook.Event) {
	for _, name := range strings.Fields(text) {
		list = append(list, webhook.Event(name))
	}
	return list
}

func scanEndpoint(row pgx.CollectableRow) (e webhook.Endpoint, err error) {
	var events string
	err = row.Scan(endpointFields(&e, &events)...)
	e.Events = eventsOf(events)
	return e, err
}

func deliveryFields(d *webhook.Delivery) []any {
	return []any{
		&d.N, &d.ID, &d.Endpoint, &d.Event, number(&d.Channel), at(&d.RecordedAt), &d.First, &d.Last, maybe(&d.Secret), maybe(&d.About),
		at(&d.CreatedAt), &d.State, &d.Attempts, at(&d.NextAt), at(&d.SettledAt), &d.Status, &d.Problem,
	}
}

func scanDelivery(row pgx.CollectableRow) (d webhook.Delivery, err error) {
	err = row.Scan(deliveryFields(&d)...)
	return d, err
}

// number scans into ch a channel, or none.
func number(ch *domain.ChannelID) pgtype.Int64Scanner { return numberScanner{ch} }

type numberScanner struct{ ch *domain.ChannelID }

// ScanInt64 reads NULL as no channel.
func (s numberScanner) ScanInt64(v pgtype.Int8) error {
	*s.ch = domain.ChannelID(v.Int64)
	return nil
}
