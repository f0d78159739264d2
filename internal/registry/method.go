package registry

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/wattgate/wattgate/internal/assertion"
	"github.com/wattgate/wattgate/internal/domain"
)

// checkMethod refuses an application whose way to authenticate lacks what it
// needs, or has what belongs to another way.
func checkMethod(a domain.Application) error {
	m := a.AuthMethod
	switch {
	case !m.Secret() && !m.Certificate() && m != domain.PrivateKeyJWT:
		return invalid("the authentication method is %s, %s, %s, %s or %s, or empty for either of the first two",
			domain.ClientSecretBasic, domain.ClientSecretPost, domain.PrivateKeyJWT, domain.TLSClientAuth, domain.SelfSignedTLSClientAuth)
	case !m.Secret() && a.Type == domain.Public:
		return invalid("a public client does not authenticate")
	case (m == domain.PrivateKeyJWT || m == domain.SelfSignedTLSClientAuth) != (len(a.Keys) > 0):
		return invalid("%s and %s go with a JSON Web Key Set, and nothing else does", domain.PrivateKeyJWT, domain.SelfSignedTLSClientAuth)
	case (m == domain.TLSClientAuth) != (a.TLSSubject != ""):
		return invalid("%s goes with the subject of the certificate, and nothing else does", domain.TLSClientAuth)
	case m == domain.TLSClientAuth:
		return checkSubject(a.TLSSubject)
	case len(a.Keys) == 0:
		return nil
	}
	keys, err := assertion.ParseKeys(a.Keys)
	if err != nil {
		return err
	}
	if m == domain.SelfSignedTLSClientAuth && len(keys.Certificates()) == 0 {
		return invalid("no key of the set has a certificate (x5c), and %s is by certificate", m)
	}
	return nil
}

// checkSubject reads the subject of a certificate (RFC 8705 §2.1.2): exactly one
// of its names.
func checkSubject(subject string) error {
	if len(subject) > 500 {
		return invalid("the subject of the certificate is longer than 500 characters")
	}
	kind, name, _ := strings.Cut(subject, ":")
	good := name != ""
	switch kind {
	case "dns", "email":
		good = good && !strings.ContainsAny(name, " *")
	case "uri":
		u, err := url.Parse(name)
		good = err == nil && u.IsAbs()
	case "ip":
		_, err := netip.ParseAddr(name)
		good = err == nil
	default:
		good = strings.Contains(subject, "=")
	}
	if !good {
		return invalid("the subject is a distinguished name such as CN=meter,O=Example, or one of dns:NAME, uri:URI, ip:ADDRESS, email:ADDRESS")
	}
	return nil
}

// checkFAPI refuses an application in FAPI mode that contradicts the FAPI 2.0
// Security Profile (§5.3.2).
func checkFAPI(a domain.Application) error {
	if !a.FAPI {
		return nil
	}
	switch {
	case a.Type != domain.Confidential:
		return invalid("FAPI mode is for confidential clients")
	case a.AuthMethod.Secret():
		return invalid("FAPI mode has no secrets: the authentication method is %s, %s or %s", domain.PrivateKeyJWT, domain.TLSClientAuth, domain.SelfSignedTLSClientAuth)
	case a.Lifetime > domain.MaxFAPILifetime:
		return invalid("in FAPI mode the lifetime of a token is at most 600 seconds")
	}
	if a.AuthMethod == domain.PrivateKeyJWT {
		keys, err := assertion.ParseKeys(a.Keys)
		if err != nil {
			return err
		}
		if !keys.FAPI() {
			return invalid("FAPI mode has no RS256: give RSA keys the alg PS256, or use P-256 or Ed25519")
		}
	}
	for _, uri := range a.URIs {
		if u, err := url.Parse(uri); err != nil || u.Scheme != "https" {
			return invalid("in FAPI mode redirect URIs are https")
		}
	}
	return nil
}
