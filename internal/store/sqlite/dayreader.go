package sqlite

import (
	"errors"
	"slices"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// dayReader reads the days of a channel from both tiers.
type dayReader struct {
	conn    *sqlite.Conn
	reach   reach
	again   []domain.Date // months before the open ones with hot days, in the order of the reading
	reverse bool
	since   int64
	f       func(sealedDay) error

	hot   *sqlite.Stmt
	month monthReader
	buf   []byte
}

// readDays calls f with each day of a channel. One that is hot goes before one
// that is sealed. Sealed months in which nothing was recorded since are left out.
func readDays(conn *sqlite.Conn, channel domain.ChannelID, asked domain.DayRange, since int64, f func(sealedDay) error) error {
	r := dayReaders.Get().(*dayReader)
	defer dayReaders.Put(r)
	*r = dayReader{conn: conn, reverse: asked.Reverse, since: since, f: f, again: r.again[:0], month: r.month, buf: r.buf}
	defer func() { r.conn, r.hot, r.f = nil, nil, nil }()
	var err error
	if r.reach, err = findReach(conn, channel); err != nil || r.reach.recorded == 0 {
		return err
	}
	first, last := max(asked.First, r.reach.first), min(asked.Last, r.reach.last)
	if r.hot, err = conn.Prepare(selectDay); err != nil {
		return err
	}
	r.hot.BindInt64(2, int64(channel))
	if r.reverse {
		if err := r.open(max(first, r.reach.openFirst), last); err != nil {
			return err
		}
		return r.closed(first, min(last, r.reach.openFirst-1))
	}
	if err := r.closed(first, min(last, r.reach.openFirst-1)); err != nil {
		return err
	}
	return r.open(max(first, r.reach.openFirst), last)
}

// open reads days that are not sealed. It looks up one after the other: the key
// begins with the day, so that a range would pass over all channels.
func (r *dayReader) open(first, last domain.Date) error {
	for n := range int64(last) - int64(first) + 1 {
		date := first + domain.Date(n)
		if r.reverse {
			date = last - domain.Date(n)
		}
		d, err := r.one(date)
		if err == nil && d.Revision > 0 {
			err = r.f(d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// one looks up a day that is not sealed.
func (r *dayReader) one(date domain.Date) (sealedDay, error) {
	r.hot.BindInt64(1, int64(date))
	ok, err := r.hot.Step()
	if err != nil || !ok {
		return sealedDay{Date: date}, errorOf(err, r.hot)
	}
	r.buf = column(r.hot, 2, r.buf)
	d := sealedDay{Date: date, Revision: r.hot.ColumnInt32(0), RecordedAt: r.hot.ColumnInt64(1), Data: r.buf}
	return d, r.hot.Reset()
}

// closed reads days of sealed months, and of those that are open again.
func (r *dayReader) closed(first, last domain.Date) error {
	if first > last {
		return nil
	}
	if err := r.reopened(first, last); err != nil {
		return err
	}
	stmt, err := r.conn.Prepare(r.selectMonths())
	if err != nil {
		return err
	}
	from, _ := interval.MonthOf(first)
	stmt.BindInt64(1, int64(r.reach.channel))
	stmt.BindInt64(2, int64(from))
	stmt.BindInt64(3, int64(last))
	stmt.BindInt64(4, r.since)
	for {
		ok, err := stmt.Step()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if err = r.month.open(stmt); err == nil {
			err = r.next(first, last)
		}
		if err != nil {
			return errors.Join(err, stmt.Reset())
		}
	}
	for len(r.again) > 0 { // behind the last that is sealed
		if err := r.loose(first, last); err != nil {
			return err
		}
	}
	return nil
}

// selectMonths has its parameters in sums: SQLite plans a statement anew each
// time for a bare one that does not name a row by its whole key, which takes
// longer than the rest.
func (r *dayReader) selectMonths() string {
	const sql = `
		SELECT month, data FROM seal
		WHERE ch = 0 + ?1 AND month BETWEEN 0 + ?2 AND 0 + ?3 AND recorded_at >= 0 + ?4 ORDER BY month`
	if r.reverse {
		return sql + " DESC"
	}
	return sql
}

// reopened lists the months with days that were corrected after they were sealed.
func (r *dayReader) reopened(first, last domain.Date) error {
	if r.reach.reopened == 0 {
		return nil
	}
	const sql = `SELECT month FROM reopened WHERE ch = 0 + ?1 AND month <= 0 + ?3 AND last >= 0 + ?2 ORDER BY month`
	list, err := all(r.conn, scanNumber, sql, r.reach.channel, first, last)
	for _, month := range list {
		r.again = append(r.again, domain.Date(month))
	}
	if r.reverse {
		slices.Reverse(r.again)
	}
	return err
}

// next reads the month that was opened, after those before it in which nothing
// is sealed.
func (r *dayReader) next(first, last domain.Date) error {
	month := r.month.month
	for len(r.again) > 0 && r.again[0] != month && r.again[0] < month != r.reverse {
		if err := r.loose(first, last); err != nil {
			return err
		}
	}
	if len(r.again) > 0 && r.again[0] == month {
		r.again = r.again[1:]
		return r.mixed(first, last)
	}
	return r.plain(first, last)
}

// loose reads a month in which nothing is sealed.
func (r *dayReader) loose(first, last domain.Date) error {
	from, to := interval.MonthOf(r.again[0])
	r.again = r.again[1:]
	return r.open(max(first, from), min(last, to))
}

// mixed reads a month that has hot days over the sealed ones.
func (r *dayReader) mixed(first, last domain.Date) error {
	from, to := interval.MonthOf(r.month.month)
	from, to = max(from, first), min(to, last)
	for n := range to - from + 1 {
		date := from + n
		if r.reverse {
			date = to - n
		}
		d, err := r.one(date)
		if err != nil {
			return err
		}
		if i, ok := r.month.sealed.Find(date); ok && d.Revision == 0 {
			d = r.month.at(i)
		}
		if d.Revision == 0 {
			continue
		}
		if err := r.f(d); err != nil {
			return err
		}
	}
	return nil
}

// plain reads a month that is sealed as it is.
func (r *dayReader) plain(first, last domain.Date) error {
	n := r.month.sealed.Len()
	for i := range n {
		if r.reverse {
			i = n - 1 - i
		}
		if date := r.month.sealed.Head(i).Date; date < first || date > last {
			continue
		}
		if err := r.f(r.month.at(i)); err != nil {
			return err
		}
	}
	return nil
}

// dayReaders are used again: an opened month is some kilobytes.
var dayReaders = sync.Pool{New: func() any { return new(dayReader) }}
