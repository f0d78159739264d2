package dialect

import (
	"net/http"
	"strconv"

	"github.com/wattgate/wattgate/internal/oauth"
)

// WriteIntrospection writes what is known of an active token.
func WriteIntrospection(w http.ResponseWriter, t oauth.Introspection) {
	private(w.Header())
	send(w, http.StatusOK, appendIntrospection(make([]byte, 0, 768), t))
}

// appendIntrospection appends what is known of an active token, in one order
// (RFC 7662 §2.2).
func appendIntrospection(b []byte, t oauth.Introspection) []byte {
	b = append(b, `{"active":true,"scope":`...)
	b = appendString(b, t.Scope)
	b = appendString(append(b, `,"client_id":`...), t.ClientID)
	b = appendString(append(b, `,"sub":`...), t.Subject)
	b = strconv.AppendInt(append(b, `,"exp":`...), t.Expires, 10)
	b = strconv.AppendInt(append(b, `,"iat":`...), t.IssuedAt, 10)
	b = strconv.AppendInt(append(b, `,"nbf":`...), t.NotBefore, 10)
	b = append(b, `,"aud":[`...)
	for i, a := range t.Audience {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, a)
	}
	b = appendString(append(b, `],"iss":`...), t.Issuer)
	b = appendString(append(b, `,"jti":`...), t.ID)
	b = appendConfirmation(b, t)
	if t.Actor != "" {
		b = appendString(append(b, `,"act":{"sub":`...), t.Actor)
		b = append(b, '}')
	}
	b = appendString(append(b, `,"partner":`...), t.Partner)
	return append(b, '}')
}

// WriteInactive says that a token is not active, and nothing of why.
func WriteInactive(w http.ResponseWriter) {
	private(w.Header())
	send(w, http.StatusOK, []byte(inactive))
}

const inactive = `{"active":false}`
