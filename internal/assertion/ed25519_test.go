package assertion_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/wattgate/wattgate/internal/assertion"
)

// RFC 9864 §2.2: newer clients say Ed25519 where RFC 8037 said EdDSA, in the
// header and in the key. It is the same signature.
func TestEd25519ByItsOwnName(t *testing.T) {
	all := signers(t)
	private := all[jose.EdDSA].(ed25519.PrivateKey)
	signed := func(header, payload string) string {
		input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
		return input + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(private, []byte(input)))
	}
	good := text(t, claims(nil))
	for _, algorithm := range []string{"", "EdDSA", "Ed25519"} {
		keys, err := assertion.ParseKeys(keySet(t,
			jose.JSONWebKey{Key: private.Public(), KeyID: "ed", Algorithm: algorithm}, jose.JSONWebKey{Key: all[jose.ES256].Public(), KeyID: "ec"}))
		if err != nil {
			t.Fatalf("a key with the alg %q: %v", algorithm, err)
		}
		for header, ok := range map[string]bool{
			`{"alg":"Ed25519","kid":"ed"}`:                             true,
			`{"alg":"EdDSA","kid":"ed"}`:                               true,
			`{"alg":"Ed25519","kid":"ed","typ":"JWT"}`:                 true,
			`{"alg":"Ed448","kid":"ed"}`:                               false,
			`{"alg":"Ed25519","kid":"ec"}`:                             false,
			`{"alg":"ES256","kid":"ed"}`:                               false,
			`{"alg":"Ed25519"}`:                                        true, // it is the only one of its alg
			`{"alg":"Ed25519","kid":"ed","crit":["exp"],"exp":1}`:      false,
			`{"alg":"Ed25519","kid":"ed","crit":["b64"],"b64":false}`:  false,
			`{"alg":"Ed25519","kid":"ed","jku":"https://example.com"}`: false,
		} {
			if _, err := keys.Verify(signed(header, good), want); (err == nil) != ok {
				t.Errorf("a key with the alg %q, %s: got %v, want accepted: %v", algorithm, header, err, ok)
			}
		}
		raw := signed(`{"alg":"Ed25519","kid":"ed"}`, good)
		if _, err := keys.Verify(raw[:len(raw)-8]+"AAAAAAAA", want); err == nil {
			t.Error("a wrong signature was taken")
		}
	}
}
