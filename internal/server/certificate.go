package server

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
)

// maxCertificate bounds the header of a certificate. Common ones take less than
// 3 KiB.
const maxCertificate = 12 << 10

// forwarded puts the client certificate that a listed proxy has taken to where
// that of a connection of our own stands, so that whoever asks for it finds it:
// the proxy's handshake has proven that the client holds its key, and nothing
// else (RFC 9440 §1). Of everybody else the header is not read.
//
// What a proxy says has to be clear. Two certificates, one that cannot be read,
// and one beside that of the connection itself are refused: whichever was
// believed, it might be the one that somebody has smuggled in (RFC 9440 §4).
func (s *Serving) forwarded(r *http.Request) (*http.Request, error) {
	if s.CertificateHeader == "" {
		return r, nil
	}
	lines := r.Header[s.CertificateHeader]
	if len(lines) == 0 || !s.Proxies.near(r) {
		return r, nil
	}
	wrong := func(why string, err error) error {
		return &domain.Error{Kind: domain.Invalid, Public: "the header " + s.CertificateHeader + " " + why, Err: err}
	}
	switch {
	case len(lines) > 1:
		return r, wrong("came twice", nil)
	case r.TLS != nil && len(r.TLS.PeerCertificates) > 0:
		return r, wrong("came on a connection that has a client certificate itself", nil)
	}
	certificate, err := parseClientCert(lines[0])
	if err != nil {
		return r, wrong("is not one certificate: want its DER in base64 between two colons (RFC 9440)", err)
	}
	r = r.WithContext(r.Context()) // a copy: the request is net/http's
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificate}}
	return r, nil
}

// near reports whether the other end of the connection is a listed proxy.
func (p Proxies) near(r *http.Request) bool {
	a, err := netip.ParseAddr(peerOf(r))
	return err == nil && p.listed(a)
}

// parseClientCert reads a certificate as RFC 9440 §2.1 writes it: a byte sequence
// (RFC 8941 §3.3.5) of the DER, without parameters.
func parseClientCert(text string) (*x509.Certificate, error) {
	text = strings.Trim(text, " ")
	switch {
	case len(text) > maxCertificate:
		return nil, errors.New("it is longer than 12 KiB")
	case len(text) < 3 || text[0] != ':' || text[len(text)-1] != ':':
		return nil, errors.New("it is not between two colons")
	case strings.ContainsAny(text, "\r\n"): // which the decoder would skip
		return nil, errors.New("it has line breaks")
	}
	der, err := base64.StdEncoding.Strict().DecodeString(text[1 : len(text)-1])
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
