package token_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

// machine signs as a machine elsewhere does: it shows the public half and gives
// signatures, ASN.1 DER for ECDSA and 64 bytes for Ed25519, and nothing else.
type machine struct {
	sign   func(chance io.Reader, text []byte, opts crypto.SignerOpts) ([]byte, error)
	public crypto.PublicKey
}

func (m machine) Public() crypto.PublicKey { return m.public }

func (m machine) Sign(chance io.Reader, text []byte, opts crypto.SignerOpts) ([]byte, error) {
	return m.sign(chance, text, opts)
}

// cupboard is a cipher that keeps nobody's keys and opens none.
type cupboard struct{ ribbon }

func (cupboard) Open(string, []byte) ([]byte, error) { return nil, errors.New("the key is not here") }

// elsewhere are the settings of a ring whose one key stands in the store without
// its private half, which the machine has.
func elsewhere(a token.Algorithm, m crypto.Signer, err error) token.Settings {
	k := stored[a]()
	k.Sealed = nil
	s := settings(&keyring{keys: []token.StoredKey{k}}, a)
	s.Cipher = cupboard{}
	s.Open = func(token.StoredKey) (crypto.Signer, error) { return m, err }
	return s
}

// TestKeysThatNeverLeaveTheirMachine: the ring signs with what hides its key, and
// its tokens verify, here, with the published key alone, and in a ring that has
// the key in its store.
func TestKeysThatNeverLeaveTheirMachine(t *testing.T) {
	for _, a := range algorithms {
		t.Run(string(a), func(t *testing.T) {
			var signed atomic.Int32
			behind := private(a)
			m := machine{public: behind.Public(), sign: func(chance io.Reader, text []byte, opts crypto.SignerOpts) ([]byte, error) {
				signed.Add(1)
				if chance == nil || (opts.HashFunc() == 0) != (a == token.EdDSA) {
					t.Errorf("asked to sign with chance %v, hash %v", chance, opts.HashFunc())
				}
				signature, err := behind.Sign(chance, text, opts)
				if der := len(signature) > 0 && signature[0] == 0x30 && int(signature[1]) == len(signature)-2; a == token.ES256 && !der || a == token.EdDSA && len(signature) != 64 {
					t.Errorf("the machine's answer is %x", signature)
				}
				return signature, err
			}}
			ring, err := token.OpenRing(t.Context(), elsewhere(a, m, nil))
			if err != nil {
				t.Fatal(err)
			}
			const tokens = 64 // r and s of an ECDSA signature are of every length that is likely
			for range tokens {
				c := userClaims()
				c.ID = token.NewID(noon, nil)
				raw := sign(t, ring, c)
				if got, err := ring.Verify(raw, noon, expect); err != nil || got != c {
					t.Fatalf("Verify(%s) = %+v, %v, want %+v", raw, got, err, c)
				}
				if got, err := openRing(t, a).Verify(raw, noon, expect); err != nil || got != c {
					t.Fatalf("a ring with the key itself: Verify(%s) = %+v, %v, want %+v", raw, got, err, c)
				}
				if last := len(raw) - 2; ring.Algorithm() != a || verifies(ring, raw[:last]+flipped(raw[last])+raw[last+1:]) {
					t.Fatalf("with %s a changed signature is accepted", ring.Algorithm())
				}
			}
			if signed.Load() != tokens {
				t.Errorf("the machine signed %d times, want %d", signed.Load(), tokens)
			}
		})
	}
}

func verifies(ring *token.Ring, raw string) bool {
	_, err := ring.Verify(raw, noon, expect)
	return err == nil
}

func flipped(letter byte) string {
	if letter == 'A' {
		return "B"
	}
	return "A"
}

// TestMachinesThatAreNotBelieved: what does not fit the stored key opens no ring,
// and what is no signature becomes no token.
func TestMachinesThatAreNotBelieved(t *testing.T) {
	answers := func(signature []byte, err error) machine {
		sign := func(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return signature, err }
		return machine{sign, private(token.ES256).Public()}
	}
	for name, c := range map[string]struct {
		machine    crypto.Signer
		fails      error
		open, sign string
	}{
		"none":                 {nil, errors.New("the machine is off"), "the machine is off", ""},
		"nothing":              {nil, nil, "of another algorithm", ""},
		"another algorithm's":  {private(token.EdDSA), nil, "of another algorithm", ""},
		"another key":          {another(t), nil, "halves do not fit", ""},
		"one that refuses":     {answers(nil, errors.New("the machine is busy")), nil, "", "the machine is busy"},
		"one that says r, s":   {answers(make([]byte, 64), nil), nil, "", "not an ECDSA signature in DER"},
		"one that says little": {answers(nil, nil), nil, "", "not an ECDSA signature in DER"},
	} {
		ring, err := token.OpenRing(t.Context(), elsewhere(token.ES256, c.machine, c.fails))
		if (err == nil) != (c.open == "") || err != nil && !strings.Contains(err.Error(), c.open) {
			t.Errorf("%s: OpenRing: %v, want %q", name, err, c.open)
		}
		if err != nil {
			continue
		}
		claims := partnerClaims()
		if raw, err := ring.Sign(nil, &claims); err == nil || len(raw) != 0 || !strings.Contains(err.Error(), c.sign) {
			t.Errorf("%s: Sign = %q, %v, want %q", name, raw, err, c.sign)
		}
	}
}

// another returns the signer of a key that is in no store.
func another(t *testing.T) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestKeysThatTheRingMakesAreOpenedToo: Open is asked for the new key of a rotation.
func TestKeysThatTheRingMakesAreOpenedToo(t *testing.T) {
	store := &keyring{}
	s := settings(store, token.EdDSA)
	var asked []string
	s.Open = func(k token.StoredKey) (crypto.Signer, error) {
		asked = append(asked, k.ID)
		plain, err := s.Cipher.Open(k.ID, k.Sealed)
		if err != nil {
			return nil, err
		}
		parsed, err := x509.ParsePKCS8PrivateKey(plain)
		return parsed.(crypto.Signer), err
	}
	ring, err := token.OpenRing(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	first := sign(t, ring, partnerClaims())
	if _, err := ring.Rotate(t.Context(), domain.Entry{}); err != nil {
		t.Fatal(err)
	}
	if len(asked) != 2 || len(store.keys) != 2 || asked[1] != store.keys[1].ID || !verifies(ring, first) {
		t.Errorf("asked for %v of %d keys, want each of two once", asked, len(store.keys))
	}
}
