package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// Extent returns how far a channel's days go.
func (s *Store) Extent(ctx context.Context, channel domain.ChannelID) (e domain.Extent, err error) {
	err = s.read(ctx, "find how far a channel's days go", func(ctx context.Context, c conn) error {
		e, err = extent(ctx, c, channel)
		return err
	})
	return e, err
}

func extent(ctx context.Context, c conn, channel domain.ChannelID) (domain.Extent, error) {
	const sql = `SELECT ch, first_day, last_day, complete_day, last_recorded_at FROM extent WHERE ch = $1`
	list, err := all(ctx, c, func(row pgx.CollectableRow) (domain.Extent, error) { return scanExtent(row, new(domain.ChannelID)) }, sql, channel)
	if err != nil || len(list) == 0 {
		return domain.Extent{}, err
	}
	return list[0], nil
}

// How many days one statement brings at first, and at most: whoever wants a few
// should not wait for a year.
const (
	fewDays  = 62
	manyDays = 740
)

// Days calls f with each stored day of the channel that is asked for. What one
// statement can bring is one picture of the database by itself.
func (s *Store) Days(ctx context.Context, channel domain.ChannelID, asked domain.DayRange, f func(domain.Day) error) error {
	const doing = "read the days of a channel"
	if int64(asked.Last)-int64(asked.First) < fewDays {
		return s.read(ctx, doing, func(ctx context.Context, c conn) error {
			return walk(ctx, c, channel, asked, f)
		})
	}
	return s.readAt(ctx, doing, func(ctx context.Context, c conn) error {
		e, err := extent(ctx, c, channel)
		if err != nil || empty(e) {
			return err
		}
		asked.First, asked.Last = max(asked.First, e.First), min(asked.Last, e.Last)
		for span := domain.Date(fewDays); asked.First <= asked.Last; span = min(2*span, manyDays) {
			part := asked
			if asked.Reverse {
				part.First = max(part.First, periodOf(asked.Last-span).first())
				asked.Last = part.First - 1
			} else {
				part.Last = min(part.Last, (periodOf(asked.First+span)+1).first()-1)
				asked.First = part.Last + 1
			}
			if err := walk(ctx, c, channel, part, f); err != nil {
				return err
			}
		}
		return nil
	})
}

// walk calls f with the days of a span that one statement brings.
func walk(ctx context.Context, c conn, channel domain.ChannelID, asked domain.DayRange, f func(domain.Day) error) error {
	if asked.First > asked.Last {
		return nil
	}
	stored, err := readSpan(ctx, c, channel, asked, false)
	if err != nil {
		return err
	}
	var data []byte
	for n := range int64(asked.Last) - int64(asked.First) + 1 {
		date := asked.First + domain.Date(n)
		if asked.Reverse {
			date = asked.Last - domain.Date(n)
		}
		d, _, err := stored.day(date, &data)
		if err != nil {
			return err
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

// spanOfDays is what is stored of a channel within some months.
type spanOfDays struct {
	asOf   int64 // 0: what is known now
	hot    map[domain.Date]storedDay
	old    map[domain.Date]storedDay // what was known at asOf, where it was replaced since
	sealed map[period][]byte

	month interval.SealedMonth // of open
	open  period
	any   bool
}

type storedDay struct {
	domain.Day
	source int64
}

// The kinds of rows that readSpan brings.
const (
	rowHot = iota
	rowSealed
	rowReplaced
)

// readSpan reads all tiers in one statement, and thereby at one moment. Hot days
// are looked up one by one: their key begins with the day, so that a range would
// pass over all channels. narrow says that the span is no wider than the days
// that there are; otherwise it is made so.
func readSpan(ctx context.Context, c conn, channel domain.ChannelID, asked domain.DayRange, narrow bool) (*spanOfDays, error) {
	const now = `
		SELECT 0 AS kind, day AS at, rev, recorded_at, src, data FROM hot
		WHERE ch = $1 AND day BETWEEN $2 AND $3 AND day = ANY (CASE WHEN $6 THEN ARRAY(SELECT generate_series($2::integer, $3::integer))
			ELSE ARRAY(SELECT generate_series(greatest(first_day, $2), least(last_day, $3)) FROM extent WHERE ch = $1) END)
		UNION ALL
		SELECT 1, period, 0, recorded_at, 0, data FROM seal WHERE ch = $1 AND period BETWEEN $4 AND $5`
	const then = now + `
		UNION ALL
		(SELECT DISTINCT ON (day) 2, day, rev, recorded_at, src, data FROM history
		WHERE ch = $1 AND day BETWEEN $2 AND $3 AND recorded_at <= $7 ORDER BY day, rev DESC)`
	s := &spanOfDays{asOf: micros(asked.AsOf), hot: map[domain.Date]storedDay{}, old: map[domain.Date]storedDay{}, sealed: map[period][]byte{}}
	sql, args := now, []any{int64(channel), int32(asked.First), int32(asked.Last), int32(periodOf(asked.First)), int32(periodOf(asked.Last)), narrow}
	if s.asOf != 0 {
		sql, args = then, append(args, s.asOf)
	}
	rows, err := c.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	var (
		kind, when, rev  int32
		recorded, source int64
		data             []byte
	)
	_, err = pgx.ForEachRow(rows, []any{&kind, &when, &rev, &recorded, &source, &data}, func() error {
		d := storedDay{domain.Day{Date: domain.Date(when), Revision: rev, RecordedAt: instant(recorded), Data: data}, source}
		switch kind {
		case rowHot:
			s.hot[d.Date] = d
		case rowSealed:
			s.sealed[period(when)] = data
		case rowReplaced:
			s.old[d.Date] = d
		}
		data = nil // it is kept
		return nil
	})
	return s, err
}

// day finds a day; its Revision is 0 where there is none. A hot day stands before
// a sealed one: it corrects it. Data of a sealed one goes into buf.
func (s *spanOfDays) day(date domain.Date, buf *[]byte) (d domain.Day, source int64, err error) {
	found, ok := s.hot[date]
	if !ok {
		if found, err = s.fromSeal(date, buf); err != nil {
			return d, 0, err
		}
	}
	if s.asOf != 0 && found.Revision > 0 && micros(found.RecordedAt) > s.asOf {
		found = s.old[date]
	}
	found.Date = date
	return found.Day, found.source, nil
}

func (s *spanOfDays) fromSeal(date domain.Date, buf *[]byte) (d storedDay, err error) {
	p := periodOf(date)
	data, ok := s.sealed[p]
	if !ok {
		return d, nil
	}
	if !s.any || s.open != p {
		s.any, s.open = true, p
		if err := s.month.Open(data); err != nil {
			s.any = false
			return d, err
		}
	}
	i, ok := s.month.Find(date)
	if !ok {
		return d, nil
	}
	head := s.month.Head(i)
	*buf = s.month.AppendDay((*buf)[:0], i)
	return storedDay{domain.Day{Date: date, Revision: head.Revision, RecordedAt: instant(head.RecordedAt), Data: *buf}, head.Source}, nil
}
