package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// Changes lists revisions of a channel's days. There is no table of them: each
// is either stored or in the history, and a row more for every day would double
// what an import writes.
func (s *Store) Changes(ctx context.Context, channel domain.ChannelID, after domain.Change, limit int) (list []domain.Change, err error) {
	err = s.readAt(ctx, "list the changes of a channel", func(conn *sqlite.Conn) error {
		list, err = all(conn, scanChange, changesOf, channel, micros(after.RecordedAt), after.Day, limit)
		return err
	})
	return list, err
}

const changesOf = `
	WITH RECURSIVE
	own (day, last) AS (
		SELECT first_day, last_day FROM extent WHERE ch = ?1 AND last_recorded_at >= ?2
		UNION ALL
		SELECT day + 1, last FROM own WHERE day < last)
	SELECT recorded_at, day, rev FROM (
		SELECT h.recorded_at, h.day, h.rev FROM own JOIN hot h ON h.day = own.day AND h.ch = ?1
		UNION ALL
		SELECT recorded_at, day, rev FROM history WHERE ch = ?1)
	WHERE (recorded_at, day) > (?2, ?3)
	ORDER BY recorded_at, day LIMIT ?4`

func scanChange(row *sqlite.Stmt) (domain.Change, error) {
	return domain.Change{
		RecordedAt: instant(row.ColumnInt64(0)), Day: domain.Date(row.ColumnInt32(1)), Revision: row.ColumnInt32(2),
	}, nil
}
