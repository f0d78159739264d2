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
		tx := &transfer{ctx: ctx, store: s, conn: conn, now: now, touched: map[domain.ChannelID]*touched{}, sources: map[string]int64{}}
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
	touched map[domain.ChannelID]*touched
	order   []*touched // the same, in the order in which they came
	sources map[string]int64
	buf     []byte       // of the day that was found last
	months  monthReader  // of the sealed month that was looked up last
	insert  *sqlite.Stmt // of a day, which is most of what is done
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
	c, err := t.channel(channel)
	if err != nil {
		return domain.Day{Date: date}, failure(t.ctx, "find a day", err)
	}
	d, err := t.day(c, date)
	return d, failure(t.ctx, "find a day", err)
}

func (t *transfer) day(c *touched, date domain.Date) (domain.Day, error) {
	if !c.holds(date) {
		return domain.Day{Date: date}, nil
	}
	d, err := t.hot(c, date)
	if err != nil || d.Revision > 0 || date >= c.openFirst {
		return d, err
	}
	sealed, err := t.sealed(c, date)
	return sealed.day(), err
}

// hot finds a day that is not sealed.
func (t *transfer) hot(c *touched, date domain.Date) (domain.Day, error) {
	stmt, err := t.conn.Prepare(selectDay)
	if err != nil {
		return domain.Day{}, err
	}
	stmt.BindInt64(2, int64(c.channel))
	return day(stmt, date, &t.buf)
}

// sealed finds a day in its sealed month.
func (t *transfer) sealed(c *touched, date domain.Date) (sealedDay, error) {
	if err := t.months.find(t.conn, c.channel, date); err != nil {
		return sealedDay{Date: date}, err
	}
	return t.months.day(date), nil
}

// PutDay stores a day as the next revision; what it replaces goes into the
// history. The instant of recording is the transaction's.
func (t *transfer) PutDay(channel domain.ChannelID, d domain.Day, from domain.Provenance) error {
	return failure(t.ctx, "store a day", t.putDay(channel, d, from))
}

func (t *transfer) putDay(channel domain.ChannelID, d domain.Day, from domain.Provenance) error {
	c, err := t.channel(channel)
	if err != nil {
		return err
	}
	src, err := t.sourceOf(from.Source)
	if err != nil {
		return err
	}
	if c.recorded == 0 || d.Date < c.openFirst && c.openFirst <= c.first {
		c.open(d.Date) // nothing is sealed yet
	}
	switch {
	case !c.holds(d.Date):
		err = t.write(c, d, 1, src)
	case d.Date >= c.openFirst:
		err = t.replace(c, d, src, from.Reason)
	default:
		err = t.overlay(c, d, src, from.Reason)
	}
	if err == nil && d.Date < c.openFirst {
		err = t.reopen(c, d.Date)
	}
	if err != nil {
		return err
	}
	c.note(d.Date, interval.Complete(d.Data), t.now)
	return nil
}

// replace stores a day that may be there, and is not sealed.
func (t *transfer) replace(c *touched, d domain.Day, src int64, reason string) error {
	const keep = `
		INSERT INTO history (ch, day, rev, recorded_at, src, reason, data)
		SELECT ch, day, rev, recorded_at, src, ?3, data FROM hot WHERE day = ?1 AND ch = ?2`
	const next = `
		UPDATE hot SET rev = rev + 1, src = ?3, recorded_at = ?4, data = ?5
		WHERE day = ?1 AND ch = ?2`
	if err := t.write(c, d, 1, src); err != nil || t.conn.Changes() == 1 {
		return err
	}
	if err := run(t.conn, keep, d.Date, c.channel, reason); err != nil {
		return err
	}
	return run(t.conn, next, d.Date, c.channel, src, t.now, d.Data)
}

// overlay stores a day that may be sealed.
func (t *transfer) overlay(c *touched, d domain.Day, src int64, reason string) error {
	const keep = `
		INSERT INTO history (ch, day, rev, recorded_at, src, reason, data)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`
	was, err := t.hot(c, d.Date)
	if err != nil {
		return err
	}
	if was.Revision > 0 {
		return t.replace(c, d, src, reason)
	}
	old, err := t.sealed(c, d.Date)
	if err != nil {
		return err
	}
	if old.Revision > 0 {
		if err := run(t.conn, keep, c.channel, d.Date, old.Revision, old.RecordedAt, old.Source, reason, old.Data); err != nil {
			return err
		}
	}
	return t.write(c, d, old.Revision+1, src)
}

// reopen writes down that a month has days to be sealed again.
func (t *transfer) reopen(c *touched, date domain.Date) error {
	const sql = `
		INSERT INTO reopened (ch, month, last, recorded_at) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (ch, month) DO UPDATE SET recorded_at = ?4`
	first, last := interval.MonthOf(date)
	if c.reopens && c.again == first {
		return nil
	}
	c.again, c.reopens = first, true
	return run(t.conn, sql, c.channel, first, last, t.now)
}

// AmendDay replaces the data of a day that this transaction has put: one of
// another instant of recording is not found.
func (t *transfer) AmendDay(channel domain.ChannelID, d domain.Day) error {
	const amend = `UPDATE hot SET data = ?1 WHERE day = ?2 AND ch = ?3 AND recorded_at = ?4`
	err := run(t.conn, amend, d.Data, d.Date, channel, t.now)
	if err == nil && t.conn.Changes() == 0 {
		err = notFound("this day")
	}
	if c := t.touched[channel]; err == nil && c != nil {
		c.say(d.Date, interval.Complete(d.Data))
	}
	return failure(t.ctx, "amend a day", err)
}

// write inserts a day, unless it is there.
func (t *transfer) write(c *touched, d domain.Day, revision int32, src int64) error {
	const sql = `
		INSERT INTO hot (day, ch, rev, src, recorded_at, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT (day, ch) DO NOTHING`
	if t.insert == nil {
		stmt, err := t.conn.Prepare(sql)
		if err != nil {
			return err
		}
		t.insert = stmt
	}
	stmt := t.insert
	stmt.BindInt64(1, int64(d.Date))
	stmt.BindInt64(2, int64(c.channel))
	stmt.BindInt64(3, int64(revision))
	stmt.BindInt64(4, src)
	stmt.BindInt64(5, t.now)
	stmt.BindBytes(6, d.Data)
	if _, err := stmt.Step(); err != nil {
		return err
	}
	return stmt.Reset()
}

// sourceOf returns the number of a source, which it adds if it is new.
func (t *transfer) sourceOf(name string) (int64, error) {
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
