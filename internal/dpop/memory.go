package dpop

import (
	"sync"
	"time"
)

const (
	memoryShards = 64 // locks
	// shardRoom is how many proofs a shard remembers. All together are a million:
	// eight thousand a second, for as long as a proof lives, in some 60 MB.
	shardRoom = 1 << 14
)

// Memory remembers the proofs that were used, for as long as they could be used
// again. It never forgets one before: when it is full no proof is taken. The
// zero Memory is empty and ready; it must not be copied.
type Memory struct{ shards [memoryShards]memoryShard }

type memoryShard struct {
	mu    sync.Mutex
	until map[[16]byte]int64 // microseconds since 1970
	swept int                // how many were left when it was last swept
	first int64              // the first of them to go
}

// take remembers a proof until an instant. It is [ErrProof] where that is
// remembered already.
func (m *Memory) take(digest [16]byte, until, now time.Time) error {
	s := &m.shards[digest[0]%memoryShards]
	at := now.UnixMicro()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until == nil {
		s.until = map[[16]byte]int64{}
	}
	if used, known := s.until[digest]; known && used > at {
		return wrong("it was used before")
	}
	if full := len(s.until) >= shardRoom; full && s.first <= at || len(s.until) > 2*s.swept+64 {
		s.sweep(at) // at most once for as many additions as are left, and where something goes
	}
	if len(s.until) >= shardRoom {
		return ErrFull
	}
	s.until[digest] = until.UnixMicro()
	s.first = min(s.first, until.UnixMicro())
	return nil
}

// sweep builds the map anew: a map that things are deleted from keeps its size.
func (s *memoryShard) sweep(at int64) {
	left := map[[16]byte]int64{}
	s.first = 1<<63 - 1
	for d, until := range s.until {
		if until > at {
			left[d] = until
			s.first = min(s.first, until)
		}
	}
	s.until, s.swept = left, len(left)
}
