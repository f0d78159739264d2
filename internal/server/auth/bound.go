package auth

import (
	"crypto/x509"
	"net/http"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/dpop"
	"github.com/wattgate/wattgate/internal/server"
)

// Bound is what binds tokens to keys and certificates. The zero Bound binds none.
type Bound struct {
	Bindings *authn.Bindings // nil: no tokens are bound
	// Certificates finds applications by client certificate; nil: none has one.
	Certificates Certificates
	// Methods are those of client authentication that client certificates add.
	Methods []domain.AuthMethod
}

// Certificates finds out which application is asking, by its client certificate.
type Certificates interface {
	ByCertificate(id string) bool
	Certificate(id string, chain []*x509.Certificate, from domain.Origin) (*domain.Listing, error)
}

// certified finds the application of a client certificate, where the request
// authenticates by nothing else (RFC 8705 §2). It is not ours where the
// application does not authenticate that way.
func (h *Host) certified(c dialect.Credentials, call *server.Call) (_ *domain.Listing, err error, ours bool) {
	by := h.Bound.Certificates
	if by == nil || c.Method != "" || len(call.Certificates) == 0 || !by.ByCertificate(c.ID) {
		return nil, nil, false
	}
	app, err := by.Certificate(c.ID, call.Certificates, call.Origin)
	return app, err, true
}

// proof checks the proof of a token request, if there is one, before anybody has
// authenticated: a proof without a nonce costs no assertion.
func (h *Host) proof(r *http.Request) (authn.Proof, error) {
	headers := dialect.Proofs(r)
	if len(headers) == 0 || h.Bound.Bindings == nil {
		return authn.Proof{}, nil
	}
	return h.Bound.Bindings.Read(headers, r.Method, h.URL+r.URL.EscapedPath())
}

// bind notes what the request has proven to hold. Whatever token it brings is
// bound to that.
func (h *Host) bind(w http.ResponseWriter, app *domain.Listing, proof authn.Proof, call *server.Call) error {
	b := h.Bound.Bindings
	if b == nil {
		return nil
	}
	var certificate []byte
	if len(call.Certificates) > 0 {
		certificate = call.Certificates[0].Raw
	}
	var err error
	if call.Origin.Proven, err = b.Bind(app, proof, certificate); err != nil {
		return err
	}
	dialect.WriteNonce(w.Header(), b.Nonce(proof))
	return nil
}

// bindings lists what the metadata says about binding (RFC 9449 §5.1, RFC 8705
// §3.3).
func (h *Host) bindings() []member {
	if h.Bound.Bindings == nil {
		return nil
	}
	list := []member{{"dpop_signing_alg_values_supported", dpop.Algorithms()}}
	if len(h.Bound.Methods) > 0 {
		list = append(list, member{"tls_client_certificate_bound_access_tokens", true})
	}
	return list
}
