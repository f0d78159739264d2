package dialect

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// TokenRequest is what is asked of a token endpoint, in either dialect.
type TokenRequest struct {
	GrantType string
	Scope     string   // as it was sent; empty where it was not
	Audience  []string // empty: all that is granted
	Resource  []string // RFC 8707
	Client    Credentials
	Exchange  *Exchange // of that grant only

	Redemption *Redemption // of the grants that change something into a token only
}

// Credentials are how an application says who it is (RFC 6749 §2.3.1).
type Credentials struct {
	ID     string
	Secret domain.Secret     // the secret, or with private_key_jwt the assertion
	Method domain.AuthMethod // empty: nothing was presented
}

// ReadToken reads a token request: a form, with the credentials in it or in
// an Authorization header of the scheme Basic, and never in both.
func ReadToken(r *http.Request) (*TokenRequest, error) {
	f, err := ReadForm(r)
	if err != nil {
		return nil, err
	}
	req := &TokenRequest{GrantType: f.Get("grant_type"), Scope: f.Get("scope"), Audience: f.All("audience"), Resource: f.All("resource")}
	if req.GrantType == "" {
		return nil, refused("the parameter grant_type is missing")
	}
	if req.GrantType == oauth.GrantTokenExchange {
		if req.Exchange, err = readExchange(f); err != nil {
			return nil, err
		}
	}
	if wants := redeemed(req.GrantType); wants != "" {
		if req.Redemption, err = readRedemption(f, wants); err != nil {
			return nil, err
		}
	}
	req.Client, err = credentials(r.Header["Authorization"], f)
	if err != nil {
		return nil, err
	}
	return req, nil
}

// credentials finds the one way in which the request authenticates.
func credentials(headers []string, f *Form) (Credentials, error) {
	id, secret := f.Get("client_id"), f.Get("client_secret")
	signed, kind := f.Get("client_assertion"), f.Get("client_assertion_type")
	if signed != "" || kind != "" {
		if len(headers) > 0 || secret != "" {
			return Credentials{}, refused("the request authenticates in two ways; an assertion goes alone")
		}
		if kind != assertionType || signed == "" {
			return Credentials{}, refused("client_assertion goes with client_assertion_type=" + assertionType)
		}
		return Credentials{ID: id, Secret: domain.NewSecret(signed), Method: domain.PrivateKeyJWT}, nil
	}
	switch {
	case len(headers) > 1:
		return Credentials{}, refused("the request has more than one Authorization header")
	case len(headers) == 1 && secret != "":
		return Credentials{}, refused("the request authenticates in two ways; use the form or the Authorization header")
	case len(headers) == 1:
		return basic(headers[0], id)
	case secret != "":
		return Credentials{ID: id, Secret: domain.NewSecret(secret), Method: domain.ClientSecretPost}, nil
	}
	return Credentials{ID: id}, nil
}

// assertionType is that of an assertion that is a JWT (RFC 7523 §2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// basic reads the scheme Basic. RFC 6749 §2.3.1 form-encodes the two halves
// first; our own identifiers and secrets hold only characters that this leaves
// alone, so that clients which forget it work too. Another scheme, or what
// cannot be read, presents nothing: it gets the answer of every other refused
// client, after the same work.
func basic(header, formID string) (Credentials, error) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") || len(header) > maxHeader {
		return Credentials{}, nil
	}
	plain, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || !clean(string(plain)) {
		return Credentials{}, nil
	}
	id, secret, ok := strings.Cut(string(plain), ":")
	id, err1 := url.QueryUnescape(id)
	secret, err2 := url.QueryUnescape(secret)
	if !ok || err1 != nil || err2 != nil {
		return Credentials{}, nil
	}
	if formID != "" && formID != id {
		return Credentials{}, refused("client_id in the form is another than in the Authorization header")
	}
	return Credentials{ID: id, Secret: domain.NewSecret(secret), Method: domain.ClientSecretBasic}, nil
}
