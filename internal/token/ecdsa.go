package token

import (
	"bytes"
	"crypto/elliptic"
	"errors"
	"math/big"
)

// crypto.Signer gives an ECDSA signature as ASN.1 DER, a SEQUENCE of the
// INTEGERs r and s (RFC 3279 §2.2.3). JOSE has both as 32 bytes each with their
// leading zeros (RFC 7518 §3.4).
const (
	ecdsaLength = 64
	half        = ecdsaLength / 2
)

// p256Order is n, the order of the group of P-256; p256Low is n/2 rounded down.
var (
	p256Order = elliptic.P256().Params().N.FillBytes(make([]byte, half))
	p256Low   = new(big.Int).Rsh(elliptic.P256().Params().N, 1).FillBytes(make([]byte, half))
)

// With (r, s) also (r, n-s) is a valid signature, and anybody can compute one
// from the other. We write the one with the smaller s and read only that, so
// that a token has one text.
func isLow(s []byte) bool { return bytes.Compare(s, p256Low) <= 0 }

func makeLow(s []byte) {
	if isLow(s) {
		return
	}
	borrow := 0
	for i := half - 1; i >= 0; i-- {
		d := int(p256Order[i]) - int(s[i]) - borrow
		borrow = 0
		if d < 0 {
			d, borrow = d+256, 1
		}
		s[i] = byte(d)
	}
}

var errDER = errors.New("token: the signer's answer is not an ECDSA signature in DER")

// rawOfDER writes r and s of a DER signature into raw. It takes strict DER
// only: what a broken signer made must not become a token.
func rawOfDER(raw *[ecdsaLength]byte, der []byte) error {
	if len(der) < 2 || der[0] != 0x30 || int(der[1]) != len(der)-2 { // at most 70 bytes follow: the short form
		return errDER
	}
	rest, ok1 := cutInteger(raw[:half], der[2:])
	rest, ok2 := cutInteger(raw[half:], rest)
	if !ok1 || !ok2 || len(rest) != 0 {
		return errDER
	}
	makeLow(raw[half:])
	return nil
}

// cutInteger writes a positive INTEGER in its shortest form to the right end of
// dst, and returns what comes after it.
func cutInteger(dst, der []byte) (rest []byte, ok bool) {
	if len(der) < 2 || der[0] != 0x02 {
		return nil, false
	}
	n := int(der[1])
	if n == 0 || n > half+1 || n > len(der)-2 {
		return nil, false
	}
	value, rest := der[2:2+n], der[2+n:]
	if value[0] >= 0x80 || n > 1 && value[0] == 0 && value[1] < 0x80 { // negative, or a zero too many
		return nil, false
	}
	value = bytes.TrimLeft(value, "\x00")
	if len(value) == 0 || len(value) > half {
		return nil, false
	}
	clear(dst)
	copy(dst[half-len(value):], value)
	return rest, true
}

// appendDER appends a signature of r and s as DER, for the verifier.
func appendDER(dst, raw []byte) []byte {
	start := len(dst)
	dst = append(dst, 0x30, 0)
	dst = appendInteger(dst, raw[:half])
	dst = appendInteger(dst, raw[half:])
	dst[start+1] = byte(len(dst) - start - 2)
	return dst
}

func appendInteger(dst, value []byte) []byte {
	for len(value) > 1 && value[0] == 0 {
		value = value[1:]
	}
	if value[0] >= 0x80 {
		dst = append(dst, 0x02, byte(len(value)+1), 0)
	} else {
		dst = append(dst, 0x02, byte(len(value)))
	}
	return append(dst, value...)
}
