package assertion_test

import (
	"crypto/rsa"
	"math/big"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/wattgate/wattgate/internal/assertion"
)

// factorable makes a modulus as the chips of CVE-2017-15361 made theirs: of
// k·M + 65537^a mod M twice, where M is the product of all small primes. That
// its factors are no primes is nothing that a public key shows.
func factorable() *big.Int {
	product := big.NewInt(2)
	for n := int64(3); n <= 167; n += 2 {
		if big.NewInt(n).ProbablyPrime(0) {
			product.Mul(product, big.NewInt(n))
		}
	}
	modulus := big.NewInt(1)
	for i, power := range []int64{12345, 678910} {
		factor := new(big.Int).Lsh(big.NewInt(1), uint(1030-product.BitLen()+i))
		factor.Mul(factor, product)
		modulus.Mul(modulus, factor.Add(factor, new(big.Int).Exp(big.NewInt(65537), big.NewInt(power), product)))
	}
	return modulus
}

func TestWeakKeys(t *testing.T) {
	sound := signers(t)[jose.RS256].Public().(*rsa.PublicKey)
	for name, c := range map[string]struct {
		key  rsa.PublicKey
		good bool
	}{
		"a sound key":              {*sound, true},
		"the exponent 3":           {rsa.PublicKey{N: sound.N, E: 3}, true},
		"the exponent 1":           {rsa.PublicKey{N: sound.N, E: 1}, false},
		"an even exponent":         {rsa.PublicKey{N: sound.N, E: 65536}, false},
		"a modulus to be factored": {rsa.PublicKey{N: factorable(), E: 65537}, false},
	} {
		if _, err := assertion.ParseKeys(keySet(t, jose.JSONWebKey{Key: &c.key, KeyID: "k"})); (err == nil) != c.good {
			t.Errorf("%s: got %v, want accepted: %v", name, err, c.good)
		}
	}
}

// RFC 7517 §4.3.
func TestWhatAKeyIsFor(t *testing.T) {
	text := string(keySet(t, jose.JSONWebKey{Key: signers(t)[jose.ES256].Public(), KeyID: "k"}))
	for operations, good := range map[string]bool{
		`["verify"]`: true, `[]`: true, `["sign"]`: false, `["encrypt"]`: false, `["verify","deriveKey"]`: false, `"verify"`: false,
	} {
		with := strings.Replace(text, `"kid":"k"`, `"kid":"k","key_ops":`+operations, 1)
		if _, err := assertion.ParseKeys([]byte(with)); (err == nil) != good || with == text {
			t.Errorf("%s: got %v, want accepted: %v", with, err, good)
		}
	}
}
