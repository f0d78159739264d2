package clients

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/wattgate/wattgate/test/demo"
)

// keyed registers applications that authenticate with keys of their own: one
// with a key, one with a key of each algorithm, and one in FAPI mode, for which
// the server must not sign with RS256. It returns what a client needs of them as
// environment variables.
func keyed(t *testing.T, s *demo.Server, algorithm string) []string {
	t.Helper()
	dir := t.TempDir()
	all := []map[string]any{}
	for algorithm, key := range keys(t) {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, algorithm+".pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		k := jwk(t, key.Public())
		k["kid"], k["alg"], k["use"] = algorithm, algorithm, "sig"
		all = append(all, k)
		if algorithm == "ES256" {
			write(t, filepath.Join(dir, "one.jwks"), set(t, k))
		}
	}
	write(t, filepath.Join(dir, "all.jwks"), set(t, all...))
	app := func(name, jwks string, flags ...string) string {
		id, _ := s.Application(t, append([]string{
			"--name", name, "--role", "THIRD_PARTY_UTILITY_USAGE_DATA_VIEWER", "--jwks", filepath.Join(dir, jwks),
		}, flags...)...)
		return id
	}
	env := []string{"KEY_DIR=" + dir, "KEYED_CLIENT_ID=" + app("Keyed", "one.jwks"), "ALL_KEYS_CLIENT_ID=" + app("All keys", "all.jwks")}
	if algorithm != "RS256" {
		env = append(env, "FAPI_CLIENT_ID="+app("FAPI", "one.jwks", "--fapi"))
	}
	return env
}

// keys makes a key for each algorithm of a client's own.
func keys(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]crypto.Signer{"ES256": ec, "Ed25519": ed}
	for _, algorithm := range []string{"PS256", "RS256"} {
		if all[algorithm], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// jwk returns a public key as RFC 7517 writes it.
func jwk(t *testing.T, public crypto.PublicKey) map[string]any {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		point, err := p.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return map[string]any{"kty": "EC", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:])}
	case ed25519.PublicKey:
		return map[string]any{"kty": "OKP", "crv": "Ed25519", "x": encode(p)}
	case *rsa.PublicKey:
		return map[string]any{"kty": "RSA", "n": encode(p.N.Bytes()), "e": encode(big.NewInt(int64(p.E)).Bytes())}
	}
	t.Fatalf("no JWK of a %T", public)
	return nil
}

func set(t *testing.T, keys ...map[string]any) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
