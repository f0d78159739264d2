package authn

import (
	"sync/atomic"
	"time"

	"github.com/wattgate/wattgate/internal/throttle"
)

const (
	knownRanges = 1 << 16            // 512 KiB
	knownWays   = 8                  // words that a range may be in
	knownFor    = 7 * 24 * time.Hour // since it was right the last time
	hourBits    = 24                 // hours since 1970, until the year 3883
	hourMask    = 1<<hourBits - 1
)

// known remembers for some days from which range of addresses a client was
// right: a word for each, which holds 40 bits of the key and the hour. Only who
// has a secret can add to it. Reading takes no lock; when several write the same
// word one of them wins, and the others come again with their next token.
type known struct{ words []atomic.Uint64 }

// hour is the hour of an instant.
func hour(at time.Time) uint64 { return uint64(at.Unix()/3600) & hourMask }

// find returns the words of a key, the one it is in or else the oldest, and what
// was read there.
func (k *known) find(key throttle.Key) (word *atomic.Uint64, was uint64, found bool) {
	from := int(uint64(key)%(knownRanges/knownWays)) * knownWays
	oldest := uint64(hourMask + 1)
	for i := range knownWays {
		w := &k.words[from+i]
		v := w.Load()
		if v>>hourBits == uint64(key)>>hourBits && v&hourMask != 0 {
			return w, v, true
		}
		if v&hourMask < oldest {
			oldest, word, was = v&hourMask, w, v
		}
	}
	return word, was, false
}

// has reports whether the client was right from there lately.
func (k *known) has(key throttle.Key, now time.Time) bool {
	_, v, found := k.find(key)
	return found && v&hourMask+uint64(knownFor/time.Hour) >= hour(now)
}

// add notes that the client is right from there, at most once an hour, and
// reports whether it did.
func (k *known) add(key throttle.Key, now time.Time) bool {
	word, was, found := k.find(key)
	if found && was&hourMask >= hour(now) {
		return false
	}
	return word.CompareAndSwap(was, uint64(key)>>hourBits<<hourBits|hour(now))
}
