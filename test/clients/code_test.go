package clients

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/wattgate/wattgate/test/demo"
)

const callback = "https://client.example.com/callback"

// web registers an application that customers come back to, and configures
// x/oauth2 by discovery.
func web(t *testing.T, s *demo.Server, flags ...string) (*oauth2.Config, *oidc.Provider) {
	t.Helper()
	id, secret := s.Application(t, append([]string{
		"--name", "Web", "--role", "THIRD_PARTY_UTILITY_USAGE_DATA_VIEWER", "--uri", callback,
		"--grant", "authorization_code", "--grant", "refresh_token", "--grant", "urn:ietf:params:oauth:grant-type:device_code",
	}, flags...)...)
	provider, err := oidc.NewProvider(t.Context(), s.Env["WATTGATE_AUTH_URL"])
	if err != nil {
		t.Fatal(err)
	}
	return &oauth2.Config{
		ClientID: id, ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: callback,
		Scopes: []string{oidc.ScopeOpenID, oidc.ScopeOfflineAccess, "query:property", "view:detailed-usage"},
	}, provider
}

// authorize lets the demo's customer log in and agree, and returns the code.
func authorize(t *testing.T, s *demo.Server, c *oauth2.Config, verifier string) string {
	t.Helper()
	back := s.Customer(t).Visit(t, c.AuthCodeURL("some state", oidc.Nonce("some nonce"), oauth2.S256ChallengeOption(verifier)), callback).Query()
	if back.Get("state") != "some state" || back.Get("iss") != s.Env["WATTGATE_AUTH_URL"] || back.Get("code") == "" { // RFC 9207 §2
		t.Fatalf("came back with %v", back)
	}
	return back.Get("code")
}

// golang.org/x/oauth2 and go-oidc: the authorization code grant with PKCE (RFC
// 6749 §4.1, RFC 7636), the ID token, userinfo, and refresh with rotation.
func TestAuthorizationCode(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ kind, algorithm string }{{"Public", "ES256"}, {"Confidential", "EdDSA"}, {"Confidential", "RS256"}} {
		t.Run(test.kind+" "+test.algorithm, func(t *testing.T) {
			t.Parallel()
			s := demo.Start(t, "--token-alg", test.algorithm)
			c, provider := web(t, s, "--type", test.kind)
			verifier := oauth2.GenerateVerifier()
			token, err := c.Exchange(t.Context(), authorize(t, s, c, verifier), oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatal(err)
			}
			query(t, c.Client(t.Context(), token), s, property(s), `"id":"prop_`)
			identity(t, s, c, provider, token)

			fresh := refresh(t, c, token.RefreshToken)
			if fresh.RefreshToken == token.RefreshToken || fresh.AccessToken == token.AccessToken {
				t.Error("a refresh changed nothing")
			}
			query(t, c.Client(t.Context(), fresh), s, property(s), `"id":"prop_`)
			refuse(t, "a refresh token twice", expired(c, t, token.RefreshToken))
			refuse(t, "the family after that", expired(c, t, fresh.RefreshToken)) // RFC 9700 §4.14.2
			query(t, oauth2.NewClient(t.Context(), oauth2.StaticTokenSource(fresh)), s, property(s), `KT-CT-1111`)
		})
	}
}

// identity checks who logged in, as go-oidc reads it (OpenID Connect Core
// §3.1.3.7, §5.3).
func identity(t *testing.T, s *demo.Server, c *oauth2.Config, provider *oidc.Provider, token *oauth2.Token) {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: c.ClientID}).Verify(t.Context(), raw)
	if err != nil {
		t.Fatalf("the ID token: %v", err)
	}
	if id.Nonce != "some nonce" || id.Subject != s.Env["CUSTOMER_USER_ID"] {
		t.Errorf("the ID token is for %s with the nonce %q", id.Subject, id.Nonce)
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			t.Errorf("at_hash: %v", err)
		}
	}
	info, err := provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token))
	if err != nil || info.Subject != id.Subject {
		t.Errorf("userinfo: %+v, %v", info, err)
	}
}

// What an attacker has who saw a code: no verifier, or a code that was used.
func TestCodeOfAnother(t *testing.T) {
	t.Parallel()
	s := demo.Start(t)
	c, _ := web(t, s)
	verifier := oauth2.GenerateVerifier()
	code := authorize(t, s, c, verifier)
	_, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(oauth2.GenerateVerifier()))
	refuse(t, "another verifier", err)

	code = authorize(t, s, c, verifier)
	if _, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err != nil {
		t.Fatal(err)
	}
	_, err = c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	refuse(t, "a code twice", err)
}

// expired lets the client think that its token has expired, so that it uses
// the refresh token.
func expired(c *oauth2.Config, t *testing.T, refreshToken string) error {
	t.Helper()
	_, err := c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: refreshToken, Expiry: time.Now().Add(-time.Hour)}).Token()
	return err
}

func refresh(t *testing.T, c *oauth2.Config, refreshToken string) *oauth2.Token {
	t.Helper()
	token, err := c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: refreshToken, Expiry: time.Now().Add(-time.Hour)}).Token()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func refuse(t *testing.T, what string, err error) {
	t.Helper()
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || e.ErrorCode != "invalid_grant" || strings.Contains(e.ErrorDescription, "token=") {
		t.Errorf("%s: got %v, want invalid_grant", what, err)
	}
}

// consented returns what a client in another language needs to go on with a
// refresh token that came from the browser.
func consented(t *testing.T, s *demo.Server) []string {
	t.Helper()
	c, _ := web(t, s)
	verifier := oauth2.GenerateVerifier()
	token, err := c.Exchange(t.Context(), authorize(t, s, c, verifier), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	return []string{"WEB_CLIENT_ID=" + c.ClientID, "WEB_CLIENT_SECRET=" + c.ClientSecret, "WEB_REDIRECT_URI=" + callback, "REFRESH_TOKEN=" + token.RefreshToken}
}
