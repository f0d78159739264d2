package dialect

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// Authorization is an authorization request as it came (RFC 6749 §4.1.1), and
// what others add to it: PKCE (RFC 7636 §4.3), pushed requests (RFC 9126 §4),
// OpenID Connect Core §3.1.2.1.
type Authorization struct {
	ResponseType, ClientID, RedirectURI, Scope, State, Nonce string
	CodeChallenge, CodeChallengeMethod                       string
	RequestURI                                               string
	ResponseMode, Prompt, MaxAge                             string
	Audience, Resource                                       []string
	DPoPKey                                                  string // dpop_jkt: the thumbprint of the key that the code is for (RFC 9449 §10)
	// Unsupported names a parameter that would change what the request means, and
	// that this server does not take: a request object (RFC 9101 §5) would replace
	// all others.
	Unsupported string
}

// ReadAuthorization reads an authorization request from the query of a GET or
// from the form of a POST (RFC 6749 §3.1). A parameter that stands twice is
// refused, whatever it is.
func ReadAuthorization(r *http.Request) (Authorization, error) {
	if r.Method == http.MethodPost {
		f, err := ReadForm(r)
		if err != nil {
			return Authorization{}, err
		}
		return authorization(f), nil
	}
	if len(r.URL.RawQuery) > maxBody {
		return Authorization{}, refused("the query string is larger than 64 KiB")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return Authorization{}, refused("the query string is malformed")
	}
	f := &Form{}
	for name := range parameters {
		for _, value := range query[name] {
			if err := f.add(name, value); err != nil {
				return Authorization{}, err
			}
		}
	}
	return authorization(f), nil
}

// authorization picks the parameters of an authorization request.
func authorization(f *Form) Authorization {
	a := Authorization{
		ResponseType: f.Get("response_type"), ClientID: f.Get("client_id"), RedirectURI: f.Get("redirect_uri"),
		Scope: f.Get("scope"), State: f.Get("state"), Nonce: f.Get("nonce"),
		CodeChallenge: f.Get("code_challenge"), CodeChallengeMethod: f.Get("code_challenge_method"),
		RequestURI: f.Get("request_uri"), ResponseMode: f.Get("response_mode"), Prompt: f.Get("prompt"), MaxAge: f.Get("max_age"),
		Audience: f.All("audience"), Resource: f.All("resource"), DPoPKey: f.Get("dpop_jkt"),
	}
	for _, name := range []string{"registration", "request"} {
		if f.Get(name) != "" {
			a.Unsupported = name
		}
	}
	return a
}

// Asking is an authorization request that an application brings itself, with
// proof of who it is: pushed ahead (RFC 9126 §2.1) or for a device (RFC 8628 §3.1).
type Asking struct {
	Authorization
	Client Credentials
}

// ReadAsking reads such a request.
func ReadAsking(r *http.Request) (*Asking, error) {
	f, err := ReadForm(r)
	if err != nil {
		return nil, err
	}
	a := &Asking{Authorization: authorization(f)}
	if a.RequestURI != "" { // RFC 9126 §2.1
		return nil, refused("request_uri is what this server answers, and no parameter here")
	}
	if a.Unsupported != "" {
		return nil, refused("this server does not take the parameter " + a.Unsupported)
	}
	if a.Client, err = credentials(r.Header["Authorization"], f); err != nil {
		return nil, err
	}
	return a, nil
}

// WritePushed answers a pushed request with its name (RFC 9126 §2.2).
func WritePushed(w http.ResponseWriter, uri string, lifetime int64) {
	private(w.Header())
	body := appendString([]byte(`{"request_uri":`), uri)
	body = append(body, `,"expires_in":`...)
	send(w, http.StatusCreated, append(strconv.AppendInt(body, lifetime, 10), '}'))
}

// Redemption is what a token request brings to have it changed into a token: a
// code (RFC 6749 §4.1.3), a refresh token (§6) or a device code (RFC 8628 §3.4).
type Redemption struct {
	Code, Redirect, Verifier string
	Refresh, Device          domain.Secret
	// Lasting says that the dialect does not rotate refresh tokens.
	Lasting bool
}

// redeemed is the parameter that holds what a grant changes into a token.
func redeemed(grant string) string {
	switch grant {
	case oauth.GrantAuthorizationCode:
		return "code"
	case oauth.GrantRefreshToken:
		return "refresh_token"
	case oauth.GrantDeviceCode:
		return "device_code"
	}
	return ""
}

// readRedemption reads what the grant wants.
func readRedemption(f *Form, wants string) (*Redemption, error) {
	value := f.Get(wants)
	if value == "" {
		return nil, refused("the parameter " + wants + " is missing")
	}
	switch wants {
	case "refresh_token":
		return &Redemption{Refresh: domain.NewSecret(value)}, nil
	case "device_code":
		return &Redemption{Device: domain.NewSecret(value)}, nil
	}
	return &Redemption{Code: value, Redirect: f.Get("redirect_uri"), Verifier: f.Get("code_verifier")}, nil
}

// ScopeHolds reports whether a scope names a value (RFC 6749 §3.3).
func ScopeHolds(scope, value string) bool {
	for name := range strings.SplitSeq(scope, " ") {
		if name == value {
			return true
		}
	}
	return false
}
