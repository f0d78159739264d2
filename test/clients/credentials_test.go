package clients

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/wattgate/wattgate/test/demo"
)

// golang.org/x/oauth2/clientcredentials: RFC 6749 §4.4 with the credentials in
// the header, in the form, and wherever the client thinks best; at both doors.
func TestClientCredentials(t *testing.T) {
	s := demo.Start(t)
	for name, style := range map[string]oauth2.AuthStyle{
		"in the header": oauth2.AuthStyleInHeader, "in the form": oauth2.AuthStyleInParams, "by itself": oauth2.AuthStyleAutoDetect,
	} {
		for _, path := range []string{"/oauth2/token", "/token/"} {
			t.Run(name+" at "+path, func(t *testing.T) {
				c := clientcredentials.Config{
					ClientID: s.Env["THIRD_PARTY_CLIENT_ID"], ClientSecret: s.Env["THIRD_PARTY_CLIENT_SECRET"],
					TokenURL: s.Env["WATTGATE_AUTH_URL"] + path, AuthStyle: style,
					Scopes: []string{"query:property"}, EndpointParams: url.Values{"audience": {"customer"}},
				}
				token, err := c.Token(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if token.Type() != "Bearer" || time.Until(token.Expiry) < 50*time.Minute || token.Extra("scope") != "query:property" {
					t.Errorf("got %s until %v for %v", token.Type(), token.Expiry, token.Extra("scope"))
				}
				query(t, c.Client(t.Context()), s, property(s), `"id":"prop_`)

				c.ClientSecret += "x"
				_, err = c.Token(t.Context())
				if refused, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || refused.ErrorCode != "invalid_client" || refused.Response.StatusCode != 401 {
					t.Errorf("a wrong secret: got %v, want invalid_client", err)
				}
			})
		}
	}
}
