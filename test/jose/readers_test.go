package jose

import (
	"crypto"
	"encoding/json"
	"fmt"
	"time"

	gojose "github.com/go-jose/go-jose/v4"
	gojwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/jwx/v3/jwk"
	jwxjwt "github.com/lestrrat-go/jwx/v3/jwt"
)

// expectation is what a resource server of somebody else demands of a token.
type expectation struct {
	algorithm, issuer, audience string
}

// claims are those that all three libraries are asked for.
type claims struct {
	issuer, subject, id string
	audience            []string
	expires, issued     time.Time
}

// readers are the libraries, each used as its own documents show it: a key set
// from the server, one algorithm, issuer, audience and times checked.
var readers = map[string]func(raw string, keys []byte, want expectation) (claims, error){
	"go-jose":    withGoJOSE,
	"jwx":        withJWX,
	"golang-jwt": withGolangJWT,
}

func withGoJOSE(raw string, keys []byte, want expectation) (claims, error) {
	var set gojose.JSONWebKeySet
	if err := json.Unmarshal(keys, &set); err != nil {
		return claims{}, err
	}
	signed, err := gojwt.ParseSigned(raw, []gojose.SignatureAlgorithm{gojose.SignatureAlgorithm(want.algorithm)})
	if err != nil {
		return claims{}, err
	}
	var c gojwt.Claims
	if err := signed.Claims(set, &c); err != nil {
		return claims{}, err
	}
	if err := c.Validate(gojwt.Expected{Issuer: want.issuer, AnyAudience: gojwt.Audience{want.audience}, Time: time.Now()}); err != nil {
		return claims{}, err
	}
	return claims{c.Issuer, c.Subject, c.ID, c.Audience, c.Expiry.Time(), c.IssuedAt.Time()}, nil
}

func withJWX(raw string, keys []byte, want expectation) (claims, error) {
	set, err := jwk.Parse(keys)
	if err != nil {
		return claims{}, err
	}
	t, err := jwxjwt.Parse([]byte(raw), jwxjwt.WithKeySet(set), jwxjwt.WithValidate(true),
		jwxjwt.WithIssuer(want.issuer), jwxjwt.WithAudience(want.audience), jwxjwt.WithRequiredClaim("exp"))
	if err != nil {
		return claims{}, err
	}
	var c claims
	c.issuer, _ = t.Issuer()
	c.subject, _ = t.Subject()
	c.id, _ = t.JwtID()
	c.audience, _ = t.Audience()
	c.expires, _ = t.Expiration()
	c.issued, _ = t.IssuedAt()
	return c, nil
}

// withGolangJWT uses a library that reads no key sets: go-jose reads them for it.
func withGolangJWT(raw string, keys []byte, want expectation) (claims, error) {
	var set gojose.JSONWebKeySet
	if err := json.Unmarshal(keys, &set); err != nil {
		return claims{}, err
	}
	var c jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(raw, &c, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		found := set.Key(kid)
		if len(found) != 1 {
			return nil, fmt.Errorf("%d keys have the kid", len(found))
		}
		return crypto.PublicKey(found[0].Key), nil
	}, jwt.WithValidMethods([]string{want.algorithm}), jwt.WithStrictDecoding(), jwt.WithIssuer(want.issuer),
		jwt.WithAudience(want.audience), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	if err != nil {
		return claims{}, err
	}
	return claims{c.Issuer, c.Subject, c.ID, c.Audience, c.ExpiresAt.Time, c.IssuedAt.Time}, nil
}
