package dpop

import (
	"errors"
	"net/url"
	"strings"
)

// maxURL bounds htu, as given and normalised.
const maxURL = 2 << 10

// errURL says nothing of the URL.
var errURL = errors.New("dpop: not an absolute http or https URL")

// sameURL compares the htu of a proof with the URL of the request, both without
// query and fragment, after normalising them (RFC 9449 §4.3).
func sameURL(given, ours string) bool {
	if given == ours && !strings.ContainsAny(given, "?#") { // nearly always
		return true
	}
	a, err1 := Normalize(given)
	b, err2 := Normalize(ours)
	return err1 == nil && err2 == nil && a == b
}

// Normalize returns the one spelling of an http or https URL without its query
// and fragment: scheme and host in lower case, no default port, no escape that is
// not needed and the others in capitals, no dot segments, and a path (RFC 3986
// §6.2.2, §6.2.3). A URL with a user in it is refused.
func Normalize(text string) (string, error) {
	if len(text) > maxURL {
		return "", errURL
	}
	if !writable(text) {
		return "", errURL
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.User != nil {
		return "", errURL
	}
	scheme := strings.ToLower(u.Scheme)
	if scheme != "http" && scheme != "https" {
		return "", errURL
	}
	host := strings.ToLower(u.Hostname())
	if host == "" || !writable(host) || strings.ContainsAny(host, "%[]/@") { // its escapes are gone by now
		return "", errURL
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := u.Port(); port != "" && !(scheme == "http" && port == "80") && !(scheme == "https" && port == "443") {
		host += ":" + port
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if path[0] != '/' {
		return "", errURL
	}
	normal := scheme + "://" + host + withoutDots(plainEscapes(path))
	if len(normal) > maxURL { // an empty path became "/", or a character was escaped
		return "", errURL
	}
	return normal, nil
}

// writable reports whether a text has only characters that a URL may have as they
// are (RFC 3986 §2).
func writable(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' || strings.IndexByte(`"<>\^`+"`{|}", text[i]) >= 0 {
			return false
		}
	}
	return true
}

// plainEscapes decodes what needs no escape and writes the others in capitals.
func plainEscapes(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] != '%' { // two digits follow: url.Parse has seen to that
			b.WriteByte(path[i])
			continue
		}
		high, low := digit(path[i+1]), digit(path[i+2])
		if c := high<<4 | low; unreserved(c) {
			b.WriteByte(c)
		} else {
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[high], hex[low]})
		}
		i += 2
	}
	return b.String()
}

func digit(c byte) byte {
	if c >= '0' && c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}

// unreserved reports whether a character stands for itself everywhere
// (RFC 3986 §2.3).
func unreserved(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// withoutDots removes the segments . and .. of a path (RFC 3986 §5.2.4).
func withoutDots(path string) string {
	if !strings.Contains(path, "/.") {
		return path
	}
	var kept []string
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case ".", "..":
			if s == ".." && len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
			if last {
				kept = append(kept, "")
			}
		default:
			kept = append(kept, s)
		}
	}
	return "/" + strings.Join(kept, "/")
}
