package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
)

// TakeIn runs f in one durable transaction of its own. Nobody else writes until
// f returns: what can be read and checked beforehand, should be.
func (s *Store) TakeIn(ctx context.Context, f func(intake.Tx) error) error {
	return s.changeAlone(ctx, "take in measurements", func(conn *sqlite.Conn) error {
		now, err := recording(conn, micros(s.now()))
		if err != nil {
			return err
		}
		tx := &transfer{ctx: ctx, store: s, conn: conn, now: now, spans: map[domain.ChannelID]*span{}, sources: map[string]int64{}}
		if err := f(tx); err != nil {
			return callers(err)
		}
		return tx.finish()
	})
}

// recording returns the instant at which a transaction records: now, or just
// behind that of the one before, so that whoever has read up to there gets what
// is recorded from now on.
func recording(conn *sqlite.Conn, now int64) (int64, error) {
	const sql = `
		INSERT INTO recording (id, at) VALUES (1, ?1)
		ON CONFLICT (id) DO UPDATE SET at = max(at + 1, excluded.at) RETURNING at`
	return one(conn, "this instant", scanNumber, sql, now)
}

// transfer is one transaction of intake.
type transfer struct {
	ctx     context.Context
	store   *Store
	conn    *sqlite.Conn
	now     int64 // when all of it is recorded
	spans   map[domain.ChannelID]*span
	sources map[string]int64
	buf     []byte
}

// span is what was written to a channel: from which day to which, and which of
// the days are complete.
type span struct {
	first, last domain.Date
	complete    map[domain.Date]bool
}

// Partners lists all partners.
func (t *transfer) Partners() ([]domain.Partner, error) {
	list, err := partners(t.conn)
	return list, failure(t.ctx, "list the partners", err)
}

// Property finds a property of any partner.
func (t *transfer) Property(id domain.PropertyID) (domain.Property, error) {
	p, err := findProperty(t.conn, id)
	return p, failure(t.ctx, "find a property", err)
}

// AddProperty adds a property.
func (t *transfer) AddProperty(p domain.Property) error {
	return failure(t.ctx, "add a property", addProperty(t.conn, p))
}

// SupplyPoint finds a supply point of any partner.
func (t *transfer) SupplyPoint(market domain.Market, identifier string) (domain.SupplyPoint, error) {
	p, err := supplyPoint(t.conn, market, identifier)
	return p, failure(t.ctx, "find a supply point", err)
}

// AddSupplyPoint adds a supply point and returns it with its ID.
func (t *transfer) AddSupplyPoint(p domain.SupplyPoint) (domain.SupplyPoint, error) {
	p, err := addSupplyPoint(t.conn, p)
	return p, failure(t.ctx, "add a supply point", err)
}

// Channels lists the channels of a supply point.
func (t *transfer) Channels(supplyPoint int64) ([]domain.Channel, error) {
	list, err := supplyPointChannels(t.conn, supplyPoint)
	return list, failure(t.ctx, "list channels", err)
}

// AddChannel adds a channel and returns it with its ID.
func (t *transfer) AddChannel(c domain.Channel) (domain.Channel, error) {
	c, err := addChannel(t.conn, c)
	return c, failure(t.ctx, "add a channel", err)
}

// Record adds an entry to the audit log.
func (t *transfer) Record(e domain.Entry) error {
	return failure(t.ctx, "record an act", t.store.record(t.conn, e))
}

// Day finds a stored day; Revision is 0 where there is none.
func (t *transfer) Day(channel domain.ChannelID, date domain.Date) (domain.Day, error) {
	stmt, err := t.conn.Prepare(selectDay)
	if err != nil {
		return domain.Day{}, failure(t.ctx, "find a day", err)
	}
	stmt.BindInt64(2, int64(channel))
	d, err := day(stmt, date, &t.buf)
	return d, failure(t.ctx, "find a day", err)
}

// PutDay stores a day as the next revision; what it replaces goes into the
// history. The instant of recording is the transaction's.
func (t *transfer) PutDay(channel domain.ChannelID, d domain.Day, from domain.Provenance) error {
	err := t.note(channel, d)
	if err != nil {
		return failure(t.ctx, "store a day", err)
	}
	src, err := t.source(from.Source)
	if err == nil {
		err = t.put(channel, d, src, from.Reason)
	}
	return failure(t.ctx, "store a day", err)
}

func (t *transfer) put(channel domain.ChannelID, d domain.Day, src int64, reason string) error {
	const first = `
		INSERT INTO hot (day, ch, rev, src, recorded_at, data) VALUES (?1, ?2, 1, ?3, ?4, ?5)
		ON CONFLICT (day, ch) DO NOTHING`
	const keep = `
		INSERT INTO history (ch, day, rev, recorded_at, src, reason, data)
		SELECT ch, day, rev, recorded_at, src, ?3, data FROM hot WHERE day = ?1 AND ch = ?2`
	const next = `
		UPDATE hot SET rev = rev + 1, src = ?3, recorded_at = ?4, data = ?5
		WHERE day = ?1 AND ch = ?2`
	if err := t.write(first, channel, d, src); err != nil || t.conn.Changes() == 1 {
		return err
	}
	if err := run(t.conn, keep, d.Date, channel, reason); err != nil {
		return err
	}
	return t.write(next, channel, d, src)
}

// AmendDay replaces the data of a day that this transaction has put: one of
// another instant of recording is not found.
func (t *transfer) AmendDay(channel domain.ChannelID, d domain.Day) error {
	const amend = `UPDATE hot SET data = ?1 WHERE day = ?2 AND ch = ?3 AND recorded_at = ?4`
	err := run(t.conn, amend, d.Data, d.Date, channel, t.now)
	if err == nil && t.conn.Changes() == 0 {
		err = notFound("this day")
	}
	if s := t.spans[channel]; err == nil && s != nil {
		s.complete[d.Date] = interval.Complete(d.Data)
	}
	return failure(t.ctx, "amend a day", err)
}

// write executes a statement with the five values of a day.
func (t *transfer) write(sql string, channel domain.ChannelID, d domain.Day, src int64) error {
	stmt, err := t.conn.Prepare(sql)
	if err != nil {
		return err
	}
	stmt.BindInt64(1, int64(d.Date))
	stmt.BindInt64(2, int64(channel))
	stmt.BindInt64(3, src)
	stmt.BindInt64(4, t.now)
	stmt.BindBytes(5, d.Data)
	_, err = stmt.Step()
	return err
}

// note widens the span of what was written to a channel. It asks once whether
// the channel exists.
func (t *transfer) note(channel domain.ChannelID, d domain.Day) error {
	s := t.spans[channel]
	if s == nil {
		if err := exists(t.conn, "this channel", `SELECT 1 FROM channel WHERE ch = ?1`, channel); err != nil {
			return err
		}
		s = &span{d.Date, d.Date, map[domain.Date]bool{}}
		t.spans[channel] = s
	}
	s.first, s.last = min(s.first, d.Date), max(s.last, d.Date)
	s.complete[d.Date] = interval.Complete(d.Data)
	return nil
}

// source returns the number of a source, which it adds if it is new.
func (t *transfer) source(name string) (int64, error) {
	if id, ok := t.sources[name]; ok {
		return id, nil
	}
	if err := run(t.conn, `INSERT INTO source (name) VALUES (?1) ON CONFLICT (name) DO NOTHING`, name); err != nil {
		return 0, err
	}
	id, err := one(t.conn, "this source", scanNumber, `SELECT id FROM source WHERE name = ?1`, name)
	t.sources[name] = id
	return id, err
}

// finish writes down how far the channels go now.
func (t *transfer) finish() error {
	const sql = `
		INSERT INTO extent (ch, first_day, last_day, complete_day, last_recorded_at) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT (ch) DO UPDATE SET first_day = ?2, last_day = ?3, complete_day = ?4, last_recorded_at = ?5`
	for channel, s := range t.spans {
		r, err := extent(t.conn, channel)
		if err != nil {
			return err
		}
		known := s.first - 1
		first, last := s.first, s.last
		if !r.RecordedAt.IsZero() {
			first, last = min(first, r.First), max(last, r.Last)
			if first == r.First { // otherwise there may be a gap before what was the first day
				known = r.Complete
			}
		}
		if known, err = t.advance(channel, known, last, s); err != nil {
			return err
		}
		if err := run(t.conn, sql, channel, first, last, known, t.now); err != nil {
			return err
		}
	}
	return nil
}

// advance moves a channel's watermark over the days that are complete.
func (t *transfer) advance(channel domain.ChannelID, known, last domain.Date, s *span) (domain.Date, error) {
	if known >= last {
		return known, nil
	}
	name, err := one(t.conn, "this channel", scanText, `SELECT tz FROM channel WHERE ch = ?1`, channel)
	if err != nil {
		return known, err
	}
	zone, err := interval.Zone(name)
	if err != nil {
		return known, err
	}
	return interval.Advance(known, last, zone, func(date domain.Date) (bool, error) {
		if complete, ok := s.complete[date]; ok {
			return complete, nil
		}
		d, err := t.Day(channel, date)
		return d.Revision > 0 && interval.Complete(d.Data), err
	})
}
