package dialect

import (
	"errors"
	"net/http"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// Presented reads the access token of a request to an API, as [BearerToken]
// does, or with the scheme DPoP (RFC 9449 §7.1), and what may go with it: the
// proofs of the header DPoP, and the client certificate of the connection. The
// public URL of the host, without a slash at the end, is where proofs must be
// for: the request's own Host header may say anything.
func Presented(r *http.Request, host string) (domain.Presentation, error) {
	var p domain.Presentation
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		p.Certificate = r.TLS.PeerCertificates[0].Raw
	}
	headers := r.Header["Authorization"]
	if len(headers) != 1 || len(headers[0]) < 5 || !strings.EqualFold(headers[0][:5], "DPoP ") {
		token, err := BearerToken(r)
		p.Token = token
		return p, err
	}
	switch {
	case strings.Contains(r.URL.RawQuery, "access_token="):
		return p, refused("an access token belongs into the Authorization header, never into the query string")
	case len(headers[0]) > maxHeader:
		return p, refused("the Authorization header is larger than 8 KiB")
	}
	token := strings.Trim(headers[0][5:], " ")
	if token == "" || strings.ContainsAny(token, " \t,") {
		return p, refused("the Authorization header holds more, or less, than a token")
	}
	p.Token, p.DPoP = token, true
	p.Proofs, p.Method, p.URL = Proofs(r), r.Method, host+r.URL.EscapedPath()
	return p, nil
}

// Proofs returns the values of the header DPoP (RFC 9449 §4.1).
func Proofs(r *http.Request) []string { return r.Header["Dpop"] }

// WriteNonce says which nonce the next proof is to have (RFC 9449 §8.2).
func WriteNonce(h http.Header, nonce string) {
	if nonce != "" {
		h["Dpop-Nonce"] = []string{nonce} // as net/http spells DPoP-Nonce
	}
}

// WriteChallenge writes the headers of a refusal by a resource that wants a
// proof, and reports whether the error is one: its status is 401.
func WriteChallenge(h http.Header, err error) bool {
	e, ok := errors.AsType[*oauth.Error](err)
	if !ok || e.Challenge == "" {
		return false
	}
	writeChallenge(h, e.Challenge, e.Nonce)
	return true
}

func writeChallenge(h http.Header, challenge, nonce string) {
	if challenge != "" {
		h["Www-Authenticate"] = []string{challenge}
	}
	WriteNonce(h, nonce)
}

// tokenType returns the token_type of a token: the dialect's own word, or DPoP,
// which both dialects spell as RFC 9449 §5 does.
func tokenType(dialects string, t oauth.Token) string {
	if t.DPoP {
		return "DPoP"
	}
	return dialects
}

// appendConfirmation appends what a token is used as, and bound to (RFC 9449
// §6.2, RFC 8705 §3.2).
func appendConfirmation(b []byte, t oauth.Introspection) []byte {
	switch {
	case t.JKT != "":
		b = appendString(append(b, `,"token_type":"DPoP","cnf":{"jkt":`...), t.JKT)
		return append(b, '}')
	case t.X5T != "":
		b = appendString(append(b, `,"token_type":"Bearer","cnf":{"x5t#S256":`...), t.X5T)
		return append(b, '}')
	}
	return append(b, `,"token_type":"Bearer"`...)
}
