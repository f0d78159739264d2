package server_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/server"
)

// newCertificate makes a certificate that signs itself.
func newCertificate(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// clientCert writes a certificate as RFC 9440 §2.1 does.
func clientCert(der []byte) string { return ":" + base64.StdEncoding.EncodeToString(der) + ":" }

// TestForwardedCertificates: RFC 9440. The header of a listed proxy is the
// client's certificate, that of everybody else is nothing, and what is not clear
// is refused before anybody is asked who they are.
func TestForwardedCertificates(t *testing.T) {
	mine, own := newCertificate(t, "mine"), newCertificate(t, "own")
	good := clientCert(mine.Raw)
	onTLS := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{own}}
	for name, c := range map[string]struct {
		peer    string
		setting string
		lines   []string
		tls     *tls.ConnectionState
		status  int
		want    *x509.Certificate // what the handler sees; nil: none
	}{
		"a listed proxy":                                {"10.1.2.3:5", "Client-Cert", []string{good}, nil, 200, mine},
		"a listed proxy, over TLS":                      {"10.1.2.3:5", "Client-Cert", []string{good}, &tls.ConnectionState{}, 200, mine},
		"with spaces around":                            {"10.1.2.3:5", "Client-Cert", []string{"  " + good + " "}, nil, 200, mine},
		"a client without one":                          {"10.1.2.3:5", "Client-Cert", nil, nil, 200, nil},
		"another name of the header":                    {"10.1.2.3:5", "X-Client-Der", []string{good}, nil, 200, nil},
		"attack: no listed proxy":                       {"198.51.100.1:5", "Client-Cert", []string{good}, nil, 200, nil},
		"attack: no listed proxy, nonsense":             {"198.51.100.1:5", "Client-Cert", []string{"x", "y"}, nil, 200, nil},
		"attack: no listed proxy, on TLS":               {"198.51.100.1:5", "Client-Cert", []string{good}, onTLS, 200, own},
		"attack: the setting is off":                    {"10.1.2.3:5", "", []string{good}, nil, 200, nil},
		"attack: two headers":                           {"10.1.2.3:5", "Client-Cert", []string{good, good}, nil, 400, nil},
		"attack: two in one":                            {"10.1.2.3:5", "Client-Cert", []string{good + ", " + good}, nil, 400, nil},
		"attack: beside the connection's own":           {"10.1.2.3:5", "Client-Cert", []string{good}, onTLS, 400, nil},
		"attack: the connection's own beside an empty":  {"10.1.2.3:5", "Client-Cert", []string{""}, onTLS, 400, nil},
		"RFC 9440 §2.1: empty":                          {"10.1.2.3:5", "Client-Cert", []string{""}, nil, 400, nil},
		"RFC 9440 §2.1: colons with nothing between":    {"10.1.2.3:5", "Client-Cert", []string{"::"}, nil, 400, nil},
		"RFC 9440 §2.1: without colons":                 {"10.1.2.3:5", "Client-Cert", []string{strings.Trim(good, ":")}, nil, 400, nil},
		"RFC 9440 §2.1: with a parameter":               {"10.1.2.3:5", "Client-Cert", []string{good + ";a=1"}, nil, 400, nil},
		"RFC 9440 §2.1: PEM":                            {"10.1.2.3:5", "Client-Cert", []string{":-----BEGIN CERTIFICATE-----:"}, nil, 400, nil},
		"RFC 9440 §2.1: base64 of something else":       {"10.1.2.3:5", "Client-Cert", []string{clientCert([]byte("no certificate"))}, nil, 400, nil},
		"RFC 9440 §2.1: two certificates in one":        {"10.1.2.3:5", "Client-Cert", []string{clientCert(append(bytes.Clone(mine.Raw), own.Raw...))}, nil, 400, nil},
		"RFC 9440 §2.1: the first half of a one":        {"10.1.2.3:5", "Client-Cert", []string{clientCert(mine.Raw[:len(mine.Raw)/2])}, nil, 400, nil},
		"RFC 9440 §2.1: longer than we read":            {"10.1.2.3:5", "Client-Cert", []string{":" + strings.Repeat("A", 12<<10) + ":"}, nil, 400, nil},
		"RFC 9440 §2.1: base64 of the alphabet of URLs": {"10.1.2.3:5", "Client-Cert", []string{":_-8=:"}, nil, 400, nil},
	} {
		h := newHouse()
		h.CertificateHeader = c.setting
		h.Proxies, _ = server.ParseProxies("10.0.0.0/8")
		var seen, held []*x509.Certificate
		ran := false
		hosts := mustOne(t, h, &server.Host{Name: "test", Routes: []server.Route{{
			Pattern: "GET /x", Guard: server.Public, Dialect: server.Plain(),
			Handler: func(w http.ResponseWriter, r *http.Request, call *server.Call) error {
				ran, seen = true, call.Certificates
				if r.TLS != nil { // where an API looks, to which a token is bound
					held = r.TLS.PeerCertificates
				}
				server.WriteBody(w, http.StatusOK, "text/plain", nil)
				return nil
			},
		}}})
		r := httptest.NewRequest("GET", "/x", nil)
		r.RemoteAddr, r.TLS = c.peer, c.tls
		if c.lines != nil {
			r.Header["Client-Cert"] = c.lines
		}
		w := httptest.NewRecorder()
		hosts.ServeHTTP(w, r)
		if w.Code != c.status || ran != (c.status == 200) {
			t.Errorf("%s: got %d %s, the handler ran: %v; want %d", name, w.Code, w.Body, ran, c.status)
			continue
		}
		if c.status != 200 && !strings.Contains(w.Body.String(), "the header Client-Cert") {
			t.Errorf("%s: got %s, want a sentence that names the header", name, w.Body)
		}
		for where, got := range map[string][]*x509.Certificate{"the call": seen, "the request": held} {
			if c.status == 200 && (len(got) > 0) != (c.want != nil) || len(got) > 0 && !got[0].Equal(c.want) {
				t.Errorf("%s: %s has %d certificates, want %v", name, where, len(got), c.want != nil)
			}
		}
		if r.TLS != c.tls {
			t.Errorf("%s: the request of net/http was changed", name)
		}
	}
}

// TestACertificateIsForOneRequest: the next one on the same connection of the
// proxy, of another client, does not have it.
func TestACertificateIsForOneRequest(t *testing.T) {
	h := newHouse()
	h.CertificateHeader = "Client-Cert"
	h.Proxies, _ = server.ParseProxies("127.0.0.0/8, ::1")
	counts := make(chan int, 1)
	hosts := mustOne(t, h, &server.Host{Name: "test", Routes: []server.Route{{
		Pattern: "GET /x", Guard: server.Public, Dialect: server.Plain(),
		Handler: func(w http.ResponseWriter, _ *http.Request, call *server.Call) error {
			counts <- len(call.Certificates)
			server.WriteBody(w, http.StatusOK, "text/plain", nil)
			return nil
		},
	}}})
	real := httptest.NewServer(hosts)
	defer real.Close()
	header := clientCert(newCertificate(t, "mine").Raw)
	for i, want := range []int{1, 0, 1, 0} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", real.URL+"/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		if want == 1 {
			r.Header.Set("Client-Cert", header)
		}
		answer, err := real.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if got := <-counts; got != want {
			t.Errorf("request %d: got %d certificates, want %d", i, got, want)
		}
	}
}

// FuzzParseClientCert: what is read is written as it came, and nothing comes
// beside an error.
func FuzzParseClientCert(f *testing.F) {
	good := clientCert(newCertificate(f, "mine").Raw)
	for _, text := range []string{good, " " + good, good + good, good[:9] + "\n" + good[9:], "::", ":AAAA:", "", strings.Trim(good, ":")} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := server.ParseClientCert(text)
		if (got == nil) != (err != nil) {
			t.Fatalf("%q: got %v beside the error %v", text, got, err)
		}
		if err == nil && clientCert(got.Raw) != strings.Trim(text, " ") {
			t.Errorf("%q is read as %q", text, clientCert(got.Raw))
		}
	})
}
