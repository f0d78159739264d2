// Package secret answers one question: is this the secret that was issued?
//
// It makes secrets, digests them for the store and compares. A client secret
// is generated and never chosen:
//
//	wg_live_ + 43 characters of [0-9A-Za-z] + 6 characters of checksum
//	wg_test_ …
//
// The 43 characters hold 256 random bits, so that a plain HMAC under a key
// from outside the database is enough; only what people choose (password.go)
// gets a slow hash. The checksum lets a slip of the pen be refused before a
// store is asked, and the pattern is published for leak scanners:
//
//	\bwg_(live|test)_[0-9A-Za-z]{49}\b
package secret

import (
	"crypto/rand"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
)

// Environment is the prefix of all secrets of an installation. A secret of one
// environment is never well formed in the other. Other bearer values have the
// same body under prefixes of their own.
type Environment string

// The environments.
const (
	Staging    Environment = "wg_test_"
	Production Environment = "wg_live_"
)

const (
	bodyLength     = 43 // ⌈256 / log2 62⌉
	checksumLength = 6  // 62^6 > 2^32
)

// alphabet is base62 in the order of ASCII, so that texts sort as numbers do.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Maker makes the secrets of one installation.
type Maker struct {
	Environment Environment
	Chance      io.Reader // nil: the system's
}

// New draws a new secret.
func (m Maker) New() domain.Secret { return New(m.Chance, m.Environment) }

// WellFormed reports whether s could be a secret of this installation.
func (m Maker) WellFormed(s string) bool { return WellFormed(s, m.Environment) }

// New draws a new secret of an environment from chance, nil meaning the
// system's. It panics where there is no randomness: nothing sound can be
// issued then.
func New(chance io.Reader, env Environment) domain.Secret {
	text := make([]byte, 0, len(env)+bodyLength+checksumLength)
	text = append(text, env...)
	text = appendBody(text, chance)
	sum := checksum(string(text))
	return domain.NewSecret(string(append(text, sum[:]...)))
}

// WellFormed reports whether s has the prefix of the environment, the length,
// the alphabet and the checksum of a secret. It says nothing about whether
// the secret was ever issued.
func WellFormed(s string, env Environment) bool {
	if len(s) != len(env)+bodyLength+checksumLength || !strings.HasPrefix(s, string(env)) {
		return false
	}
	for _, c := range []byte(s[len(env):]) {
		if strings.IndexByte(alphabet, c) < 0 {
			return false
		}
	}
	sum := checksum(s[:len(s)-checksumLength])
	return s[len(s)-checksumLength:] == string(sum[:])
}

// appendBody draws 43 characters. A byte of 248 or more is thrown away, since
// 256 is no multiple of 62 and the first eight characters would come up more
// often than the others.
func appendBody(dst []byte, chance io.Reader) []byte {
	const fair = byte(256 - 256%len(alphabet))
	end := len(dst) + bodyLength
	var raw [64]byte
	for {
		mustRead(chance, raw[:])
		for _, b := range raw {
			if b >= fair {
				continue
			}
			dst = append(dst, alphabet[int(b)%len(alphabet)])
			if len(dst) == end {
				clear(raw[:])
				return dst
			}
		}
	}
}

// checksum is CRC-32 (IEEE) over everything before it, in base62 with zeros on
// the left. It is written out over the table because crc32.ChecksumIEEE would
// need a copy of the secret on the heap.
func checksum(s string) [checksumLength]byte {
	crc := ^uint32(0)
	for i := range len(s) {
		crc = crc32.IEEETable[byte(crc)^s[i]] ^ crc>>8
	}
	crc = ^crc
	var sum [checksumLength]byte
	for i := checksumLength - 1; i >= 0; i-- {
		sum[i] = alphabet[crc%uint32(len(alphabet))]
		crc /= uint32(len(alphabet))
	}
	return sum
}

func mustRead(chance io.Reader, b []byte) {
	if chance == nil {
		chance = rand.Reader
	}
	if _, err := io.ReadFull(chance, b); err != nil {
		panic("secret: no randomness: " + err.Error())
	}
}

// unprintable is embedded by everything here that holds a key. Beside it the
// key sits where reflection does not show its bytes, since these methods are
// out of reach in an unexported field of another struct.
type unprintable struct{}

const hidden = "[secret]"

// Format prints [secret] for every verb.
func (unprintable) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue logs [secret].
func (unprintable) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText writes [secret] into JSON and its relatives.
func (unprintable) MarshalText() ([]byte, error) { return []byte(hidden), nil }
