package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"os"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/rogpeppe/go-internal/testscript"
)

// keypair NAME makes the key of an application: NAME.jwks is for the platform,
// NAME.key stays with the developer.
func keypair(ts *testscript.TestScript, neg bool, args []string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	public, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: args[0], Use: "sig"}}})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".key"), private, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".jwks"), public, 0o600))
}

// assertion NAME KEY CLIENT AUDIENCE JTI sets NAME to an assertion of a client
// (RFC 7523 §2.2), signed with its key by another's library.
func assertion(ts *testscript.TestScript, neg bool, args []string) {
	private, err := os.ReadFile(ts.MkAbs(args[1] + ".key"))
	ts.Check(err)
	key, err := x509.ParsePKCS8PrivateKey(private)
	ts.Check(err)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: args[1]}}, nil)
	ts.Check(err)
	now := storyTime(ts.Getenv("STORY_CLOCK"))
	claims, err := json.Marshal(map[string]any{
		"iss": args[2], "sub": args[2], "aud": args[3], "jti": args[4], "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	})
	ts.Check(err)
	signed, err := signer.Sign(claims)
	ts.Check(err)
	text, err := signed.CompactSerialize()
	ts.Check(err)
	ts.Setenv(args[0], text)
}
