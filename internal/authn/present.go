package authn

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/dpop"
	"github.com/wattgate/wattgate/internal/oauth"
)

// Present returns who holds the token that a request presents, for an API that
// demands the audience. It is [Tokens.Caller] for whoever can prove it: a token
// that is bound to a key needs a proof by that key for this very request
// (RFC 9449 §7), one that is bound to a certificate the TLS connection of that
// certificate (RFC 8705 §3). This is asked for every request, whether the token
// itself was verified before or not.
func (t *Tokens) Present(p *domain.Presentation, audience domain.Audience) (domain.Caller, error) {
	caller, err := t.holder(p.Token, audience)
	if err != nil {
		return domain.Caller{}, err
	}
	switch caller.Bound.Method {
	case "":
		if p.DPoP { // RFC 9449 §7.1: the scheme is for bound tokens only
			return domain.Caller{}, t.challenge(oauth.InvalidToken, "the token is not bound to a key")
		}
		return caller, nil
	case domain.ConfirmKey:
		err = t.checkProof(p, &caller)
	case domain.ConfirmCertificate:
		if p.DPoP || p.Certificate == nil || CertificateThumbprint(p.Certificate) != caller.Bound.Thumbprint {
			err = &oauth.Error{
				Code: oauth.InvalidToken, Description: boundToCertificate, Challenge: `Bearer error="invalid_token"`,
				Err: invalid(errors.New("bound to a certificate that is not the connection's")),
			}
		}
	default:
		err = invalid(errors.New("bound by a method that nobody checks"))
	}
	if err != nil {
		return domain.Caller{}, err
	}
	return caller, nil
}

const (
	boundToKey         = "the access token is bound to a key: send it with the scheme DPoP and a new proof, with the nonce of the header DPoP-Nonce"
	boundToCertificate = "the access token is bound to a client certificate: send it over a TLS connection with that certificate"
)

// checkProof holds the request's proof against the token that it goes with.
func (t *Tokens) checkProof(p *domain.Presentation, caller *domain.Caller) error {
	switch {
	case t.DPoP == nil:
		return invalid(errors.New("nobody checks proofs here"))
	case !p.DPoP:
		return t.challenge(oauth.InvalidToken, "a bound token without the scheme DPoP")
	case len(p.Proofs) != 1:
		return t.challenge(oauth.InvalidDPoPProof, "not exactly one header DPoP")
	}
	now := t.Now()
	proof, err := t.DPoP.Check(p.Proofs[0], dpop.Expect{Method: p.Method, URL: p.URL, Token: p.Token, Now: now})
	switch {
	case errors.Is(err, dpop.ErrNonce):
		return t.challenge(oauth.UseDPoPNonce, err.Error())
	case err != nil:
		return t.challenge(oauth.InvalidDPoPProof, err.Error())
	case proof.Thumbprint != caller.Bound.Thumbprint:
		return t.challenge(oauth.InvalidToken, "the proof is by another key")
	case caller.FAPI && proof.Algorithm == dpop.RS256:
		return t.challenge(oauth.InvalidDPoPProof, "an algorithm that FAPI does not have")
	}
	switch err := t.DPoP.Use(proof, now); {
	case errors.Is(err, dpop.ErrFull):
		return errFull
	case err != nil:
		return t.challenge(oauth.InvalidDPoPProof, err.Error())
	}
	return nil
}

// errFull asks to come again, when older proofs need no remembering any more.
var errFull = &domain.Error{Kind: domain.Unavailable, Public: "too many proofs are being remembered; try again"}

// challenge refuses a request to a resource and tells the client what to send
// (RFC 9449 §7.1, §9). Which of the reasons it was beyond the code is the log's.
func (t *Tokens) challenge(code oauth.Code, why string) error {
	e := &oauth.Error{
		Code: code, Description: boundToKey, Err: invalid(errors.New(why)),
		Challenge: `DPoP error="` + string(code) + `", algs="` + strings.Join(dpop.Algorithms(), " ") + `"`,
	}
	if t.DPoP != nil {
		e.Nonce = t.DPoP.Nonces.New(t.Now())
	}
	return e
}

// Held returns who holds a token that came as a parameter, and not as who asks:
// the actor's in an exchange. A bound token counts only where the request has
// proven what it is bound to.
func (t *Tokens) Held(raw string, audience domain.Audience, proven domain.Confirmation) (domain.Caller, error) {
	caller, err := t.holder(raw, audience)
	if err != nil {
		return domain.Caller{}, err
	}
	if caller.Bound.Bound() && caller.Bound != proven {
		return domain.Caller{}, invalid(errors.New("bound to what the request does not prove"))
	}
	return caller, nil
}

// CertificateThumbprint returns the SHA-256 of a certificate in DER, in
// base64url (RFC 8705 §3.1).
func CertificateThumbprint(der []byte) string {
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
