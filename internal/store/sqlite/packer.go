package sqlite

import (
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// packer seals months within one transaction.
type packer struct {
	conn   *sqlite.Conn
	rule   domain.SealRule
	sealed int
	damage error // of the first day that could not be packed

	days  []interval.SealedDay
	bytes []byte // of the days
	blob  []byte
}

// maxEmpty is how many months without a day are passed over at a time.
const maxEmpty = 100

// channel seals the first open month of a channel, if it is closed by the rule
// and has days. It reports whether the next one seems to be closed, too.
func (p *packer) channel(id domain.ChannelID) (more bool, err error) {
	r, err := findReach(p.conn, id)
	if err != nil || r.recorded == 0 {
		return false, err
	}
	for range maxEmpty {
		if !r.closed(p.rule) {
			break
		}
		if err := p.hot(id, r.openFirst, min(r.openLast, r.last)); err != nil {
			return false, err
		}
		if r.openRecorded = newest(p.days); !r.closed(p.rule) {
			break
		}
		if len(p.days) > 0 {
			if ok, err := p.seal(id, r.openFirst); err != nil || !ok {
				return false, err
			}
		}
		r.open(r.openLast + 1)
		if len(p.days) > 0 {
			break
		}
	}
	return r.closed(p.rule), r.store(p.conn)
}

// again seals a month anew, if it still is to be: the days that are hot, and of
// the others those that were sealed.
func (p *packer) again(m monthOf) error {
	const due = `
		SELECT 1 FROM reopened r JOIN reach USING (ch)
		WHERE r.ch = ?1 AND r.month = ?2 AND r.recorded_at <= ?3 AND (complete_day >= r.last OR r.last < ?4)`
	const done = `DELETE FROM reopened WHERE ch = ?1 AND month = ?2`
	const count = `UPDATE reach SET reopened = (SELECT count(*) FROM reopened r WHERE r.ch = reach.ch) WHERE ch = ?1`
	list, err := all(p.conn, scanNumber, due, m.channel, m.first, micros(p.rule.Quiet), p.rule.Late)
	if err != nil || len(list) == 0 {
		return err
	}
	if err := p.hot(m.channel, m.first, m.last); err != nil {
		return err
	}
	if err := p.underneath(m); err != nil {
		return err
	}
	if len(p.days) > 0 {
		if ok, err := p.seal(m.channel, m.first); err != nil || !ok {
			return err
		}
	}
	if err := run(p.conn, done, m.channel, m.first); err != nil {
		return err
	}
	return run(p.conn, count, m.channel)
}

// hot reads the days of a month that are not sealed.
func (p *packer) hot(channel domain.ChannelID, first, last domain.Date) error {
	p.days, p.bytes = p.days[:0], p.bytes[:0]
	stmt, err := p.conn.Prepare(`SELECT rev, recorded_at, src, data FROM hot WHERE day = ?1 AND ch = ?2`)
	if err != nil {
		return err
	}
	stmt.BindInt64(2, int64(channel))
	for date := first; date <= last; date++ {
		stmt.BindInt64(1, int64(date))
		ok, err := stmt.Step()
		if err != nil {
			return err
		}
		if ok {
			begin := len(p.bytes)
			p.bytes = append(p.bytes, make([]byte, stmt.ColumnLen(3))...)
			stmt.ColumnBytes(3, p.bytes[begin:])
			p.days = append(p.days, interval.SealedDay{
				Date: date, Revision: stmt.ColumnInt32(0), RecordedAt: stmt.ColumnInt64(1), Source: stmt.ColumnInt64(2),
				Data: p.bytes[begin:],
			})
		}
		if err := stmt.Reset(); err != nil {
			return err
		}
	}
	return nil
}

// underneath adds the days of a sealed month that have no hot one over them.
func (p *packer) underneath(m monthOf) error {
	var under monthReader
	if err := under.find(p.conn, m.channel, m.first); err != nil || !under.there {
		return err
	}
	over := p.days
	p.days = nil
	for i := range under.sealed.Len() {
		d := under.at(i)
		for len(over) > 0 && over[0].Date < d.Date {
			p.days, over = append(p.days, over[0]), over[1:]
		}
		if len(over) > 0 && over[0].Date == d.Date {
			continue
		}
		begin := len(p.bytes)
		p.bytes = append(p.bytes, d.Data...)
		d.Data = p.bytes[begin:]
		p.days = append(p.days, interval.SealedDay(d))
	}
	p.days = append(p.days, over...)
	return nil
}

// seal packs the days into the row of a month, and removes those that are hot.
// What cannot be packed stays as it is: a fault in one day is no reason to stop.
func (p *packer) seal(channel domain.ChannelID, month domain.Date) (ok bool, err error) {
	p.blob, err = interval.AppendMonth(p.blob[:0], p.days)
	if err != nil {
		p.damage = fmt.Errorf("channel %d: %w", channel, err)
		return false, nil
	}
	const sql = `
		INSERT INTO seal (ch, month, recorded_at, data) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (ch, month) DO UPDATE SET recorded_at = ?3, data = ?4`
	stmt, err := p.conn.Prepare(sql)
	if err != nil {
		return false, err
	}
	stmt.BindInt64(1, int64(channel))
	stmt.BindInt64(2, int64(month))
	stmt.BindInt64(3, newest(p.days))
	stmt.BindBytes(4, p.blob)
	if _, err := stmt.Step(); err != nil {
		return false, err
	}
	p.sealed++
	return true, p.clear(channel)
}

// clear removes the days from those that are hot.
func (p *packer) clear(channel domain.ChannelID) error {
	stmt, err := p.conn.Prepare(`DELETE FROM hot WHERE day = ?1 AND ch = ?2`)
	if err != nil {
		return err
	}
	stmt.BindInt64(2, int64(channel))
	for i := range p.days {
		stmt.BindInt64(1, int64(p.days[i].Date))
		if _, err := stmt.Step(); err != nil {
			return err
		}
		if err := stmt.Reset(); err != nil {
			return err
		}
	}
	return nil
}

// newest returns when something of the days was recorded last; 0 where there is
// none.
func newest(days []interval.SealedDay) (at int64) {
	for i := range days {
		at = max(at, days[i].RecordedAt)
	}
	return at
}
