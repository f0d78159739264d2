package authorize

import (
	"slices"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// The bounds of what an application may have carried back to it, in bytes.
const (
	maxState  = 2048
	maxNonce  = 512
	maxScope  = 1024
	maxPrompt = 64
)

// idleScopes narrow nothing; everybody may ask for them.
var idleScopes = []string{"openid", "offline", "offline_access"}

// Check returns the authorization request of its parameters, or a [*Refused].
// Refused.Redirect is set only where both application and redirect URI are right
// (RFC 6749 §4.1.2.1). Parameters with a request_uri belong to [Desk.Pushed].
func (d *Desk) Check(p Params) (Request, error) {
	app := d.Directory.Directory().Application(domain.ClientID(p.ClientID))
	switch {
	case p.ClientID == "":
		return Request{}, page(oauth.InvalidRequest, "the parameter client_id is missing")
	case app == nil || app.Closed:
		return Request{}, page(oauth.UnauthorizedClient, "this application is not known here")
	case p.RequestURI != "":
		return Request{}, page(oauth.InvalidRequest, "a request with request_uri has its parameters there, and request_uri is not for here (RFC 9126 §2.1)")
	case p.RedirectURI == "":
		return Request{}, page(oauth.InvalidRequest, "the parameter redirect_uri is missing")
	case !mayReturn(&app.Application, p.RedirectURI):
		return Request{}, page(oauth.InvalidRequest, "redirect_uri is none of those that the application has registered, or is not safe to return to")
	}
	refuse := func(code oauth.Code, why string) (Request, error) {
		r := &Refused{Redirect: p.RedirectURI, Code: string(code), Description: why}
		if printable(p.State, maxState) {
			r.State = p.State
		}
		return Request{}, r
	}
	if code, why := problemOf(app, &p); why != "" {
		return refuse(code, why)
	}
	if code, why := d.problemOfAsked(app, &p); why != "" {
		return refuse(code, why)
	}
	req := request(app, &p)
	req.Redirect, req.State, req.Nonce, req.Challenge = p.RedirectURI, p.State, p.Nonce, p.CodeChallenge
	req.Prompt, req.MaxAge, req.DPoPKey = p.Prompt, p.MaxAge, p.DPoPKey
	req.At = d.Now()
	return req, nil
}

// CheckDevice returns the request of a device (RFC 8628 §3.1): client_id, scope,
// audience and resource. The error is an [*oauth.Error].
func (d *Desk) CheckDevice(p Params) (Request, error) {
	app := d.Directory.Directory().Application(domain.ClientID(p.ClientID))
	switch {
	case app == nil || app.Closed:
		return Request{}, &oauth.Error{Code: oauth.InvalidClient, Description: "this application is not known here"}
	case !slices.Contains(app.Grants, oauth.GrantDeviceCode):
		return Request{}, &oauth.Error{Code: oauth.UnauthorizedClient, Description: "this application may not use the grant " + oauth.GrantDeviceCode}
	}
	if code, why := d.problemOfAsked(app, &p); why != "" {
		return Request{}, &oauth.Error{Code: code, Description: why}
	}
	req := request(app, &p)
	req.At = d.Now()
	return req, nil
}

func request(app *domain.Listing, p *Params) Request {
	return Request{
		Client: app.ID, Partner: app.Partner, Scope: strings.Join(strings.Fields(p.Scope), " "),
		Audience: slices.Clone(p.Audience), Resource: slices.Clone(p.Resource),
	}
}

// problemOf says what is wrong with the form of a request for a code.
func problemOf(app *domain.Listing, p *Params) (oauth.Code, string) {
	switch {
	case p.ResponseType == "":
		return oauth.InvalidRequest, "the parameter response_type is missing"
	case p.ResponseType != "code": // no implicit grant (RFC 9700 §2.1.2)
		return oauth.UnsupportedResponseType, "response_type is code, and nothing else here"
	case !slices.Contains(app.Grants, oauth.GrantAuthorizationCode):
		return oauth.UnauthorizedClient, "this application may not use the grant authorization_code"
	case p.ResponseMode != "" && p.ResponseMode != "query":
		return oauth.InvalidRequest, "response_mode is query, and nothing else here"
	case p.DPoPKey != "" && !keyOf(p.DPoPKey).Valid():
		return oauth.InvalidRequest, "dpop_jkt is not the SHA-256 thumbprint of a key"
	case p.Browser && app.FAPI: // FAPI 2.0 Security Profile §5.3.2.2
		return oauth.InvalidRequest, "this application pushes its requests (RFC 9126)"
	case p.CodeChallenge == "": // RFC 7636 §4.4.1, RFC 9700 §2.1.1
		return oauth.InvalidRequest, "code_challenge is missing: PKCE is required"
	case p.CodeChallengeMethod != "S256": // without a method it would be plain (RFC 7636 §4.3)
		return oauth.InvalidRequest, "code_challenge_method is S256, and nothing else here"
	case !isChallenge(p.CodeChallenge):
		return oauth.InvalidRequest, "code_challenge is not the SHA-256 of a verifier: 43 characters of base64url"
	case !printable(p.State, maxState):
		return oauth.InvalidRequest, "state is longer than 2,048 bytes or has characters beyond printable ASCII"
	case !printable(p.Nonce, maxNonce):
		return oauth.InvalidRequest, "nonce is longer than 512 bytes or has characters beyond printable ASCII"
	case !isPrompt(p.Prompt):
		return oauth.InvalidRequest, "prompt is none alone, or any of login, consent and select_account"
	case len(p.MaxAge) > 9 || strings.Trim(p.MaxAge, "0123456789") != "":
		return oauth.InvalidRequest, "max_age is a number of seconds"
	}
	return "", ""
}

// problemOfAsked says what is wrong with what is asked for.
func (d *Desk) problemOfAsked(app *domain.Listing, p *Params) (oauth.Code, string) {
	switch {
	case len(p.Scope) > maxScope:
		return oauth.InvalidScope, "the scope is longer than 1,024 characters"
	case app.Permissions.And(domain.CustomerPermissions) == 0:
		return oauth.UnauthorizedClient, "the role of this application holds nothing that a customer could allow"
	}
	if _, ok := permissions(app, p.Scope); !ok {
		return oauth.InvalidScope, "a scope that was asked for is unknown or not granted to this application"
	}
	if d.Targets == nil {
		return "", ""
	}
	if err := d.Targets(app.Audiences, p.Audience, p.Resource); err != nil {
		if e, ok := err.(*oauth.Error); ok {
			return e.Code, e.Description
		}
		return oauth.InvalidTarget, "an audience or a resource that was asked for is unknown or not granted to this application"
	}
	return "", ""
}

// permissions returns what a scope asks for: exactly the named permissions, or
// without any all that application and customer have in common.
func permissions(app *domain.Listing, scope string) (domain.Permissions, bool) {
	granted := app.Permissions.And(domain.CustomerPermissions)
	var wanted domain.Permissions
	for name := range strings.FieldsSeq(scope) {
		if slices.Contains(idleScopes, name) {
			continue
		}
		p, known := domain.PermissionOfScope(name)
		if !known || !granted.Has(p) {
			return 0, false
		}
		wanted |= domain.PermissionSet(p)
	}
	if wanted == 0 {
		wanted = granted
	}
	return wanted, true
}

// offline reports whether a refresh token is asked for (OpenID Connect Core §11).
func offline(scope string) bool {
	names := strings.Fields(scope)
	return slices.Contains(names, "offline_access") || slices.Contains(names, "offline")
}

func isPrompt(s string) bool {
	names := strings.Fields(s)
	for _, name := range names {
		switch name {
		case "login", "consent", "select_account":
		case "none":
			if len(names) > 1 {
				return false
			}
		default:
			return false
		}
	}
	return len(s) <= maxPrompt
}

// printable bounds a text that comes back as it was sent (RFC 6749 §A.5).
func printable(s string, most int) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return len(s) <= most
}

// page is a refusal that does not go to the redirect URI.
func page(code oauth.Code, why string) *Refused {
	return &Refused{Code: string(code), Description: why}
}
