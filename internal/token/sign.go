package token

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
)

// Sign appends the token that says c to dst: the compact serialisation of a JWS
// (RFC 7515 §3.1). Claims that [Ring.Verify] would refuse are [ErrClaims]. With
// 1,024 bytes of room in dst it allocates nothing but what the signature takes.
func (r *Ring) Sign(dst []byte, c *Claims) ([]byte, error) {
	if why := c.problem(); why != "" {
		return dst, fmt.Errorf("%w: %s", ErrClaims, why)
	}
	k := r.keys.Load().active
	s := r.scratches.Get().(*scratch)
	defer r.scratches.Put(s)
	s.plain = appendClaims(s.plain[:0], c)

	length := len(k.header) + 1 + encoding.EncodedLen(len(s.plain)) + 1 + encoding.EncodedLen(k.signatureLength())
	if length > MaxLength {
		return dst, fmt.Errorf("%w: the token would be longer than 8 KiB", ErrClaims)
	}
	start := len(dst)
	dst = slices.Grow(dst, length)
	dst = append(dst, k.header...)
	dst = append(dst, '.')
	dst = encoding.AppendEncode(dst, s.plain)
	signature, err := k.sign(dst[start:], s)
	if err != nil {
		return dst[:start], fmt.Errorf("token: sign: %w", err)
	}
	dst = append(dst, '.')
	return encoding.AppendEncode(dst, signature), nil
}

// SignText returns the token that says c, after a prefix, as one string. Beyond
// that string it allocates nothing but what the signature takes.
func (r *Ring) SignText(prefix string, c *Claims) (string, error) {
	room := r.rooms.Get().(*[]byte)
	defer r.rooms.Put(room)
	text, err := r.Sign(append((*room)[:0], prefix...), c)
	*room = text[:0]
	if err != nil {
		return "", err
	}
	return string(text), nil
}

// sign returns the signature of the first two parts of a token (RFC 7515 §5.1)
// as JOSE writes it. It may lie in the scratch.
func (k *key) sign(input []byte, s *scratch) ([]byte, error) {
	if k.algorithm == EdDSA {
		signature, err := k.signer.Sign(rand.Reader, input, crypto.Hash(0))
		return k.checked(signature, err)
	}
	s.digest = sha256.Sum256(input)
	signature, err := k.signer.Sign(k.chance, s.digest[:], crypto.SHA256)
	if k.algorithm == RS256 || err != nil {
		return k.checked(signature, err)
	}
	if err := rawOfDER(&s.raw, signature); err != nil {
		return nil, err
	}
	return s.raw[:], nil
}

func (k *key) checked(signature []byte, err error) ([]byte, error) {
	if err == nil && len(signature) != k.signatureLength() {
		return nil, errors.New("token: the signer's answer has another length than a signature")
	}
	return signature, err
}

// signatureLength is the one length in bytes that a signature of the key has.
func (k *key) signatureLength() int {
	if p, ok := k.public.(*rsa.PublicKey); ok {
		return p.Size()
	}
	return 64 // r and s (RFC 7518 §3.4), and R and S (RFC 8032 §5.1.6)
}
