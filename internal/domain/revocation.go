package domain

import (
	"crypto/sha256"
	"time"
)

// TokenDigest stands for one token where it is revoked: the first 16 bytes of
// the SHA-256 of its jti. Nobody gets from it back to the jti, and no two tokens
// share one.
type TokenDigest [16]byte

// DigestTokenID returns the digest of a jti.
func DigestTokenID(jti string) TokenDigest {
	var room [64]byte
	sum := sha256.Sum256(append(room[:0], jti...))
	return TokenDigest(sum[:16])
}

// Revocation ends one token before its time (RFC 7009).
type Revocation struct {
	Token TokenDigest
	Until time.Time // exp: what has expired needs no revocation
}

// RevocationKept is how much longer than the token's own time a revocation is
// kept. A clock that was wrong and is set back must not bring a revoked token
// to life again.
const RevocationKept = time.Hour

// RevokeFamily returns the revocation of all tokens of a family: the family's
// name is their sid, as jti is the name of one. None of them outlives it.
func RevokeFamily(family string, now time.Time) Revocation {
	return Revocation{Token: DigestTokenID(family), Until: now.Add(MaxLifetime)}
}
