package issuance

import (
	"slices"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// narrow returns what is left of the granted permissions when a scope is asked,
// and the scope that the token and the answer carry. As soon as one permission
// scope is asked, exactly the asked ones are left; one that is not granted is
// refused (RFC 6749 §5.2). With nothing asked all is granted, and the scope
// lists it (RFC 6749 §3.3).
func narrow(granted domain.Permissions, asked string) (domain.Permissions, string, error) {
	if asked == "openid offline" { // what the document's own request asks for
		return granted, asked, nil
	}
	if strings.Trim(asked, " ") == "" {
		return granted, scopeOf(granted), nil
	}
	if len(asked) > maxScope {
		return 0, "", &oauth.Error{Code: oauth.InvalidScope, Description: "the scope is longer than 1,024 characters"}
	}
	var wanted domain.Permissions
	var room [16]string // more than there are scopes
	once, twice := room[:0], false
	for scope := range strings.SplitSeq(asked, " ") {
		if scope == "" {
			continue
		}
		if slices.Contains(once, scope) {
			twice = true
			continue
		}
		once = append(once, scope)
		if idle(scope) {
			continue
		}
		p, known := domain.PermissionOfScope(scope)
		if !known || !granted.Has(p) {
			return 0, "", &oauth.Error{Code: oauth.InvalidScope, Description: "a scope that was asked for is unknown or not granted to this application"}
		}
		wanted |= domain.PermissionSet(p)
	}
	if wanted == 0 {
		wanted = granted
	}
	if twice { // a scope is a set (RFC 6749 §3.3); nobody carries one twice
		asked = strings.Join(once, " ")
	}
	return wanted, asked, nil
}

// maxScope bounds what a token has to carry: all there are take a quarter of it.
const maxScope = 1024

// scopeOf lists the scopes of permissions.
func scopeOf(s domain.Permissions) string {
	var b strings.Builder
	for _, p := range s.List() {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(p.Scope())
	}
	return b.String()
}

// within keeps of a scope what its holder still has: the idle ones and those
// of permissions in the set.
func within(scope string, s domain.Permissions) string {
	var kept []string
	for name := range strings.SplitSeq(scope, " ") {
		if p, known := domain.PermissionOfScope(name); idle(name) || known && s.Has(p) {
			kept = append(kept, name)
		}
	}
	return strings.Join(kept, " ")
}

// audiences returns what is left of the granted audiences: all where nothing is
// asked (E14), otherwise exactly what is asked, by name or as the public URL of
// a host (RFC 8707 §2).
func (is *Issuer) audiences(granted domain.Audiences, req Request) (domain.Audiences, error) {
	if granted == 0 {
		return 0, &oauth.Error{Code: oauth.UnauthorizedClient, Description: "no audience is granted to this application; whoever set it up has to choose at least one"}
	}
	if len(req.Audience) == 0 && len(req.Resource) == 0 {
		return granted, nil
	}
	var wanted domain.Audiences
	for _, name := range req.Audience {
		a, err := domain.ParseAudience(name)
		if err != nil || !granted.Has(a) {
			return 0, &oauth.Error{Code: oauth.InvalidRequest, Description: "an audience that was asked for is unknown or not granted to this application"}
		}
		wanted |= domain.AudienceSet(a)
	}
	for _, url := range req.Resource {
		a, known := is.Resources[strings.TrimSuffix(url, "/")]
		if !known || !granted.Has(a) {
			return 0, &oauth.Error{Code: oauth.InvalidTarget, Description: "a resource that was asked for is unknown or not granted to this application"}
		}
		wanted |= domain.AudienceSet(a)
	}
	return wanted, nil
}
