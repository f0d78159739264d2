package authorize

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/secret"
)

// The prefixes of what works like a password. They are the environments of
// secrets of other kinds: same body, same checksum, and none passes for another.
const (
	prefixCode      secret.Environment = "wg_code_"
	prefixChallenge secret.Environment = "wg_ask_"
	prefixRefresh   secret.Environment = "wg_refresh_"
	prefixDevice    secret.Environment = "wg_device_"
	prefixPushed    secret.Environment = "urn:ietf:params:oauth:request_uri:" // RFC 9126 §2.2
)

// IsRefresh reports whether a token has the form of a refresh token.
func IsRefresh(token string) bool { return secret.WellFormed(token, prefixRefresh) }

// String returns 64 hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// ParseDigest reads what String wrote.
func ParseDigest(s string) (d Digest, ok bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(d) {
		return d, false
	}
	return Digest(b), true
}

// digest returns what is kept of a text, and false where it was never ours.
func digest(text string, prefix secret.Environment) (Digest, bool) {
	return sha256.Sum256([]byte(text)), secret.WellFormed(text, prefix)
}

// draw makes a new text of a kind, with what is kept of it.
func (d *Desk) draw(prefix secret.Environment) (domain.Secret, Digest) {
	s := secret.New(d.Chance, prefix)
	return s, sha256.Sum256([]byte(s.Reveal()))
}
