package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"hash"
	"sync"
)

// Pepper digests secrets for the store. Its key comes from outside the
// database, so that a stolen database or backup is useless. It may be used
// from many goroutines at once and cannot be printed.
type Pepper struct {
	unprintable
	p *pepper
}

type pepper struct{ states sync.Pool } // of *digestState

// digestState is one keyed HMAC with the buffers that would otherwise escape
// to the heap on the way through hash.Hash.
type digestState struct {
	mac hash.Hash
	in  [64]byte
	out [sha256.Size]byte
}

// NewPepper returns the pepper of a key, which [Master.Pepper] derives.
func NewPepper(key [32]byte) Pepper {
	p := &pepper{}
	p.states.New = func() any {
		return &digestState{mac: hmac.New(sha256.New, key[:])}
	}
	return Pepper{p: p}
}

// Digest returns HMAC-SHA-256 of a secret. It allocates nothing once warm and
// does the same work whatever the secret is, so that an unknown client costs
// what a known one does. The zero Pepper panics: a digest without a key would
// look like any other.
func (p Pepper) Digest(secret string) [32]byte {
	if p.p == nil {
		panic("secret: a Pepper without a key")
	}
	s := p.p.states.Get().(*digestState)
	s.mac.Reset()
	for len(secret) > 0 {
		n := copy(s.in[:], secret)
		_, _ = s.mac.Write(s.in[:n]) // never fails, see hash.Hash
		secret = secret[n:]
	}
	s.mac.Sum(s.out[:0])
	digest := s.out
	clear(s.in[:])
	p.p.states.Put(s)
	return digest
}

// Equal compares two digests in a time that does not depend on where they differ.
func Equal(a, b [32]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }
