package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Refusal is a kind of refused act.
type Refusal struct {
	Action  string // token.refused, user.impersonate.refused, client.refused
	Why     string // invalid_client (wrong secret)
	Partner domain.PartnerID
	Client  domain.ClientID // where it is known to exist
	Address string
}

// Refusals counts refused acts in memory, and records how often each kind of
// them happened: one durable entry for each would let everybody who guesses
// fill the disk. A crash loses what was counted since the last [Refusals.Flush].
type Refusals struct {
	Record func(context.Context, domain.Entry) error
	Now    func() time.Time
	Chance io.Reader // nil: the system's

	mu     sync.Mutex
	counts map[Refusal]int64
}

// Bounds on what is told apart between two flushes, so that whoever makes up
// addresses or causes can neither fill the disk nor hide others' guesses: what
// comes beyond maxRefusals is counted for its application without the address,
// up to as many again, and beyond that as one of the others.
const (
	maxRefusals = 1000
	maxWhy      = 100 // bytes
)

// Count counts one.
func (r *Refusals) Count(k Refusal) { r.count(k, 1) }

func (r *Refusals) count(k Refusal, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = map[Refusal]int64{}
	}
	k.Address = sameHousehold(k.Address)
	k.Why = cut(k.Why)
	if _, known := r.counts[k]; !known && len(r.counts) >= maxRefusals {
		k = Refusal{Action: k.Action, Why: "others", Partner: k.Partner, Client: k.Client}
	}
	if _, known := r.counts[k]; !known && len(r.counts) >= 2*maxRefusals {
		k = Refusal{Action: k.Action, Why: "others"}
	}
	r.counts[k] += n
}

// cut bounds a cause, at a whole character.
func cut(why string) string {
	if len(why) <= maxWhy {
		return why
	}
	return strings.ToValidUTF8(why[:maxWhy], "") + "…"
}

// Flush records what was counted since the last time, one entry for each kind.
// What cannot be recorded counts again with the next.
func (r *Refusals) Flush(ctx context.Context) error {
	r.mu.Lock()
	counts := r.counts
	r.counts = nil
	r.mu.Unlock()
	const together = 64 // they share a write to the disk
	gate := make(chan struct{}, together)
	failed := make(chan error, len(counts))
	var all sync.WaitGroup
	for k, n := range counts {
		gate <- struct{}{}
		all.Go(func() {
			defer func() { <-gate }()
			if err := r.Record(ctx, r.entry(k, n)); err != nil {
				r.count(k, n)
				failed <- err
			}
		})
	}
	all.Wait()
	close(failed)
	var errs []error
	for err := range failed {
		errs = append(errs, err)
		if len(errs) == 3 {
			break // the others say the same
		}
	}
	return errors.Join(errs...)
}

func (r *Refusals) entry(k Refusal, n int64) domain.Entry {
	times := "once"
	if n > 1 {
		times = fmt.Sprintf("%d times", n)
	}
	now := r.Now()
	return domain.Entry{
		ID: domain.NewEntryID(now, r.Chance), At: now, Action: k.Action, Partner: k.Partner, Client: k.Client,
		Address: k.Address, Detail: k.Why + ", " + times,
	}
}
