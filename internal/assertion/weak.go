package assertion

import (
	"crypto/rsa"
	"math/big"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// weak reports whether an RSA key protects nothing. An exponent of 1 or an even
// one is no RSA at all.
func weak(k jose.JSONWebKey) bool {
	public, ok := k.Key.(*rsa.PublicKey)
	return ok && (public.E < 3 || public.E%2 == 0 || isROCA(public))
}

// maySign reports whether every key of a set is for verifying, as far as
// key_ops says what a key is for (RFC 7517 §4.3). go-jose does not read it.
func maySign(text []byte) bool {
	var set struct {
		Keys []struct {
			Operations []string `json:"key_ops"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return false
	}
	for _, k := range set.Keys {
		for _, operation := range k.Operations {
			if operation != "verify" {
				return false
			}
		}
	}
	return true
}

// rocaPrimes are odd primes; every primorial that the broken generator used is
// divisible by them all.
var rocaPrimes = [...]uint64{
	3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
	101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
}

// isROCA reports whether a modulus was made by the chips of CVE-2017-15361,
// whose keys can be factored. Both of its primes are powers of 65537 modulo
// every small prime, and so is their product. Of sound keys one in more than
// a hundred million looks so by accident.
func isROCA(public *rsa.PublicKey) bool {
	var remainder, divisor big.Int
	for _, p := range rocaPrimes {
		want := remainder.Mod(public.N, divisor.SetUint64(p)).Uint64()
		power, found := uint64(1), false
		for range p {
			found = found || power == want
			power = power * (65537 % p) % p
		}
		if !found {
			return false
		}
	}
	return true
}
