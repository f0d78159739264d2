package dpop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"

	"github.com/go-jose/go-jose/v4/json"
)

// The algorithms that a proof may have (RFC 7518 §3.1, RFC 8037 §3.1). HMAC is
// none of them (RFC 9449 §4.2). RS256 is not for applications in FAPI mode.
const (
	ES256   = "ES256"
	EdDSA   = "EdDSA"
	Ed25519 = "Ed25519" // the same by the name that newer clients use (RFC 9864 §2.2)
	PS256   = "PS256"
	RS256   = "RS256"
)

// Algorithms lists them, for the metadata.
func Algorithms() []string { return []string{ES256, EdDSA, Ed25519, PS256, RS256} }

const (
	minRSA = 2048 // bits
	maxRSA = 4096 // more would be a way to keep us busy
	maxKey = 4 << 10
)

// jwk is a public key in JSON (RFC 7517 §4). The private members are there to
// be refused.
type jwk struct {
	Type  string `json:"kty"`
	Curve string `json:"crv"`
	X     string `json:"x"`
	Y     string `json:"y"`
	N     string `json:"n"`
	E     string `json:"e"`

	D     json.RawMessage `json:"d"`
	P     json.RawMessage `json:"p"`
	Q     json.RawMessage `json:"q"`
	DP    json.RawMessage `json:"dp"`
	DQ    json.RawMessage `json:"dq"`
	QI    json.RawMessage `json:"qi"`
	Other json.RawMessage `json:"oth"`
	K     json.RawMessage `json:"k"`
}

// key is a public key and the members that its thumbprint is made of.
type key struct {
	public crypto.PublicKey
	json   jwk
}

// parseKey reads a public key: P-256, Ed25519, or RSA of 2,048 to 4,096 bits. It
// takes one spelling of each, so that a key has one thumbprint.
func parseKey(text []byte) (key, error) {
	var j jwk
	if len(text) == 0 || len(text) > maxKey || json.Unmarshal(text, &j) != nil {
		return key{}, wrong("jwk is missing or cannot be read")
	}
	for _, private := range []json.RawMessage{j.D, j.P, j.Q, j.DP, j.DQ, j.QI, j.Other, j.K} {
		if private != nil {
			return key{}, wrong("jwk is a private or a shared key: it is no longer private; make another")
		}
	}
	var public crypto.PublicKey
	switch {
	case j.Type == "EC" && j.Curve == "P-256":
		public = j.ec()
	case j.Type == "OKP" && j.Curve == "Ed25519":
		if x, ok := decode(j.X); ok && len(x) == ed25519.PublicKeySize {
			public = ed25519.PublicKey(x)
		}
	case j.Type == "RSA":
		public = j.rsa()
	}
	if public == nil {
		return key{}, wrong("jwk is none of P-256, Ed25519, RSA of 2,048 to 4,096 bits")
	}
	return key{public, j}, nil
}

// ec returns the point of a key, or nil where there is none on the curve
// (RFC 7518 §6.2.1: both coordinates have their full length).
func (j jwk) ec() crypto.PublicKey {
	x, ok1 := decode(j.X)
	y, ok2 := decode(j.Y)
	if !ok1 || !ok2 || len(x) != 32 || len(y) != 32 {
		return nil
	}
	point := append(append([]byte{4}, x...), y...)
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil
	}
	return public
}

// rsa returns the key, or nil where its size or its exponent is unusual. Both
// numbers have no leading zeros (RFC 7518 §6.3.1).
func (j jwk) rsa() crypto.PublicKey {
	n, ok1 := decode(j.N)
	e, ok2 := decode(j.E)
	if !ok1 || !ok2 || len(n) == 0 || n[0] == 0 || len(e) == 0 || e[0] == 0 || len(e) > 4 {
		return nil
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e).Int64()
	if bits := modulus.BitLen(); bits < minRSA || bits > maxRSA || modulus.Bit(0) == 0 {
		return nil
	}
	if exponent < 3 || exponent > 1<<31-1 || exponent&1 == 0 {
		return nil
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent)}
}

// thumbprint returns the SHA-256 of the required members in the order of their
// names, in base64url (RFC 7638 §3). The members are base64url and names, in
// which nothing has to be escaped.
func (k key) thumbprint() string {
	j := k.json
	var text string
	switch j.Type {
	case "EC":
		text = `{"crv":"` + j.Curve + `","kty":"EC","x":"` + j.X + `","y":"` + j.Y + `"}`
	case "OKP":
		text = `{"crv":"` + j.Curve + `","kty":"OKP","x":"` + j.X + `"}`
	default:
		text = `{"e":"` + j.E + `","kty":"RSA","n":"` + j.N + `"}`
	}
	sum := sha256.Sum256([]byte(text))
	return encoding.EncodeToString(sum[:])
}

// verifies reports whether a signature over the first two parts of a proof is
// the key's, by an algorithm that fits it.
func (k key) verifies(algorithm, input string, signature []byte) bool {
	switch public := k.public.(type) {
	case *ecdsa.PublicKey:
		if algorithm != ES256 || len(signature) != 64 { // r and s, RFC 7518 §3.4
			return false
		}
		digest := sha256.Sum256([]byte(input))
		return ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	case ed25519.PublicKey:
		return (algorithm == EdDSA || algorithm == Ed25519) && ed25519.Verify(public, []byte(input), signature)
	case *rsa.PublicKey:
		digest := sha256.Sum256([]byte(input))
		switch algorithm {
		case PS256: // the salt is as long as the hash, RFC 7518 §3.5
			return rsa.VerifyPSS(public, crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}) == nil
		case RS256:
			return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
		}
	}
	return false
}

// Thumbprint returns the thumbprint of a public key in JSON (RFC 7638), if it is
// one that a proof may bring.
func Thumbprint(text []byte) (string, error) {
	k, err := parseKey(text)
	if err != nil {
		return "", err
	}
	return k.thumbprint(), nil
}
