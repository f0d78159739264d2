package token

import (
	"encoding/json"
	"fmt"

	"github.com/wattgate/wattgate/internal/domain"
)

// Identity is what an ID token says (OpenID Connect Core §2). Times are seconds
// since 1970-01-01 UTC.
type Identity struct {
	Issuer   string          `json:"iss"`
	Subject  domain.UserID   `json:"sub"`
	Audience domain.ClientID `json:"aud"` // the application alone
	Expires  int64           `json:"exp"`
	IssuedAt int64           `json:"iat"`
	AuthTime int64           `json:"auth_time,omitempty"` // when the person logged in; 0: unknown
	Nonce    string          `json:"nonce,omitempty"`     // as it was asked
	SID      string          `json:"sid,omitempty"`       // the family, as in the access token
}

// SignID returns the ID token that says id. Its typ is JWT, which no reader of
// access tokens takes (RFC 9068 §4); [Ring.Verify] knows no such header.
func (r *Ring) SignID(id *Identity) (string, error) {
	if id.Issuer == "" || id.Subject == "" || id.Audience == "" || id.IssuedAt <= 0 || id.Expires <= id.IssuedAt {
		return "", fmt.Errorf("%w: an ID token has iss, sub, aud, iat and a later exp", ErrClaims)
	}
	claims, err := json.Marshal(id)
	if err != nil {
		return "", err
	}
	return r.signObject("JWT", claims)
}
