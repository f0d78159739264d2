package registry

import (
	"net/url"
	"slices"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// knownGrants are all there are. Those for the application itself are not for one
// that cannot keep a secret (RFC 6749 §4.4).
var knownGrants = []string{
	oauth.GrantClientCredentials, oauth.GrantTokenExchange, oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, oauth.GrantDeviceCode,
}

// checkGrants refuses grants that cannot be, and URIs that do not go with them.
func checkGrants(a domain.Application) error {
	has := func(grant string) bool { return slices.Contains(a.Grants, grant) }
	for _, g := range a.Grants {
		switch {
		case !slices.Contains(knownGrants, g):
			return invalid("%s is not a grant that this server knows (%s)", domain.Quote(g), strings.Join(knownGrants, ", "))
		case a.Type == domain.Public && (g == oauth.GrantClientCredentials || g == oauth.GrantTokenExchange):
			return invalid("a public client cannot keep a secret and never gets the grant %s", g)
		}
	}
	switch {
	case has(oauth.GrantAuthorizationCode) && len(a.URIs) == 0:
		return invalid("the grant %s needs an allowed URI to send the customer back to", oauth.GrantAuthorizationCode)
	case has(oauth.GrantRefreshToken) && !has(oauth.GrantAuthorizationCode) && !has(oauth.GrantDeviceCode):
		return invalid("the grant %s goes with %s or %s: those bring the first refresh token", oauth.GrantRefreshToken, oauth.GrantAuthorizationCode, oauth.GrantDeviceCode)
	}
	return checkURIs(a)
}

// checkURIs refuses what nobody may be sent to with a code. Where people are sent
// back, it is by https, to the person's own machine (RFC 8252 §7.3), or into a
// public application by a scheme of its own (RFC 8252 §7.1).
func checkURIs(a domain.Application) error {
	for _, uri := range a.URIs {
		u, err := url.Parse(uri)
		if err != nil || !u.IsAbs() || strings.Contains(uri, "#") {
			return invalid("%s is not an absolute URI without a fragment (RFC 6749 §3.1.2)", domain.Quote(uri))
		}
		if !slices.Contains(a.Grants, oauth.GrantAuthorizationCode) {
			continue
		}
		switch host := u.Hostname(); {
		case u.User != nil || strings.ContainsAny(uri, " \\*"):
			return invalid("%s has a user, a space, a backslash or a star in it; nobody is sent there", domain.Quote(uri))
		case u.Scheme == "https" && host != "":
		case u.Scheme == "http" && (host == "127.0.0.1" || host == "::1" || host == "localhost"):
		case a.Type == domain.Public && strings.Contains(u.Scheme, "."):
		default:
			return invalid("%s is neither https, nor http on the customer's own machine, nor a public application's own scheme with a dot in it", domain.Quote(uri))
		}
	}
	return nil
}
