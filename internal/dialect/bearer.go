package dialect

import (
	"net/http"
	"strings"
)

// maxHeader bounds an Authorization header.
const maxHeader = 8 << 10

// BearerToken reads the access token of a request to an API. Clients of the two
// dialects write it with the scheme Bearer (E18), with JWT, or raw without any
// scheme (E21, K19); a scheme is read in any case. It returns "" where the
// request has no Authorization header, and refuses two headers, a token in the
// query (RFC 9700 §4.3.2), and what cannot be a token.
func BearerToken(r *http.Request) (string, error) {
	if strings.Contains(r.URL.RawQuery, "access_token=") {
		return "", refused("an access token belongs into the Authorization header, never into the query string")
	}
	headers := r.Header["Authorization"]
	switch {
	case len(headers) == 0:
		return "", nil
	case len(headers) > 1:
		return "", refused("the request has more than one Authorization header")
	case len(headers[0]) > maxHeader:
		return "", refused("the Authorization header is larger than 8 KiB")
	}
	token := strings.Trim(headers[0], " ")
	if scheme, rest, found := strings.Cut(token, " "); found {
		if !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "JWT") {
			return "", refused("the Authorization header has a scheme that this API does not take")
		}
		token = strings.TrimLeft(rest, " ")
	}
	if strings.ContainsAny(token, " \t,") {
		return "", refused("the Authorization header holds more than a token")
	}
	return token, nil
}
