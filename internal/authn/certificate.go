package authn

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/wattgate/wattgate/internal/assertion"
	"github.com/wattgate/wattgate/internal/domain"
)

// ByCertificate reports whether an application authenticates by its client
// certificate.
func (c *Clients) ByCertificate(id string) bool {
	app := c.Directory.Directory().Application(domain.ClientID(id))
	return app != nil && app.AuthMethod.Certificate()
}

// Certificate finds the application that a client certificate is registered for
// (RFC 8705 §2). The chain is the TLS connection's, the client's own certificate
// first: the handshake has proven that the client holds its key, and nothing
// else. The answer to a refused one is that to a refused secret.
func (c *Clients) Certificate(id string, chain []*x509.Certificate, from domain.Origin) (*domain.Listing, error) {
	a := c.Throttle.attempt(id, from.Address, c.Now())
	if err := c.Throttle.refuses(a); err != nil {
		return nil, err
	}
	app, err := c.certificate(domain.ClientID(id), chain)
	if err == nil {
		c.Throttle.succeeded(a)
		if c.UsedOwn != nil {
			c.UsedOwn(app.ID, c.Now(), from.Token)
		}
		return app, nil
	}
	if err != errHeld { // which was right
		err = c.Throttle.failed(a, err)
	}
	return nil, err
}

// certificate is [Clients.Certificate] without a limit.
func (c *Clients) certificate(id domain.ClientID, chain []*x509.Certificate) (*domain.Listing, error) {
	app := c.Directory.Directory().Application(id)
	switch {
	case app == nil || len(chain) == 0:
		return nil, errClient("unknown client, or no certificate", "")
	case !app.AuthMethod.Certificate():
		return nil, errClient("not set up for a client certificate", app.ID)
	case app.Closed:
		return nil, errClient("disabled", app.ID)
	}
	var err error
	if app.AuthMethod == domain.TLSClientAuth {
		err = c.issuedTo(app.TLSSubject, chain)
	} else {
		err = c.registered(app.Keys, chain[0])
	}
	if err != nil {
		return nil, errClient("client certificate: "+err.Error(), app.ID)
	}
	if app.Held {
		return nil, errHeld
	}
	return app, nil
}

// issuedTo checks a certificate of an authority (RFC 8705 §2.1).
func (c *Clients) issuedTo(subject string, chain []*x509.Certificate) error {
	if c.ClientCAs == nil {
		return errors.New("no authority is set (tls-client-ca)")
	}
	between := x509.NewCertPool()
	for _, one := range chain[1:] {
		between.AddCert(one)
	}
	if _, err := chain[0].Verify(x509.VerifyOptions{
		Roots: c.ClientCAs, Intermediates: between, CurrentTime: c.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}); err != nil {
		return errors.New("not of an authority of ours, or not valid now")
	}
	if !hasSubject(chain[0], subject) {
		return errors.New("it is for the subject " + distinguishedName(chain[0]))
	}
	return nil
}

// registered checks a certificate that is registered itself (RFC 8705 §2.2). Its
// signatures say nothing; that its time is over does.
func (c *Clients) registered(keys []byte, certificate *x509.Certificate) error {
	set, err := assertion.ParseKeys(keys)
	if err != nil {
		return err
	}
	now := c.Now()
	if now.Before(certificate.NotBefore) || now.After(certificate.NotAfter) {
		return errors.New("it is not valid now")
	}
	for _, one := range set.Certificates() {
		if bytes.Equal(one, certificate.Raw) {
			return nil
		}
	}
	return errors.New("it is not one of the registered ones")
}

// hasSubject reports whether a certificate is for a registered subject: one of
// its alternative names, or else exactly its distinguished name.
func hasSubject(certificate *x509.Certificate, subject string) bool {
	kind, name, _ := strings.Cut(subject, ":")
	switch kind {
	case "dns":
		return slices.ContainsFunc(certificate.DNSNames, func(s string) bool { return strings.EqualFold(s, name) })
	case "uri":
		for _, u := range certificate.URIs {
			if u.String() == name {
				return true
			}
		}
		return false
	case "email":
		return slices.Contains(certificate.EmailAddresses, name)
	case "ip":
		want, err := netip.ParseAddr(name)
		for _, ip := range certificate.IPAddresses {
			if got, ok := netip.AddrFromSlice(ip); ok && err == nil && got.Unmap() == want.Unmap() {
				return true
			}
		}
		return false
	}
	return subject != "" && distinguishedName(certificate) == subject
}

// distinguishedName returns the subject as RFC 4514 writes it, in the order of
// the certificate: what openssl x509 -subject -nameopt RFC2253 prints.
func distinguishedName(certificate *x509.Certificate) string {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(certificate.RawSubject, &name); err != nil || len(rest) > 0 {
		return ""
	}
	return name.String()
}
