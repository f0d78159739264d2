package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
)

// Sealer encrypts what is kept at rest under a name: AES-256-GCM with a random
// nonce (NIST SP 800-38D §8.2.2), which is good for 2^32 seals under one key.
// The name is bound to what is sealed, so that a sealed text moved to another
// row does not open. It may be used from many goroutines at once and cannot be
// printed.
type Sealer struct {
	unprintable
	aead *cipher.AEAD
}

// ErrSealed is what [Sealer.Open] returns for what was not sealed under this
// key and this name, or was changed since.
var ErrSealed = errors.New("secret: this was not sealed under this key and name")

// NewSealer returns the sealer of a key, which [Master.Sealer] derives.
func NewSealer(key [32]byte) Sealer {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("secret: " + err.Error()) // only for a wrong length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("secret: " + err.Error()) // only for another block size
	}
	return Sealer{aead: &aead}
}

// Seal encrypts plain under a name. The answer is nonce, ciphertext and tag.
func (s Sealer) Seal(name string, plain []byte) ([]byte, error) {
	if s.aead == nil {
		return nil, errors.New("secret: a Sealer without a key")
	}
	return (*s.aead).Seal(nil, nil, plain, []byte(name)), nil
}

// Open decrypts what [Sealer.Seal] returned for the same name.
func (s Sealer) Open(name string, sealed []byte) ([]byte, error) {
	if s.aead == nil {
		return nil, errors.New("secret: a Sealer without a key")
	}
	plain, err := (*s.aead).Open(nil, nil, sealed, []byte(name))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}
