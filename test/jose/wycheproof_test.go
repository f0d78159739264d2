package jose

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/wattgate/wattgate/internal/assertion"
	"github.com/wattgate/wattgate/internal/token"
)

// What clients sign: their keys and their assertions, with every vector of the
// two files. A key set that is refused refuses what is signed with it.
func TestAssertionsAgainstWycheproof(t *testing.T) {
	for _, name := range []string{"json_web_signature_test.json", "json_web_key_test.json"} {
		t.Run(name, func(t *testing.T) {
			var c tally
			for _, g := range read(t, name).TestGroups {
				keys, refused := assertion.ParseKeys(g.keys())
				for _, v := range g.Tests {
					payload, err := []byte(nil), refused
					if refused == nil {
						payload, err = keys.Payload(v.JWS)
					}
					c.meet(t, v, oneOf(v.algorithm(), assertion.Algorithms()...), err)
					if err == nil && string(payload) != v.payload(t) {
						t.Errorf("%d (%s): got the payload %q", v.ID, v.Comment, payload)
					}
				}
			}
			c.log(t, "assertions, "+name)
		})
	}
}

// What we sign ourselves: our own verifier, under every key of the vectors that
// the ring could have. It takes the algorithm from its key and never reads a
// JWK, so that what a JWK says about its use is the former test's.
func TestTokensAgainstWycheproof(t *testing.T) {
	const name = "json_web_signature_test.json"
	var c tally
	for _, g := range read(t, name).TestGroups {
		var k jose.JSONWebKey
		if g.Public == nil || json.Unmarshal(g.Public, &k) != nil {
			continue // symmetric, or of a curve that nobody knows
		}
		ours := oneOf(k.Algorithm, string(token.ES256), string(token.EdDSA), string(token.RS256))
		for _, v := range g.Tests {
			if !ours {
				c.foreign++
				continue
			}
			payload, err := token.Payload(v.JWS, k.Key)
			if err != nil && v.Result == "valid" && highS(k.Key, v.signature(t)) {
				c.high++
				continue
			}
			c.meet(t, v, oneOf(v.algorithm(), k.Algorithm), err)
			if err == nil && string(payload) != v.payload(t) {
				t.Errorf("%d (%s): got the payload %q", v.ID, v.Comment, payload)
			}
		}
	}
	c.log(t, "tokens, "+name)
}

// The signatures by themselves, which the JWS vectors touch lightly (EdDSA not
// at all): r and s as JOSE writes them, Ed25519, RSA with PKCS #1 v1.5.
func TestSignaturesAgainstWycheproof(t *testing.T) {
	for _, name := range []string{
		"ecdsa_secp256r1_sha256_p1363_test.json",
		"ed25519_test.json",
		"rsa_signature_2048_sha256_test.json",
		"rsa_signature_3072_sha256_test.json",
		"rsa_signature_4096_sha256_test.json",
	} {
		t.Run(name, func(t *testing.T) {
			var c tally
			for _, g := range read(t, name).TestGroups {
				public, err := x509.ParsePKIXPublicKey(unhex(t, g.PublicKeyDER))
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range g.Tests {
					message, signature := unhex(t, v.Message), unhex(t, v.Sig)
					err := errNotSigned
					if token.SignedBy(public, message, signature) {
						err = nil
					}
					if err != nil && v.Result == "valid" && highS(public, signature) {
						c.high++
						continue
					}
					c.meet(t, v, true, err)
				}
			}
			c.log(t, "signatures, "+name)
		})
	}
}

// signature returns the third part of a JWS.
func (v vector) signature(t *testing.T) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(v.JWS[strings.LastIndexByte(v.JWS, '.')+1:])
	if err != nil {
		t.Fatal(err)
	}
	return b
}
