package sqlite

import (
	"cmp"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// reach is the row of a channel in the table of the same name: how far its days
// go, and which of them are sealed.
type reach struct {
	channel               domain.ChannelID
	first, last, complete domain.Date
	recorded              int64 // 0: it has no days, and the rest means nothing
	openFirst, openLast   domain.Date
	openRecorded          int64
	reopened              int64
}

// findReach reads the row of a channel; recorded is 0 where there is none.
func findReach(conn *sqlite.Conn, channel domain.ChannelID) (r reach, err error) {
	stmt, err := conn.Prepare(`
		SELECT first_day, last_day, complete_day, last_recorded_at, open_first, open_last, open_recorded, reopened
		FROM reach WHERE ch = ?1`)
	if err != nil {
		return r, err
	}
	r.channel = channel
	stmt.BindInt64(1, int64(channel))
	ok, err := stmt.Step()
	if err != nil || !ok {
		return r, errorOf(err, stmt)
	}
	r.scan(stmt, 0)
	return r, stmt.Reset()
}

// scan reads the columns of a row from column i on.
func (r *reach) scan(row *sqlite.Stmt, i int) {
	r.first, r.last, r.complete = domain.Date(row.ColumnInt32(i)), domain.Date(row.ColumnInt32(i+1)), domain.Date(row.ColumnInt32(i+2))
	r.recorded = row.ColumnInt64(i + 3)
	r.openFirst, r.openLast = domain.Date(row.ColumnInt32(i+4)), domain.Date(row.ColumnInt32(i+5))
	r.openRecorded, r.reopened = row.ColumnInt64(i+6), row.ColumnInt64(i+7)
}

// store writes the row.
func (r *reach) store(conn *sqlite.Conn) error {
	stmt, err := conn.Prepare(`
		INSERT INTO reach (ch, first_day, last_day, complete_day, last_recorded_at, open_first, open_last, open_recorded, reopened)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
		ON CONFLICT (ch) DO UPDATE SET
			first_day = ?2, last_day = ?3, complete_day = ?4, last_recorded_at = ?5,
			open_first = ?6, open_last = ?7, open_recorded = ?8, reopened = ?9`)
	if err != nil {
		return err
	}
	for i, v := range [...]int64{
		int64(r.channel), int64(r.first), int64(r.last), int64(r.complete), r.recorded,
		int64(r.openFirst), int64(r.openLast), r.openRecorded, r.reopened,
	} {
		stmt.BindInt64(i+1, v)
	}
	_, err = stmt.Step()
	return err
}

func (r *reach) extent() domain.Extent {
	if r.recorded == 0 {
		return domain.Extent{}
	}
	return domain.Extent{First: r.first, Last: r.last, Complete: r.complete, RecordedAt: instant(r.recorded)}
}

// holds reports whether the day may be stored.
func (r *reach) holds(date domain.Date) bool {
	return r.recorded != 0 && date >= r.first && date <= r.last
}

// open makes the month of a day the first open one.
func (r *reach) open(date domain.Date) {
	r.openFirst, r.openLast = interval.MonthOf(date)
	r.openRecorded = 0
}

// closed reports whether the first open month is closed by the rule.
func (r *reach) closed(rule domain.SealRule) bool {
	return r.openFirst <= r.last && r.openRecorded <= micros(rule.Quiet) && (r.complete >= r.openLast || r.openLast < rule.Late)
}

// touched is a channel that a transaction reads or writes days of.
type touched struct {
	reach
	known   domain.Date // how far the watermark had come
	written []writtenDay
	again   domain.Date // the month that was reopened last,
	reopens bool        // if any was
}

// writtenDay is what a transaction has written, and whether all its intervals
// are there.
type writtenDay struct {
	date     domain.Date
	complete bool
}

// note widens the reach by a day that was written.
func (c *touched) note(date domain.Date, complete bool, now int64) {
	if c.recorded == 0 {
		c.first, c.last, c.known = date, date, date-1
	}
	if date < c.first { // there may be a gap before what was the first day
		c.first, c.known = date, date-1
	}
	c.last = max(c.last, date)
	c.recorded = now
	if date >= c.openFirst && date <= c.openLast {
		c.openRecorded = now
	}
	c.say(date, complete)
}

// say remembers a day that was written, in the order of dates, in which most
// come.
func (c *touched) say(date domain.Date, complete bool) {
	i := len(c.written)
	if i > 0 && date <= c.written[i-1].date {
		var there bool
		if i, there = c.find(date); there {
			c.written[i].complete = complete
			return
		}
	}
	c.written = slices.Insert(c.written, i, writtenDay{date, complete})
}

func (c *touched) find(date domain.Date) (int, bool) {
	return slices.BinarySearchFunc(c.written, date, func(w writtenDay, date domain.Date) int { return cmp.Compare(w.date, date) })
}

// says reports whether the transaction has written a day, and all of it.
func (c *touched) says(date domain.Date) (complete, ok bool) {
	i, ok := c.find(date)
	return ok && c.written[i].complete, ok
}

// channel finds a channel of this transaction, and reads how far it goes the
// first time.
func (t *transfer) channel(id domain.ChannelID) (*touched, error) {
	if c := t.touched[id]; c != nil {
		return c, nil
	}
	c := &touched{}
	var err error
	if c.reach, err = findReach(t.conn, id); err != nil {
		return nil, err
	}
	if c.recorded == 0 {
		if err := exists(t.conn, "this channel", `SELECT 1 FROM channel WHERE ch = ?1`, id); err != nil {
			return nil, err
		}
	}
	c.known = c.complete
	t.touched[id] = c
	t.order = append(t.order, c)
	return c, nil
}

// finish writes down how far the channels go now.
func (t *transfer) finish() error {
	for _, c := range t.order {
		if len(c.written) == 0 {
			continue
		}
		var err error
		if c.complete, err = t.watermark(c); err != nil {
			return err
		}
		if c.reopens {
			c.reopened, err = one(t.conn, "", scanNumber, `SELECT count(*) FROM reopened WHERE ch = ?1`, c.channel)
			if err != nil {
				return err
			}
		}
		if err := c.store(t.conn); err != nil {
			return err
		}
	}
	return t.note()
}

// watermark moves a channel's watermark over the days that are complete.
func (t *transfer) watermark(c *touched) (domain.Date, error) {
	known := c.known
	for known < c.last { // what needs nobody else to be asked
		if complete, _ := c.says(known + 1); !complete {
			break
		}
		known++
	}
	if known == c.last {
		return known, nil
	}
	zone, err := t.zone(c.channel)
	if err != nil {
		return known, err
	}
	return interval.Advance(known, c.last, zone, func(date domain.Date) (bool, error) {
		if complete, ok := c.says(date); ok {
			return complete, nil
		}
		d, err := t.day(c, date)
		return d.Revision > 0 && interval.Complete(d.Data), err
	})
}

func (t *transfer) zone(channel domain.ChannelID) (*time.Location, error) {
	name, err := one(t.conn, "this channel", scanText, `SELECT tz FROM channel WHERE ch = ?1`, channel)
	if err != nil {
		return nil, err
	}
	return interval.Zone(name)
}
