package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// Extent returns how far a channel's days go.
func (s *Store) Extent(ctx context.Context, channel domain.ChannelID) (e domain.Extent, err error) {
	err = s.read(ctx, "find how far a channel's days go", func(conn *sqlite.Conn) error {
		r, err := findReach(conn, channel)
		e = r.extent()
		return err
	})
	return e, err
}

// Days calls f with each stored day of the channel that is asked for. One of the
// few connections that read is busy until f has returned for the last time: f
// must not read from the store itself.
func (s *Store) Days(ctx context.Context, channel domain.ChannelID, asked domain.DayRange, f func(domain.Day) error) error {
	return s.readAt(ctx, "read the days of a channel", func(conn *sqlite.Conn) error {
		return readDays(conn, channel, asked, 0, func(d sealedDay) error {
			if !asked.AsOf.IsZero() && d.RecordedAt > micros(asked.AsOf) {
				old, err := replaced(conn, channel, d.Date, asked.AsOf)
				if err != nil || old.Revision == 0 {
					return err
				}
				return callers(f(old))
			}
			return callers(f(d.day()))
		})
	})
}

// replaced finds what was known of a day at an instant, and was replaced later.
func replaced(conn *sqlite.Conn, channel domain.ChannelID, date domain.Date, at time.Time) (domain.Day, error) {
	const sql = `
		SELECT rev, recorded_at, data FROM history
		WHERE ch = 0 + ?1 AND day = 0 + ?2 AND recorded_at <= 0 + ?3 ORDER BY rev DESC LIMIT 1`
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
	*buf = column(stmt, 2, *buf)
	d := domain.Day{
		Date:       date,
		Revision:   stmt.ColumnInt32(0),
		RecordedAt: instant(stmt.ColumnInt64(1)),
		Data:       *buf,
	}
	return d, stmt.Reset()
}

func errorOf(err error, stmt *sqlite.Stmt) error {
	if err != nil {
		return err
	}
	return stmt.Reset()
}
