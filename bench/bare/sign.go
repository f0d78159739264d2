package bare

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

var encoding = base64.RawURLEncoding

// signatureSize is that of both algorithms: EdDSA with Ed25519 (RFC 8037 §3.1)
// and ES256 (RFC 7518 §3.4).
const signatureSize = 64

// newSigner makes a key and returns what signs with it.
func newSigner(algorithm string) (func([]byte) ([signatureSize]byte, error), error) {
	switch algorithm {
	case "EdDSA":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("bare: %w", err)
		}
		return func(text []byte) ([signatureSize]byte, error) {
			return [signatureSize]byte(ed25519.Sign(key, text)), nil
		}, nil
	case "ES256":
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("bare: %w", err)
		}
		return func(text []byte) ([signatureSize]byte, error) {
			digest := sha256.Sum256(text)
			der, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
			if err != nil {
				return [signatureSize]byte{}, fmt.Errorf("bare: %w", err)
			}
			return rawSignature(der)
		}, nil
	default:
		return nil, fmt.Errorf("bare: algorithm %q: want EdDSA or ES256", algorithm)
	}
}

// rawSignature turns SEQUENCE { INTEGER r, INTEGER s } (RFC 3279 §2.2.3) into
// the two numbers side by side (RFC 7518 §3.4). On P-256 every length fits into
// one byte.
func rawSignature(der []byte) (raw [signatureSize]byte, err error) {
	if len(der) < 2 || der[0] != 0x30 || int(der[1]) != len(der)-2 {
		return raw, errors.New("bare: signature is no sequence")
	}
	rest := der[2:]
	for half := range 2 {
		if len(rest) < 2 || rest[0] != 0x02 || int(rest[1]) > len(rest)-2 {
			return raw, errors.New("bare: signature holds no two integers")
		}
		digits := rest[2 : 2+rest[1]]
		rest = rest[2+len(digits):]
		for len(digits) > 32 && digits[0] == 0 {
			digits = digits[1:]
		}
		if len(digits) > 32 {
			return raw, errors.New("bare: signature holds an integer of more than 32 bytes")
		}
		copy(raw[half*32+32-len(digits):], digits)
	}
	if len(rest) > 0 {
		return raw, errors.New("bare: bytes after the signature")
	}
	return raw, nil
}
