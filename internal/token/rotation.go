package token

import (
	"cmp"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Policy says when keys change. It is pure: what is to be done follows from the
// keys, the instant and the policy alone.
type Policy struct {
	Algorithm Algorithm     // of new keys; empty: ES256
	Rotation  time.Duration // how long a key signs; 0: until somebody says so
	Publish   time.Duration // how long a key is in JWKS before it signs, at least
	MaxAge    time.Duration // how long verifiers may keep JWKS: its Cache-Control max-age
	// Keep is how long a key stays in JWKS after it has signed its last token:
	// the longest lifetime of a token and the skew of clocks; 0: 3,660 s.
	Keep time.Duration
	// SwitchAtOnce lets a key of another algorithm sign without having been
	// published before: for installations whose only verifier is themselves.
	SwitchAtOnce bool
}

// Wait returns how long a new key is published before it signs. Whoever fetched
// JWKS without it may keep that for MaxAge, and once more as long is for caches
// on the way and for the moment between the change and the first answer with it.
func (p Policy) Wait() time.Duration { return max(p.Publish, 2*p.MaxAge) }

func (p Policy) algorithm() Algorithm { return cmp.Or(p.Algorithm, ES256) }

func (p Policy) keep() time.Duration {
	return cmp.Or(p.Keep, domain.MaxLifetime+maxSkew*time.Second)
}

// Next returns the keys, oldest first, as they have to be at an instant. A key
// that has to be made is at the end and has no ID. The rules:
//
//   - One key is active. The very first one is at once; any other was published
//     for [Policy.Wait] before, unless SwitchAtOnce says otherwise.
//   - With another algorithm wanted a key of that is published, and the old one
//     signs until its time has come: nobody can know the new key yet. A
//     published key of an algorithm that is not wanted any more is removed.
//   - A key that signed stays in JWKS for Keep after it was replaced.
func (p Policy) Next(keys []StoredKey, now time.Time) []StoredKey {
	next := slices.Clone(keys)
	for i, k := range next {
		if k.State == Retired && !now.Before(k.RemovedAt) {
			next[i] = k.removed(now)
		}
	}
	signer := p.signer(next, now)
	if signer < 0 || p.SwitchAtOnce && next[signer].Algorithm != p.algorithm() {
		next = append(next, StoredKey{Algorithm: p.algorithm(), CreatedAt: now})
		signer = len(next) - 1
	}
	if k := &next[signer]; k.State != Active {
		k.State, k.ActiveFrom = Active, now
	}
	for i, k := range next {
		due := !now.Before(k.ActiveFrom)
		switch {
		case i == signer:
		case k.State == Active:
			next[i].State, next[i].RetiredAt, next[i].RemovedAt = Retired, now, now.Add(p.keep())
		case k.State == Published && (due || k.Algorithm != p.algorithm()): // overtaken; it never signed
			next[i] = k.removed(now)
		}
	}
	if p.wantsSuccessor(next[signer], now) {
		next = p.publish(next, now)
	}
	return next
}

// signer returns the index of the key that signs from now on, or -1: the
// youngest whose time has come, otherwise the active one.
func (p Policy) signer(keys []StoredKey, now time.Time) int {
	due, wanted, other := -1, -1, -1
	for i, k := range keys {
		switch {
		case k.State == Published && k.Algorithm == p.algorithm() && !now.Before(k.ActiveFrom):
			due = i
		case k.State == Active && k.Algorithm == p.algorithm():
			wanted = i
		case k.State == Active:
			other = i
		}
	}
	for _, i := range [...]int{due, wanted} {
		if i >= 0 {
			return i
		}
	}
	return other
}

func (p Policy) wantsSuccessor(active StoredKey, now time.Time) bool {
	old := p.Rotation > 0 && !now.Before(active.ActiveFrom.Add(p.Rotation-p.Wait()))
	return old || active.Algorithm != p.algorithm()
}

// publish adds a key that signs later, unless there is one already.
func (p Policy) publish(keys []StoredKey, now time.Time) []StoredKey {
	if slices.ContainsFunc(keys, func(k StoredKey) bool { return k.State == Published }) {
		return keys
	}
	return append(keys, StoredKey{Algorithm: p.algorithm(), CreatedAt: now, State: Published, ActiveFrom: now.Add(p.Wait())})
}

// Rotate returns the keys after somebody asked for a new one, which is published
// and signs when its time has come. Asking again before changes nothing.
func (p Policy) Rotate(keys []StoredKey, now time.Time) []StoredKey {
	return p.Next(p.publish(p.Next(keys, now), now), now)
}

// RotateNow returns the keys in an emergency: a new key signs, and all others
// are removed, retired ones too. Whoever could read one key could read them all.
func (p Policy) RotateNow(keys []StoredKey, now time.Time) []StoredKey {
	next := slices.Clone(keys)
	for i, k := range next {
		if k.State != Removed {
			next[i] = k.removed(now)
		}
	}
	return append(next, StoredKey{Algorithm: p.algorithm(), CreatedAt: now, State: Active, ActiveFrom: now})
}

// removed returns the key without its private half.
func (k StoredKey) removed(now time.Time) StoredKey {
	k.State, k.RemovedAt, k.Sealed = Removed, now, nil
	return k
}
