package token_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

const issuer = "https://auth.example.nl"

// noon is the instant of all tests; it has a fraction of a second on purpose.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 123_456_789, time.UTC)

var expect = token.Expect{Issuer: issuer}

var algorithms = []token.Algorithm{token.ES256, token.EdDSA, token.RS256}

// partnerClaims are those of an application's own token, issued at noon.
func partnerClaims() token.Claims {
	return token.Claims{
		Issuer: issuer, Subject: "app_k3f9m2xq7c4dabcd", ClientID: "app_k3f9m2xq7c4dabcd", Partner: "prt_hollandspower",
		Audiences: domain.AudienceSet(domain.AudienceAuth, domain.AudienceCustomer),
		Scope:     "openid offline",
		Permissions: domain.PermissionSet(domain.CanQueryProperty, domain.CanViewDetailedUsage, domain.CanViewPersonalData,
			domain.CanImpersonate),
		IssuedAt: noon.Unix(), NotBefore: noon.Unix(), Expires: noon.Unix() + 300,
		ID: token.NewID(noon, bytes.NewReader(make([]byte, 12))),
	}
}

// userClaims are those of an impersonation token.
func userClaims() token.Claims {
	c := partnerClaims()
	c.Subject, c.Actor, c.SID = "usr_0c1a3b5e7f204a639a516f0c2d9be714", c.ClientID, "aud_2abc"
	c.Audiences = domain.AudienceSet(domain.AudienceCustomer)
	c.Permissions, c.Scope = domain.CustomerPermissions, "query:property view:detailed-usage query:user-details"
	return c
}

// keyring is a key store in memory, and the cipher beside it.
type keyring struct {
	keys    []token.StoredKey
	entries []domain.Entry
	fail    error
}

func (k *keyring) SigningKeys(context.Context) ([]token.StoredKey, error) {
	return slices.Clone(k.keys), k.fail
}

func (k *keyring) ChangeSigningKeys(_ context.Context, change func([]token.StoredKey) ([]token.StoredKey, []domain.Entry, error)) error {
	list, entries, err := change(slices.Clone(k.keys))
	if err = errors.Join(err, k.fail); err == nil {
		k.keys, k.entries = list, append(k.entries, entries...)
	}
	return err
}

// ribbon is a cipher that binds the name and hides nothing, so that the tests
// get at the private keys.
type ribbon struct{}

func (ribbon) Seal(name string, plain []byte) ([]byte, error) {
	return slices.Concat([]byte(name+"|"), plain), nil
}

func (ribbon) Open(name string, sealed []byte) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, []byte(name+"|"))
	if !ok {
		return nil, errors.New("sealed under another name")
	}
	return bytes.Clone(plain), nil
}

// stored makes one key of each algorithm; the one of EdDSA is the same in every
// run, so that what a fuzzer found stays found.
var stored = map[token.Algorithm]func() token.StoredKey{
	token.ES256: sync.OnceValue(func() token.StoredKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		return storedKey("2026-11-es", token.ES256, k, err)
	}),
	token.EdDSA: sync.OnceValue(func() token.StoredKey {
		return storedKey("2026-11-ed", token.EdDSA, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)), nil)
	}),
	token.RS256: sync.OnceValue(func() token.StoredKey {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		return storedKey("2026-11-rs", token.RS256, k, err)
	}),
}

func storedKey(id string, a token.Algorithm, k crypto.Signer, err error) token.StoredKey {
	private, err1 := x509.MarshalPKCS8PrivateKey(k)
	public, err2 := x509.MarshalPKIXPublicKey(k.Public())
	sealed, err3 := ribbon{}.Seal(id, private)
	if err := errors.Join(err, err1, err2, err3); err != nil {
		panic(err)
	}
	return token.StoredKey{ID: id, Algorithm: a, CreatedAt: noon, State: token.Active, Sealed: sealed, Public: public}
}

// openRing opens a ring that signs with a, over one key of each given algorithm.
func openRing(t testing.TB, a token.Algorithm, others ...token.Algorithm) *token.Ring {
	t.Helper()
	store := &keyring{}
	for _, a := range append(others, a) {
		store.keys = append(store.keys, stored[a]())
	}
	ring, err := token.OpenRing(t.Context(), settings(store, a))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func settings(store token.KeyStore, a token.Algorithm) token.Settings {
	return token.Settings{Store: store, Cipher: ribbon{}, Now: func() time.Time { return noon }, Policy: token.Policy{Algorithm: a}}
}

// private returns the signer behind the stored key of an algorithm.
func private(a token.Algorithm) crypto.Signer {
	k := stored[a]()
	plain, _ := ribbon{}.Open(k.ID, k.Sealed)
	parsed, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		panic(err)
	}
	return parsed.(crypto.Signer)
}

// forge signs any header and any payload with a true key, independently of the
// code under test.
func forge(a token.Algorithm, header, payload string) string {
	return forgeEncoded(a, b64(header), b64(payload))
}

func forgeEncoded(a token.Algorithm, header, payload string) string {
	input := []byte(header + "." + payload)
	digest := sha256.Sum256(input)
	var signature []byte
	var err error
	switch k := private(a).(type) {
	case *ecdsa.PrivateKey:
		var r, s *big.Int
		r, s, err = ecdsa.Sign(rand.Reader, k, digest[:])
		if n := k.Params().N; new(big.Int).Lsh(s, 1).Cmp(n) > 0 {
			s.Sub(n, s)
		}
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case ed25519.PrivateKey:
		signature = ed25519.Sign(k, input)
	case *rsa.PrivateKey:
		signature, err = rsa.SignPKCS1v15(nil, k, crypto.SHA256, digest[:])
	}
	if err != nil {
		panic(err)
	}
	return string(input) + "." + b64(string(signature))
}

func header(a token.Algorithm) string {
	return `{"alg":"` + string(a) + `","kid":"` + stored[a]().ID + `","typ":"at+jwt"}`
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func unb64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatalf("%q is not base64url: %v", s, err)
	}
	return b
}

func sign(t testing.TB, r *token.Ring, c token.Claims) string {
	t.Helper()
	raw, err := r.Sign(nil, &c)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// payload returns the claims of a token as text.
func payload(t testing.TB, raw string) string {
	t.Helper()
	return string(unb64(t, strings.Split(raw, ".")[1]))
}
