package registry_test

import (
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
)

// TestGrantsAndURIsThatGoTogether: RFC 6749 §3.1.2, RFC 8252 §7 and §8.4, RFC 9700 §2.1.
func TestGrantsAndURIsThatGoTogether(t *testing.T) {
	w := newWorld(t)
	code, refresh, device := oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, oauth.GrantDeviceCode
	const good = "https://coach.example/cb"
	for name, c := range map[string]struct {
		kind   domain.ClientType
		grants []string
		uris   []string
		ok     bool
	}{
		"code and refresh":                 {"", []string{code, refresh}, []string{good}, true},
		"device and refresh":               {"", []string{device, refresh}, nil, true},
		"all of them":                      {"", []string{"client_credentials", code, refresh, device}, []string{good}, true},
		"code without a URI":               {"", []string{code}, nil, false},
		"refresh alone":                    {"", []string{refresh}, []string{good}, false},
		"implicit":                         {"", []string{"implicit"}, []string{good}, false},
		"password":                         {"", []string{"password"}, nil, false},
		"a public one":                     {domain.Public, []string{code, refresh, device}, []string{good}, true},
		"a public one in its own name":     {domain.Public, []string{"client_credentials"}, nil, false},
		"the own machine":                  {domain.Public, []string{code}, []string{"http://127.0.0.1/cb", "http://[::1]:9/cb", "http://localhost:9/"}, true},
		"a scheme of its own":              {domain.Public, []string{code}, []string{"com.example.coach:/cb"}, true},
		"a scheme that anybody has":        {domain.Public, []string{code}, []string{"coach:/cb"}, false},
		"a scheme of its own, with secret": {"", []string{code}, []string{"com.example.coach:/cb"}, false},
		"http in the world":                {"", []string{code}, []string{"http://coach.example/cb"}, false},
		"a script":                         {domain.Public, []string{code}, []string{"javascript:alert(1)"}, false},
		"a star":                           {"", []string{code}, []string{"https://*.coach.example/cb"}, false},
		"a user":                           {"", []string{code}, []string{"https://a@coach.example/cb"}, false},
		"a backslash":                      {"", []string{code}, []string{`https://coach.example\cb`}, false},
		"a fragment":                       {"", []string{code}, []string{good + "#x"}, false},
		"an empty fragment":                {"", []string{code}, []string{good + "#"}, false},
		"relative":                         {"", []string{code}, []string{"/cb"}, false},
		"without a host":                   {"", []string{code}, []string{"https:///cb"}, false},
		"one of two":                       {"", []string{code}, []string{good, "http://coach.example/"}, false},
	} {
		_, _, err := w.AddApplication(t.Context(), by, registry.NewApplication{
			Name: name, Partner: w.partner, Role: domain.RoleThirdPartyViewer, Type: c.kind, Grants: c.grants, URIs: c.uris,
		})
		if (err == nil) != c.ok || err != nil && kind(err) != domain.Invalid {
			t.Errorf("%s: got %v, want it to be taken: %v", name, err, c.ok)
		}
	}
}
