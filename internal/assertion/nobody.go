package assertion

import (
	"crypto/rsa"
	"errors"
	"sync"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// nobodysKeys are one key of each kind that nobody has the private half of: it
// was thrown away. An assertion for which there is no key is held against one of
// them, so that it costs what a wrong signature costs and nobody learns by the
// clock which clients there are, and what their keys are called.
const nobodysKeys = `{"keys":[
{"kty":"EC","crv":"P-256","x":"6o3kEzmsf9dkDcjHzzDgomM0qUzvh_k64XPO9oEWciE","y":"ZDszG9fx5aZ34v7M6mavqaumKz4mVFBS54SeKnixYJI"},
{"kty":"OKP","crv":"Ed25519","x":"XUvv5CMYGqJaJyuZBdKdc8M_RAccuMZUBAlMayPnjzE"},
{"kty":"RSA","e":"AQAB","n":"sHPnBEomZm1lB1r65Tl8g9JvEidmHxskzecuaEDMrVrxDjrpdVNCa5loXWYHxsiC6Zs1cZ0MiAWszkGdlxbTueNHZpwuq6D5Ml4IjHE5q-DcubK-1cQ_S97Z1rQK1sLKL0OfgpZVhrAEQyFquA6ulrsGt4BagXXPHwBU0XcD44rcFGhQyO6e_BMOH3pLbnvww_KgK-BX0Xx_e-FzYFx2kfiOWhC2aTBaU73LSE589va0sTpUhdmWyHGxkTh41KsAjXIAMU_ZeRue240BHWmjTHMAAER-635BBXWeNbzM-f_gflw2VB3GANXgpiIqbkEdqpQTX0QrNVj8tnlsBi7NGQ"}
]}`

// nobody reads them, once.
var nobody = sync.OnceValue(func() []jose.JSONWebKey {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(nobodysKeys), &set); err != nil {
		panic("assertion: " + err.Error()) // they never change
	}
	return set.Keys
})

// errNoKey is what the operator reads where no key of the client fits.
var errNoKey = errors.New("no key of the client has that kid and alg")

// absent does the work of a verification and refuses whatever comes of it.
func absent(raw string, signed *jose.JSONWebSignature) error {
	algorithm := plain(signed.Signatures[0].Header.Algorithm)
	for _, key := range nobody() {
		_, isRSA := key.Key.(*rsa.PublicKey) // the one kind that has two
		if algorithmOf(key) == algorithm || isRSA && algorithm == jose.RS256 {
			_, _ = payloadBy(key, raw, signed) // for its time only
			return errNoKey
		}
	}
	return errNoKey
}
