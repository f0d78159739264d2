package app

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/secret"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/token"
	"github.com/wattgate/wattgate/internal/webhook"
)

// Config is everything that can be set. A flag wins over a WATTGATE_ variable,
// that over the file, and that over the default. Origins says which one won.
type Config struct {
	Data        string // the folder of the database and the key file
	Database    string // of PostgreSQL; empty: a file in Data
	Listen      string
	AdminListen string // metrics, besides the admin socket
	AuthURL     string
	CustomerURL string
	SupportURL  string
	Environment string
	TokenAlg    string
	TokenHeader bool
	KeyRotation string // a span of time, as are the next two
	KeyPublish  string
	JWKSMaxAge  string
	SealAfter   string // a span of time
	TLSCert     string
	TLSKey      string
	TLSClientCA string
	// TLSClientCerts asks for client certificates of any making.
	TLSClientCerts bool
	InsecureHTTP   bool
	TrustedProxies string // networks, separated by commas or spaces
	// ClientCertHeader is the header in which they pass on client certificates.
	ClientCertHeader string
	// Impersonations is how many an application may have in an hour; 0: any number.
	Impersonations string
	// Complexity and Nodes bound one GraphQL document; the points are of an hour, 0:
	// any number.
	Complexity, Nodes                                 string
	PointsUser, PointsOrganisation, PointsApplication string
	Introspection                                     string
	LogLevel                                          string
	AuditWitness                                      string // a file on another disk, for checkpoints of the audit log

	// WebhookNetworks are networks besides the public internet that web hooks may
	// be sent to, and SocketOrigins web pages that may open subscriptions; both are
	// separated by commas or spaces.
	WebhookNetworks, SocketOrigins string

	Origins map[string]string // setting name -> default, file …, WATTGATE_…, --…
}

// Setting is one line of the table of settings.
type Setting struct {
	Name    string // of the flag and in the file; WATTGATE_ and capitals in the environment
	Default string
	Help    string
	text    func(*Config) *string
	flag    func(*Config) *bool
}

// Settings is the table of all settings, in the order in which they are shown.
var Settings = []Setting{
	{Name: "data", Default: "wattgate-data", Help: "folder of the database and the key file", text: func(c *Config) *string { return &c.Data }},
	{Name: "database", Default: "", Help: "postgres:// URL of the database that several nodes share; without it there is a file in the data folder", text: func(c *Config) *string { return &c.Database }},
	{Name: "listen", Default: "127.0.0.1:8080", Help: "address to listen on; port 0 picks a free one", text: func(c *Config) *string { return &c.Listen }},
	{Name: "admin-listen", Default: "", Help: "address for /metrics; without it they are on the admin socket only", text: func(c *Config) *string { return &c.AdminListen }},
	{Name: "public-auth-url", Default: "", Help: "public URL of the auth host, which is also the issuer; default: the address listened on", text: func(c *Config) *string { return &c.AuthURL }},
	{Name: "public-customer-url", Default: "", Help: "public URL of the customer host; default: the auth URL", text: func(c *Config) *string { return &c.CustomerURL }},
	{Name: "public-support-url", Default: "", Help: "public URL of the support host; default: the auth URL", text: func(c *Config) *string { return &c.SupportURL }},
	{Name: "environment", Default: "staging", Help: "staging or production; secrets of one never work in the other", text: func(c *Config) *string { return &c.Environment }},
	{Name: "token-alg", Default: "ES256", Help: "signature of access tokens: ES256, EdDSA or RS256", text: func(c *Config) *string { return &c.TokenAlg }},
	{Name: "token-header", Default: "true", Help: "send the token in the Authorization response header too, as EnergyZero's clients read it", flag: func(c *Config) *bool { return &c.TokenHeader }},
	{Name: "key-rotation", Default: "90d", Help: "how long a signing key signs before the next one does, for example 90d; 0: until keys rotate", text: func(c *Config) *string { return &c.KeyRotation }},
	{Name: "key-publish", Default: "24h", Help: "how long a new signing key is published before it signs; never less than twice jwks-max-age", text: func(c *Config) *string { return &c.KeyPublish }},
	{Name: "jwks-max-age", Default: "5m", Help: "how long verifiers may keep the published keys, and clients the metadata", text: func(c *Config) *string { return &c.JWKSMaxAge }},
	{Name: "seal-after", Default: "7d", Help: "how long nothing of a month's measurements must have changed before it is packed into one row; corrections are taken ever after", text: func(c *Config) *string { return &c.SealAfter }},
	{Name: "tls-cert", Default: "", Help: "PEM file with the certificate chain", text: func(c *Config) *string { return &c.TLSCert }},
	{Name: "tls-key", Default: "", Help: "PEM file with the certificate's key", text: func(c *Config) *string { return &c.TLSKey }},
	{Name: "tls-client-ca", Default: "", Help: "PEM file with the authorities of client certificates (tls_client_auth); TLS clients are asked for one", text: func(c *Config) *string { return &c.TLSClientCA }},
	{Name: "tls-client-certs", Default: "false", Help: "ask TLS clients for a certificate of any making (self_signed_tls_client_auth, and tokens bound to it)", flag: func(c *Config) *bool { return &c.TLSClientCerts }},
	{Name: "insecure-http", Default: "false", Help: "allow plain http outside loopback", flag: func(c *Config) *bool { return &c.InsecureHTTP }},
	{Name: "trusted-proxies", Default: "", Help: "networks of proxies, for example 10.0.0.0/8, whose X-Forwarded-For names the client; of others it is not read", text: func(c *Config) *string { return &c.TrustedProxies }},
	{Name: "client-certificate-header", Default: "", Help: "header in which trusted-proxies pass on the client's certificate as RFC 9440 writes it, for example Client-Cert; they must delete what clients send in it", text: func(c *Config) *string { return &c.ClientCertHeader }},
	{Name: "impersonations-per-hour", Default: "0", Help: "how often each application may act for customers: so many times at once, and as many come back in an hour; 0: no limit", text: func(c *Config) *string { return &c.Impersonations }},
	{Name: "graphql-complexity", Default: "200", Help: "how complex a GraphQL document may be (KT-CT-1188); the published schema says what each field adds", text: func(c *Config) *string { return &c.Complexity }},
	{Name: "graphql-nodes", Default: "10000", Help: "how many nodes the connections of a GraphQL document may have together (KT-CT-1189)", text: func(c *Config) *string { return &c.Nodes }},
	{Name: "graphql-points-user", Default: "50000", Help: "points that an account user may spend in an hour with each application (KT-CT-1199): 1 for each request, and 1 for each 100 nodes begun; 0: any number", text: func(c *Config) *string { return &c.PointsUser }},
	{Name: "graphql-points-organisation", Default: "100000", Help: "the same of an application that is its partner's own, and of whoever it acts for", text: func(c *Config) *string { return &c.PointsOrganisation }},
	{Name: "graphql-points-application", Default: "300000", Help: "the same of any other application", text: func(c *Config) *string { return &c.PointsApplication }},
	{Name: "graphql-introspection", Default: "authenticated", Help: "who may ask the GraphQL API for its schema: public, authenticated or off; the published file is public", text: func(c *Config) *string { return &c.Introspection }},
	{Name: "webhook-networks", Default: "", Help: "networks besides the public internet that web hooks may be sent to, for example 10.20.0.0/16; with 127.0.0.1 also by plain http to this machine", text: func(c *Config) *string { return &c.WebhookNetworks }},
	{Name: "websocket-origins", Default: "", Help: "origins of web pages, for example https://app.example.com, that may open subscriptions besides those of the customer host", text: func(c *Config) *string { return &c.SocketOrigins }},
	{Name: "audit-witness", Default: "", Help: "file, on another disk or machine, that checkpoints of the audit log are appended to", text: func(c *Config) *string { return &c.AuditWitness }},
	{Name: "log-level", Default: "info", Help: "debug, info, warn or error", text: func(c *Config) *string { return &c.LogLevel }},
}

// Variable returns the name of the setting in the environment.
func (s Setting) Variable() string {
	return "WATTGATE_" + strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
}

// Boolean reports whether the setting is on or off.
func (s Setting) Boolean() bool { return s.flag != nil }

// Get returns the setting's value as text, as it may be shown: without the
// password of a database.
func (s Setting) Get(c *Config) string {
	if s.Name == "database" {
		return redacted(c.Database)
	}
	if s.flag != nil {
		return fmt.Sprint(*s.flag(c))
	}
	return *s.text(c)
}

// set takes a value as text.
func (s Setting) set(c *Config, value, origin string) error {
	if s.flag != nil {
		switch value {
		case "true", "1", "yes", "on":
			*s.flag(c) = true
		case "false", "0", "no", "off":
			*s.flag(c) = false
		default:
			return fmt.Errorf("%s (%s): %q is neither true nor false", s.Name, origin, value)
		}
	} else {
		*s.text(c) = value
	}
	c.Origins[s.Name] = origin
	return nil
}

// Sources are where settings come from.
type Sources struct {
	Flags       map[string]string // those that were given
	Environment func(name string) (string, bool)
	File        string // empty: none
}

// Load reads the configuration and reports all mistakes at once, each by its
// setting and where it came from.
func Load(src Sources) (*Config, error) {
	c := &Config{Origins: map[string]string{}}
	var mistakes []error
	file, err := readFile(src.File)
	if err != nil {
		mistakes = append(mistakes, err)
	}
	for _, s := range Settings {
		value, origin := s.Default, "default"
		if v, ok := file[s.Name]; ok {
			value, origin = v, "file "+src.File
		}
		if v, ok := src.Environment(s.Variable()); ok {
			value, origin = v, s.Variable()
		}
		if v, ok := src.Flags[s.Name]; ok {
			value, origin = v, "--"+s.Name
		}
		if err := s.set(c, value, origin); err != nil {
			mistakes = append(mistakes, err)
		}
		delete(file, s.Name)
	}
	for name := range file {
		mistakes = append(mistakes, fmt.Errorf("%s: %q is not a setting", src.File, name))
	}
	if err := c.Validate(); err != nil {
		mistakes = append(mistakes, err)
	}
	return c, errors.Join(mistakes...)
}

// readFile reads NAME: value lines (YAML).
func readFile(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	file := map[string]string{}
	if err := yaml.Unmarshal(b, &file); err != nil {
		return nil, fmt.Errorf("configuration file %s: %w", path, err)
	}
	return file, nil
}

// Validate reports all mistakes at once, each by its setting.
func (c *Config) Validate() error {
	c.fill()
	var mistakes []error
	wrong := func(name, format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("%s (%s): %s", name, c.Origins[name], fmt.Sprintf(format, args...)))
	}
	if c.Data == "" {
		wrong("data", "name a folder")
	}
	if c.Database != "" {
		if u, err := url.Parse(c.Database); err != nil || u.Opaque != "" || u.Scheme != "postgres" && u.Scheme != "postgresql" {
			wrong("database", "want a URL such as postgres://wattgate@db.example.com/wattgate")
		}
	}
	for _, at := range [][2]string{{"listen", c.Listen}, {"admin-listen", c.AdminListen}} {
		if _, _, err := net.SplitHostPort(at[1]); err != nil && (at[1] != "" || at[0] == "listen") {
			wrong(at[0], "%q is not host:port", at[1])
		}
	}
	for _, at := range [][2]string{{"public-auth-url", c.AuthURL}, {"public-customer-url", c.CustomerURL}, {"public-support-url", c.SupportURL}} {
		name, text := at[0], at[1]
		if text == "" {
			continue
		}
		u, err := url.Parse(text)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
			wrong(name, "%q is not an origin such as https://auth.example.com", text)
		case u.Scheme == "http" && !loopback(u.Hostname()) && !c.InsecureHTTP:
			wrong(name, "%q is plain http outside loopback; that needs insecure-http", text)
		}
	}
	if c.Environment != "staging" && c.Environment != "production" {
		wrong("environment", "%q is neither staging nor production", c.Environment)
	}
	if a := token.Algorithm(c.TokenAlg); a != token.ES256 && a != token.EdDSA && a != token.RS256 {
		wrong("token-alg", "%q is none of ES256, EdDSA, RS256", c.TokenAlg)
	}
	c.wrongSpans(wrong)
	c.wrongCertificates(wrong)
	if n, err := strconv.Atoi(c.Impersonations); err != nil || n < 0 || n > issuance.MaxQuota {
		wrong("impersonations-per-hour", "%q is not a whole number from 0 to %d", c.Impersonations, issuance.MaxQuota)
	}
	c.wrongGraphQL(wrong)
	if host, _, err := net.SplitHostPort(c.Listen); err == nil && c.TLSCert == "" && !loopback(host) && !c.InsecureHTTP {
		wrong("listen", "%q is outside loopback without TLS; give tls-cert and tls-key, or insecure-http behind a proxy", c.Listen)
	}
	if host, _, err := net.SplitHostPort(c.AdminListen); err == nil && !loopback(host) && !c.InsecureHTTP {
		wrong("admin-listen", "%q is outside loopback, and metrics have no TLS; that needs insecure-http", c.AdminListen)
	}
	if _, bad := server.ParseProxies(c.TrustedProxies); bad != "" {
		wrong("trusted-proxies", "%q is neither a network such as 10.0.0.0/8 nor an address", bad)
	}
	if _, bad := webhook.ParseNetworks(c.WebhookNetworks); bad != "" {
		wrong("webhook-networks", "%q is neither a network such as 10.20.0.0/16 nor an address", bad)
	}
	for _, origin := range c.origins() {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			wrong("websocket-origins", "%q is not an origin such as https://app.example.com", origin)
		}
	}
	switch c.LogLevel {
	case "debug", "info", "warn", "error":
	default:
		wrong("log-level", "%q is none of debug, info, warn, error", c.LogLevel)
	}
	return errors.Join(mistakes...)
}

// fill gives what was left out its default, so that the zero Config runs.
func (c *Config) fill() {
	if c.Origins == nil {
		c.Origins = map[string]string{}
	}
	for _, s := range Settings {
		if _, said := c.Origins[s.Name]; !said && s.text != nil && *s.text(c) == "" && s.Default != "" {
			*s.text(c), c.Origins[s.Name] = s.Default, "default"
		}
	}
}

// origins are those of web pages that may open subscriptions.
func (c *Config) origins() []string {
	return strings.FieldsFunc(c.SocketOrigins, func(r rune) bool { return r == ',' || r == ' ' })
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// environment returns the kind of secrets that this installation makes.
func (c *Config) environment() secret.Environment {
	if c.Environment == "production" {
		return secret.Production
	}
	return secret.Staging
}

// quota returns how many impersonations each application may have.
func (c *Config) quota() *issuance.Quota {
	n, _ := strconv.Atoi(c.Impersonations) // as Validate has seen
	return issuance.NewQuota(n)
}

// proxies returns those that are believed.
func (c *Config) proxies() server.Proxies {
	list, _ := server.ParseProxies(c.TrustedProxies) // as Validate has seen
	return list
}
