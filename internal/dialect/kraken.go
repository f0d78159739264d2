package dialect

import (
	"net/http"
	"strconv"

	"github.com/wattgate/wattgate/internal/oauth"
)

// Kraken writes the answers of /token/.
type Kraken struct {
	// ErrorsURL is the page that explains the error codes.
	ErrorsURL string
}

// WriteToken writes a token as the Kraken auth server does (K18): the whole
// lifetime, Bearer with a capital, and no Authorization header.
func (d Kraken) WriteToken(w http.ResponseWriter, t oauth.Token) {
	private(w.Header())
	room := bodies.Get().(*[]byte)
	defer bodies.Put(room)
	body := append((*room)[:0], `{"access_token":"`...)
	body = append(body, t.Access...)
	body = append(body, `","expires_in":`...)
	body = strconv.AppendInt(body, t.Lifetime, 10)
	body = append(append(body, `,"token_type":"`...), tokenType("Bearer", t)...)
	body = append(body, `","scope":`...)
	body = appendString(body, t.Scope)
	body = appendIssued(body, t.Issued) // no client expects it anywhere: at the end
	body = appendMember(body, "refresh_token", t.Refresh)
	body = appendMember(body, "id_token", t.IDToken)
	*room = append(body, '}')
	send(w, http.StatusOK, *room)
}

// WriteError writes a refusal. Refused credentials get the same few bytes for
// every cause and method.
func (d Kraken) WriteError(w http.ResponseWriter, err error) {
	r := translate(err)
	if r.code != oauth.InvalidClient {
		refuse(w, r, d.ErrorsURL)
		return
	}
	private(w.Header())
	w.Header().Set("WWW-Authenticate", `Bearer error="invalid_client"`)
	send(w, r.status, []byte(`{"error":"invalid_client"}`))
}

// WriteMethod answers a method that the path does not know.
func (d Kraken) WriteMethod(w http.ResponseWriter) { refuseMethod(w, d.ErrorsURL) }
