package authorize

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// isChallenge reports whether a text can be a code_challenge of S256
// (RFC 7636 §4.2): base64url of 32 bytes, in the one spelling that they have.
func isChallenge(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == sha256.Size && len(s) == base64.RawURLEncoding.EncodedLen(sha256.Size)
}

// isVerifier reports whether a text has the form of a code_verifier: 43 to 128
// unreserved characters (RFC 7636 §4.1).
func isVerifier(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		digit := c >= '0' && c <= '9'
		if !letter && !digit && c != '-' && c != '.' && c != '_' && c != '~' {
			return false
		}
	}
	return len(s) >= 43 && len(s) <= 128
}

// proves reports whether a verifier is the one of a challenge (RFC 7636 §4.6),
// in a time that does not tell how much of it is right.
func proves(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	return subtle.ConstantTimeCompare([]byte(want), []byte(challenge)) == 1 && isVerifier(verifier)
}
