package token

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"
)

// jwk is a public key as RFC 7517 §4 writes it, with the members of each kind:
// crv, x and y (RFC 7518 §6.2.1), n and e (§6.3.1), crv and x (RFC 8037 §2).
type jwk struct {
	Kty string `json:"kty"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
	Kid string `json:"kid"`
	Alg string `json:"alg"`
	Use string `json:"use"`
}

func jwksOf(keys []*key) (body []byte, etag string, err error) {
	set := struct {
		Keys []jwk `json:"keys"`
	}{make([]jwk, 0, len(keys))}
	for _, k := range keys {
		j, err := jwkOf(k)
		if err != nil {
			return nil, "", fmt.Errorf("token: signing key %q: %w", k.id, err)
		}
		set.Keys = append(set.Keys, j)
	}
	body, err = json.Marshal(set)
	if err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(body)
	return body, `"` + encoding.EncodeToString(sum[:16]) + `"`, nil
}

func jwkOf(k *key) (jwk, error) {
	j := jwk{Kid: k.id, Alg: string(k.algorithm), Use: "sig"}
	switch p := k.public.(type) {
	case *ecdsa.PublicKey:
		point, err := p.Bytes() // 4, then x and y of 32 bytes each (SEC 1 §2.3.3)
		if err != nil {
			return jwk{}, err
		}
		j.Kty, j.Crv = "EC", "P-256"
		j.X, j.Y = encoding.EncodeToString(point[1:33]), encoding.EncodeToString(point[33:65])
	case ed25519.PublicKey:
		j.Kty, j.Crv, j.X = "OKP", "Ed25519", encoding.EncodeToString(p)
	case *rsa.PublicKey:
		j.Kty = "RSA"
		j.N, j.E = encoding.EncodeToString(p.N.Bytes()), encoding.EncodeToString(big.NewInt(int64(p.E)).Bytes())
	}
	return j, nil
}
