package dialect

import "net/http"

// UserInfo is what an application may know of a person (OpenID Connect Core
// §5.1). What is empty is left out (§5.3.2).
type UserInfo struct{ Subject, Name, GivenName, FamilyName, Email string }

// WriteUserInfo writes the answer of the UserInfo endpoint.
func WriteUserInfo(w http.ResponseWriter, u UserInfo) {
	private(w.Header())
	body := appendString([]byte(`{"sub":`), u.Subject)
	for _, claim := range []struct{ name, value string }{
		{"name", u.Name}, {"given_name", u.GivenName}, {"family_name", u.FamilyName}, {"email", u.Email},
	} {
		body = appendMember(body, claim.name, claim.value)
	}
	send(w, http.StatusOK, append(body, '}'))
}
