package dialect

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// EnergyZero writes the answers of /oauth2/token and /v1/auth/impersonate.
type EnergyZero struct {
	// ErrorsURL is the page that explains the error codes.
	ErrorsURL string
	// NoTokenHeader leaves the token out of the Authorization response header,
	// where E15 and E20 read it.
	NoTokenHeader bool
}

// WriteToken writes a token into the body and the Authorization header (E15,
// E20, E22): access_token, expires_in, scope, token_type in this order, the
// lifetime less one second, bearer in lower case. What other grants add stands
// where the alphabet, in which they are, has it.
func (d EnergyZero) WriteToken(w http.ResponseWriter, t oauth.Token) {
	h := w.Header()
	private(h)
	if !d.NoTokenHeader {
		h["Authorization"] = []string{t.Bearer}
	}
	room := bodies.Get().(*[]byte)
	defer bodies.Put(room)
	body := append((*room)[:0], `{"access_token":"`...)
	body = append(body, t.Access...)
	body = append(body, `","expires_in":`...)
	body = strconv.AppendInt(body, t.Lifetime-1, 10)
	body = appendMember(body, "id_token", t.IDToken)
	body = appendIssued(body, t.Issued)
	body = appendMember(body, "refresh_token", t.Refresh)
	body = append(body, `,"scope":`...)
	body = appendString(body, t.Scope)
	*room = append(append(append(body, `,"token_type":"`...), tokenType("bearer", t)...), `"}`...)
	send(w, http.StatusOK, *room)
}

// WriteError writes a refusal of a token, impersonation or key endpoint. 401
// names the scheme of the credentials that were refused (RFC 9110 §11.6.1).
func (d EnergyZero) WriteError(w http.ResponseWriter, err error) {
	r := translate(err)
	switch r.code {
	case oauth.InvalidClient:
		w.Header().Set("WWW-Authenticate", `Basic realm="wattgate"`)
	case oauth.InvalidToken:
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	case oauth.InsufficientScope:
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope"`)
	default:
	}
	refuse(w, r, d.ErrorsURL)
}

// WriteMethod answers a method that the path does not know.
func (d EnergyZero) WriteMethod(w http.ResponseWriter) { refuseMethod(w, d.ErrorsURL) }

// ReadImpersonate reads whom to impersonate (E19): the query parameter user_id,
// once, as usr_… or as the UUID of the same user. A prefetch is refused,
// because this GET makes a token.
func ReadImpersonate(r *http.Request) (domain.UserID, error) {
	for _, name := range []string{"Sec-Purpose", "Purpose"} {
		if strings.Contains(strings.ToLower(r.Header.Get(name)), "prefetch") {
			return "", refused("a token is not made ahead of time")
		}
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", refused("the query string is malformed")
	}
	switch values := query["user_id"]; {
	case len(values) == 0:
		return "", refused("the parameter user_id is missing")
	case len(values) > 1:
		return "", refused("the parameter user_id stands twice")
	default:
		return domain.ParseUserID(values[0])
	}
}
