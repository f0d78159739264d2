package postgres

import (
	"cmp"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// pending is what a transaction has put and not yet sent: a message for every
// day would take longer than all else.
type pending struct {
	rows  []pendingDay
	place map[dayKey]int
	room  []byte // what the rows' data points into
}

type dayKey struct {
	day domain.Date
	ch  domain.ChannelID
}

type pendingDay struct {
	dayKey
	source int64
	reason string
	data   []byte
}

// The bounds of what waits.
const (
	maxPending      = 8192
	maxPendingBytes = 4 << 20
	// aheadDays is how many days are read when one is looked up: files go on
	// with the next one.
	aheadDays = 31
	// maxAhead is for how many channels days that were read ahead are kept: a batch
	// may have very many.
	maxAhead = 512
)

// Day finds a stored day; Revision is 0 where there is none.
func (t *transfer) Day(channel domain.ChannelID, date domain.Date) (domain.Day, error) {
	d, err := t.day(channel, date)
	return d, failure(t.ctx, "find a day", err)
}

func (t *transfer) day(channel domain.ChannelID, date domain.Date) (domain.Day, error) {
	if _, waits := t.pending.place[dayKey{date, channel}]; waits {
		if err := t.flush(); err != nil {
			return domain.Day{}, err
		}
	}
	h, err := t.of(channel)
	if err != nil {
		if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
			err = nil // a channel that does not exist has no day
		}
		return domain.Day{Date: date}, err
	}
	if empty(h.extent) || date < h.extent.First || date > h.extent.Last {
		return domain.Day{Date: date}, nil
	}
	if date < h.first || date > h.last || h.days == nil {
		if err := t.readAhead(channel, h, date); err != nil {
			return domain.Day{}, err
		}
	}
	d := h.days[date]
	d.Date = date
	return d, nil
}

// readAhead reads a day of a held channel, and those that follow it.
func (t *transfer) readAhead(channel domain.ChannelID, h *held, date domain.Date) error {
	if t.ahead++; t.ahead > maxAhead {
		t.ahead = 1
		for _, other := range t.channels {
			other.days = nil
		}
	}
	asked := domain.DayRange{First: date, Last: min(date+aheadDays, h.extent.Last)}
	stored, err := readSpan(t.ctx, t.conn, channel, asked, true)
	if err != nil {
		return err
	}
	h.first, h.last, h.days = asked.First, asked.Last, map[domain.Date]domain.Day{}
	for date := asked.First; date <= asked.Last; date++ {
		var data []byte
		d, _, err := stored.day(date, &data)
		if err != nil {
			h.days = nil
			return err
		}
		if d.Revision > 0 {
			h.days[date] = d
		}
	}
	return nil
}

// PutDay stores a day as the next revision; what it replaces goes into the
// history.
func (t *transfer) PutDay(channel domain.ChannelID, d domain.Day, from domain.Provenance) error {
	return failure(t.ctx, "store a day", t.putDay(channel, d, from))
}

func (t *transfer) putDay(channel domain.ChannelID, d domain.Day, from domain.Provenance) error {
	if t.stuck != nil {
		return t.stuck
	}
	if t.channels[channel] == nil {
		if err := t.store.zones.read(t.ctx, t.conn, []int64{int64(channel)}); err != nil {
			return err
		}
	}
	if err := t.havePeriod(d.Date); err != nil {
		return err
	}
	src, err := t.source(from.Source)
	if err != nil {
		return err
	}
	p, key := &t.pending, dayKey{d.Date, channel}
	if _, waits := p.place[key]; waits || len(p.rows) == maxPending || len(p.room) > maxPendingBytes {
		if err := t.flush(); err != nil {
			return err
		}
	}
	if p.place == nil {
		p.place = map[dayKey]int{}
	}
	p.place[key] = len(p.rows)
	p.rows = append(p.rows, pendingDay{key, src, from.Reason, p.keep(d.Data)})
	return nil
}

// keep copies data, which is the caller's.
func (p *pending) keep(data []byte) []byte {
	begin := len(p.room)
	p.room = append(p.room, data...)
	return p.room[begin:len(p.room):len(p.room)]
}

// AmendDay replaces the data of a day that this transaction has put: one of
// another instant of recording is not found.
func (t *transfer) AmendDay(channel domain.ChannelID, d domain.Day) error {
	const sql = `UPDATE hot SET data = $1 WHERE day = $2 AND ch = $3 AND recorded_at = $4`
	i, waits := t.pending.place[dayKey{d.Date, channel}]
	if waits && len(t.pending.room) <= maxPendingBytes {
		t.pending.rows[i].data = t.pending.keep(d.Data)
		return nil
	}
	if waits { // very many amendments would otherwise wait in memory
		if err := t.flush(); err != nil {
			return failure(t.ctx, "amend a day", err)
		}
	}
	h, err := t.of(channel)
	if err == nil {
		err = changed(t.ctx, t.conn, "this day", sql, d.Data, d.Date, channel, h.now)
	}
	if err == nil {
		h.complete[d.Date], h.days = interval.Complete(d.Data), nil
	}
	return failure(t.ctx, "amend a day", err)
}

// flush sends what waits: days that are certainly new by COPY, the others so that
// what they replace goes into the history first.
func (t *transfer) flush() error {
	p := &t.pending
	if len(p.rows) == 0 {
		return nil
	}
	channels := make([]domain.ChannelID, len(p.rows))
	for i := range p.rows {
		channels[i] = p.rows[i].ch
	}
	if err := t.hold(channels...); err != nil {
		return err
	}
	var fresh, known []pendingDay
	for _, row := range p.rows {
		h := t.channels[row.ch]
		if empty(h.extent) || row.day < h.extent.First || row.day > h.extent.Last {
			fresh = append(fresh, row)
		} else {
			known = append(known, row)
		}
	}
	for _, row := range p.rows {
		h := t.channels[row.ch]
		h.reach(row.day, interval.Complete(row.data))
		if row.day >= h.first && row.day <= h.last {
			h.days = nil // what was read ahead is not so any more
		}
	}
	slices.SortFunc(fresh, func(a, b pendingDay) int { return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.ch, b.ch)) })
	err := t.copyDays(fresh)
	if err == nil {
		err = t.replaceDays(known)
	}
	p.rows, p.room = p.rows[:0], p.room[:0]
	clear(p.place)
	return err
}

// copyDays stores first revisions.
func (t *transfer) copyDays(rows []pendingDay) error {
	if len(rows) == 0 {
		return nil
	}
	_, err := t.conn.CopyFrom(t.ctx, pgx.Identifier{"hot"}, []string{"day", "ch", "rev", "src", "recorded_at", "data"},
		pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
			r := &rows[i]
			return []any{int32(r.day), int64(r.ch), int32(1), r.source, t.channels[r.ch].now, r.data}, nil
		}))
	return err
}

// replaceDays stores days of which some may be there already.
func (t *transfer) replaceDays(rows []pendingDay) error {
	if len(rows) == 0 {
		return nil
	}
	const keep = `
		INSERT INTO history (ch, day, rev, recorded_at, src, reason, data)
		SELECT h.ch, h.day, h.rev, h.recorded_at, h.src, u.reason, h.data
		FROM unnest($1::integer[], $2::bigint[], $3::text[]) AS u (day, ch, reason) JOIN hot h ON h.day = u.day AND h.ch = u.ch`
	const put = `
		INSERT INTO hot AS h (day, ch, rev, src, recorded_at, data)
		SELECT day, ch, rev, src, at, data
		FROM unnest($1::integer[], $2::bigint[], $3::integer[], $4::bigint[], $5::bigint[], $6::bytea[]) AS u (day, ch, rev, src, at, data)
		ON CONFLICT (day, ch) DO UPDATE SET rev = h.rev + 1, src = EXCLUDED.src, recorded_at = EXCLUDED.recorded_at, data = EXCLUDED.data`
	n := len(rows)
	days, revisions := make([]int32, n), make([]int32, n)
	channels, sources, recorded := make([]int64, n), make([]int64, n), make([]int64, n)
	reasons, data := make([]string, n), make([][]byte, n)
	for i := range rows {
		r := &rows[i]
		days[i], channels[i], sources[i], reasons[i], data[i] = int32(r.day), int64(r.ch), r.source, r.reason, r.data
		recorded[i], revisions[i] = t.channels[r.ch].now, 1
	}
	if err := run(t.ctx, t.conn, keep, days, channels, reasons); err != nil {
		return err
	}
	if err := t.keepSealed(rows, revisions); err != nil {
		return err
	}
	return run(t.ctx, t.conn, put, days, channels, revisions, sources, recorded, data)
}

// keepSealed puts into the history what is replaced of sealed months, and says
// which revisions follow. Where a hot day stands before the sealed one, that was
// kept already.
func (t *transfer) keepSealed(rows []pendingDay, revisions []int32) error {
	const find = `
		SELECT s.ch, s.period, s.data FROM unnest($1::bigint[], $2::integer[]) AS u (ch, period)
		JOIN seal s ON s.ch = u.ch AND s.period = u.period`
	const keep = `
		INSERT INTO history (ch, day, rev, recorded_at, src, reason, data)
		SELECT u.ch, u.day, u.rev, u.at, u.src, u.reason, u.data
		FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::bigint[], $5::bigint[], $6::text[], $7::bytea[]) AS u (ch, day, rev, at, src, reason, data)
		WHERE NOT EXISTS (SELECT 1 FROM hot h WHERE h.day = u.day AND h.ch = u.ch)
		ON CONFLICT (ch, day, rev) DO NOTHING`
	type month struct {
		ch domain.ChannelID
		p  period
	}
	asked := map[month]bool{}
	var channels []int64
	var periods []int32
	for _, r := range rows {
		m := month{r.ch, periodOf(r.day)}
		if !asked[m] {
			asked[m] = true
			channels, periods = append(channels, int64(m.ch)), append(periods, int32(m.p))
		}
	}
	sealed := map[month][]byte{}
	_, err := all(t.ctx, t.conn, func(row pgx.CollectableRow) (struct{}, error) {
		var (
			m    month
			data []byte
		)
		err := row.Scan(&m.ch, &m.p, &data)
		sealed[m] = data
		return struct{}{}, err
	}, find, channels, periods)
	if err != nil || len(sealed) == 0 {
		return err
	}
	var (
		chs, at, src []int64
		days, revs   []int32
		reasons      []string
		datas        [][]byte
		open         interval.SealedMonth
	)
	for i, r := range rows {
		data, ok := sealed[month{r.ch, periodOf(r.day)}]
		if !ok {
			continue
		}
		if err := open.Open(data); err != nil {
			return err
		}
		n, ok := open.Find(r.day)
		if !ok {
			continue
		}
		head := open.Head(n)
		revisions[i] = head.Revision + 1
		chs, days, revs = append(chs, int64(r.ch)), append(days, int32(r.day)), append(revs, head.Revision)
		at, src, reasons = append(at, head.RecordedAt), append(src, head.Source), append(reasons, r.reason)
		datas = append(datas, open.AppendDay(nil, n))
	}
	if len(chs) == 0 {
		return nil
	}
	return run(t.ctx, t.conn, keep, chs, days, revs, at, src, reasons, datas)
}
