// Package throttle answers one question: may this key try again yet?
//
// It is the generic cell rate algorithm (ITU-T I.371 §A) with one word for each
// key: the instant at which everything charged to it is paid off. Every charge
// moves that instant on by the same span; a key that is further in debt than
// its burst waits. Keys live in a table of fixed size, so that made-up keys
// cost nobody memory: where there is no room, the key with the least debt is
// forgotten.
package throttle

import (
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Limit says how often a key may be charged: Burst times at once, and once more
// every Every. Who is charged although it has to wait waits longer, up to Most
// more; with Most zero such charges cost nothing.
type Limit struct {
	Burst int           // at least 1
	Every time.Duration // above zero
	Most  time.Duration
}

// Window is the time in which a whole burst comes back.
func (l Limit) Window() time.Duration { return time.Duration(l.Burst) * l.Every }

// Key is what is charged: a digest that [Limiter.Key] makes, so that the table
// holds words and no texts.
type Key uint64

// Limiter keeps the debts of many keys. It may be used from many goroutines at
// once. A charge takes the lock of a part of the table; asking while nobody has
// to wait takes none.
type Limiter struct {
	limit  Limit
	seed   maphash.Seed
	shards []shard
	// until is the latest instant, in microseconds, at which any key may have
	// to wait: the one word that is read in good times.
	until atomic.Int64
}

const (
	ways      = 8   // slots that a key may be in
	sets      = 128 // of a shard
	shardSize = ways * sets
)

// shard is a part of the table, with a lock of its own.
type shard struct {
	mu    sync.Mutex
	slots [shardSize]slot
}

// slot is a key and the instant at which its debts are paid, in microseconds
// since 1970. The zero slot is empty.
type slot struct {
	key  Key
	paid int64
}

// New returns a limiter that remembers at least as many keys as keys, rounded
// up to a power of two of not less than 1,024, 16 bytes each.
func New(limit Limit, keys int) *Limiter {
	n := 1
	for n*shardSize < keys {
		n *= 2
	}
	l := &Limiter{limit: limit, seed: maphash.MakeSeed(), shards: make([]shard, n)}
	l.until.Store(math.MinInt64)
	return l
}

// Limit returns the limit.
func (l *Limiter) Limit() Limit { return l.limit }

// Key makes a key of a text and of bytes that belong with it. Nobody outside
// can find two texts of one key: the digest is seeded by chance.
func (l *Limiter) Key(text string, rest []byte) Key {
	const odd = 0x9e3779b97f4a7c15 // so that the parts do not cancel out
	k := maphash.String(l.seed, text)*odd ^ maphash.Bytes(l.seed, rest)
	return Key(max(k, 1)) // zero is an empty slot
}

// Wait returns how long a key has to wait, zero for not at all. It charges
// nothing.
func (l *Limiter) Wait(k Key, now time.Time) time.Duration {
	at := now.UnixMicro()
	if at >= l.until.Load() {
		return 0
	}
	s, set := l.place(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range set {
		if set[i].key == k {
			return l.wait(l.debt(set[i].paid, at))
		}
	}
	return 0
}

// Charge charges a key once. It returns zero where the key was allowed that,
// and otherwise how long it has to wait before it is allowed again.
func (l *Limiter) Charge(k Key, now time.Time) time.Duration {
	at := now.UnixMicro()
	s, set := l.place(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	own := room(set, k)
	debt := int64(0)
	if own.key == k {
		debt = l.debt(own.paid, at)
	}
	every, refused := l.limit.Every.Microseconds(), l.wait(debt) > 0
	if !refused || l.limit.Most > 0 {
		debt = min(debt+every, l.highest())
	}
	*own = slot{k, at + debt}
	l.raise(at, debt)
	if !refused {
		return 0
	}
	return l.wait(debt)
}

// debt is what is left of a key's debts, in microseconds. An instant that no
// charge could have led to was written before the clock was put back: it is
// forgotten, or a correction of the clock would lock keys out.
func (l *Limiter) debt(paid, at int64) int64 {
	if d := paid - at; d > 0 && d <= l.highest() {
		return d
	}
	return 0
}

// highest is the highest debt there is.
func (l *Limiter) highest() int64 { return (l.limit.Window() + l.limit.Most).Microseconds() }

// wait is how long a debt must be paid off until one more charge fits.
func (l *Limiter) wait(debt int64) time.Duration {
	over := debt + l.limit.Every.Microseconds() - l.limit.Window().Microseconds()
	return time.Duration(max(over, 0)) * time.Microsecond
}

// raise keeps until ahead of a debt. It never goes back by itself: a clock that
// was put back costs a lookup for each question, until it has caught up.
func (l *Limiter) raise(at, debt int64) {
	wait := l.wait(debt)
	if wait == 0 {
		return
	}
	end := at + wait.Microseconds()
	for {
		old := l.until.Load()
		if end <= old || l.until.CompareAndSwap(old, end) {
			return
		}
	}
}

// place returns the shard and the slots that a key may be in.
func (l *Limiter) place(k Key) (*shard, []slot) {
	s := &l.shards[uint64(k)>>32&uint64(len(l.shards)-1)]
	from := uint64(k) % sets * ways
	return s, s.slots[from : from+ways]
}

// room returns the slot of a key: its own, or the one that is free, or the one
// that is paid off the soonest.
func room(set []slot, k Key) *slot {
	best := &set[0]
	for i := range set {
		if set[i].key == k {
			return &set[i]
		}
		if set[i].paid < best.paid {
			best = &set[i]
		}
	}
	return best
}
