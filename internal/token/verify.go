package token

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"
)

// Expect is what a verifier knows beforehand.
type Expect struct {
	Issuer string // must be iss; empty matches nothing
	Login  string // must be iss of what an account user has got by logging in, instead; empty matches nothing
	Type   string // must be typ; empty: at+jwt
}

// maxSkew is how far, in seconds, the clock of the node that issued a token
// may be ahead of ours. There is none for exp: it was promised.
const maxSkew = 60

// Verify returns what a token says, or one of the errors of this package. A
// token is good for now when a key of the ring signed it, exp is later, and
// iat and nbf are at most 60 s later (RFC 9068 §4). Which audience it must
// have, and whether it was revoked, is for the caller to ask.
func (r *Ring) Verify(raw string, now time.Time, want Expect) (Claims, error) {
	c, err := r.authentic(raw)
	if err != nil {
		return Claims{}, err
	}
	if why := c.problem(); why != "" {
		return Claims{}, fmt.Errorf("%w: %s", ErrMalformed, why)
	}
	seconds, issuer := now.Unix(), want.Issuer
	if c.Method != "" {
		issuer = want.Login
	}
	switch {
	case cmp.Or(want.Type, Type) != Type: // no key has another header
		return Claims{}, ErrType
	case issuer != c.Issuer:
		return Claims{}, ErrIssuer
	case c.Expires <= seconds:
		return Claims{}, ErrExpired
	case c.IssuedAt > seconds+maxSkew || c.NotBefore > seconds+maxSkew:
		return Claims{}, ErrNotYet
	}
	return c, nil
}

// authentic takes a token apart and returns its claims if a key of the ring
// signed them. Nothing of the claims is read before.
func (r *Ring) authentic(raw string) (Claims, error) {
	if len(raw) > MaxLength {
		return Claims{}, fmt.Errorf("%w: longer than 8 KiB", ErrMalformed)
	}
	if strings.Count(raw, ".") != 2 {
		return Claims{}, fmt.Errorf("%w: not three parts", ErrMalformed)
	}
	first, last := strings.IndexByte(raw, '.'), strings.LastIndexByte(raw, '.')
	k := r.keys.Load().byHeader[raw[:first]]
	if k == nil {
		return Claims{}, ErrUnknownKey
	}

	s := r.scratches.Get().(*scratch)
	defer r.scratches.Put(s)
	if err := k.open(raw, first, last, s); err != nil {
		return Claims{}, err
	}
	c, ok := readClaims(string(s.plain))
	if !ok {
		return Claims{}, fmt.Errorf("%w: the claims are not spelled as ours are", ErrMalformed)
	}
	return c, nil
}

// open leaves in the scratch what a JWS says, if the key signed it. The dots
// between its three parts are at first and last.
func (k *key) open(raw string, first, last int, s *scratch) error {
	ok := false
	s.text = append(s.text[:0], raw...)
	if s.plain, ok = decode(s.plain[:0], s.text[last+1:]); !ok {
		return fmt.Errorf("%w: the signature is not base64url", ErrMalformed)
	}
	if !k.verifies(s.text[:last], s.plain, s) {
		return ErrSignature
	}
	if s.plain, ok = decode(s.plain[:0], s.text[first+1:last]); !ok {
		return fmt.Errorf("%w: the claims are not base64url", ErrMalformed)
	}
	return nil
}

// verifies reports whether a signature is the key's over the first two parts
// of a token. The algorithm is the key's (RFC 8725 §3.1).
func (k *key) verifies(input, signature []byte, s *scratch) bool {
	if len(signature) != k.signatureLength() {
		return false
	}
	if p, ok := k.public.(ed25519.PublicKey); ok {
		return ed25519.Verify(p, input, signature)
	}
	s.digest = sha256.Sum256(input)
	switch p := k.public.(type) {
	case *ecdsa.PublicKey:
		var der [2 + 2*(2+half+1)]byte
		return isLow(signature[half:]) && ecdsa.VerifyASN1(p, s.digest[:], appendDER(der[:0], signature))
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(p, crypto.SHA256, s.digest[:], signature) == nil
	}
	return false
}

// decode appends what strict base64url stands for. The decoder of the standard
// library skips line breaks, so they are looked for.
func decode(dst, src []byte) ([]byte, bool) {
	if bytes.ContainsAny(src, "\r\n") {
		return dst, false
	}
	dst, err := encoding.AppendDecode(dst, src)
	return dst, err == nil
}
