package registry

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// uses counts what routine issuance must not write: one addition per token, in
// memory, stored in batches by [Registry.Flush].
type uses struct {
	bySecret tally[domain.SecretID]
	own      tally[domain.ClientID] // of those that have no secret
}

// tally counts uses by what was used.
type tally[K comparable] struct{ counters sync.Map } // K -> *counter

// counter counts in two hours at once, so that a batch across a full hour says
// which tokens were before it: an even hour and an odd one.
type counter struct {
	hours [2]hourCounter
	last  atomic.Int64 // microseconds; 0: nothing since the last batch
}

type hourCounter struct{ hour, tokens atomic.Int64 }

// add counts tokens in an hour. Where the store has not taken those of two hours
// ago they count in this one: late, but not lost.
func (c *counter) add(hour, tokens int64) {
	h := &c.hours[hour&1]
	if h.hour.Load() != hour {
		h.hour.Store(hour)
	}
	h.tokens.Add(tokens)
}

// take returns what was counted since the last batch, and begins again. What is
// counted at this moment is in this batch or in the next.
func (c *counter) take() (use domain.SecretUse, ok bool) {
	last := c.last.Swap(0)
	if last == 0 {
		return use, false
	}
	for i := range c.hours {
		h := &c.hours[i]
		if n := h.tokens.Swap(0); n > 0 {
			use.Tokens += n
			use.Hours = append(use.Hours, domain.HourUse{Hour: h.hour.Load(), Tokens: n})
		}
	}
	use.LastUsed = time.UnixMicro(last)
	return use, true
}

// putBack undoes take.
func (c *counter) putBack(use domain.SecretUse) {
	for _, h := range use.Hours {
		c.add(h.Hour, h.Tokens)
	}
	c.last.CompareAndSwap(0, use.LastUsed.UnixMicro())
}

// Used counts one use of a secret, for a token or for something else. It takes
// no lock.
func (r *Registry) Used(id domain.SecretID, at time.Time, token bool) {
	r.uses.bySecret.count(id, at, token)
}

// UsedOwn counts that an application came with a key or certificate of its own.
// It takes no lock.
func (r *Registry) UsedOwn(id domain.ClientID, at time.Time, token bool) {
	r.uses.own.count(id, at, token)
}

func (t *tally[K]) count(id K, at time.Time, token bool) {
	v, ok := t.counters.Load(id)
	if !ok {
		v, _ = t.counters.LoadOrStore(id, &counter{})
	}
	c := v.(*counter)
	if token {
		c.add(domain.HourOf(at), 1)
	}
	c.last.Store(at.UnixMicro()) // last: see take
}

// flush stores what was counted since the last time, if anything was.
func (t *tally[K]) flush(ctx context.Context, store func(context.Context, map[K]domain.SecretUse) error) error {
	batch := map[K]domain.SecretUse{}
	t.counters.Range(func(k, v any) bool {
		if use, ok := v.(*counter).take(); ok {
			batch[k.(K)] = use
		}
		return true
	})
	if len(batch) == 0 {
		return nil
	}
	if err := store(ctx, batch); err != nil {
		for id, u := range batch { // they count again with the next batch
			v, _ := t.counters.Load(id)
			v.(*counter).putBack(u)
		}
		return err
	}
	return nil
}

// Flush stores what has been counted since the last time. What is not flushed
// when the process dies is lost: at most the time between two calls.
func (r *Registry) Flush(ctx context.Context) error {
	r.flush.Lock()
	defer r.flush.Unlock()
	return errors.Join(
		r.uses.bySecret.flush(ctx, r.Store.CountUses),
		r.uses.own.flush(ctx, r.Store.CountOwnUses),
		r.flushMark(ctx),
	)
}
