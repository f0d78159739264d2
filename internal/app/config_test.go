package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/app"
)

// sources makes sources of settings out of maps.
func sources(t *testing.T, file string, environment, flags map[string]string) app.Sources {
	t.Helper()
	src := app.Sources{Flags: flags, Environment: func(name string) (string, bool) {
		v, ok := environment[name]
		return v, ok
	}}
	if file != "" {
		src.File = filepath.Join(t.TempDir(), "wattgate.yaml")
		if err := os.WriteFile(src.File, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return src
}

func TestWhichSettingWins(t *testing.T) {
	type from = map[string]string
	for name, c := range map[string]struct {
		file               string
		environment, flags from
		want, origin       string
	}{
		"nothing given: the default": {"", nil, nil, "127.0.0.1:8080", "default"},
		"the file over the default":  {"listen: 127.0.0.1:1", nil, nil, "127.0.0.1:1", "file "},
		"the environment over the file": {
			"listen: 127.0.0.1:1",
			from{"WATTGATE_LISTEN": "127.0.0.1:2"},
			nil,
			"127.0.0.1:2", "WATTGATE_LISTEN",
		},
		"a flag over all": {
			"listen: 127.0.0.1:1",
			from{"WATTGATE_LISTEN": "127.0.0.1:2"},
			from{"listen": "127.0.0.1:3"},
			"127.0.0.1:3", "--listen",
		},
		"a flag that says the default is still the flag's": {
			"listen: 127.0.0.1:1", nil,
			from{"listen": "127.0.0.1:8080"},
			"127.0.0.1:8080", "--listen",
		},
	} {
		src := sources(t, c.file, c.environment, c.flags)
		got, err := app.Load(src)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Listen != c.want || !strings.HasPrefix(got.Origins["listen"], c.origin) {
			t.Errorf("%s: got %q from %q, want %q from %q", name, got.Listen, got.Origins["listen"], c.want, c.origin)
		}
		for _, s := range app.Settings {
			if got.Origins[s.Name] == "" {
				t.Errorf("%s: %s has no origin", name, s.Name)
			}
			if s.Name != "listen" && s.Get(got) != s.Default {
				t.Errorf("%s: %s is %q, want the default %q", name, s.Name, s.Get(got), s.Default)
			}
		}
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	_, err := app.Load(sources(t, "environment: moon\ncolour: blue\ntoken-header: perhaps\n",
		map[string]string{"WATTGATE_TOKEN_ALG": "none", "WATTGATE_LOG_LEVEL": "loud"},
		map[string]string{"listen": "0.0.0.0:80", "public-auth-url": "http://auth.example.com", "public-customer-url": "example.com/x", "tls-key": "key.pem", "admin-listen": "x", "data": ""}))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`environment (file `, `"moon" is neither staging nor production`,
		`"colour" is not a setting`,
		`token-header (file `, `"perhaps" is neither true nor false`,
		`token-alg (WATTGATE_TOKEN_ALG): "none" is none of ES256, EdDSA, RS256`,
		`log-level (WATTGATE_LOG_LEVEL): "loud"`,
		`listen (--listen): "0.0.0.0:80" is outside loopback without TLS`,
		`public-auth-url (--public-auth-url): "http://auth.example.com" is plain http outside loopback`,
		`public-customer-url (--public-customer-url): "example.com/x" is not an origin`,
		`tls-cert (default): tls-cert and tls-key go together`,
		`admin-listen (--admin-listen): "x" is not host:port`,
		`data (--data): name a folder`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the mistakes lack %q:\n%v", want, err)
		}
	}
}

func TestPlaces(t *testing.T) {
	type from = map[string]string
	for name, c := range map[string]struct {
		flags from
		want  string // of the mistake; empty: none
	}{
		"loopback":                         {from{"listen": "[::1]:0"}, ""},
		"localhost":                        {from{"listen": "localhost:0"}, ""},
		"everywhere without TLS":           {from{"listen": ":80"}, "outside loopback"},
		"everywhere without TLS on demand": {from{"listen": ":80", "insecure-http": "true"}, ""},
		"everywhere with TLS":              {from{"listen": ":443", "tls-cert": "c", "tls-key": "k"}, ""},
		"an https origin":                  {from{"public-auth-url": "https://auth.example.com/"}, ""},
		"an http origin on loopback":       {from{"public-auth-url": "http://127.0.0.1:8080"}, ""},
		"an origin with a query":           {from{"public-auth-url": "https://auth.example.com/?x"}, "not an origin"},
		"an origin with a path":            {from{"public-support-url": "https://example.com/support"}, "not an origin"},
		"another scheme":                   {from{"public-auth-url": "ftp://example.com"}, "not an origin"},
	} {
		_, err := app.Load(sources(t, "", nil, c.flags))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v: got %v, want %q", name, c.flags, err, c.want)
		}
	}
}

func TestWhoseCertificatesCount(t *testing.T) {
	type from = map[string]string
	for name, c := range map[string]struct {
		flags from
		want  string // of the mistake; empty: none
	}{
		"over TLS of our own":              {from{"tls-cert": "c", "tls-key": "k", "tls-client-certs": "true"}, ""},
		"by a proxy":                       {from{"client-certificate-header": "Client-Cert", "trusted-proxies": "10.0.0.0/8", "tls-client-certs": "true"}, ""},
		"by a proxy, of an authority":      {from{"client-certificate-header": "X-Cert_1", "trusted-proxies": "10.0.0.0/8", "tls-client-ca": "ca"}, ""},
		"by both":                          {from{"client-certificate-header": "Client-Cert", "trusted-proxies": "10.0.0.0/8", "tls-cert": "c", "tls-key": "k", "tls-client-ca": "ca"}, ""},
		"by neither":                       {from{"tls-client-certs": "true"}, "need tls-cert and tls-key, or client-certificate-header"},
		"a header of everybody":            {from{"client-certificate-header": "Client-Cert", "tls-client-certs": "true"}, "name in trusted-proxies"},
		"a header that counts for nothing": {from{"client-certificate-header": "Client-Cert", "trusted-proxies": "10.0.0.0/8"}, "only with tls-client-ca or tls-client-certs"},
		"no name of a header":              {from{"client-certificate-header": "Client Cert", "trusted-proxies": "10.0.0.0/8", "tls-client-certs": "true"}, `"Client Cert" is not the name`},
	} {
		_, err := app.Load(sources(t, "", nil, c.flags))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v: got %v, want %q", name, c.flags, err, c.want)
		}
	}
}

func TestHowManyImpersonations(t *testing.T) {
	for text, good := range map[string]bool{"0": true, "1": true, "1000000": true, "-1": false, "1000001": false, "1.5": false, "many": false, "99999999999999999999": false} {
		_, err := app.Load(sources(t, "", nil, map[string]string{"impersonations-per-hour": text}))
		if (err == nil) != good || !good && !strings.Contains(err.Error(), "is not a whole number from 0 to 1000000") {
			t.Errorf("%q: got %v, want accepted: %v", text, err, good)
		}
	}
}

func TestLimitsOfTheGraphQLAPI(t *testing.T) {
	for _, c := range []struct {
		name, text string
		good       bool
	}{
		{"graphql-complexity", "1", true},
		{"graphql-complexity", "100000", true},
		{"graphql-complexity", "0", false},
		{"graphql-complexity", "100001", false},
		{"graphql-complexity", "", false},
		{"graphql-nodes", "1000000", true},
		{"graphql-nodes", "0", false},
		{"graphql-nodes", "ten", false},
		{"graphql-points-user", "0", true},
		{"graphql-points-user", "100000000", true},
		{"graphql-points-user", "-1", false},
		{"graphql-points-organisation", "100000001", false},
		{"graphql-points-application", "1.5", false},
		{"graphql-introspection", "public", true},
		{"graphql-introspection", "off", true},
		{"graphql-introspection", "Authenticated", false},
		{"graphql-introspection", "", false},
	} {
		_, err := app.Load(sources(t, "", nil, map[string]string{c.name: c.text}))
		if (err == nil) != c.good || !c.good && !strings.Contains(err.Error(), c.name+" (") {
			t.Errorf("%s %q: got %v, want accepted: %v", c.name, c.text, err, c.good)
		}
	}
}

func TestAFileThatCannotBeRead(t *testing.T) {
	for name, file := range map[string]string{"not there": "", "not YAML": "\t{", "a list": "- listen"} {
		src := sources(t, file, nil, nil)
		if file == "" {
			src.File = filepath.Join(t.TempDir(), "missing.yaml")
		}
		if _, err := app.Load(src); err == nil || !strings.Contains(err.Error(), "configuration file") {
			t.Errorf("%s: got %v, want an error that names the file", name, err)
		}
	}
}
