package token

import (
	"bytes"
	"crypto"
	"fmt"
	"strings"
)

// Payload returns what a JWS in the compact form says if the private half of
// public signed it, with the one algorithm that the key is for. The header is
// not read: it is ours or it is not, and that is the ring's to say. This is the
// part of [Ring.Verify] that published test vectors can be held against.
func Payload(raw string, public crypto.PublicKey) ([]byte, error) {
	k := &key{algorithm: algorithmOf(public), public: public}
	if len(raw) > MaxLength || strings.Count(raw, ".") != 2 || k.algorithm == "" {
		return nil, fmt.Errorf("%w: longer than 8 KiB, not three parts, or not a key of ours", ErrMalformed)
	}
	s := new(scratch)
	if err := k.open(raw, strings.IndexByte(raw, '.'), strings.LastIndexByte(raw, '.'), s); err != nil {
		return nil, err
	}
	return bytes.Clone(s.plain), nil
}

// SignedBy reports whether a signature, in JOSE's form, is public's over the
// input, with the one algorithm that the key is for. Of an ECDSA signature's two
// texts it takes the one that we write.
func SignedBy(public crypto.PublicKey, input, signature []byte) bool {
	k := &key{algorithm: algorithmOf(public), public: public}
	return k.algorithm != "" && k.verifies(input, signature, new(scratch))
}
