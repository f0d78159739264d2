// Package assertion answers one question: did this client sign this?
//
// It reads the assertions with which applications authenticate instead of
// sending a secret (private_key_jwt: RFC 7523 §2.2, RFC 7521 §4.2). These are
// JWTs of other people's making, which is what go-jose is for; what we sign
// ourselves is package token's.
package assertion

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json" // case-sensitive, and refuses what stands twice

	"github.com/wattgate/wattgate/internal/domain"
)

// Bounds of what a client may register and send.
const (
	maxKeySet    = 16 << 10
	maxKeys      = 10
	maxAssertion = 8 << 10
	minRSA       = 2048 // bits
	maxID        = 255  // of jti
)

// MaxLife is how far ahead an assertion may expire: it is for one request.
const MaxLife = 5 * time.Minute

// skew is how far a client's clock may be ahead of ours.
const skew = 60 * time.Second

// algorithms are those that an assertion may have. HMAC is none of them: a
// client that has a secret sends it otherwise.
var algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, ed25519Name, jose.PS256, jose.RS256}

// ed25519Name is the name that says which EdDSA it is (RFC 9864 §2.2). Newer
// clients know no other; go-jose does not know it.
const ed25519Name = jose.SignatureAlgorithm("Ed25519")

// Keys are the public keys of one application. The zero Keys accept nothing, at
// the price of a wrong signature: they stand in for those of an unknown client.
type Keys struct{ set []jose.JSONWebKey }

// ParseKeys reads a JSON Web Key Set (RFC 7517 §5) of one to ten public keys
// that can sign assertions: P-256, Ed25519 or RSA of 2,048 bits and more. Private
// keys are refused: whoever sends one has just lost it.
func ParseKeys(text []byte) (Keys, error) {
	if len(text) > maxKeySet {
		return Keys{}, invalid("the key set is larger than 16 KiB")
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(text, &set); err != nil {
		return Keys{}, invalid("the key set is not a JSON Web Key Set of public keys")
	}
	if len(set.Keys) == 0 || len(set.Keys) > maxKeys {
		return Keys{}, invalid("the key set must have one to %d keys", maxKeys)
	}
	if !maySign(text) {
		return Keys{}, invalid("a key of the set is not for signatures: its key_ops is other than verify")
	}
	names := map[string]bool{}
	for _, k := range set.Keys {
		switch {
		case !k.IsPublic():
			return Keys{}, invalid("the key set holds a private key: it is no longer private; make another")
		case k.Use != "" && k.Use != "sig":
			return Keys{}, invalid("a key of the set is not for signatures")
		case names[k.KeyID] || k.KeyID == "" && len(set.Keys) > 1:
			return Keys{}, invalid("each of several keys needs a kid of its own")
		case algorithmOf(k) == "":
			return Keys{}, invalid("a key is none of P-256, Ed25519, RSA of at least %d bits", minRSA)
		case weak(k):
			return Keys{}, invalid("an RSA key is weak: it comes from a generator whose keys can be factored (CVE-2017-15361), or its exponent is not an odd number above 2")
		}
		names[k.KeyID] = true
	}
	return Keys{set.Keys}, nil
}

// Len returns how many keys there are.
func (k Keys) Len() int { return len(k.set) }

// algorithmOf returns what a key signs with; RSA may do either of two, and its
// alg decides, PS256 where it has none. It is empty for a key that does not fit.
func algorithmOf(k jose.JSONWebKey) jose.SignatureAlgorithm {
	fits := func(a jose.SignatureAlgorithm) jose.SignatureAlgorithm {
		if k.Algorithm != "" && plain(k.Algorithm) != a {
			return ""
		}
		return a
	}
	switch public := k.Key.(type) {
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() {
			return fits(jose.ES256)
		}
	case ed25519.PublicKey:
		return fits(jose.EdDSA)
	case *rsa.PublicKey:
		if public.N.BitLen() < minRSA {
			return ""
		}
		if k.Algorithm == string(jose.RS256) {
			return jose.RS256
		}
		return fits(jose.PS256)
	}
	return ""
}

// plain returns an algorithm by the one name that it has in here.
func plain(name string) jose.SignatureAlgorithm {
	if name == string(ed25519Name) {
		return jose.EdDSA
	}
	return jose.SignatureAlgorithm(name)
}

// Expect is what a verifier knows beforehand.
type Expect struct {
	Client    domain.ClientID
	Audiences []string // our issuer and our token endpoint: one of them must be aud
	Now       time.Time
}

// Claims is what an assertion says that is used afterwards.
type Claims struct {
	ID      string    // jti: good once, until Expires
	Expires time.Time // exp
}

// Subject returns whom an assertion claims to be from, without any check: it
// tells whose keys to look up, and nothing else.
func Subject(raw string) (domain.ClientID, error) {
	signed, err := parse(raw)
	if err != nil {
		return "", err
	}
	var c struct {
		Subject string `json:"sub"`
	}
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &c); err != nil {
		return "", errors.New("the claims cannot be read")
	}
	return domain.ParseClientID(c.Subject)
}

// Verify checks an assertion (RFC 7523 §3). Its error is for the operator: the
// client is told nothing but that it was refused.
func (k Keys) Verify(raw string, want Expect) (Claims, error) {
	payload, err := k.Payload(raw)
	if err != nil {
		return Claims{}, err
	}
	var c struct {
		Issuer    string   `json:"iss"`
		Subject   string   `json:"sub"`
		Audience  audience `json:"aud"`
		Expires   date     `json:"exp"`
		NotBefore date     `json:"nbf"`
		IssuedAt  date     `json:"iat"`
		ID        string   `json:"jti"`
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		return Claims{}, errors.New("the claims cannot be read, or one stands twice")
	}
	now := want.Now
	switch {
	case c.Issuer != string(want.Client) || c.Subject != string(want.Client):
		return Claims{}, errors.New("iss and sub are not the client")
	case !want.accepts(c.Audience):
		return Claims{}, errors.New("aud is neither our issuer nor our token endpoint, or more than that")
	case !c.Expires.said:
		return Claims{}, errors.New("exp is missing")
	case !now.Before(c.Expires.Time):
		return Claims{}, errors.New("it has expired")
	case c.Expires.After(now.Add(MaxLife + skew)):
		return Claims{}, errors.New("it lives longer than 5 minutes")
	case c.NotBefore.After(now.Add(skew)) || c.IssuedAt.After(now.Add(skew)):
		return Claims{}, errors.New("it is from the future")
	case c.ID == "" || len(c.ID) > maxID:
		return Claims{}, errors.New("jti is missing or too long")
	}
	return Claims{ID: c.ID, Expires: c.Expires.Time}, nil
}

// Payload returns what was signed, if one of the keys signed it. It is the part
// of Verify that published test vectors can be held against.
func (k Keys) Payload(raw string) ([]byte, error) {
	signed, err := parse(raw)
	if err != nil {
		return nil, err
	}
	return k.verify(raw, signed)
}

// parse reads the compact form of a JWS and refuses headers that would choose
// the key or ask for special treatment (RFC 8725 §3).
func parse(raw string) (*jose.JSONWebSignature, error) {
	if len(raw) > maxAssertion {
		return nil, errors.New("it is larger than 8 KiB")
	}
	signed, err := jose.ParseSignedCompact(raw, algorithms)
	if err != nil {
		return nil, errors.New("it is not a JWS with an algorithm of ours")
	}
	head := signed.Signatures[0].Protected
	if head.JSONWebKey != nil {
		return nil, errors.New("the header brings its own key")
	}
	for name := range head.ExtraHeaders {
		switch name {
		case jose.HeaderType, jose.HeaderContentType:
		default:
			return nil, errors.New("the header has a field that none of ours needs")
		}
	}
	return signed, nil
}

// verify finds the one key that kid and alg mean, and checks the signature with
// it. A header without a kid means the only key of its alg: some clients never
// write one.
func (k Keys) verify(raw string, signed *jose.JSONWebSignature) ([]byte, error) {
	head := signed.Signatures[0].Header
	var fits []jose.JSONWebKey
	for _, key := range k.set {
		if algorithmOf(key) == plain(head.Algorithm) && (head.KeyID == "" || head.KeyID == key.KeyID) {
			fits = append(fits, key)
		}
	}
	switch len(fits) {
	case 1:
		return payloadBy(fits[0], raw, signed)
	case 0:
		return nil, absent(raw, signed)
	}
	return nil, errors.Join(absent(raw, signed), errors.New("the header names no key, and several have its alg"))
}

// payloadBy returns what was signed, if the key signed it, and looks itself
// where go-jose does not look closely or does not know the name.
func payloadBy(key jose.JSONWebKey, raw string, signed *jose.JSONWebSignature) ([]byte, error) {
	last := signed.Signatures[0]
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		// go-jose takes a salt of any length; RFC 7518 §3.5 does not.
		if last.Header.Algorithm == string(jose.PS256) && verifyPSS(public, raw, last.Signature) != nil {
			return nil, errSignature
		}
	case ed25519.PublicKey:
		if last.Header.Algorithm == string(ed25519Name) {
			if !ed25519.Verify(public, []byte(raw[:strings.LastIndexByte(raw, '.')]), last.Signature) {
				return nil, errSignature
			}
			return signed.UnsafePayloadWithoutVerification(), nil // verified just now
		}
	}
	payload, err := signed.Verify(key.Key)
	if err != nil {
		return nil, errSignature
	}
	return payload, nil
}

var errSignature = errors.New("the signature is wrong")

func verifyPSS(public *rsa.PublicKey, raw string, signature []byte) error {
	digest := sha256.Sum256([]byte(raw[:strings.LastIndexByte(raw, '.')]))
	return rsa.VerifyPSS(public, crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
}

// audience is a text or a list of texts (RFC 7519 §4.1.3).
type audience []string

// UnmarshalJSON reads either.
func (a *audience) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// accepts demands that the assertion is for us and for nobody else: who else
// could read it could replay it (RFC 9700 §2.5).
func (e Expect) accepts(a audience) bool {
	if len(a) != 1 {
		return false
	}
	for _, ours := range e.Audiences {
		if a[0] == ours {
			return true
		}
	}
	return false
}

func invalid(format string, args ...any) error {
	return &domain.Error{Kind: domain.Invalid, Public: fmt.Sprintf(format, args...)}
}
