package authn

import (
	"context"
	"sync"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// MaxFeedAge is how old the news of revocations may be. On a node that has
// heard nothing for longer, whatever speaks for a user or is made from another
// token is refused: it cannot be known whether it was ended elsewhere.
const MaxFeedAge = 5 * time.Second

// RevocationSource is where all nodes' revocations are kept.
type RevocationSource interface {
	// Revocations returns those that were stored after the place, in the order
	// in which they were stored, and the place after the last of them; 0 is the
	// place before all.
	Revocations(ctx context.Context, after int64) (list []domain.Revocation, place int64, err error)
}

// Feed brings revocations into the deny list: all of them at the start, and
// then those of other nodes as often as it is polled.
type Feed struct {
	Source RevocationSource
	List   *DenyList
	Now    func() time.Time

	mu    sync.Mutex
	place int64
	heard time.Time
}

// Poll takes in what is new.
func (f *Feed) Poll(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.Now() // what is stored after this instant may be missing from the answer
	list, place, err := f.Source.Revocations(ctx, f.place)
	if err != nil {
		return err
	}
	for _, r := range list {
		f.List.Add(r, asked)
	}
	f.place, f.heard = place, asked
	return nil
}

// Age returns how old the newest news is, even if it was that there are none. A
// feed that was never polled is older than anything allowed.
func (f *Feed) Age() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Now().Sub(f.heard)
}
