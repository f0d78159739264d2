package authn

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"maps"
	"sync"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// RangeStore keeps from where applications were right, across a restart.
type RangeStore interface {
	// KeepRanges stores ranges, and forgets those from before the hour oldest and
	// the oldest of more than most.
	KeepRanges(ctx context.Context, list []domain.KnownRange, oldest int64, most int) error
	// KnownRanges returns the newest ranges, at most so many.
	KnownRanges(ctx context.Context, most int) ([]domain.KnownRange, error)
}

// kept is what is known from before this process, and what it will leave to the
// next. Addresses do not stand in it, but digests under the installation's key:
// who reads the database does not learn where partners' servers are.
type kept struct {
	store RangeStore
	key   [sha256.Size]byte
	hours map[[16]byte]int64 // never changed once it was read

	mu    sync.Mutex
	fresh map[[16]byte]int64 // not stored yet
}

// Keep takes in where applications were right before this process, and will
// store where they are. It is called once, before the first request. Whoever is
// known needs no lenience for a start.
func (t *Throttle) Keep(ctx context.Context, store RangeStore, key [sha256.Size]byte) error {
	list, err := store.KnownRanges(ctx, knownRanges)
	if err != nil {
		return err
	}
	k := &kept{store: store, key: key, hours: make(map[[16]byte]int64, len(list)), fresh: map[[16]byte]int64{}}
	for _, r := range list {
		k.hours[r.Digest] = r.Hour
	}
	if t.kept = k; len(list) > 0 {
		t.lenient = time.Time{}
	}
	return nil
}

// Flush stores where applications were right since the last time.
func (t *Throttle) Flush(ctx context.Context, now time.Time) error {
	if t == nil || t.kept == nil {
		return nil
	}
	k := t.kept
	k.mu.Lock()
	fresh := k.fresh
	k.fresh = map[[16]byte]int64{}
	k.mu.Unlock()
	if len(fresh) == 0 {
		return nil
	}
	list := make([]domain.KnownRange, 0, len(fresh))
	for digest, hour := range fresh {
		list = append(list, domain.KnownRange{Digest: digest, Hour: hour})
	}
	err := k.store.KeepRanges(ctx, list, int64(hour(now))-int64(knownFor/time.Hour), knownRanges)
	if err != nil { // they come again with the next
		k.mu.Lock()
		maps.Copy(fresh, k.fresh)
		k.fresh = fresh
		k.mu.Unlock()
	}
	return err
}

// digest stands for an application and a range.
func (k *kept) digest(id domain.ClientID, wide [16]byte) (d [16]byte) {
	mac := hmac.New(sha256.New, k.key[:])
	mac.Write(wide[:]) // of one length, so that the two cannot be mixed up
	mac.Write([]byte(id))
	copy(d[:], mac.Sum(nil))
	return d
}

// has reports whether the application was right from there before this process.
func (k *kept) has(a attempt) bool {
	if k == nil || len(k.hours) == 0 {
		return false
	}
	last, found := k.hours[k.digest(a.id, a.wide)]
	return found && last+int64(knownFor/time.Hour) >= int64(hour(a.at))
}

// note remembers for the next process that an application is right from there.
func (k *kept) note(a attempt) {
	if k == nil {
		return
	}
	digest := k.digest(a.id, a.wide)
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.fresh) < knownRanges {
		k.fresh[digest] = int64(hour(a.at))
	}
}
