package token

import (
	"strings"
	"unicode/utf8"

	"github.com/wattgate/wattgate/internal/domain"
)

// maxSeconds bounds every time in a token: the year 5138 in seconds.
const maxSeconds = 99_999_999_999

// problem says what is wrong with claims, or nothing. Both sides ask it: what
// does not pass is not signed, and not accepted either.
func (c *Claims) problem() string {
	for _, find := range [...]func(*Claims) string{
		(*Claims).problemOfNames, (*Claims).problemOfSubject, (*Claims).problemOfSets, (*Claims).problemOfTimes, (*Claims).problemOfBinding, (*Claims).problemOfLogin,
	} {
		if why := find(c); why != "" {
			return why
		}
	}
	return ""
}

func (c *Claims) problemOfNames() string {
	if c.ClientID != "" || c.Method == "" {
		if _, err := domain.ParseClientID(string(c.ClientID)); err != nil {
			return "client_id is not an application"
		}
	}
	if _, err := domain.ParsePartnerID(string(c.Partner)); err != nil {
		return "partner is not a partner"
	}
	if c.Issuer == "" || !utf8.ValidString(c.Issuer) || !utf8.ValidString(c.SID) {
		return "iss is empty, or a text is not UTF-8"
	}
	return ""
}

// problemOfSubject keeps applications and users apart (RFC 9068 §5): the
// subject of an application's own token is the application (RFC 9068 §2.2), and
// only as a user can somebody act. Without act, sid is the family of what the
// user has allowed; the two kinds of sid are disjoint.
func (c *Claims) problemOfSubject() string {
	if strings.HasPrefix(c.Subject, "app_") {
		if c.Subject != string(c.ClientID) || c.Actor != "" || c.SID != "" {
			return "sub is an application other than client_id, or somebody acts as it"
		}
		return ""
	}
	if id, err := domain.ParseUserID(c.Subject); err != nil || string(id) != c.Subject {
		return "sub is neither an application nor a user"
	}
	if c.Actor != "" && (c.Actor != c.ClientID || c.SID == "") {
		return "act is another application than client_id, or sid is missing"
	}
	if c.SID != "" && domain.IsFamily(c.SID) != (c.Actor == "") {
		return "sid is an act's and nobody acts, or a family's and somebody does"
	}
	return ""
}

func (c *Claims) problemOfSets() string {
	if c.Audiences == 0 || c.Audiences&^domain.AllAudiences() != 0 {
		return "aud is empty or unknown"
	}
	if c.Permissions&^domain.AllPermissions() != 0 {
		return "perm is unknown"
	}
	for _, b := range []byte(c.Scope) {
		if b < ' ' || b > '~' || b == '"' || b == '\\' { // RFC 6749 §3.3
			return "scope has a character that no scope has"
		}
	}
	return ""
}

func (c *Claims) problemOfTimes() string {
	for _, t := range [...]int64{c.Expires, c.IssuedAt, c.NotBefore} {
		if t <= 0 || t > maxSeconds {
			return "exp, iat or nbf is missing"
		}
	}
	if c.Expires <= c.IssuedAt {
		return "exp is not after iat"
	}
	// It is later than iat where a clock was set back: what is issued now comes
	// after what was revoked before.
	if at, ok := IssuedAt(c.ID); !ok || at.Unix() < c.IssuedAt {
		return "jti is of an instant before iat"
	}
	return ""
}

// problemOfLogin keeps the tokens of account users who have logged in at the
// customer API apart from all others, and below them: they open that API alone,
// nobody acts with them, and they end with their family. A member of staff is
// named by those only with which one looks on.
func (c *Claims) problemOfLogin() string {
	if c.Method == "" {
		if c.OriginallyAt != 0 || c.Staff != "" {
			return "origIat or a member of staff, and nobody has logged in"
		}
		return ""
	}
	switch {
	case !c.Method.Known():
		return "gty is unknown"
	case strings.HasPrefix(c.Subject, "app_") || c.Actor != "" || !domain.IsFamily(c.SID):
		return "who logs in is no user, somebody acts, or sid is no family"
	case c.Audiences != domain.AudienceSet(domain.AudienceCustomer):
		return "a log-in opens another API than the customer's"
	case c.Permissions&^domain.CustomerPermissions != 0:
		return "a log-in holds more than a customer has"
	case c.Bound.Bound():
		return "a log-in is bound"
	case c.OriginallyAt <= 0 || c.OriginallyAt > maxSeconds:
		return "origIat is missing"
	case (c.ClientID != "") != (c.Method == domain.LoginThirdParty || c.Method == domain.LoginPreSigned):
		return "client_id is not that of who got or made it"
	}
	if c.Staff != "" {
		if id, err := domain.ParseUserID(string(c.Staff)); err != nil || id != c.Staff || c.Method != domain.LoginMasquerade {
			return "act is no member of staff, or nobody looks on"
		}
	}
	return ""
}
