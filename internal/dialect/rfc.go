package dialect

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"sync"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// refusal is an error as it leaves the server.
type refusal struct {
	status      int
	code        oauth.Code
	description string
	about       oauth.Code    // where another code's explanation fits better
	pause       *domain.Pause // of a caller who has tried too often
	challenge   string        // of a resource that wants a proof
	nonce       string        // for the next proof
}

// translate finds status, code and sentence of an error. What has no kind is
// our own fault, and says so without a reason.
func translate(err error) refusal {
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		r := refusal{status: statusOf(e.Code), code: e.Code, description: e.Description, about: e.About, challenge: e.Challenge, nonce: e.Nonce}
		if r.challenge != "" {
			r.status = http.StatusUnauthorized
		}
		return r
	}
	if e, ok := errors.AsType[*domain.Error](err); ok {
		if e.Kind == domain.Throttled { // the code alone is 400 (RFC 8628 §3.5)
			return throttled(e)
		}
		if code, ok := codeOf(e.Kind); ok {
			return refusal{status: statusOf(code), code: code, description: e.Public}
		}
	}
	return refusal{status: http.StatusInternalServerError, code: oauth.ServerError, description: "something went wrong on our side"}
}

// codeOf translates a kind; Internal has no code that says more.
func codeOf(k domain.Kind) (oauth.Code, bool) {
	switch k {
	case domain.Invalid, domain.Conflict:
		return oauth.InvalidRequest, true
	case domain.Unauthenticated:
		return oauth.InvalidToken, true
	case domain.Forbidden:
		return oauth.InsufficientScope, true
	case domain.NotFound:
		return oauth.NotFound, true
	case domain.Unavailable:
		return oauth.TemporarilyUnavailable, true
	case domain.Throttled:
		return oauth.SlowDown, true
	case domain.Internal:
	}
	return "", false
}

// statusOf returns the HTTP status of a code (RFC 6749 §5.2, RFC 6750 §3.1).
func statusOf(c oauth.Code) int {
	switch c {
	case oauth.InvalidClient, oauth.InvalidToken:
		return http.StatusUnauthorized
	case oauth.InsufficientScope:
		return http.StatusForbidden
	case oauth.NotFound:
		return http.StatusNotFound
	case oauth.ServerError:
		return http.StatusInternalServerError
	case oauth.TemporarilyUnavailable:
		return http.StatusServiceUnavailable
	case oauth.InvalidRequest, oauth.InvalidGrant, oauth.UnauthorizedClient, oauth.UnsupportedGrantType,
		oauth.InvalidScope, oauth.InvalidTarget, oauth.SlowDown, oauth.InvalidDPoPProof, oauth.UseDPoPNonce,
		oauth.AccessDenied, oauth.UnsupportedResponseType, oauth.InvalidRequestURI, oauth.LoginRequired,
		oauth.ConsentRequired, oauth.InteractionRequired, oauth.AuthorizationPending, oauth.ExpiredToken:
	}
	return http.StatusBadRequest
}

// Header values are shared between answers: nobody changes them.
var (
	noStore  = []string{"no-store"}
	noCache  = []string{"no-cache"}
	jsonUTF8 = []string{"application/json;charset=UTF-8"}
)

// private marks an answer that no cache may keep (RFC 6749 §5.1).
func private(h http.Header) {
	h["Cache-Control"] = noStore
	h["Pragma"] = noCache
	h["Content-Type"] = jsonUTF8
}

// bodies are buffers for answers: a Writer keeps nothing of what it is given.
var bodies = sync.Pool{New: func() any { b := make([]byte, 0, 1536); return &b }}

// foretold is the size up to which net/http finds out the length of an answer
// by itself, at no cost; a longer one without a length would leave in chunks.
const foretold = 2048

// send writes status and body in one piece.
func send(w http.ResponseWriter, status int, body []byte) {
	if len(body) >= foretold {
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // nobody is left to tell
}

// refuse writes {"error","error_description","error_uri"} in this order.
func refuse(w http.ResponseWriter, r refusal, errorsURL string) {
	private(w.Header())
	if r.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	if r.pause != nil {
		writePause(w.Header(), r.pause)
	}
	writeChallenge(w.Header(), r.challenge, r.nonce)
	body := append(make([]byte, 0, 256), `{"error":`...)
	body = appendString(body, string(r.code))
	body = append(body, `,"error_description":`...)
	body = appendString(body, r.description)
	if errorsURL != "" {
		body = append(body, `,"error_uri":`...)
		body = appendString(body, errorsURL+"#"+string(cmp.Or(r.about, r.code)))
	}
	send(w, r.status, append(body, '}'))
}

// refuseMethod answers a method that the path does not know; Allow is set.
func refuseMethod(w http.ResponseWriter, errorsURL string) {
	refuse(w, refusal{status: http.StatusMethodNotAllowed, code: oauth.InvalidRequest, description: "this path does not know that method; the header Allow lists those it knows"}, errorsURL)
}

// appendString appends a JSON string. Most are plain ASCII.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', byte(c))
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, string(c)...)
		}
	}
	return append(dst, '"')
}
