package sqlite

import (
	"cmp"
	"context"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// Changes lists revisions of a channel's days. There is no table of them: each
// is either stored or in the history, and a row more for every day would double
// what an import writes.
func (s *Store) Changes(ctx context.Context, channel domain.ChannelID, after domain.Change, limit int) (list []domain.Change, err error) {
	err = s.readAt(ctx, "list the changes of a channel", func(conn *sqlite.Conn) error {
		list, err = changes(conn, channel, after, limit)
		return err
	})
	return list, err
}

func changes(conn *sqlite.Conn, channel domain.ChannelID, after domain.Change, limit int) ([]domain.Change, error) {
	const old = `
		SELECT recorded_at, day, rev FROM history
		WHERE ch = 0 + ?1 AND (recorded_at, day) > (0 + ?2, 0 + ?3)
		ORDER BY recorded_at, day LIMIT ?4`
	r, err := findReach(conn, channel)
	if err != nil || r.recorded < micros(after.RecordedAt) {
		return []domain.Change{}, err
	}
	list, err := all(conn, scanChange, old, channel, micros(after.RecordedAt), after.Day, limit)
	if err != nil {
		return nil, err
	}
	all := domain.DayRange{First: r.first, Last: r.last}
	err = readDays(conn, channel, all, micros(after.RecordedAt), func(d sealedDay) error {
		c := domain.Change{RecordedAt: instant(d.RecordedAt), Day: d.Date, Revision: d.Revision}
		if compareChanges(c, after) > 0 {
			list = append(list, c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, compareChanges)
	return slices.Clip(list[:min(len(list), max(limit, 0))]), nil
}

func compareChanges(a, b domain.Change) int {
	return cmp.Or(a.RecordedAt.Compare(b.RecordedAt), cmp.Compare(a.Day, b.Day))
}

func scanChange(row *sqlite.Stmt) (domain.Change, error) {
	return domain.Change{
		RecordedAt: instant(row.ColumnInt64(0)), Day: domain.Date(row.ColumnInt32(1)), Revision: row.ColumnInt32(2),
	}, nil
}
