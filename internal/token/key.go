package token

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"
)

// StoredKey is a signing key as it is kept.
type StoredKey struct {
	ID        string // kid: [A-Za-z0-9_-]{1,64}, for example 2026-11-k3f9m2xq7c4d
	Algorithm Algorithm
	CreatedAt time.Time // when it was made and published
	State     string
	// ActiveFrom is when a published key will sign, and since when any other does
	// or did.
	ActiveFrom time.Time
	RetiredAt  time.Time // when another one took its place; zero: not yet
	RemovedAt  time.Time // when a retired key will be removed, or a removed one was; zero: unknown
	Sealed     []byte    // the private half as PKCS#8 (RFC 5958), sealed under the ID; none once it is removed
	Public     []byte    // the public half as SubjectPublicKeyInfo (RFC 5280 §4.1)
}

// The states of a key, in the order in which it goes through them. Keys are in
// JWKS and verify until they are removed; only the active one signs.
const (
	Published = "published" // known to verifiers before it signs
	Active    = "active"
	Retired   = "retired" // kept until the last token it signed has expired
	Removed   = "removed" // its name is kept, so that none is ever used twice; its private half is destroyed
)

// Cipher keeps private keys from who reads the store. The name is bound to
// what is sealed. A Cipher is used by one goroutine at a time.
type Cipher interface {
	Seal(name string, plain []byte) ([]byte, error)
	Open(name string, sealed []byte) ([]byte, error)
}

// key is a stored key in use.
type key struct {
	id        string
	algorithm Algorithm
	header    string        // the first part of every token of this key, encoded
	signer    crypto.Signer // may be a machine elsewhere: only its Sign is used
	public    crypto.PublicKey
	// chance goes to the signer. Our own ECDSA keys get none: they draw the
	// nonce from the key and the text (RFC 6979), so that no weak randomness can
	// ever give the key away, and a signature costs a sixth less.
	chance io.Reader
	stored StoredKey // what it was opened from
}

// newStoredKey draws a key pair and seals its private half. The key has no state yet.
func newStoredKey(a Algorithm, now time.Time, chance io.Reader, c Cipher) (StoredKey, error) {
	private, err := generate(a)
	if err != nil {
		return StoredKey{}, err
	}
	plain, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return StoredKey{}, err
	}
	defer clear(plain)
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return StoredKey{}, err
	}
	id, err := newKeyID(now, chance)
	if err != nil {
		return StoredKey{}, err
	}
	sealed, err := c.Seal(id, plain)
	if err != nil {
		return StoredKey{}, err
	}
	return StoredKey{ID: id, Algorithm: a, CreatedAt: now, Sealed: sealed, Public: public}, nil
}

func generate(a Algorithm) (crypto.Signer, error) {
	switch a {
	case ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case RS256:
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return nil, fmt.Errorf("token: %q is not a signature algorithm", a)
}

// newKeyID returns the month of birth, for people, and twelve random characters.
func newKeyID(now time.Time, chance io.Reader) (string, error) {
	const alphabet = "23456789abcdefghijkmnpqrstuvwxyz" // 32: five bits choose without bias
	if chance == nil {
		chance = rand.Reader
	}
	var b [12]byte
	if _, err := io.ReadFull(chance, b[:]); err != nil {
		return "", err
	}
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return now.UTC().Format("2006-01-") + string(b[:]), nil
}

// openKey makes a stored key usable. The private half is opened even where it
// will not sign: that it opens under the key's name, and fits the public half,
// is the proof that we made the key and nobody planted it in the store. With
// [Settings.Open] that proof is Open's.
func (s *Settings) openKey(k StoredKey) (*key, error) {
	if !isKeyID(k.ID) {
		return nil, errors.New("its ID has characters that no ID of ours has")
	}
	open, chance := s.Open, rand.Reader
	if open == nil {
		open = s.openSealed
		if k.Algorithm == ES256 {
			chance = nil
		}
	}
	signer, err := open(k)
	if err != nil {
		return nil, err
	}
	if signer == nil || algorithmOf(signer.Public()) != k.Algorithm {
		return nil, errors.New("its private half is of another algorithm")
	}
	public, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil || !bytes.Equal(public, k.Public) {
		return nil, errors.New("its halves do not fit")
	}
	return &key{
		id: k.ID, algorithm: k.Algorithm, header: headerOf(k.Algorithm, k.ID),
		signer: signer, public: signer.Public(), chance: chance, stored: k,
	}, nil
}

// openSealed opens the private half that stands sealed in the store.
func (s *Settings) openSealed(k StoredKey) (crypto.Signer, error) {
	plain, err := s.Cipher.Open(k.ID, k.Sealed)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	parsed, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return nil, errors.New("its private half is not PKCS#8") // the cause might quote it
	}
	signer, _ := parsed.(crypto.Signer) // nil: no key that signs, and so of no algorithm of ours
	return signer, nil
}

// headerOf returns the first part of every token of a key, encoded.
func headerOf(a Algorithm, id string) string {
	return encoding.EncodeToString([]byte(`{"alg":"` + string(a) + `","kid":"` + id + `","typ":"` + Type + `"}`))
}

func isKeyID(s string) bool {
	for _, b := range []byte(s) {
		letter := b|0x20 >= 'a' && b|0x20 <= 'z'
		digit := b >= '0' && b <= '9'
		if !letter && !digit && b != '_' && b != '-' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 64
}

// algorithmOf returns the one algorithm that a key is for, or nothing.
func algorithmOf(public crypto.PublicKey) Algorithm {
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		if p.Curve == elliptic.P256() {
			return ES256
		}
	case ed25519.PublicKey:
		return EdDSA
	case *rsa.PublicKey:
		if p.N.BitLen() >= 2048 {
			return RS256
		}
	}
	return ""
}
