package registry

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// uses counts what routine issuance must not write: one addition per token, in
// memory, stored in batches by [Registry.Flush].
type uses struct {
	bySecret sync.Map // domain.SecretID -> *counter
}

type counter struct {
	tokens atomic.Int64
	last   atomic.Int64 // microseconds
}

// Used counts one use of a secret. It takes no lock.
func (r *Registry) Used(id domain.SecretID, at time.Time) {
	v, ok := r.uses.bySecret.Load(id)
	if !ok {
		v, _ = r.uses.bySecret.LoadOrStore(id, &counter{})
	}
	c := v.(*counter)
	c.tokens.Add(1)
	c.last.Store(at.UnixMicro())
}

// Flush stores what has been counted since the last time. What is not flushed
// when the process dies is lost: at most the time between two calls.
func (r *Registry) Flush(ctx context.Context) error {
	batch := map[domain.SecretID]domain.SecretUse{}
	r.uses.bySecret.Range(func(k, v any) bool {
		c := v.(*counter)
		if n := c.tokens.Swap(0); n > 0 {
			batch[k.(domain.SecretID)] = domain.SecretUse{Tokens: n, LastUsed: time.UnixMicro(c.last.Load())}
		}
		return true
	})
	if len(batch) == 0 {
		return nil
	}
	if err := r.Store.CountUses(ctx, batch); err != nil {
		for id, u := range batch { // they count again with the next batch
			v, _ := r.uses.bySecret.Load(id)
			v.(*counter).tokens.Add(u.Tokens)
		}
		return err
	}
	return nil
}
