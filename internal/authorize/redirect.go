package authorize

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
)

// mayReturn reports whether a person may be sent to uri: it is one of the
// application's, character by character (RFC 9700 §2.1), and cannot be read on
// its way. Only the port of a native application's own listener may be another
// (RFC 8252 §7.3).
func mayReturn(app *domain.Application, uri string) bool {
	for _, registered := range app.URIs {
		if registered == uri || app.Type == domain.Public && sameListener(registered, uri) {
			return safe(app.Type, uri)
		}
	}
	return false
}

// safe reports whether a URI is https, http on the machine of its user, or a
// public application's private scheme, which has a dot in its name (RFC 8252 §7.1).
func safe(kind domain.ClientType, uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.User != nil || strings.Contains(uri, "#") || !printable(uri, maxState) || strings.Contains(uri, " ") {
		return false
	}
	switch host := u.Hostname(); u.Scheme {
	case "https":
		return host != ""
	case "http":
		return host == "localhost" || host == "127.0.0.1" || host == "::1"
	default:
		return kind == domain.Public && strings.Contains(u.Scheme, ".")
	}
}

// sameListener reports whether two URIs are the same address of the loopback
// interface with the same path, whatever their ports. The name localhost is none
// (RFC 8252 §8.3).
func sameListener(registered, uri string) bool {
	a, pathA, ok := loopback(registered)
	b, pathB, ok2 := loopback(uri)
	return ok && ok2 && a == b && pathA == pathB
}

// loopback cuts the port out of a URI of a loopback address.
func loopback(uri string) (address, path string, ok bool) {
	for _, address = range []string{"http://127.0.0.1", "http://[::1]"} {
		rest, found := strings.CutPrefix(uri, address)
		if !found {
			continue
		}
		if port, has := strings.CutPrefix(rest, ":"); has {
			digits := len(port) - len(strings.TrimLeft(port, "0123456789"))
			if n, err := strconv.ParseUint(port[:digits], 10, 16); err != nil || n == 0 {
				return "", "", false
			}
			rest = port[digits:]
		}
		if rest == "" || rest[0] == '/' || rest[0] == '?' {
			return address, rest, true
		}
	}
	return "", "", false
}

// Return is where a person is sent back to with a refusal (RFC 6749 §4.1.2.1);
// empty where r has no redirect URI that can be trusted.
func (d *Desk) Return(r *Refused) string {
	if r.Redirect == "" {
		return ""
	}
	return d.answer(r.Redirect, r.State, "error", r.Code, "error_description", r.Description)
}

// answer adds pairs to a redirect URI, whose own query stays (RFC 6749 §3.1.2),
// and then state, as it came, and iss, so that the application knows who answers
// (RFC 9207 §2).
func (d *Desk) answer(redirect, state string, pairs ...string) string {
	if state != "" {
		pairs = append(pairs, "state", state)
	}
	pairs = append(pairs, "iss", d.Issuer)
	var b strings.Builder
	b.WriteString(redirect)
	mark := byte('?')
	if strings.Contains(redirect, "?") {
		mark = '&'
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteByte(mark)
		b.WriteString(pairs[i] + "=" + url.QueryEscape(pairs[i+1]))
		mark = '&'
	}
	return b.String()
}
