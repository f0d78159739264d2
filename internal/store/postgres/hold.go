package postgres

import (
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// held is a channel that a transaction writes to: nobody else does until its
// end.
type held struct {
	extent  domain.Extent // with what this transaction has put
	was     domain.Extent // without
	now     int64         // when what is put is recorded; later than all before
	written bool
	// complete says of days that this transaction has put whether they are.
	complete map[domain.Date]bool
	// days are those that were read ahead, from first to last.
	days        map[domain.Date]domain.Day
	first, last domain.Date
}

// empty reports whether nothing was ever recorded.
func empty(e domain.Extent) bool { return e.RecordedAt.IsZero() }

// hold takes channels, in the order of their numbers, so that two transactions
// wait for each other in one direction only. An update that changes nothing is a
// lock that a distributed table can take over several channels, which SELECT FOR
// UPDATE is not. Those that do not exist are not found.
func (t *transfer) hold(channels ...domain.ChannelID) error {
	const take = `
		INSERT INTO extent (ch, first_day, last_day, complete_day, last_recorded_at)
		SELECT ch, 0, -1, -1, 0 FROM unnest($1::bigint[]) AS asked (ch) ORDER BY ch
		ON CONFLICT (ch) DO UPDATE SET ch = EXCLUDED.ch
		RETURNING ch, first_day, last_day, complete_day, last_recorded_at`
	var missing []int64
	for _, ch := range channels {
		if t.channels[ch] == nil {
			missing = append(missing, int64(ch))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	if err := t.store.zones.read(t.ctx, t.conn, missing); err != nil {
		return err
	}
	for _, ch := range missing {
		t.asked = append(t.asked, domain.ChannelID(ch))
	}
	_, err := all(t.ctx, t.conn, func(row pgx.CollectableRow) (struct{}, error) {
		var ch domain.ChannelID
		e, err := scanExtent(row, &ch)
		t.channels[ch] = &held{extent: e, was: e, now: max(t.now, micros(e.RecordedAt)+1), complete: map[domain.Date]bool{}, last: -1}
		return struct{}{}, err
	}, take, missing)
	return err
}

// of returns a channel that is held.
func (t *transfer) of(ch domain.ChannelID) (*held, error) {
	if h := t.channels[ch]; h != nil {
		return h, nil
	}
	if err := t.hold(ch); err != nil {
		return nil, err
	}
	return t.channels[ch], nil
}

// reach widens what is known of a channel by a day that is being put.
func (h *held) reach(date domain.Date, complete bool) {
	if empty(h.extent) {
		h.extent = domain.Extent{First: date, Last: date, Complete: date - 1}
	}
	h.extent.First, h.extent.Last = min(h.extent.First, date), max(h.extent.Last, date)
	h.extent.RecordedAt = instant(h.now)
	h.complete[date] = complete
	h.written = true
}

// finish stores what waits, how far the channels go now, and the entries: from
// the first of those on, all nodes wait for the end of this transaction.
func (t *transfer) finish() error {
	if err := t.flush(); err != nil {
		return err
	}
	if err := t.extend(); err != nil {
		return err
	}
	if err := t.note(); err != nil {
		return err
	}
	for _, e := range t.entries {
		if err := t.store.record(t.ctx, t.conn, e); err != nil {
			return err
		}
	}
	return nil
}

// extend stores how far the channels go now.
func (t *transfer) extend() error {
	const sql = `
		UPDATE extent e SET first_day = u.first_day, last_day = u.last_day, complete_day = u.complete_day, last_recorded_at = u.at
		FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::integer[], $5::bigint[]) AS u (ch, first_day, last_day, complete_day, at)
		WHERE e.ch = u.ch`
	var (
		channels, recorded    []int64
		first, last, complete []int32
	)
	for ch, h := range t.channels {
		if !h.written {
			continue
		}
		known, err := t.advance(ch, h)
		if err != nil {
			return err
		}
		channels, recorded = append(channels, int64(ch)), append(recorded, h.now)
		first, last, complete = append(first, int32(h.extent.First)), append(last, int32(h.extent.Last)), append(complete, int32(known))
	}
	if len(channels) == 0 {
		return nil
	}
	return run(t.ctx, t.conn, sql, channels, first, last, complete, recorded)
}

// advance returns a channel's watermark.
func (t *transfer) advance(ch domain.ChannelID, h *held) (domain.Date, error) {
	known := h.extent.First - 1
	if !empty(h.was) && h.was.First == h.extent.First { // otherwise there may be a gap before what was the first day
		known = h.was.Complete
	}
	if known >= h.extent.Last {
		return known, nil
	}
	name, err := t.store.zones.of(t.ctx, t.conn, ch)
	if err != nil {
		return known, err
	}
	zone, err := interval.Zone(name)
	if err != nil {
		return known, err
	}
	return interval.Advance(known, h.extent.Last, zone, func(date domain.Date) (bool, error) {
		if complete, ok := h.complete[date]; ok {
			return complete, nil
		}
		d, err := t.day(ch, date)
		return d.Revision > 0 && interval.Complete(d.Data), err
	})
}

func scanExtent(row pgx.CollectableRow, ch *domain.ChannelID) (e domain.Extent, err error) {
	err = row.Scan(ch, &e.First, &e.Last, &e.Complete, at(&e.RecordedAt))
	if err == nil && empty(e) {
		e = domain.Extent{}
	}
	return e, err
}
