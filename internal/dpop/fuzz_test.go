package dpop_test

import (
	"crypto"
	"encoding/base64"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/wattgate/wattgate/internal/dpop"
)

// What is taken, another library takes too, with the key that the proof brings.
func FuzzProof(f *testing.F) {
	good := sign(dpop.EdDSA, head(dpop.EdDSA, nil), says(nil))
	f.Add(good)
	f.Add(good[:len(good)-2])
	f.Add("a.b.c")
	f.Add(sign(dpop.ES256, head(dpop.ES256, nil), says(nil)))
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := verifier().Check(raw, want())
		if err != nil {
			if got != (dpop.Proof{}) {
				t.Errorf("a proof %+v beside the error %v", got, err)
			}
			return
		}
		theirs, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, "Ed25519", jose.PS256, jose.RS256})
		if err != nil {
			t.Fatalf("%q: go-jose refuses it: %v", raw, err)
		}
		key := theirs.Signatures[0].Protected.JSONWebKey
		if _, err := theirs.Verify(key); err != nil {
			t.Errorf("%q: go-jose refuses its signature: %v", raw, err)
		}
		if sum, err := key.Thumbprint(crypto.SHA256); err != nil || base64.RawURLEncoding.EncodeToString(sum) != got.Thumbprint {
			t.Errorf("%q: thumbprint %s is another in go-jose (%v)", raw, got.Thumbprint, err)
		}
	})
}

// A key has one thumbprint, and it is that of another library.
func FuzzKey(f *testing.F) {
	for alg := range keys() {
		f.Add([]byte(text(public(alg))))
	}
	f.Add([]byte(`{"kty":"oct","k":"AA"}`))
	f.Add([]byte(`{"kty":"RSA","n":"AQAB","e":"AQAB"}`))
	f.Fuzz(func(t *testing.T, given []byte) {
		thumb, err := dpop.Thumbprint(given)
		if err != nil {
			if thumb != "" {
				t.Errorf("a thumbprint %s beside the error %v", thumb, err)
			}
			return
		}
		var theirs jose.JSONWebKey
		if err := theirs.UnmarshalJSON(given); err != nil {
			return // a member that we have no use for, such as a certificate
		}
		sum, err := theirs.Thumbprint(crypto.SHA256)
		if want := base64.RawURLEncoding.EncodeToString(sum); err != nil || thumb != want {
			t.Errorf("%s: got %s, go-jose %s (%v)", given, thumb, want, err)
		}
	})
}
