package dpop

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// NonceLife is how long a nonce may be used.
const NonceLife = 5 * time.Minute

// Nonces gives out the nonces that proofs must have (RFC 9449 §8) and knows
// its own again, without keeping any: a nonce is the instant at which it was
// made, and a keyed digest of that.
type Nonces struct {
	key   [32]byte
	since time.Time
}

// NewNonces returns the nonces of a server that started at an instant. Those
// from before it are not taken: with the server went the memory of what was used.
func NewNonces(key [32]byte, since time.Time) Nonces {
	return Nonces{key, since.Truncate(time.Microsecond)}
}

const (
	nonceTime = 8
	nonceSum  = 16
)

// New returns a nonce made now.
func (n Nonces) New(now time.Time) string {
	var b [nonceTime + nonceSum]byte
	binary.BigEndian.PutUint64(b[:], uint64(now.UnixMicro()))
	n.sign(&b)
	return encoding.EncodeToString(b[:])
}

func (n Nonces) sign(b *[nonceTime + nonceSum]byte) {
	mac := hmac.New(sha256.New, n.key[:])
	mac.Write(b[:nonceTime])
	copy(b[nonceTime:], mac.Sum(nil))
}

// at returns when a nonce was made, and whether it is one of ours that may be
// used now.
func (n Nonces) at(nonce string, now time.Time) (time.Time, bool) {
	given, ok := decode(nonce)
	if !ok || len(given) != nonceTime+nonceSum {
		return time.Time{}, false
	}
	var b [nonceTime + nonceSum]byte
	copy(b[:], given[:nonceTime])
	n.sign(&b)
	if !hmac.Equal(b[:], given) {
		return time.Time{}, false
	}
	made := time.UnixMicro(int64(binary.BigEndian.Uint64(b[:])))
	// Where it is earlier now than at the start, the clock was set back.
	known := !made.Before(n.since) || now.Before(n.since)
	good := known && now.Before(made.Add(NonceLife)) && !made.After(now.Add(Skew))
	return made, good
}
