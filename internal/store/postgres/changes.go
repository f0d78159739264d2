package postgres

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// Changes lists revisions of a channel's days. There is no table of them: each
// is either stored or in the history, and a row more for every day would double
// what an import writes. Months that were sealed before are passed over. LIMIT 1
// makes the server look up each day in its own partition: as a join, or a list of
// days, it would look for every day in all of them.
func (s *Store) Changes(ctx context.Context, channel domain.ChannelID, after domain.Change, limit int) (list []domain.Change, err error) {
	const sql = `
		SELECT h.recorded_at, d.day, h.rev, NULL::bytea FROM extent e
		CROSS JOIN LATERAL generate_series(e.first_day, e.last_day) AS d (day)
		CROSS JOIN LATERAL (SELECT recorded_at, rev FROM hot WHERE hot.day = d.day AND hot.ch = $1 LIMIT 1) AS h
		WHERE e.ch = $1 AND e.last_recorded_at >= $2 AND (h.recorded_at, d.day) > ($2, $3)
		UNION ALL
		SELECT recorded_at, day, rev, NULL FROM history WHERE ch = $1 AND (recorded_at, day) > ($2, $3)
		UNION ALL
		SELECT 0, 0, 0, data FROM seal WHERE ch = $1 AND recorded_at >= $2`
	err = s.read(ctx, "list the changes of a channel", func(ctx context.Context, c conn) error {
		rows, err := c.Query(ctx, sql, int64(channel), micros(after.RecordedAt), int32(after.Day))
		if err != nil {
			return err
		}
		var (
			recorded  int64
			day, rev  int32
			sealed    []byte
			month     interval.SealedMonth
			unordered []domain.Change
		)
		_, err = pgx.ForEachRow(rows, []any{&recorded, &day, &rev, &sealed}, func() error {
			if sealed == nil {
				unordered = append(unordered, domain.Change{RecordedAt: instant(recorded), Day: domain.Date(day), Revision: rev})
				return nil
			}
			if err := month.Open(sealed); err != nil {
				return err
			}
			for i := range month.Len() {
				d := month.Head(i)
				unordered = append(unordered, domain.Change{RecordedAt: instant(d.RecordedAt), Day: d.Date, Revision: d.Revision})
			}
			sealed = nil
			return nil
		})
		list = inOrder(unordered, after, limit)
		return err
	})
	return list, err
}

// inOrder returns the first changes that follow after. A day that a hot one
// corrects is still in its sealed month and in the history: it is one change.
func inOrder(list []domain.Change, after domain.Change, limit int) []domain.Change {
	order := func(a, b domain.Change) int {
		return cmp.Or(a.RecordedAt.Compare(b.RecordedAt), cmp.Compare(a.Day, b.Day))
	}
	list = slices.DeleteFunc(list, func(c domain.Change) bool { return order(c, after) <= 0 })
	slices.SortFunc(list, order)
	list = slices.CompactFunc(list, func(a, b domain.Change) bool { return order(a, b) == 0 })
	return list[:min(limit, len(list))]
}
