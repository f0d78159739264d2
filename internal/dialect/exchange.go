package dialect

import (
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// Exchange is what a token request holds besides when its grant is token
// exchange (RFC 8693 §2.1).
type Exchange struct {
	User   domain.UserID // whom the new token is to speak for
	Actor  string        // the access token of who is to act
	Reason string        // ours: why, for the audit log
}

// readExchange reads an exchange. The one that there is names a user by
// identifier and brings the application's own access token as the actor's. A
// token type that is missing or another is refused, and so is a wish for
// anything but an access token.
func readExchange(f *Form) (*Exchange, error) {
	for _, p := range []struct{ name, value string }{
		{"subject_token_type", oauth.TokenTypeUserID},
		{"actor_token_type", oauth.TokenTypeAccess},
	} {
		switch f.Get(p.name) {
		case p.value:
		case "":
			return nil, refused("the parameter " + p.name + " is missing")
		default:
			return nil, refused("this server knows one " + p.name + ": " + p.value)
		}
	}
	if t := f.Get("requested_token_type"); t != "" && t != oauth.TokenTypeAccess {
		return nil, refused("this server issues one token type: " + oauth.TokenTypeAccess)
	}
	for _, name := range []string{"subject_token", "actor_token"} {
		if f.Get(name) == "" {
			return nil, refused("the parameter " + name + " is missing")
		}
	}
	user, err := domain.ParseUserID(f.Get("subject_token"))
	if err != nil {
		return nil, err
	}
	return &Exchange{User: user, Actor: f.Get("actor_token"), Reason: f.Get("reason")}, nil
}

// appendIssued appends issued_token_type where a token was exchanged for
// another (RFC 8693 §2.2.1).
func appendIssued(body []byte, issued string) []byte {
	return appendMember(body, "issued_token_type", issued)
}

// appendMember appends a member, unless it is empty.
func appendMember(body []byte, name, value string) []byte {
	if value == "" {
		return body
	}
	return appendString(append(append(append(body, `,"`...), name...), `":`...), value)
}
