package dialect

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/wattgate/wattgate/internal/oauth"
)

// The bounds of a form, whatever its encoding. Nothing is written to disk.
const (
	maxBody  = 64 << 10
	maxParts = 16
	maxPart  = 4 << 10
)

// parameters are the names that the form endpoints understand; any other is
// ignored (RFC 6749 §3.2). The value says whether the name may repeat
// (RFC 8707 §2, and audience, which the dialect takes repeated as well).
var parameters = map[string]bool{
	"grant_type":    false,
	"scope":         false,
	"client_id":     false,
	"client_secret": false,
	"audience":      true,
	"resource":      true,

	"subject_token":         false, // RFC 8693 §2.1
	"subject_token_type":    false,
	"actor_token":           false,
	"actor_token_type":      false,
	"requested_token_type":  false,
	"reason":                false, // ours, beside the registry
	"client_assertion":      false, // RFC 7521 §4.2
	"client_assertion_type": false,

	"dpop_jkt": false, // RFC 9449 §10

	"token":           false, // RFC 7009 §2.1, RFC 7662 §2.1
	"token_type_hint": false,

	"code":          false, // RFC 6749 §4.1.3, §6
	"redirect_uri":  false,
	"refresh_token": false,
	"code_verifier": false, // RFC 7636 §4.5
	"device_code":   false, // RFC 8628 §3.4

	"response_type":         false, // RFC 6749 §4.1.1
	"state":                 false,
	"code_challenge":        false, // RFC 7636 §4.3
	"code_challenge_method": false,
	"request_uri":           false, // RFC 9126 §4
	"request":               false, // RFC 9101 §5
	"response_mode":         false, // OAuth 2.0 Multiple Response Types §2.1
	"nonce":                 false, // OpenID Connect Core §3.1.2.1
	"prompt":                false,
	"max_age":               false,
	"registration":          false, // §7.2.1
}

// room is how long the value of a parameter may be. A token of ours may have 8
// KiB, and what cannot be sent cannot be revoked.
func room(name string) int {
	switch name {
	case "token", "actor_token", "client_assertion":
		return maxHeader
	}
	return maxPart
}

// Form is a parsed form: at most 16 parameters in the order they came.
type Form struct {
	fields []field
	few    [4]field // room for those of most requests
}

type field struct{ name, value string }

// Get returns a parameter that stands at most once. A parameter without a
// value counts as omitted (RFC 6749 §3.1).
func (f *Form) Get(name string) string {
	for _, p := range f.fields {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

// All returns the values of a parameter that may repeat, each split at spaces.
func (f *Form) All(name string) []string {
	var list []string
	for _, p := range f.fields {
		if p.name == name {
			list = append(list, strings.Fields(p.value)...)
		}
	}
	return list
}

func refused(why string) error {
	return &oauth.Error{Code: oauth.InvalidRequest, Description: why}
}

// ReadForm reads the body of a form endpoint: application/x-www-form-urlencoded
// or multipart/form-data, at most 64 KiB, 16 parameters of 4 KiB each, no
// files. A parameter of the protocol twice, or in the query, is refused: the
// first is ambiguous (RFC 6749 §3.2), the second ends in logs (RFC 6749 §2.3.1).
func ReadForm(r *http.Request) (*Form, error) {
	if r.URL.RawQuery != "" {
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return nil, refused("the query string is malformed, and parameters belong into the body")
		}
		for name := range query {
			if _, known := parameters[name]; known {
				return nil, refused("parameters belong into the body of the request, never into the query string")
			}
		}
	}
	if types := r.Header["Content-Type"]; len(types) > 1 {
		return nil, refused("the request has more than one Content-Type")
	}
	// The exact spelling that most clients send needs no parsing.
	contentType := r.Header.Get("Content-Type")
	if contentType == "application/x-www-form-urlencoded" {
		return readURLEncoded(r)
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, refused("the body must be a form: application/x-www-form-urlencoded or multipart/form-data")
	}
	switch media {
	case "application/x-www-form-urlencoded":
		return readURLEncoded(r)
	case "multipart/form-data":
		return readMultipart(r, params["boundary"])
	}
	return nil, refused("the body must be a form: application/x-www-form-urlencoded or multipart/form-data")
}

// readURLEncoded reads name=value&name=value.
func readURLEncoded(r *http.Request) (*Form, error) {
	if r.ContentLength > maxBody {
		return nil, refused("the body is larger than 64 KiB")
	}
	rest, err := readBody(r.Body)
	if err != nil {
		return nil, err
	}
	f := &Form{}
	f.fields = f.few[:0]
	for rest != "" {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err1 := unescape(name)
		value, err2 := unescape(value)
		if err1 != nil || err2 != nil {
			return nil, refused("the body is not properly percent-encoded")
		}
		if err := f.add(name, value); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// pages are buffers for bodies, wiped after use because secrets were in them.
var pages = sync.Pool{New: func() any { return new([4 << 10]byte) }}

// readBody reads a body of at most 64 KiB. A token request is some 200 bytes.
func readBody(body io.Reader) (string, error) {
	page := pages.Get().(*[4 << 10]byte)
	n, err := 0, error(nil)
	for err == nil && n < len(page) {
		var more int
		more, err = body.Read(page[n:])
		n += more
	}
	text := string(page[:n])
	clear(page[:n])
	pages.Put(page)
	if err == io.EOF {
		return text, nil
	}
	if err != nil {
		return "", refused("the body ended early")
	}
	rest, err := io.ReadAll(io.LimitReader(body, maxBody+1-int64(n)))
	if err != nil {
		return "", refused("the body ended early")
	}
	if n+len(rest) > maxBody {
		return "", refused("the body is larger than 64 KiB")
	}
	return text + string(rest), nil
}

// unescape undoes percent-encoding, without a copy where there is none.
func unescape(s string) (string, error) {
	if !strings.ContainsAny(s, "%+") {
		return s, nil
	}
	return url.QueryUnescape(s)
}

// readMultipart reads what curl --form sends (E13). curl has taken the inner
// quotes away itself, so nothing is trimmed.
func readMultipart(r *http.Request, boundary string) (*Form, error) {
	if boundary == "" {
		return nil, refused("the multipart body has no boundary")
	}
	body := &io.LimitedReader{R: r.Body, N: maxBody + 1}
	var seen bytes.Buffer
	parts := multipart.NewReader(io.TeeReader(body, &seen), boundary)
	f := &Form{}
	for n := 0; ; n++ {
		part, err := parts.NextRawPart()
		if body.N <= 0 {
			return nil, refused("the body is larger than 64 KiB")
		}
		// A body that ends inside a part's header gives io.EOF too: only the
		// closing boundary makes it whole (RFC 2046 §5.1.1).
		if err == io.EOF && bytes.Contains(seen.Bytes(), []byte("--"+boundary+"--")) {
			break
		}
		if err != nil {
			return nil, refused("the multipart body is malformed")
		}
		if n == maxParts {
			return nil, refused("the form has more than 16 parts")
		}
		name, err := partName(part)
		if err != nil {
			return nil, err
		}
		value, err := io.ReadAll(io.LimitReader(part, int64(room(name))+1))
		if body.N <= 0 {
			return nil, refused("the body is larger than 64 KiB")
		}
		if err != nil {
			return nil, refused("the multipart body is malformed")
		}
		if err := f.add(name, string(value)); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// partName returns the name of a field and refuses what is not a plain field.
func partName(part *multipart.Part) (string, error) {
	kind, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil || kind != "form-data" || params["name"] == "" {
		return "", refused("a part of the form has no name")
	}
	if _, file := params["filename"]; file {
		return "", refused("a part of the form is a file; this form takes plain fields only")
	}
	if e := part.Header.Get("Content-Transfer-Encoding"); e != "" && !strings.EqualFold(e, "binary") && !strings.EqualFold(e, "8bit") && !strings.EqualFold(e, "7bit") {
		return "", refused("a part of the form has a transfer encoding")
	}
	return params["name"], nil
}

// add checks and keeps one parameter.
func (f *Form) add(name, value string) error {
	if len(f.fields) == maxParts {
		return refused("the form has more than 16 parts")
	}
	if len(name) > maxPart || len(value) > room(name) {
		return refused("a parameter is larger than 4 KiB")
	}
	if !clean(name) || !clean(value) {
		return refused("a parameter holds control characters or is not UTF-8")
	}
	repeats, known := parameters[name]
	if known && !repeats {
		for _, p := range f.fields {
			if p.name == name {
				return refused("the parameter " + name + " stands twice")
			}
		}
	}
	f.fields = append(f.fields, field{name, value})
	return nil
}

// clean reports whether s is UTF-8 without control characters.
func clean(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] == 0x7f {
			return false
		}
	}
	return utf8.ValidString(s)
}
