package dpop

import "time"

// ShardRoom is how many proofs a part of the memory remembers.
const ShardRoom = shardRoom

// Take remembers a digest.
func (m *Memory) Take(digest [16]byte, until, now time.Time) error { return m.take(digest, until, now) }

// SameURL compares two URLs.
func SameURL(a, b string) bool { return sameURL(a, b) }
