package domain

import "encoding/base64"

// ConfirmationMethod says what a bound token is bound to, in the words of
// RFC 7800 §3.
type ConfirmationMethod string

// The methods.
const (
	// ConfirmKey is the SHA-256 thumbprint of a public key (RFC 7638), which a
	// DPoP proof proves the possession of (RFC 9449 §6.1).
	ConfirmKey ConfirmationMethod = "jkt"
	// ConfirmCertificate is the SHA-256 of a client certificate in DER, which the
	// TLS connection proves the possession of (RFC 8705 §3.1).
	ConfirmCertificate ConfirmationMethod = "x5t#S256"
)

// Confirmation is the key or certificate that a token is bound to: the claim
// cnf. The zero Confirmation binds to nothing. Two are the same when they are
// equal.
type Confirmation struct {
	Method     ConfirmationMethod
	Thumbprint string // a SHA-256 in base64url without padding: 43 characters
}

// Bound reports whether there is a confirmation at all.
func (c Confirmation) Bound() bool { return c != Confirmation{} }

// Valid reports whether the confirmation binds to nothing, or is one of the two
// kinds with the one spelling of a thumbprint.
func (c Confirmation) Valid() bool {
	if !c.Bound() {
		return true
	}
	if c.Method != ConfirmKey && c.Method != ConfirmCertificate || len(c.Thumbprint) != 43 {
		return false
	}
	var digest [33]byte // strictly 32; the decoder wants room for what it skips
	var text [43]byte
	copy(text[:], c.Thumbprint)
	n, err := base64.RawURLEncoding.Strict().Decode(digest[:], text[:])
	return err == nil && n == 32 // fewer where line breaks were skipped
}

// Presentation is an access token as a request presents it, with what the
// request brings to prove that it may (RFC 9449 §7, RFC 8705 §3).
type Presentation struct {
	Token string
	// DPoP says that the token came with the scheme DPoP. Proofs are the values
	// of the header DPoP, whatever the scheme; Method and URL are those of the
	// request, the URL without its query and by our public name.
	DPoP        bool
	Proofs      []string
	Method, URL string
	// Certificate is the client's certificate of the TLS connection, in DER; nil:
	// there is none.
	Certificate []byte
}
