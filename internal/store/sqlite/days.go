package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// Extent returns how far a channel's days go.
func (s *Store) Extent(ctx context.Context, channel domain.ChannelID) (r domain.Extent, err error) {
	err = s.read(ctx, "find how far a channel's days go", func(conn *sqlite.Conn) error {
		r, err = extent(conn, channel)
		return err
	})
	return r, err
}

func extent(conn *sqlite.Conn, channel domain.ChannelID) (r domain.Extent, err error) {
	stmt, err := conn.Prepare(`SELECT first_day, last_day, complete_day, last_recorded_at FROM extent WHERE ch = ?1`)
	if err != nil {
		return r, err
	}
	stmt.BindInt64(1, int64(channel))
	ok, err := stmt.Step()
	if err != nil || !ok {
		return r, err
	}
	r = domain.Extent{
		First:      domain.Date(stmt.ColumnInt32(0)),
		Last:       domain.Date(stmt.ColumnInt32(1)),
		Complete:   domain.Date(stmt.ColumnInt32(2)),
		RecordedAt: instant(stmt.ColumnInt64(3)),
	}
	return r, stmt.Reset()
}

// Days calls f with each stored day of the channel that is asked for. One of the
// few connections that read is busy until f has returned for the last time: f
// must not read from the store itself.
func (s *Store) Days(ctx context.Context, channel domain.ChannelID, asked domain.DayRange, f func(domain.Day) error) error {
	return s.readAt(ctx, "read the days of a channel", func(conn *sqlite.Conn) error {
		r, err := extent(conn, channel)
		if err != nil || r.RecordedAt.IsZero() {
			return err
		}
		asked.First, asked.Last = max(asked.First, r.First), min(asked.Last, r.Last)
		return days(conn, channel, asked, f)
	})
}

// days looks up one day after the other: the key begins with the day, so that
// a range would pass over all channels.
func days(conn *sqlite.Conn, channel domain.ChannelID, asked domain.DayRange, f func(domain.Day) error) error {
	stmt, err := conn.Prepare(selectDay)
	if err != nil {
		return err
	}
	stmt.BindInt64(2, int64(channel))
	var data []byte
	for n := range int64(asked.Last) - int64(asked.First) + 1 {
		date := asked.First + domain.Date(n)
		if asked.Reverse {
			date = asked.Last - domain.Date(n)
		}
		d, err := day(stmt, date, &data)
		if err != nil {
			return err
		}
		if d.Revision > 0 && !asked.AsOf.IsZero() && d.RecordedAt.After(asked.AsOf) {
			if d, err = replaced(conn, channel, date, asked.AsOf); err != nil {
				return err
			}
		}
		if d.Revision == 0 {
			continue
		}
		if err := f(d); err != nil {
			return callers(err)
		}
	}
	return nil
}

// replaced finds what was known of a day at an instant, and was replaced later.
func replaced(conn *sqlite.Conn, channel domain.ChannelID, date domain.Date, at time.Time) (domain.Day, error) {
	const sql = `
		SELECT rev, recorded_at, data FROM history
		WHERE ch = ?1 AND day = ?2 AND recorded_at <= ?3 ORDER BY rev DESC LIMIT 1`
	list, err := all(conn, func(row *sqlite.Stmt) (domain.Day, error) {
		data := make([]byte, row.ColumnLen(2))
		row.ColumnBytes(2, data)
		return domain.Day{Date: date, Revision: row.ColumnInt32(0), RecordedAt: instant(row.ColumnInt64(1)), Data: data}, nil
	}, sql, channel, date, micros(at))
	if err != nil || len(list) == 0 {
		return domain.Day{Date: date}, err
	}
	return list[0], nil
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
