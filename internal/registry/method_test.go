package registry_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

func publicKeys(t *testing.T, keys ...jose.JSONWebKey) []byte {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	must(t, err)
	return text
}

// selfSigned returns a key with a certificate of its own.
func selfSigned(t *testing.T, signer crypto.Signer) jose.JSONWebKey {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, signer.Public(), signer)
	must(t, err)
	certificate, err := x509.ParseCertificate(der)
	must(t, err)
	return jose.JSONWebKey{Key: signer.Public(), KeyID: "x", Certificates: []*x509.Certificate{certificate}}
}

// TestMethodsAndFAPI holds what is registered against RFC 8705 §2 and the FAPI
// 2.0 Security Profile §5.3.2: contradictions are refused, and nothing is stored.
func TestMethodsAndFAPI(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	big, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	es256 := publicKeys(t, jose.JSONWebKey{Key: ec.Public(), KeyID: "a"})
	ps256 := publicKeys(t, jose.JSONWebKey{Key: big.Public(), KeyID: "a"})
	rs256 := publicKeys(t, jose.JSONWebKey{Key: big.Public(), KeyID: "a", Algorithm: "RS256"})
	x5c := publicKeys(t, selfSigned(t, ec))
	type application = registry.NewApplication
	w := newWorld(t)
	for name, c := range map[string]struct {
		asked application
		want  string // of the error; empty: it is added
	}{
		"an authority's certificate":               {application{AuthMethod: domain.TLSClientAuth, TLSSubject: "CN=a,O=b"}, ""},
		"by its subject alone":                     {application{TLSSubject: "dns:a.example.com"}, ""},
		"by a URI":                                 {application{TLSSubject: "uri:https://a.example.com/x"}, ""},
		"by an address":                            {application{TLSSubject: "ip:2001:db8::1"}, ""},
		"a certificate of its own":                 {application{AuthMethod: domain.SelfSignedTLSClientAuth, Keys: x5c}, ""},
		"FAPI with a key":                          {application{FAPI: true, Keys: es256}, ""},
		"FAPI with PS256":                          {application{FAPI: true, Keys: ps256}, ""},
		"FAPI with a certificate":                  {application{FAPI: true, TLSSubject: "CN=a"}, ""},
		"FAPI for ten minutes":                     {application{FAPI: true, Keys: es256, Lifetime: 10 * time.Minute}, ""},
		"an unknown method":                        {application{AuthMethod: "client_secret_jwt"}, "authentication method is"},
		"a certificate without a subject":          {application{AuthMethod: domain.TLSClientAuth}, "goes with the subject"},
		"a subject with a secret":                  {application{AuthMethod: domain.ClientSecretBasic, TLSSubject: "CN=a"}, "goes with the subject"},
		"a subject that is none":                   {application{TLSSubject: "meter"}, "distinguished name"},
		"an empty name":                            {application{TLSSubject: "dns:"}, "distinguished name"},
		"a wildcard":                               {application{TLSSubject: "dns:*.example.com"}, "distinguished name"},
		"an address that is none":                  {application{TLSSubject: "ip:meter"}, "distinguished name"},
		"a relative URI":                           {application{TLSSubject: "uri:/a"}, "distinguished name"},
		"a subject without end":                    {application{TLSSubject: "CN=" + strings.Repeat("a", 500)}, "longer than 500"},
		"of its own, without keys":                 {application{AuthMethod: domain.SelfSignedTLSClientAuth}, "go with a JSON Web Key Set"},
		"of its own, without one":                  {application{AuthMethod: domain.SelfSignedTLSClientAuth, Keys: es256}, "has a certificate (x5c)"},
		"keys and a subject":                       {application{Keys: es256, TLSSubject: "CN=a"}, "goes with the subject"},
		"a public client with a certificate":       {application{Type: domain.Public, Grants: []string{}, TLSSubject: "CN=a"}, "does not authenticate"},
		"FAPI with a secret":                       {application{FAPI: true}, "no secrets"},
		"FAPI with a secret by name":               {application{FAPI: true, AuthMethod: domain.ClientSecretPost}, "no secrets"},
		"FAPI without authentication":              {application{FAPI: true, Type: domain.Public}, "confidential"},
		"FAPI with RS256":                          {application{FAPI: true, Keys: rs256}, "no RS256"},
		"FAPI for longer":                          {application{FAPI: true, Keys: es256, Lifetime: 601 * time.Second}, "at most 600 seconds"},
		"FAPI with a redirect that can be read":    {application{FAPI: true, Keys: es256, URIs: []string{"http://localhost/cb"}}, "https"},
		"without FAPI, RS256 and an hour are fine": {application{Keys: rs256, Lifetime: time.Hour}, ""},
	} {
		before, err := w.store.Applications(t.Context())
		must(t, err)
		c.asked.Name, c.asked.Role, c.asked.Partner = name, domain.RoleThirdPartyViewer, w.partner
		a, s, err := w.AddApplication(t.Context(), by, c.asked)
		if c.want != "" {
			if kind(err) != domain.Invalid || !strings.Contains(err.Error(), c.want) || s != (domain.Secret{}) {
				t.Errorf("%s: got %v, want a refusal that says %q", name, err, c.want)
			}
			if list, err := w.store.Applications(t.Context()); err != nil || len(list) != len(before) {
				t.Errorf("%s: %d are stored, %v, want %d", name, len(list), err, len(before))
			}
			continue
		}
		if err != nil || s != (domain.Secret{}) || a.AuthMethod.Secret() {
			t.Errorf("%s: got %+v, %v, want one without a secret", name, a, err)
			continue
		}
		if a.FAPI && a.Lifetime > domain.MaxFAPILifetime {
			t.Errorf("%s: tokens live for %s", name, a.Lifetime)
		}
		if _, err := w.AddSecret(t.Context(), by, a.ID, time.Hour, 0); kind(err) != domain.Invalid {
			t.Errorf("%s: gets a secret: %v", name, err)
		}
		if l := w.Directory().Application(a.ID); l == nil || l.FAPI != c.asked.FAPI || l.TLSSubject != c.asked.TLSSubject {
			t.Errorf("%s: the directory has %+v", name, l)
		}
	}
}
