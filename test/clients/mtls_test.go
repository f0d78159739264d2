package clients

import (
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/wattgate/wattgate/test/demo"
)

// RFC 8705 with clients that know nothing of it: x/oauth2 and Authlib only ever
// present a certificate, and the token is bound to it.
func TestCertificates(t *testing.T) {
	s := demo.Start(t)
	dir := t.TempDir()
	ca := certify(t, dir, "ca", nil)
	certify(t, dir, "server", ca)
	known := certify(t, dir, "client", ca)
	alone := certify(t, dir, "alone", nil)
	write(t, filepath.Join(dir, "alone.jwks"), alone.jwks(t))
	s.Serve(t, "--tls-cert", filepath.Join(dir, "server.pem"), "--tls-key", filepath.Join(dir, "server.key"),
		"--tls-client-ca", filepath.Join(dir, "ca.pem"), "--tls-client-certs")
	role := []string{"--role", "THIRD_PARTY_UTILITY_USAGE_DATA_VIEWER"}
	byAuthority, _ := s.Application(t, append(role, "--name", "By authority", "--auth-method", "tls_client_auth", "--tls-subject", "dns:client.example.com")...)
	byItself, _ := s.Application(t, append(role, "--name", "By itself", "--auth-method", "self_signed_tls_client_auth", "--jwks", filepath.Join(dir, "alone.jwks"))...)

	for name, c := range map[string]struct {
		id          string
		mine, other *certificate
	}{
		"tls_client_auth":             {byAuthority, known, alone},
		"self_signed_tls_client_auth": {byItself, alone, known},
	} {
		t.Run("x/oauth2 with "+name, func(t *testing.T) {
			config := clientcredentials.Config{ClientID: c.id, TokenURL: s.Env["WATTGATE_AUTH_URL"] + "/oauth2/token", AuthStyle: oauth2.AuthStyleInParams}
			mine, other := c.mine.client(t, ca), c.other.client(t, ca)
			query(t, config.Client(context.WithValue(t.Context(), oauth2.HTTPClient, mine)), s, property(s), `"id":"prop_`)
			if _, err := config.Token(context.WithValue(t.Context(), oauth2.HTTPClient, other)); err == nil {
				t.Error("another certificate brought a token")
			}
			token, err := config.Token(context.WithValue(t.Context(), oauth2.HTTPClient, mine))
			if err != nil {
				t.Fatal(err)
			}
			stolen := oauth2.NewClient(context.WithValue(t.Context(), oauth2.HTTPClient, other), oauth2.StaticTokenSource(token))
			query(t, stolen, s, property(s), "KT-CT-1111") // RFC 8705 §3
		})
	}
	t.Run("authlib", func(t *testing.T) {
		if err := exec.CommandContext(t.Context(), debianPython, "-c", "import authlib").Run(); err != nil {
			missing(t, "Debian's python3-authlib")
		}
		cmd := exec.CommandContext(t.Context(), debianPython, "-B", "-m", "unittest", "-v", "mtls_client")
		cmd.Dir = "python"
		cmd.Env = s.Environ("TLS_DIR="+dir, "TLS_CLIENT_ID="+byAuthority, "SELF_SIGNED_CLIENT_ID="+byItself)
		report(t, cmd, unittest)
	})
}

// unittest is how Python says that all went well.
var unittest = regexp.MustCompile(`(?m)^Ran (\d+) tests? in .*\n\nOK$`)
