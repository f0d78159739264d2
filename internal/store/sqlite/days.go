package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// Extent returns the first and the last day for which a channel has data.
func (s *Store) Extent(ctx context.Context, channel domain.ChannelID) (first, last domain.Date, ok bool, err error) {
	err = s.read(ctx, "find a channel's first and last day", func(conn *sqlite.Conn) error {
		first, last, ok, err = extent(conn, channel)
		return err
	})
	return first, last, ok, err
}

func extent(conn *sqlite.Conn, channel domain.ChannelID) (first, last domain.Date, ok bool, err error) {
	stmt, err := conn.Prepare(`SELECT first_day, last_day FROM extent WHERE ch = ?1`)
	if err != nil {
		return 0, 0, false, err
	}
	stmt.BindInt64(1, int64(channel))
	ok, err = stmt.Step()
	if err != nil || !ok {
		return 0, 0, false, err
	}
	first, last = domain.Date(stmt.ColumnInt32(0)), domain.Date(stmt.ColumnInt32(1))
	return first, last, true, stmt.Reset()
}

// Days calls f with each stored day of the channel from first to last. All of
// them are from one picture of the database. One of the few connections that
// read is busy until f has returned for the last time: f must not read from the
// store itself.
func (s *Store) Days(ctx context.Context, channel domain.ChannelID, first, last domain.Date, reverse bool, f func(domain.Day) error) error {
	return s.readAt(ctx, "read the days of a channel", func(conn *sqlite.Conn) error {
		from, to, ok, err := extent(conn, channel)
		if err != nil || !ok {
			return err
		}
		return days(conn, channel, max(first, from), min(last, to), reverse, f)
	})
}

// days looks up one day after the other: the key begins with the day, so that
// a range would pass over all channels.
func days(conn *sqlite.Conn, channel domain.ChannelID, first, last domain.Date, reverse bool, f func(domain.Day) error) error {
	stmt, err := conn.Prepare(selectDay)
	if err != nil {
		return err
	}
	stmt.BindInt64(2, int64(channel))
	var data []byte
	for n := range int64(last) - int64(first) + 1 {
		date := first + domain.Date(n)
		if reverse {
			date = last - domain.Date(n)
		}
		day, err := day(stmt, date, &data)
		if err != nil {
			return err
		}
		if day.Revision == 0 {
			continue
		}
		if err := f(day); err != nil {
			return callers(err)
		}
	}
	return nil
}

const selectDay = `SELECT rev, recorded_at, data FROM hot WHERE day = ?1 AND ch = ?2`

// day looks up one day with the statement selectDay, to which the channel is
// bound. Its data goes into buf.
func day(stmt *sqlite.Stmt, date domain.Date, buf *[]byte) (domain.Day, error) {
	stmt.BindInt64(1, int64(date))
	ok, err := stmt.Step()
	if err != nil || !ok {
		return domain.Day{Date: date}, errorOf(err, stmt)
	}
	n := stmt.ColumnLen(2)
	if n > cap(*buf) {
		*buf = make([]byte, n, 2*n)
	}
	data := (*buf)[:n]
	stmt.ColumnBytes(2, data)
	d := domain.Day{
		Date:       date,
		Revision:   stmt.ColumnInt32(0),
		RecordedAt: instant(stmt.ColumnInt64(1)),
		Data:       data,
	}
	return d, stmt.Reset()
}

func errorOf(err error, stmt *sqlite.Stmt) error {
	if err != nil {
		return err
	}
	return stmt.Reset()
}
