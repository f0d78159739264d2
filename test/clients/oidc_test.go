package clients

import (
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/wattgate/wattgate/test/demo"
)

// github.com/coreos/go-oidc: discovery, and access tokens of every algorithm
// verified with the keys that discovery leads to.
func TestDiscovery(t *testing.T) {
	for _, algorithm := range []string{"ES256", "EdDSA", "RS256"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			s := demo.Start(t, "--token-alg", algorithm)
			provider, err := oidc.NewProvider(t.Context(), s.Env["WATTGATE_AUTH_URL"])
			if err != nil {
				t.Fatal(err)
			}
			var metadata struct {
				Keys          string `json:"jwks_uri"`
				Introspection string `json:"introspection_endpoint"`
				Revocation    string `json:"revocation_endpoint"`
			}
			if err := provider.Claims(&metadata); err != nil || metadata.Keys == "" || metadata.Introspection == "" || metadata.Revocation == "" {
				t.Errorf("got %+v and %v", metadata, err)
			}
			c := clientcredentials.Config{
				ClientID: s.Env["THIRD_PARTY_CLIENT_ID"], ClientSecret: s.Env["THIRD_PARTY_CLIENT_SECRET"], TokenURL: provider.Endpoint().TokenURL,
			}
			token, err := c.Token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			verifier := provider.Verifier(&oidc.Config{ClientID: "customer", SupportedSigningAlgs: []string{algorithm}})
			verified, err := verifier.Verify(t.Context(), token.AccessToken)
			if err != nil {
				t.Fatal(err)
			}
			var claims struct {
				Client string `json:"client_id"`
			}
			if err := verified.Claims(&claims); err != nil || claims.Client != c.ClientID || verified.Subject != c.ClientID || verified.Issuer != s.Env["WATTGATE_AUTH_URL"] {
				t.Errorf("got %+v of %+v and %v", claims, verified, err)
			}
			if _, err := verifier.Verify(t.Context(), token.AccessToken[:len(token.AccessToken)-8]+"AAAAAAAA"); err == nil {
				t.Error("a tampered token was verified")
			}
			query(t, oauth2.NewClient(t.Context(), oauth2.StaticTokenSource(token)), s, property(s), `"id":"prop_`)
		})
	}
}
