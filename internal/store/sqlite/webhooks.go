package sqlite

import (
	"context"
	"strconv"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

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
	const count = `SELECT count(*) FROM webhook_endpoint WHERE client = ?1 AND partner = ?2`
	const sql = `
		INSERT INTO webhook_endpoint (id, client, partner, url, events, key, created_at, changed_at, paused, delivered_at, failing_since)
		SELECT ?1, a.id, a.partner, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 FROM application a WHERE a.id = ?2 AND a.partner = ?3`
	return s.change(ctx, "add a web hook", func(conn *sqlite.Conn) error {
		n, err := one(conn, anEndpoint, scanNumber, count, e.Application, e.Partner)
		if err != nil {
			return err
		}
		if n >= int64(most) {
			return &domain.Error{Kind: domain.Conflict, Public: "this application has as many web hooks as it may; remove one first"}
		}
		err = insert(conn, "this web hook exists", sql, e.ID, e.Application, e.Partner, e.URL, words(names(e.Events)), e.Key,
			micros(e.CreatedAt), micros(e.ChangedAt), e.Paused, micros(e.DeliveredAt), micros(e.FailingSince))
		if err != nil {
			return err
		}
		if conn.Changes() == 0 {
			return notFound(anApplication)
		}
		return s.record(conn, entry)
	})
}

// Endpoints lists an owner's endpoints, oldest first.
func (s *Store) Endpoints(ctx context.Context, owner webhook.Owner) (list []webhook.Endpoint, err error) {
	const sql = `SELECT ` + endpointColumns + ` FROM webhook_endpoint e WHERE e.client = ?1 AND e.partner = ?2 ORDER BY e.n`
	err = s.read(ctx, "list web hooks", func(conn *sqlite.Conn) error {
		list, err = all(conn, scanEndpoint, sql, owner.Application, owner.Partner)
		return err
	})
	return list, err
}

// FindEndpoint finds an owner's endpoint.
func (s *Store) FindEndpoint(ctx context.Context, owner webhook.Owner, id domain.EndpointID) (e webhook.Endpoint, err error) {
	err = s.read(ctx, "find a web hook", func(conn *sqlite.Conn) error {
		e, err = ownEndpoint(conn, owner, id)
		return err
	})
	return e, err
}

func ownEndpoint(conn *sqlite.Conn, owner webhook.Owner, id domain.EndpointID) (webhook.Endpoint, error) {
	const sql = `SELECT ` + endpointColumns + ` FROM webhook_endpoint e WHERE e.id = ?1 AND e.client = ?2 AND e.partner = ?3`
	return one(conn, anEndpoint, scanEndpoint, sql, id, owner.Application, owner.Partner)
}

// ChangeEndpoint stores what change makes of an owner's endpoint.
func (s *Store) ChangeEndpoint(ctx context.Context, owner webhook.Owner, id domain.EndpointID, change func(*webhook.Endpoint) error, entry domain.Entry) (e webhook.Endpoint, err error) {
	const sql = `
		UPDATE webhook_endpoint SET url = ?4, events = ?5, paused = ?6, changed_at = ?7, failing_since = ?8
		WHERE id = ?1 AND client = ?2 AND partner = ?3`
	err = s.change(ctx, "change a web hook", func(conn *sqlite.Conn) error {
		if e, err = ownEndpoint(conn, owner, id); err != nil {
			return err
		}
		if err := change(&e); err != nil {
			return callers(err)
		}
		err := changed(conn, anEndpoint, sql, id, owner.Application, owner.Partner, e.URL, words(names(e.Events)), e.Paused, micros(e.ChangedAt), micros(e.FailingSince))
		if err != nil {
			return err
		}
		return s.record(conn, entry)
	})
	return e, err
}

// RemoveEndpoint removes an owner's endpoint and all its deliveries.
func (s *Store) RemoveEndpoint(ctx context.Context, owner webhook.Owner, id domain.EndpointID, entry domain.Entry) error {
	const sql = `DELETE FROM webhook_endpoint WHERE id = ?1 AND client = ?2 AND partner = ?3`
	return s.change(ctx, "remove a web hook", func(conn *sqlite.Conn) error {
		if err := changed(conn, anEndpoint, sql, id, owner.Application, owner.Partner); err != nil {
			return err
		}
		return s.record(conn, entry)
	})
}

// Deliveries lists deliveries of an owner's endpoint, newest first, and counts
// all of them.
func (s *Store) Deliveries(ctx context.Context, owner webhook.Owner, id domain.EndpointID, states []webhook.State, after domain.DeliveryID, limit int) (list []webhook.Delivery, total int, err error) {
	const count = `SELECT count(*) FROM webhook_delivery d WHERE d.endpoint = ?1 AND (?2 = '' OR instr(?2, ' ' || d.state || ' ') > 0)`
	const place = `SELECT n FROM webhook_delivery WHERE id = ?1 AND endpoint = ?2`
	const sql = `
		SELECT ` + deliveryColumns + ` FROM webhook_delivery d
		WHERE d.endpoint = ?1 AND (?2 = '' OR instr(?2, ' ' || d.state || ' ') > 0) AND (?3 = 0 OR d.n < ?3)
		ORDER BY d.n DESC LIMIT ?4`
	in := among(states)
	err = s.readAt(ctx, "list the deliveries of a web hook", func(conn *sqlite.Conn) error {
		if _, err := ownEndpoint(conn, owner, id); err != nil {
			return err
		}
		n, err := one(conn, aDelivery, scanNumber, count, id, in)
		if err != nil {
			return err
		}
		total = int(n)
		var from int64
		if after != "" {
			if from, err = one(conn, aDelivery, scanNumber, place, after, id); err != nil {
				return err
			}
		}
		list, err = all(conn, scanDelivery, sql, id, in, from, limit)
		return err
	})
	return list, total, err
}

// among writes a list of states so that one can be looked for in it.
func among(states []webhook.State) string {
	if len(states) == 0 {
		return ""
	}
	return " " + words(names(states)) + " "
}

// AddDelivery adds a delivery to an owner's endpoint.
func (s *Store) AddDelivery(ctx context.Context, owner webhook.Owner, d webhook.Delivery, entry domain.Entry) error {
	return s.change(ctx, "add a delivery", func(conn *sqlite.Conn) error {
		if _, err := ownEndpoint(conn, owner, d.Endpoint); err != nil {
			return err
		}
		if err := addDelivery(conn, d); err != nil {
			return err
		}
		return s.record(conn, entry)
	})
}

// addDelivery adds a delivery, unless its endpoint is gone or was told of it.
func addDelivery(conn *sqlite.Conn, d webhook.Delivery) error {
	const sql = `
		INSERT INTO webhook_delivery (id, endpoint, event, ch, recorded_at, first_day, last_day, secret, about, created_at, state, attempts, next_at, settled_at, status, problem)
		SELECT ?1, e.id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16 FROM webhook_endpoint e WHERE e.id = ?2
		ON CONFLICT (endpoint, about) DO NOTHING`
	var channel any
	if d.Channel != 0 {
		channel = d.Channel
	}
	return insert(conn, "this delivery exists", sql, d.ID, d.Endpoint, d.Event, channel, micros(d.RecordedAt), d.First, d.Last,
		optional(d.Secret), optional(d.About), micros(d.CreatedAt), d.State, d.Attempts, micros(d.NextAt), micros(d.SettledAt), d.Status, d.Problem)
}

// Replay lets deliveries of an owner's endpoint wait again.
func (s *Store) Replay(ctx context.Context, owner webhook.Owner, id domain.EndpointID, delivery domain.DeliveryID, since, now time.Time, entry domain.Entry) (n int, err error) {
	const find = `SELECT 1 FROM webhook_delivery WHERE id = ?1 AND endpoint = ?2`
	const again = `UPDATE webhook_delivery SET state = 'waiting', attempts = 0, next_at = ?3, settled_at = 0, status = 0, problem = '' `
	const this = again + `WHERE id = ?1 AND endpoint = ?2 AND state <> 'waiting'`
	const failed = again + `WHERE created_at >= ?1 AND endpoint = ?2 AND state = 'failed'`
	err = s.change(ctx, "replay deliveries", func(conn *sqlite.Conn) error {
		if _, err := ownEndpoint(conn, owner, id); err != nil {
			return err
		}
		if delivery != "" {
			if err := exists(conn, aDelivery, find, delivery, id); err != nil {
				return err
			}
			err = run(conn, this, delivery, id, micros(now))
		} else {
			err = run(conn, failed, micros(since), id, micros(now))
		}
		if err != nil {
			return err
		}
		n = conn.Changes()
		return s.record(conn, entry)
	})
	return n, err
}

// Lease reports whether the holder is the only one who delivers until then.
func (s *Store) Lease(ctx context.Context, holder string, now, until time.Time) (ok bool, err error) {
	const sql = `UPDATE webhook_lease SET holder = ?1, until = ?3 WHERE id = 1 AND (holder = ?1 OR until <= ?2)`
	err = s.changeOnce(ctx, "lease the deliveries", func(conn *sqlite.Conn) error {
		if err := run(conn, sql, holder, micros(now), micros(until)); err != nil {
			return err
		}
		ok = conn.Changes() == 1
		return nil
	})
	return ok && err == nil, err
}

// note is part of a transfer: it writes down, where anybody of a channel's
// partner listens, that it has recorded days of the channel.
func (t *transfer) note() error {
	const listens = `SELECT EXISTS (SELECT 1 FROM webhook_endpoint)`
	const sql = `
		INSERT INTO webhook_note (ch, recorded_at)
		SELECT c.ch, ?2 FROM json_each(?1) j CROSS JOIN channel c ON c.ch = j.value
		WHERE c.partner_id IN (SELECT partner FROM webhook_endpoint)`
	n, err := one(t.conn, anEndpoint, scanNumber, listens)
	if err != nil || n == 0 {
		return err
	}
	channels := []byte{'['}
	for _, c := range t.order {
		if len(c.written) > 0 {
			channels = append(strconv.AppendInt(channels, int64(c.channel), 10), ',')
		}
	}
	if len(channels) == 1 {
		return nil
	}
	channels[len(channels)-1] = ']'
	return run(t.conn, sql, string(channels), t.now)
}

// Notes lists notes, oldest first.
func (s *Store) Notes(ctx context.Context, limit int) (list []webhook.Note, err error) {
	const sql = `
		SELECT ` + channelColumns + `, n.id, n.recorded_at
		FROM webhook_note n JOIN channel c ON c.ch = n.ch JOIN supply_point s ON s.id = c.supply_point_id
		ORDER BY n.id LIMIT ?1`
	err = s.read(ctx, "list what is to be told", func(conn *sqlite.Conn) error {
		list, err = all(conn, func(row *sqlite.Stmt) (webhook.Note, error) {
			c, err := scanChannel(row)
			return webhook.Note{ID: row.ColumnInt64(11), Channel: c, RecordedAt: instant(row.ColumnInt64(12))}, err
		}, sql, limit)
		return err
	})
	return list, err
}

// Listening lists the endpoints of all partners, or of one.
func (s *Store) Listening(ctx context.Context, partner domain.PartnerID) (list []webhook.Endpoint, err error) {
	const sql = `SELECT ` + endpointColumns + ` FROM webhook_endpoint e WHERE ?1 = '' OR e.partner = ?1 ORDER BY e.n`
	err = s.read(ctx, "list who listens", func(conn *sqlite.Conn) error {
		list, err = all(conn, scanEndpoint, sql, partner)
		return err
	})
	return list, err
}

// Spread stores deliveries and removes the notes that they are of.
func (s *Store) Spread(ctx context.Context, notes []int64, list []webhook.Delivery) error {
	return s.change(ctx, "spread what is to be told", func(conn *sqlite.Conn) error {
		for _, id := range notes {
			if err := run(conn, `DELETE FROM webhook_note WHERE id = ?1`, id); err != nil {
				return err
			}
			if conn.Changes() == 0 {
				return &domain.Error{Kind: domain.Conflict, Public: "somebody else has told of this"}
			}
		}
		for _, d := range list {
			if err := addDelivery(conn, d); err != nil {
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
		WHERE e.paused = 0 AND d.next_at <= ?1 ORDER BY d.next_at, d.n LIMIT ?2`
	const channel = `
		SELECT ` + channelColumns + `
		FROM channel c JOIN supply_point s ON s.id = c.supply_point_id WHERE c.ch = ?1`
	err = s.readAt(ctx, "list what is to be sent", func(conn *sqlite.Conn) error {
		list, err = all(conn, func(row *sqlite.Stmt) (d webhook.Due, err error) {
			if d.Endpoint, err = scanEndpoint(row); err == nil {
				d.Delivery, err = scanDeliveryAt(row, 11)
			}
			return d, err
		}, sql, micros(now), limit)
		if err != nil {
			return err
		}
		for i := range list {
			if ch := list[i].Delivery.Channel; ch != 0 {
				if list[i].Channel, err = one(conn, aDelivery, scanChannel, channel, ch); err != nil {
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
		UPDATE webhook_delivery SET state = ?3, attempts = ?4, next_at = ?5, settled_at = ?6, status = ?7, problem = ?8
		WHERE n = ?1 AND attempts = ?2 AND state = 'waiting'`
	const arrived = `UPDATE webhook_endpoint SET delivered_at = ?2, failing_since = 0 WHERE id = ?1`
	const givenUp = `UPDATE webhook_endpoint SET failing_since = ?2 WHERE id = ?1 AND failing_since = 0`
	return s.change(ctx, "settle a delivery", func(conn *sqlite.Conn) error {
		err := run(conn, sql, o.N, o.Before, o.State, o.Attempts, micros(o.NextAt), micros(o.SettledAt), o.Status, o.Problem)
		switch {
		case err != nil || conn.Changes() == 0:
			return err
		case o.Arrived:
			return run(conn, arrived, o.Endpoint, micros(o.At))
		case o.GivenUp:
			return run(conn, givenUp, o.Endpoint, micros(o.At))
		}
		return nil
	})
}

// Sweep removes old deliveries.
func (s *Store) Sweep(ctx context.Context, settled, failed, kept time.Time) error {
	const sql = `
		DELETE FROM webhook_delivery
		WHERE created_at < ?3 OR about IS NULL AND (created_at < ?2 OR created_at < ?1 AND state IN ('delivered', 'withheld') AND settled_at < ?1)`
	return s.changeOnce(ctx, "sweep deliveries", func(conn *sqlite.Conn) error {
		return run(conn, sql, micros(settled), micros(failed), micros(kept))
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

func scanEndpoint(row *sqlite.Stmt) (webhook.Endpoint, error) {
	e := webhook.Endpoint{
		ID: domain.EndpointID(row.ColumnText(0)), Application: domain.ClientID(row.ColumnText(1)), Partner: domain.PartnerID(row.ColumnText(2)),
		URL: row.ColumnText(3), Key: make([]byte, row.ColumnLen(5)), CreatedAt: instant(row.ColumnInt64(6)), ChangedAt: instant(row.ColumnInt64(7)),
		Paused: row.ColumnBool(8), DeliveredAt: instant(row.ColumnInt64(9)), FailingSince: instant(row.ColumnInt64(10)),
	}
	for _, name := range strings.Fields(row.ColumnText(4)) {
		e.Events = append(e.Events, webhook.Event(name))
	}
	row.ColumnBytes(5, e.Key)
	return e, nil
}

func scanDelivery(row *sqlite.Stmt) (webhook.Delivery, error) { return scanDeliveryAt(row, 0) }

func scanDeliveryAt(row *sqlite.Stmt, i int) (webhook.Delivery, error) {
	return webhook.Delivery{
		N: row.ColumnInt64(i), ID: domain.DeliveryID(row.ColumnText(i + 1)), Endpoint: domain.EndpointID(row.ColumnText(i + 2)),
		Event: webhook.Event(row.ColumnText(i + 3)), Channel: domain.ChannelID(row.ColumnInt64(i + 4)), RecordedAt: instant(row.ColumnInt64(i + 5)),
		First: domain.Date(row.ColumnInt32(i + 6)), Last: domain.Date(row.ColumnInt32(i + 7)), Secret: domain.SecretID(row.ColumnText(i + 8)),
		About: row.ColumnText(i + 9), CreatedAt: instant(row.ColumnInt64(i + 10)), State: webhook.State(row.ColumnText(i + 11)),
		Attempts: row.ColumnInt(i + 12), NextAt: instant(row.ColumnInt64(i + 13)), SettledAt: instant(row.ColumnInt64(i + 14)),
		Status: row.ColumnInt(i + 15), Problem: row.ColumnText(i + 16),
	}, nil
}
