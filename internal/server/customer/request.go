package customer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
)

// maxBody is the most bytes that a request's body, or its query string, may have.
const maxBody = 64 << 10

// refusal is a request that is no GraphQL request.
type refusal struct {
	status   int
	allow    string // the methods that are, where this one is not
	sentence string
}

func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status: status, sentence: fmt.Sprintf(format, args...)}
}

// read takes the parameters from a POST's body or a GET's query string.
func read(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, *refusal) {
	switch r.Method {
	case http.MethodPost:
		return readBody(w, r)
	case http.MethodGet:
		return readQuery(r)
	}
	return nil, &refusal{http.StatusMethodNotAllowed, "GET, POST", "send a query by POST, or by GET with ?query="}
}

func readBody(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, *refusal) {
	if kind := r.Header.Get("Content-Type"); kind != mediaJSON { // as most write it
		kind, _, err := mime.ParseMediaType(kind)
		if err != nil || kind != mediaJSON {
			return nil, refuse(http.StatusUnsupportedMediaType, "the body must be application/json")
		}
	}
	var text bytes.Buffer
	if r.ContentLength > 0 { // what it says is no promise
		text.Grow(int(min(r.ContentLength, maxBody)) + bytes.MinRead)
	}
	_, err := text.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body is above the limit of %d bytes", maxBody)
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the body could not be read")
	}
	return decode(text.Bytes())
}

func readQuery(r *http.Request) (*graphql.RawParams, *refusal) {
	if len(r.URL.RawQuery) > maxBody {
		return nil, refuse(http.StatusRequestURITooLong, "the query string is above the limit of %d bytes", maxBody)
	}
	q := r.URL.Query()
	p := &graphql.RawParams{Query: q.Get("query"), OperationName: q.Get("operationName")}
	for name, into := range map[string]*map[string]any{"variables": &p.Variables, "extensions": &p.Extensions} {
		if text := q.Get(name); text != "" && unmarshal([]byte(text), into) != nil {
			return nil, refuse(http.StatusBadRequest, "%s must be a JSON object", name)
		}
	}
	return asked(p)
}

var noQuery = refuse(http.StatusBadRequest, "the parameter query is missing: it holds the GraphQL document")

// decode reads the JSON body. Fields that it does not know are ignored (GraphQL
// over HTTP §5.1); batches are not taken.
func decode(body []byte) (*graphql.RawParams, *refusal) {
	if !json.Valid(body) || bytes.TrimLeft(body, blanks)[0] != '{' {
		return nil, refuse(http.StatusBadRequest, "the body must be one JSON object")
	}
	var p graphql.RawParams
	fields := [...]struct {
		name, want string
		text       *string
		object     *map[string]any
		raw        []byte
	}{
		{name: "query", want: "a string", text: &p.Query},
		{name: "operationName", want: "a string", text: &p.OperationName},
		{name: "variables", want: "an object", object: &p.Variables},
		{name: "extensions", want: "an object", object: &p.Extensions},
	}
	for name, raw := range members(body) {
		for i := range fields {
			if fields[i].name == name {
				fields[i].raw = raw // what stands there again replaces what stood before
			}
		}
	}
	for _, f := range fields {
		var err error
		switch {
		case f.raw == nil:
		case f.text != nil:
			*f.text, err = readText(f.raw)
		default:
			err = unmarshal(f.raw, f.object)
		}
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "%s must be %s", f.name, f.want)
		}
	}
	return asked(&p)
}

// readText reads a string of valid JSON; null is an empty one.
func readText(raw []byte) (s string, err error) {
	if plainJSON(raw) {
		return string(raw[1 : len(raw)-1]), nil
	}
	err = json.Unmarshal(raw, &s)
	return s, err
}

// blanks are what JSON allows between its words (RFC 8259 §2).
const blanks = " \t\r\n"

// members gives the names and the values of a JSON object, which is known to be
// valid.
func members(object []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for at := bytes.IndexByte(object, '{') + 1; ; {
			at = behind(object, at, blanks+",")
			if object[at] == '}' {
				return
			}
			end := skip(object, at)
			name, _ := readText(object[at:end]) // a string, or it would not be valid
			at = behind(object, end, blanks+":")
			end = skip(object, at)
			if !yield(name, object[at:end]) {
				return
			}
			at = end
		}
	}
}

func behind(text []byte, at int, what string) int {
	for strings.IndexByte(what, text[at]) >= 0 {
		at++
	}
	return at
}

// skip returns the end of the value that begins at a place of valid JSON.
func skip(text []byte, at int) int {
	depth := 0
	for ; ; at++ {
		switch text[at] {
		case '"':
			for at++; text[at] != '"'; at++ {
				if text[at] == '\\' {
					at++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		default: // a number, a word, or what stands between values
			if depth > 0 {
				continue
			}
			for at < len(text) && strings.IndexByte(blanks+",}]", text[at]) < 0 {
				at++
			}
			return at
		}
		if depth == 0 {
			return at + 1
		}
	}
}

// plainJSON reports whether a value is a string that stands for itself.
func plainJSON(raw []byte) bool {
	if raw[0] != '"' {
		return false
	}
	for _, c := range raw[1 : len(raw)-1] {
		if c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// asked refuses parameters that name no document.
func asked(p *graphql.RawParams) (*graphql.RawParams, *refusal) {
	if p.Query == "" && p.Extensions["persistedQuery"] == nil {
		return nil, noQuery
	}
	return p, nil
}

// unmarshal reads one JSON value and nothing after it. Numbers keep their
// text, so that an Int is not a float on the way.
func unmarshal(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one value")
	}
	return nil
}
