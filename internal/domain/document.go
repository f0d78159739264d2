package domain

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Digest is the SHA-256 digest of a GraphQL document's text, by which it is
// named.
type Digest [sha256.Size]byte

// DigestOf returns the digest of a text.
func DigestOf(text string) Digest { return sha256.Sum256([]byte(text)) }

// ParseDigest reads 64 hexadecimal digits.
func ParseDigest(text string) (d Digest, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(d) {
		return Digest{}, &Error{Kind: Invalid, Public: "a document's hash is a SHA-256 digest: 64 hexadecimal digits", Err: err}
	}
	return Digest(raw), nil
}

// String returns the digest as 64 hexadecimal digits in lower case.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Document is a GraphQL document that an application trusts.
type Document struct {
	Client  ClientID
	Partner PartnerID // the application's
	Digest  Digest    // of Text
	Text    string
	AddedAt time.Time
}
