package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// sealBatch is how many channels are sealed in one transaction: whoever writes to
// one of them waits no longer than that takes.
const sealBatch = 200

// Seal packs months that are closed. Whatever has hot days is looked at, month by
// month, so that a month whose hot days are gone costs nothing. What cannot be
// packed is told at the end, and holds up nothing else.
func (s *Store) Seal(ctx context.Context, rule domain.SealRule, limit int) (sealed int, err error) {
	const doing = "seal months"
	var periods []period
	err = s.read(ctx, doing, func(ctx context.Context, c conn) error {
		periods, err = s.knownPeriods(ctx, c)
		return err
	})
	if err != nil {
		return 0, err
	}
	slices.Sort(periods)
	var damaged error
	for _, p := range periods {
		after := int64(0)
		for sealed < limit {
			channels, err := s.closed(ctx, p, rule, after, min(sealBatch, limit-sealed))
			if err != nil {
				return sealed, err
			}
			if len(channels) == 0 {
				break
			}
			after = channels[len(channels)-1]
			var n int
			var bad error
			err = s.changeAlone(ctx, doing, func(ctx context.Context, c conn) error {
				n, bad, err = newTransfer(ctx, s, c).seal(p, rule, channels)
				return err
			})
			damaged = errors.Join(damaged, bad)
			if err != nil {
				return sealed, err
			}
			sealed += n
		}
	}
	if sealed < limit {
		s.giveBack(ctx, periods)
	}
	return sealed, failure(ctx, doing, damaged)
}

// closed lists channels whose hot days of a period can be sealed, by number.
func (s *Store) closed(ctx context.Context, p period, rule domain.SealRule, after int64, limit int) (channels []int64, err error) {
	const sql = `
		SELECT h.ch FROM hot h JOIN extent e ON e.ch = h.ch
		WHERE h.day >= $1 AND h.day < $2 AND h.ch > $3 AND (e.complete_day >= $2 - 1 OR $5)
		GROUP BY h.ch HAVING max(h.recorded_at) <= $4 ORDER BY h.ch LIMIT $6`
	late := (p + 1).first() <= rule.Late
	// Beside those who read: it may look at all days of a month.
	err = s.changeAlone(ctx, "find what can be sealed", func(ctx context.Context, c conn) error {
		channels, err = all(ctx, c, pgx.RowTo[int64], sql, int32(p.first()), int32((p + 1).first()), after, micros(rule.Quiet), late, limit)
		return err
	})
	return channels, err
}

// seal packs the hot days of a period, over what is sealed of it already.
func (t *transfer) seal(p period, rule domain.SealRule, channels []int64) (n int, bad, err error) {
	const put = `
		INSERT INTO seal (ch, period, recorded_at, data)
		SELECT ch, $2, at, data FROM unnest($1::bigint[], $3::bigint[], $4::bytea[]) AS u (ch, at, data)
		ON CONFLICT (ch, period) DO UPDATE SET recorded_at = EXCLUDED.recorded_at, data = EXCLUDED.data`
	const clear = `DELETE FROM hot WHERE ch = ANY ($1) AND day >= $2 AND day < $3`
	ids := make([]domain.ChannelID, len(channels))
	for i, ch := range channels {
		ids[i] = domain.ChannelID(ch)
	}
	if err := t.hold(ids...); err != nil {
		return 0, nil, err
	}
	months, err := t.months(p, channels)
	if err != nil {
		return 0, nil, err
	}
	var (
		done, newest []int64
		blobs        [][]byte
	)
	for _, ch := range channels {
		at, blob, err := months[ch].pack(micros(rule.Quiet))
		if err != nil {
			bad = errors.Join(bad, fmt.Errorf("channel %d, the month that begins with %s: %w", ch, p.first(), err))
			continue
		}
		if blob != nil {
			done, newest, blobs = append(done, ch), append(newest, at), append(blobs, blob)
		}
	}
	if len(done) == 0 {
		return 0, bad, nil
	}
	if err := run(t.ctx, t.conn, put, done, int32(p), newest, blobs); err != nil {
		return 0, bad, err
	}
	return len(done), bad, run(t.ctx, t.conn, clear, done, int32(p.first()), int32((p + 1).first()))
}

// openMonth is what there is of a month of a channel.
type openMonth struct {
	hot    []interval.SealedDay
	sealed []byte
}

// months reads all tiers of a period.
func (t *transfer) months(p period, channels []int64) (map[int64]*openMonth, error) {
	const sql = `
		SELECT ch, day, rev, recorded_at, src, data FROM hot WHERE ch = ANY ($1) AND day >= $2 AND day < $3
		UNION ALL
		SELECT ch, 0, 0, 0, 0, data FROM seal WHERE ch = ANY ($1) AND period = $4`
	months := make(map[int64]*openMonth, len(channels))
	for _, ch := range channels {
		months[ch] = &openMonth{}
	}
	rows, err := t.conn.Query(t.ctx, sql, channels, int32(p.first()), int32((p + 1).first()), int32(p))
	if err != nil {
		return nil, err
	}
	var (
		ch int64
		d  interval.SealedDay
	)
	_, err = pgx.ForEachRow(rows, []any{&ch, &d.Date, &d.Revision, &d.RecordedAt, &d.Source, &d.Data}, func() error {
		if d.Revision == 0 {
			months[ch].sealed = d.Data
		} else {
			months[ch].hot = append(months[ch].hot, d)
		}
		d.Data = nil // it is kept
		return nil
	})
	return months, err
}

// pack seals a month: what is hot stands before what is sealed. Without hot days,
// or with one that was recorded after quiet, there is nothing to do.
func (m *openMonth) pack(quiet int64) (newest int64, blob []byte, err error) {
	days := m.hot
	for _, d := range days {
		if d.RecordedAt > quiet {
			return 0, nil, nil
		}
	}
	if len(days) == 0 {
		return 0, nil, nil
	}
	if m.sealed != nil {
		var old interval.SealedMonth
		if err := old.Open(m.sealed); err != nil {
			return 0, nil, err
		}
		for i := range old.Len() {
			d := old.Head(i)
			if !slices.ContainsFunc(m.hot, func(h interval.SealedDay) bool { return h.Date == d.Date }) {
				d.Data = old.AppendDay(nil, i)
				days = append(days, d)
			}
		}
	}
	slices.SortFunc(days, func(a, b interval.SealedDay) int { return cmp.Compare(a.Date, b.Date) })
	for _, d := range days {
		newest = max(newest, d.RecordedAt)
	}
	blob, err = interval.AppendMonth(nil, days)
	return newest, blob, err
}
