package authn

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// DenyList holds the tokens that were revoked one by one, in memory: some 40
// bytes for each until its time is over, and nothing for any other token. The
// zero DenyList is empty and ready; it must not be copied.
type DenyList struct {
	// size is asked first: on most days the list is empty, and then a token
	// costs one load.
	size   atomic.Int64
	shards [denyShards]denyShard
}

// denyShards is how many locks there are: whoever adds stops only those who
// look into the same part. It is a power of two.
const denyShards = 64

type denyShard struct {
	mu    sync.RWMutex
	until map[domain.TokenDigest]int64 // seconds since 1970
	swept int                          // how many were left when it was last swept
}

// Add denies a token from now on. What has expired by now, and long enough
// ([domain.RevocationKept]), is dropped from time to time.
func (l *DenyList) Add(r domain.Revocation, now time.Time) {
	s := l.shard(r.Token)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until == nil {
		s.until = map[domain.TokenDigest]int64{}
	}
	before := len(s.until)
	s.until[r.Token] = max(s.until[r.Token], r.Until.Unix())
	if len(s.until) > 2*s.swept+16 { // so that an addition costs the same on average
		s.sweep(now)
	}
	l.size.Add(int64(len(s.until) - before))
}

// Denies reports whether the token with a jti was revoked. It takes a shared
// lock at most, and allocates nothing.
func (l *DenyList) Denies(jti string) bool {
	if l.size.Load() == 0 {
		return false
	}
	digest := domain.DigestTokenID(jti)
	s := l.shard(digest)
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, denied := s.until[digest]
	return denied
}

// Len returns how many tokens are denied.
func (l *DenyList) Len() int { return int(l.size.Load()) }

// Sweep drops what needs no denying any more. One part is locked at a time.
func (l *DenyList) Sweep(now time.Time) {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		before := len(s.until)
		s.sweep(now)
		l.size.Add(int64(len(s.until) - before))
		s.mu.Unlock()
	}
}

func (l *DenyList) shard(d domain.TokenDigest) *denyShard { return &l.shards[d[0]%denyShards] }

// sweep builds the map anew: a map that things are deleted from keeps its size.
func (s *denyShard) sweep(now time.Time) {
	oldest := now.Add(-domain.RevocationKept).Unix()
	left := map[domain.TokenDigest]int64{}
	for d, until := range s.until {
		if until > oldest {
			left[d] = until
		}
	}
	s.until, s.swept = left, len(left)
}
