package token

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"io"
	"sync"
	"time"
)

// A jti is the exact instant of issue, in microseconds since 1970-01-01 UTC as
// 8 bytes big-endian, and 12 random bytes, in base64url. The instant is there
// because iat has whole seconds: whether a token was issued at or before a
// revocation must not depend on the second in which both fell.
const (
	idBytes  = 8 + 12
	idLength = (idBytes*8 + 5) / 6
)

// idRooms hold what is handed to a source of randomness, which would be
// allocated every time because nobody knows what the source does with it.
var idRooms = sync.Pool{New: func() any { return new([idBytes + idLength]byte) }}

// NewID returns a new jti for a token issued at an instant, with its random
// part from chance, nil meaning the system's. It panics where there is no
// randomness: nothing sound can be issued then.
func NewID(at time.Time, chance io.Reader) string {
	if chance == nil {
		chance = rand.Reader
	}
	b := idRooms.Get().(*[idBytes + idLength]byte)
	defer idRooms.Put(b)
	raw, text := b[:idBytes], b[idBytes:]
	binary.BigEndian.PutUint64(raw, uint64(at.UnixMicro()))
	if _, err := io.ReadFull(chance, raw[8:]); err != nil {
		panic("token: no randomness: " + err.Error())
	}
	base64.RawURLEncoding.Encode(text, raw)
	return string(text)
}

// IssuedAt returns the instant of issue that a jti holds, truncated to the
// microsecond. It reports false for what is not a jti of ours.
func IssuedAt(jti string) (time.Time, bool) {
	var text [idLength]byte
	var raw [idBytes]byte
	if copy(text[:], jti) != len(jti) {
		return time.Time{}, false
	}
	n, err := encoding.Decode(raw[:], text[:])
	if err != nil || n != idBytes { // fewer where line breaks were skipped
		return time.Time{}, false
	}
	micros := binary.BigEndian.Uint64(raw[:])
	if micros > maxSeconds*1_000_000 {
		return time.Time{}, false
	}
	return time.UnixMicro(int64(micros)).UTC(), true
}

// encoding is base64url without padding and without spare bits (RFC 7515 §2).
// The decoder still skips line breaks, which its callers look for.
var encoding = base64.RawURLEncoding.Strict()
