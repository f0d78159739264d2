package authn_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"math/big"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// issued makes a certificate and its key; without a parent it signs itself.
func issued(t *testing.T, change func(*x509.Certificate), parent *x509.Certificate, signer crypto.Signer) (*x509.Certificate, crypto.Signer) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse("https://meter.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "meter", Organization: []string{"Example, Inc."}},
		DNSNames: []string{"meter.example.com"}, URIs: []*url.URL{address}, EmailAddresses: []string{"meter@example.com"}, IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(template)
	}
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

func authority(t *testing.T) (*x509.Certificate, crypto.Signer) {
	return issued(t, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
	}, nil, nil)
}

// TestRFC8705Section2_1 is about certificates of an authority.
func TestRFC8705Section2_1(t *testing.T) {
	root, signer := authority(t)
	elsewhere, foreign := authority(t)
	middle, between := issued(t, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
		c.Subject.CommonName = "between"
	}, root, signer)
	leaf := func(parent *x509.Certificate, signer crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
		c, _ := issued(t, change, parent, signer)
		return c
	}
	mine := leaf(root, signer, nil)
	const name = `CN=meter,O=Example\, Inc.`
	for what, c := range map[string]struct {
		subject string
		chain   []*x509.Certificate
		good    bool
	}{
		"RFC 8705 §2.1.2: tls_client_auth_subject_dn":            {name, []*x509.Certificate{mine}, true},
		"RFC 8705 §2.1: an authority between":                    {name, []*x509.Certificate{leaf(middle, between, nil), middle}, true},
		"RFC 8705 §2.1.2: tls_client_auth_san_dns":               {"dns:METER.example.com", []*x509.Certificate{mine}, true},
		"RFC 8705 §2.1.2: tls_client_auth_san_uri":               {"uri:https://meter.example.com/", []*x509.Certificate{mine}, true},
		"RFC 8705 §2.1.2: tls_client_auth_san_ip":                {"ip:192.0.2.1", []*x509.Certificate{mine}, true},
		"RFC 8705 §2.1.2: the address in the other form":         {"ip:::ffff:192.0.2.1", []*x509.Certificate{mine}, true},
		"RFC 8705 §2.1.2: tls_client_auth_san_email":             {"email:meter@example.com", []*x509.Certificate{mine}, true},
		"RFC 8705 §2.1: a part of the distinguished name":        {"CN=meter", []*x509.Certificate{mine}, false},
		"RFC 8705 §2.1: another order of the distinguished name": {`O=Example\, Inc.,CN=meter`, []*x509.Certificate{mine}, false},
		"RFC 8705 §2.1: another name in the DNS":                 {"dns:example.com", []*x509.Certificate{mine}, false},
		"RFC 8705 §2.1.2: a DNS name as a mailbox":               {"email:meter.example.com", []*x509.Certificate{mine}, false},
		"no subject":                                      {"", []*x509.Certificate{mine}, false},
		"RFC 8705 §2: no certificate":                     {name, nil, false},
		"RFC 8705 §2.1: of another authority":             {name, []*x509.Certificate{leaf(elsewhere, foreign, nil)}, false},
		"RFC 8705 §2.1: and that one sent along":          {name, []*x509.Certificate{leaf(elsewhere, foreign, nil), elsewhere}, false},
		"RFC 8705 §2.1: the authority between is missing": {name, []*x509.Certificate{leaf(middle, between, nil)}, false},
		"RFC 8705 §2.1: over":                             {name, []*x509.Certificate{leaf(root, signer, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) })}, false},
		"RFC 8705 §2.1: not yet":                          {name, []*x509.Certificate{leaf(root, signer, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) })}, false},
		"RFC 8705 §2.1: for servers":                      {name, []*x509.Certificate{leaf(root, signer, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })}, false},
	} {
		app := &domain.Listing{Application: domain.Application{ID: "app_a", Type: domain.Confidential, AuthMethod: domain.TLSClientAuth, TLSSubject: c.subject}}
		clients := certified(app)
		clients.ClientCAs = x509.NewCertPool()
		clients.ClientCAs.AddCert(root)
		got, err := clients.Certificate("app_a", c.chain, domain.Origin{})
		if (err == nil) != c.good || (got != nil) != c.good {
			t.Errorf("%s: got %v, %v, want accepted: %v", what, got, err, c.good)
		}
		if e, ok := errors.AsType[*oauth.Error](err); err != nil && (!ok || e.Code != oauth.InvalidClient) {
			t.Errorf("%s: got %v, want invalid_client", what, err)
		}
		clients.ClientCAs = nil
		if got, err := clients.Certificate("app_a", c.chain, domain.Origin{}); err == nil {
			t.Errorf("%s: without an authority: got %v", what, got)
		}
	}
}

// TestRFC8705Section2_2 is about certificates that are registered themselves.
func TestRFC8705Section2_2(t *testing.T) {
	mine, key := issued(t, nil, nil, nil)
	second, err := x509.CreateCertificate(rand.Reader, mine, mine, key.Public(), key) // the same key and names
	if err != nil {
		t.Fatal(err)
	}
	again, err := x509.ParseCertificate(second)
	if err != nil {
		t.Fatal(err)
	}
	theirs, _ := issued(t, nil, nil, nil)
	old, oldKey := issued(t, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) }, nil, nil)
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: key.Public(), KeyID: "a", Certificates: []*x509.Certificate{mine}}, {Key: oldKey.Public(), KeyID: "b", Certificates: []*x509.Certificate{old}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	app := &domain.Listing{Application: domain.Application{ID: "app_a", Type: domain.Confidential, AuthMethod: domain.SelfSignedTLSClientAuth, Keys: set}}
	clients := certified(app)
	for name, c := range map[string]struct {
		certificate *x509.Certificate
		good        bool
	}{
		"RFC 8705 §2.2: the registered one": {mine, true}, "RFC 8705 §2.2.1: the same key in another": {again, false}, "RFC 8705 §2.2: another": {theirs, false}, "RFC 8705 §2.2: one whose time is over": {old, false},
	} {
		if got, err := clients.Certificate("app_a", []*x509.Certificate{c.certificate}, domain.Origin{}); (err == nil) != c.good {
			t.Errorf("%s: got %v, %v, want accepted: %v", name, got, err, c.good)
		}
	}
	if !clients.ByCertificate("app_a") || clients.ByCertificate("app_unknown") {
		t.Error("who authenticates by certificate is not known")
	}
	for name, change := range map[string]func(*domain.Listing){
		"disabled": func(l *domain.Listing) { l.Closed = true },
		"held":     func(l *domain.Listing) { l.Held = true },
		"a secret": func(l *domain.Listing) { l.AuthMethod = domain.ClientSecretBasic },
	} {
		l := *app
		change(&l)
		if got, err := certified(&l).Certificate("app_a", []*x509.Certificate{mine}, domain.Origin{}); err == nil {
			t.Errorf("%s: got %v, want a refusal", name, got)
		}
	}
	if got, err := clients.Certificate("app_unknown", []*x509.Certificate{mine}, domain.Origin{}); err == nil {
		t.Errorf("unknown: got %v, want a refusal", got)
	}
}

func certified(app *domain.Listing) *authn.Clients {
	d := &picture{Applications: map[domain.ClientID]*domain.Listing{app.ID: app}}
	return &authn.Clients{Directory: d, Now: func() time.Time { return now }}
}
