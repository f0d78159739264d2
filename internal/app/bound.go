package app

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"regexp"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/dpop"
	"github.com/wattgate/wattgate/internal/registry"
	"github.com/wattgate/wattgate/internal/secret"
	"github.com/wattgate/wattgate/internal/server/auth"
	"github.com/wattgate/wattgate/internal/token"
)

// openProofs makes the one memory of DPoP proofs that all hosts share: a proof
// that was used at one of them is used up at the others.
//
// Each of several nodes has a memory of its own, and nonces that no other takes
// (RFC 9449 §8): a proof that was used at one of them is none at the others.
func (a *App) openProofs(master secret.Master) error {
	key := master.Derive(secret.LabelNonces)
	if a.nodes.engine != nil {
		if _, err := io.ReadFull(a.world.Chance, key[:]); err != nil {
			return err
		}
	}
	a.proofs = &dpop.Verifier{Nonces: dpop.NewNonces(key, a.world.Now()), Used: &dpop.Memory{}}
	return nil
}

// bound tells the auth host what tokens can be bound to.
func (a *App) bound() auth.Bound {
	b := auth.Bound{Bindings: &authn.Bindings{DPoP: a.proofs, Now: a.world.Now}}
	if !a.Config.asksForCertificates() {
		return b
	}
	b.Certificates = a.Clients
	if a.Config.TLSClientCA != "" {
		b.Methods = append(b.Methods, domain.TLSClientAuth)
	}
	if a.Config.TLSClientCerts {
		b.Methods = append(b.Methods, domain.SelfSignedTLSClientAuth)
	}
	return b
}

// asksForCertificates reports whether TLS clients are asked for a certificate.
func (c *Config) asksForCertificates() bool { return c.TLSClientCA != "" || c.TLSClientCerts }

// headerName is what a header may be called (RFC 9110 §5.6.2).
var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// wrongCertificates reports what cannot work about certificates, ours and those of
// clients. A proxy's word is asked for whom and for what it is, so that nobody
// believes every caller's header by one setting alone.
func (c *Config) wrongCertificates(wrong func(name, format string, args ...any)) {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		wrong("tls-cert", "tls-cert and tls-key go together")
	}
	name := c.ClientCertHeader
	switch {
	case c.asksForCertificates() && c.TLSCert == "" && name == "":
		wrong("tls-client-ca", "client certificates come over TLS of our own, or by a proxy: tls-client-ca and tls-client-certs need tls-cert and tls-key, or client-certificate-header")
	case name == "":
	case !headerName.MatchString(name):
		wrong("client-certificate-header", "%q is not the name of a header such as Client-Cert", name)
	case c.TrustedProxies == "":
		wrong("client-certificate-header", "name in trusted-proxies whose header is believed")
	case !c.asksForCertificates():
		wrong("client-certificate-header", "certificates count for something only with tls-client-ca or tls-client-certs")
	}
}

// openClientCAs reads the authorities of client certificates.
func (a *App) openClientCAs() error {
	if a.Config.TLSClientCA == "" {
		return nil
	}
	text, err := os.ReadFile(a.Config.TLSClientCA)
	if err != nil {
		return fmt.Errorf("tls-client-ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return fmt.Errorf("tls-client-ca: %s holds no certificate", a.Config.TLSClientCA)
	}
	a.Clients.ClientCAs = pool
	return nil
}

// askForCertificates lets the TLS listener ask for a client certificate, and go
// on without one. The handshake proves that the client holds its key; whether it
// means anything is asked where it is used, because an application may have
// registered one that no authority knows. Where only those of authorities count,
// clients are told which.
func (a *App) askForCertificates(c *tls.Config) {
	if !a.Config.asksForCertificates() {
		return
	}
	c.ClientAuth = tls.RequestClientCert
	if !a.Config.TLSClientCerts {
		c.ClientCAs = a.Clients.ClientCAs
	}
}

// checkBound refuses an application that could not work with these settings.
func (c *Config) checkBound(n registry.NewApplication) error {
	wants := ""
	switch {
	case n.FAPI && c.TokenAlg == string(token.RS256):
		wants = "token-alg ES256 or EdDSA: FAPI mode has no RS256"
	case n.TLSSubject != "" && c.TLSClientCA == "":
		wants = "the setting tls-client-ca"
	case n.AuthMethod == domain.SelfSignedTLSClientAuth && !c.TLSClientCerts:
		wants = "the setting tls-client-certs"
	default:
		return nil
	}
	return &domain.Error{Kind: domain.Invalid, Public: "this application needs " + wants}
}
