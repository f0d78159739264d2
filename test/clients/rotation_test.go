package clients

import (
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/wattgate/wattgate/test/demo"
)

// go-oidc keeps the keys that it has fetched. A token of a key that it does not
// have yet makes it look again, and an emergency rotation leaves nothing that
// it would still believe the old key for.
func TestRotation(t *testing.T) {
	t.Parallel()
	s := demo.Start(t)
	provider, err := oidc.NewProvider(t.Context(), s.Env["WATTGATE_AUTH_URL"])
	if err != nil {
		t.Fatal(err)
	}
	c := clientcredentials.Config{
		ClientID: s.Env["THIRD_PARTY_CLIENT_ID"], ClientSecret: s.Env["THIRD_PARTY_CLIENT_SECRET"], TokenURL: provider.Endpoint().TokenURL,
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: "customer"}) // the algorithms are those of discovery
	var old string
	for range 3 {
		token, err := c.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verifier.Verify(t.Context(), token.AccessToken); err != nil {
			t.Errorf("a new token: %v", err)
		}
		if old != "" {
			if _, err := verifier.Verify(t.Context(), old); err == nil {
				t.Error("a token of the dropped key was verified")
			}
		}
		old = token.AccessToken
		s.Run(t, "keys", "rotate", "--now")
	}
}
