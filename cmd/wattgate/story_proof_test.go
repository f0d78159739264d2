package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/rogpeppe/go-internal/testscript"
)

// proof NAME KEY METHOD URL [ath=TOKEN] [nonce=N] [jti=ID] [age=DURATION]
// [jwk=private] [alg=HS256] sets NAME to a DPoP proof (RFC 9449 §4.2) by the key
// of keypair. What makes it a bad one is for the attacker.
func proof(ts *testscript.TestScript, neg bool, args []string) {
	key := storyKey(ts, args[1])
	now := storyTime(ts.Getenv("STORY_CLOCK"))
	claims := map[string]any{"jti": rand.Text(), "htm": args[2], "htu": args[3]}
	shown := jose.JSONWebKey{Key: key.Public()}
	alg := "ES256"
	for _, option := range args[4:] {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "ath":
			sum := sha256.Sum256([]byte(value))
			claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
		case "age":
			d, err := time.ParseDuration(value)
			ts.Check(err)
			now = now.Add(-d)
		case "jwk":
			shown.Key = key
		case "alg":
			alg = value
		default:
			claims[name] = value
		}
	}
	claims["iat"] = now.Unix()
	header, err := json.Marshal(map[string]any{"typ": "dpop+jwt", "alg": alg, "jwk": shown})
	ts.Check(err)
	body, err := json.Marshal(claims)
	ts.Check(err)
	input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(body)
	digest := sha256.Sum256([]byte(input))
	signature := make([]byte, 64)
	if alg == "ES256" {
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		ts.Check(err)
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
	} else { // with what everybody can see as the shared secret
		public, err := key.PublicKey.Bytes()
		ts.Check(err)
		mac := hmac.New(sha256.New, public)
		mac.Write([]byte(input))
		signature = mac.Sum(nil)
	}
	ts.Setenv(args[0], input+"."+base64.RawURLEncoding.EncodeToString(signature))
}

func storyKey(ts *testscript.TestScript, name string) *ecdsa.PrivateKey {
	private, err := os.ReadFile(ts.MkAbs(name + ".key"))
	ts.Check(err)
	key, err := x509.ParsePKCS8PrivateKey(private)
	ts.Check(err)
	return key.(*ecdsa.PrivateKey)
}

// clientcert NAME AUTHORITY SUBJECT makes a client certificate, NAME.pem with
// its key in NAME.secret.pem: one of an authority, which is made on its first
// use as AUTHORITY.pem, or with - one that signs itself, and NAME.jwks to
// register it (RFC 8705 §2.2.2).
func clientcert(ts *testscript.TestScript, neg bool, args []string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: args[2]}, DNSNames: []string{args[2] + ".example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	parent, signer := template, key
	if args[1] != "-" {
		parent, signer = authority(ts, args[1])
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".secret.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".key"), private, 0o600))
	made, err := x509.ParseCertificate(der)
	ts.Check(err)
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: args[0], Certificates: []*x509.Certificate{made}}}})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".jwks"), set, 0o600))
}

// authority returns an authority of the story.
func authority(ts *testscript.TestScript, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	if text, err := os.ReadFile(ts.MkAbs(name + ".pem")); err == nil {
		block, _ := pem.Decode(text)
		certificate, err := x509.ParseCertificate(block.Bytes)
		ts.Check(err)
		return certificate, storyKey(ts, name)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(name+".key"), private, 0o600))
	certificate, err := x509.ParseCertificate(der)
	ts.Check(err)
	return certificate, key
}
