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

type counter struct {
	tokens atomic.Int64
	last   atomic.Int64 // microseconds
}

// Used counts one use of a secret. It takes no lock.
func (r *Registry) Used(id domain.SecretID, at time.Time) { r.uses.bySecret.count(id, at) }

// UsedOwn counts that an application came with a key or certificate of its own.
// It takes no lock.
func (r *Registry) UsedOwn(id domain.ClientID, at time.Time) { r.uses.own.count(id, at) }

func (t *tally[K]) count(id K, at time.Time) {
	v, ok := t.counters.Load(id)
	if !ok {
		v, _ = t.counters.LoadOrStore(id, &counter{})
	}
	c := v.(*counter)
	c.tokens.Add(1)
	c.last.Store(at.UnixMicro())
}

// flush stores what was counted since the last time, if anything was.
func (t *tally[K]) flush(ctx context.Context, store func(context.Context, map[K]domain.SecretUse) error) error {
	batch := map[K]domain.SecretUse{}
	t.counters.Range(func(k, v any) bool {
		c := v.(*counter)
		if n := c.tokens.Swap(0); n > 0 {
			batch[k.(K)] = domain.SecretUse{Tokens: n, LastUsed: time.UnixMicro(c.last.Load())}
		}
		return true
	})
	if len(batch) == 0 {
		return nil
	}
	if err := store(ctx, batch); err != nil {
		for id, u := range batch { // they count again with the next batch
			v, _ := t.counters.Load(id)
			v.(*counter).tokens.Add(u.Tokens)
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
