package dpop

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json" // case-sensitive, and refuses what stands twice
)

// Type is the typ of every proof (RFC 9449 §4.2).
const Type = "dpop+jwt"

const (
	maxProof = 8 << 10
	maxID    = 255 // of jti
	// MaxAge is how long after its iat a proof is taken. Together with Skew it
	// bounds how long a proof has to be remembered.
	MaxAge = 2 * time.Minute
	// Skew is how far ahead of ours the client's clock may be.
	Skew = time.Minute
)

// What is wrong with a proof, for errors.Is. No error holds any part of it.
var (
	// ErrProof is for a proof that proves nothing (invalid_dpop_proof).
	ErrProof = errors.New("dpop: the proof is not good")
	// ErrNonce is for a proof without a nonce of ours, or with an old one
	// (use_dpop_nonce): the client is to try again with the one it is given.
	ErrNonce = errors.New("dpop: the proof has no nonce of ours, or an old one")
	// ErrFull means that no more proofs can be remembered now, so that none is taken.
	ErrFull = errors.New("dpop: too many proofs are being remembered")
)

// Proof is a proof that has passed every check but the last: whether it was
// used before.
type Proof struct {
	Thumbprint string // of its key, RFC 7638
	Algorithm  string
	fresh      bool      // its nonce is a young one
	digest     [16]byte  // of key and jti
	until      time.Time // it is not taken any more from then on
}

// StaleNonce reports whether the client is to get a new nonce with the answer
// (RFC 9449 §8.2), so that it is not refused next time.
func (p Proof) StaleNonce() bool { return !p.fresh }

// Expect is what a verifier knows beforehand.
type Expect struct {
	Method string // htm
	URL    string // htu: the request's URL by its public name
	Token  string // the access token that is presented with the proof; empty: none
	Now    time.Time
}

// header is the protected header of a proof. A field that would choose another
// key, or ask for special treatment, is there to be refused.
type header struct {
	Type      string          `json:"typ"`
	Algorithm string          `json:"alg"`
	Key       json.RawMessage `json:"jwk"`
	Critical  json.RawMessage `json:"crit"`
	Encoding  json.RawMessage `json:"b64"`
	KeyURL    json.RawMessage `json:"jku"`
	CertURL   json.RawMessage `json:"x5u"`
	Chain     json.RawMessage `json:"x5c"`
}

// claims are those of a proof (RFC 9449 §4.2). iat may have a fraction
// (RFC 7519 §2, NumericDate).
type claims struct {
	ID     string   `json:"jti"`
	Method string   `json:"htm"`
	URL    string   `json:"htu"`
	Issued *float64 `json:"iat"`
	Hash   string   `json:"ath"`
	Nonce  string   `json:"nonce"`
}

// Verifier checks proofs. Used remembers them.
type Verifier struct {
	Nonces Nonces
	Used   *Memory
}

// Check holds a proof against the request (RFC 9449 §4.3) and returns it, or
// one of the errors of this package. It remembers nothing: [Verifier.Use]
// follows, once it is known whose request it is.
func (v *Verifier) Check(raw string, want Expect) (Proof, error) {
	head, payload, err := open(raw)
	if err != nil {
		return Proof{}, err
	}
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return Proof{}, wrong("the claims cannot be read, or one stands twice")
	}
	if err := c.holdAgainst(want); err != nil {
		return Proof{}, err
	}
	given, ours := v.Nonces.at(c.Nonce, want.Now)
	if !ours { // last: who has a proof that is wrong anyway is told so
		return Proof{}, ErrNonce
	}
	issued := time.UnixMilli(int64(*c.Issued * 1000))
	p := Proof{Thumbprint: head.thumbprint, Algorithm: head.algorithm, until: issued.Add(MaxAge), fresh: want.Now.Sub(given) < NonceLife/5}
	sum := sha256.Sum256([]byte(head.thumbprint + "." + c.ID)) // a thumbprint has no dot
	copy(p.digest[:], sum[:])
	return p, nil
}

// Use takes a proof, once: among many at once exactly one gets nil.
func (v *Verifier) Use(p Proof, now time.Time) error {
	return v.Used.take(p.digest, p.until, now)
}

// holdAgainst asks everything but the nonce.
func (c *claims) holdAgainst(want Expect) error {
	switch {
	case c.ID == "" || len(c.ID) > maxID:
		return wrong("jti is missing or too long")
	case c.Method != want.Method:
		return wrong("htm is another method")
	case !sameURL(c.URL, want.URL):
		return wrong("htu is another URL")
	case c.Issued == nil:
		return wrong("iat is missing")
	}
	if *c.Issued < 0 || *c.Issued > maxSeconds {
		return wrong("iat is no instant")
	}
	issued := time.UnixMilli(int64(*c.Issued * 1000))
	switch {
	case !want.Now.Before(issued.Add(MaxAge)):
		return wrong("it is older than 2 minutes")
	case issued.After(want.Now.Add(Skew)):
		return wrong("it is from the future")
	}
	if want.Token == "" {
		return nil // RFC 9449 §5: a token request has nothing to hash
	}
	sum := sha256.Sum256([]byte(want.Token))
	hash := base64.RawURLEncoding.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare([]byte(hash), []byte(c.Hash)) != 1 {
		return wrong("ath is missing, or of another token")
	}
	return nil
}

// maxSeconds bounds iat: the year 5138.
const maxSeconds = 99_999_999_999

// opened is what is known of a proof whose signature is right.
type opened struct{ algorithm, thumbprint string }

// open takes a proof apart and returns what it says if the key that it brings
// signed it. Nothing of the claims is read before.
func open(raw string) (opened, []byte, error) {
	if len(raw) > maxProof {
		return opened{}, nil, wrong("it is larger than 8 KiB")
	}
	first, last := strings.IndexByte(raw, '.'), strings.LastIndexByte(raw, '.')
	if first == last || strings.IndexByte(raw[first+1:], '.') != last-first-1 {
		return opened{}, nil, wrong("it is not three parts")
	}
	head, ok1 := decode(raw[:first])
	payload, ok2 := decode(raw[first+1 : last])
	signature, ok3 := decode(raw[last+1:])
	if !ok1 || !ok2 || !ok3 {
		return opened{}, nil, wrong("a part is not base64url")
	}
	var h header
	if err := json.Unmarshal(head, &h); err != nil {
		return opened{}, nil, wrong("the header cannot be read, or a field stands twice")
	}
	switch {
	case h.Type != Type:
		return opened{}, nil, wrong("typ is not " + Type)
	case h.Critical != nil || h.Encoding != nil || h.KeyURL != nil || h.CertURL != nil || h.Chain != nil:
		return opened{}, nil, wrong("the header asks for special treatment")
	}
	key, err := parseKey(h.Key)
	if err != nil {
		return opened{}, nil, err
	}
	if !key.verifies(h.Algorithm, raw[:last], signature) {
		return opened{}, nil, wrong("alg does not fit the key, or the signature is wrong")
	}
	return opened{h.Algorithm, key.thumbprint()}, payload, nil
}

// encoding is base64url without padding and without spare bits (RFC 7515 §2).
var encoding = base64.RawURLEncoding.Strict()

// decode refuses the line breaks that the standard library skips.
func decode(s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	b, err := encoding.DecodeString(s)
	return b, err == nil
}

func wrong(why string) error { return fmt.Errorf("%w: %s", ErrProof, why) }
