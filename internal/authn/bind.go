package authn

import (
	"errors"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/dpop"
	"github.com/wattgate/wattgate/internal/oauth"
)

// Bindings find out what a token request has proven to hold, so that the token
// can be bound to it.
type Bindings struct {
	DPoP *dpop.Verifier
	Now  func() time.Time
}

// Proof is a proof that came with a token request, or none.
type Proof struct {
	proof dpop.Proof
	given bool
}

// Nonce returns what the header DPoP-Nonce of a good answer is to hold, or "".
func (b *Bindings) Nonce(p Proof) string {
	if !p.given || !p.proof.StaleNonce() {
		return ""
	}
	return b.DPoP.Nonces.New(b.Now())
}

// Read checks the header DPoP of a token request, whose method and public URL
// are given (RFC 9449 §5). None is no mistake; two are. Nothing is remembered
// yet, so that who cannot authenticate fills no memory, and an assertion that is
// good once is not spent on a request that only lacks a nonce.
func (b *Bindings) Read(headers []string, method, url string) (Proof, error) {
	if len(headers) == 0 {
		return Proof{}, nil
	}
	if len(headers) > 1 {
		return Proof{}, b.refused(oauth.InvalidDPoPProof, "the request has more than one DPoP header", nil)
	}
	proof, err := b.DPoP.Check(headers[0], dpop.Expect{Method: method, URL: url, Now: b.Now()})
	switch {
	case errors.Is(err, dpop.ErrNonce):
		return Proof{}, b.refused(oauth.UseDPoPNonce, "the proof needs the nonce of the header DPoP-Nonce", err)
	case err != nil:
		return Proof{}, b.refused(oauth.InvalidDPoPProof, "the DPoP proof is not good for this request", err)
	}
	return Proof{proof, true}, nil
}

// Bind uses up the proof of an application that has authenticated, and returns
// what its token is bound to: the key of the proof, or else the client
// certificate (in DER; nil: none) where the application authenticates by one or
// is in FAPI mode. In that mode a token that is bound to nothing is refused
// (FAPI 2.0 Security Profile §5.3.2.1).
func (b *Bindings) Bind(app *domain.Listing, p Proof, certificate []byte) (domain.Confirmation, error) {
	switch {
	case p.given && app.FAPI && p.proof.Algorithm == dpop.RS256:
		return domain.Confirmation{}, b.refused(oauth.InvalidDPoPProof, "an application in FAPI mode signs with ES256, EdDSA or PS256", nil)
	case p.given:
		switch err := b.DPoP.Use(p.proof, b.Now()); {
		case errors.Is(err, dpop.ErrFull):
			return domain.Confirmation{}, errFull
		case err != nil:
			return domain.Confirmation{}, b.refused(oauth.InvalidDPoPProof, "the DPoP proof is not good for this request", err)
		}
		return domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: p.proof.Thumbprint}, nil
	case certificate != nil && (app.AuthMethod.Certificate() || app.FAPI):
		return domain.Confirmation{Method: domain.ConfirmCertificate, Thumbprint: CertificateThumbprint(certificate)}, nil
	case app.FAPI:
		return domain.Confirmation{}, b.refused(oauth.InvalidRequest, "tokens of this application are bound: send a DPoP proof, or use a client certificate", nil)
	}
	return domain.Confirmation{}, nil
}

// refused is a refusal of the token endpoint, with a nonce for the next try.
func (b *Bindings) refused(code oauth.Code, why string, err error) error {
	return &oauth.Error{Code: code, Description: why, Nonce: b.DPoP.Nonces.New(b.Now()), Err: err}
}
