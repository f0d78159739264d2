package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// sealBatch is how many months share a transaction: some milliseconds, so that
// others who write hardly wait. They are the same month of channels that follow
// each other, as far as possible: these lie side by side where they are hot.
const sealBatch = 32

// rounds remembers where the walk over all channels in search of closed months
// stopped last, so that whoever asks for some at a time walks over all of them
// once in the end. It begins again with the process, which costs one walk.
type rounds struct {
	mu    sync.Mutex
	after domain.ChannelID
}

// Seal packs months that are closed by the rule. Those that are open again come
// first. What cannot be packed is left as it is, and said in the end.
func (s *Store) Seal(ctx context.Context, rule domain.SealRule, limit int) (int, error) {
	const doing = "seal months"
	s.rounds.mu.Lock()
	defer s.rounds.mu.Unlock()
	j := &sealing{store: s, rule: rule, limit: limit}
	err := j.again(ctx)
	if err == nil {
		err = j.round(ctx)
	}
	if err == nil && j.sealed < limit {
		err = s.shrink(ctx)
	}
	return j.sealed, failure(ctx, doing, errors.Join(err, j.damage))
}

// sealing is one call of Seal.
type sealing struct {
	store  *Store
	rule   domain.SealRule
	limit  int
	sealed int
	damage error // of the first day that could not be packed
}

// monthOf is a month of a channel.
type monthOf struct {
	channel     domain.ChannelID
	first, last domain.Date
}

// batch gives f one transaction.
func (j *sealing) batch(ctx context.Context, f func(*packer) error) error {
	var p *packer
	err := j.store.changeAlone(ctx, "seal months", func(conn *sqlite.Conn) error {
		p = &packer{conn: conn, rule: j.rule}
		return f(p)
	})
	if err != nil {
		return err
	}
	j.sealed += p.sealed
	if j.damage == nil {
		j.damage = p.damage
	}
	return nil
}

// again seals months that have days over what is sealed.
func (j *sealing) again(ctx context.Context) error {
	const sql = `
		SELECT r.ch, r.month, r.last FROM reopened r JOIN reach USING (ch)
		WHERE r.recorded_at <= 0 + ?1 AND (complete_day >= r.last OR r.last < 0 + ?2) AND (r.ch, r.month) > (0 + ?3, 0 + ?4)
		ORDER BY r.ch, r.month LIMIT ?5`
	var at monthOf
	for j.sealed < j.limit {
		var list []monthOf
		err := j.store.read(ctx, "find months to seal again", func(conn *sqlite.Conn) (err error) {
			list, err = all(conn, scanMonth, sql, micros(j.rule.Quiet), j.rule.Late, at.channel, at.first, min(sealBatch, j.limit-j.sealed))
			return err
		})
		if err != nil || len(list) == 0 {
			return err
		}
		at = list[len(list)-1]
		err = j.batch(ctx, func(p *packer) error {
			for _, m := range list {
				if err := p.again(m); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func scanMonth(row *sqlite.Stmt) (monthOf, error) {
	return monthOf{domain.ChannelID(row.ColumnInt64(0)), domain.Date(row.ColumnInt32(1)), domain.Date(row.ColumnInt32(2))}, nil
}

// round walks over all channels, from where the last walk stopped.
func (j *sealing) round(ctx context.Context) error {
	const sql = `
		SELECT ch FROM reach
		WHERE ch > 0 + ?1 AND ch <= 0 + ?2 AND open_first <= last_day AND open_recorded <= 0 + ?3
			AND (complete_day >= open_last OR open_last < 0 + ?4)
		ORDER BY ch LIMIT ?5`
	const end = 1<<63 - 1
	begin, until := j.store.rounds.after, domain.ChannelID(end)
	for j.sealed < j.limit {
		var list []domain.ChannelID
		err := j.store.read(ctx, "find months to seal", func(conn *sqlite.Conn) (err error) {
			list, err = all(conn, scanChannelID, sql, j.store.rounds.after, until, micros(j.rule.Quiet), j.rule.Late, sealBatch)
			return err
		})
		switch {
		case err != nil:
			return err
		case len(list) > 0:
			if err := j.channels(ctx, list); err != nil {
				return err
			}
		case until == end && begin > 0:
			j.store.rounds.after, until = 0, begin
		default:
			j.store.rounds.after = 0
			return nil // all the way round
		}
	}
	return nil
}

func scanChannelID(row *sqlite.Stmt) (domain.ChannelID, error) {
	return domain.ChannelID(row.ColumnInt64(0)), nil
}

// channels seals months of channels: the first open one of each, and so on for
// as long as one is closed.
func (j *sealing) channels(ctx context.Context, list []domain.ChannelID) error {
	last := list[len(list)-1]
	for len(list) > 0 && j.sealed < j.limit {
		some := list[:min(len(list), j.limit-j.sealed)]
		var more []domain.ChannelID
		err := j.batch(ctx, func(p *packer) error {
			more = more[:0]
			for _, id := range some {
				closed, err := p.channel(id)
				if err != nil {
					return err
				}
				if closed {
					more = append(more, id)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		list = append(more, list[len(some):]...)
	}
	if len(list) == 0 {
		j.store.rounds.after = last
	}
	return nil
}

// What is sealed leaves pages behind that nobody uses. A few are kept for the
// days to come, and the rest goes back to the file system, some at a time.
const (
	keptPages   = 32 // one of so many
	shrinkBatch = 128
)

// shrink gives pages back. A file that was made by a program that did not know
// of this keeps them.
func (s *Store) shrink(ctx context.Context) error {
	const free = `SELECT freelist_count - page_count / ?1 FROM pragma_freelist_count, pragma_page_count`
	for left := int64(1 << 62); ; {
		var spare int64
		err := s.changeAlone(ctx, "give pages back", func(conn *sqlite.Conn) (err error) {
			spare, err = one(conn, "the size", scanNumber, free, keptPages)
			if err != nil || spare <= 0 || spare >= left {
				return err
			}
			return run(conn, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", min(spare, shrinkBatch)))
		})
		if err != nil || spare <= 0 || spare >= left {
			return err
		}
		left = spare
	}
}
