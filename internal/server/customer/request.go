package customer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

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
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, refuse(http.StatusUnsupportedMediaType, "the body must be application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body is above the limit of %d bytes", maxBody)
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the body could not be read")
	}
	return decode(body)
}

func readQuery(r *http.Request) (*graphql.RawParams, *refusal) {
	if len(r.URL.RawQuery) > maxBody {
		return nil, refuse(http.StatusRequestURITooLong, "the query string is above the limit of %d bytes", maxBody)
	}
	q := r.URL.Query()
	p := &graphql.RawParams{Query: q.Get("query"), OperationName: q.Get("operationName")}
	if p.Query == "" {
		return nil, noQuery
	}
	for name, into := range map[string]*map[string]any{"variables": &p.Variables, "extensions": &p.Extensions} {
		if text := q.Get(name); text != "" && unmarshal([]byte(text), into) != nil {
			return nil, refuse(http.StatusBadRequest, "%s must be a JSON object", name)
		}
	}
	return p, nil
}

var noQuery = refuse(http.StatusBadRequest, "the parameter query is missing: it holds the GraphQL document")

// decode reads the JSON body. Fields that it does not know are ignored (GraphQL
// over HTTP §5.1); batches are not taken.
func decode(body []byte) (*graphql.RawParams, *refusal) {
	var fields map[string]json.RawMessage
	if unmarshal(body, &fields) != nil || fields == nil {
		return nil, refuse(http.StatusBadRequest, "the body must be one JSON object")
	}
	var p graphql.RawParams
	for _, field := range []struct {
		name, want string
		into       any
	}{
		{"query", "a string", &p.Query},
		{"operationName", "a string", &p.OperationName},
		{"variables", "an object", &p.Variables},
		{"extensions", "an object", &p.Extensions},
	} {
		raw, ok := fields[field.name]
		if ok && unmarshal(raw, field.into) != nil { // null leaves what is there
			return nil, refuse(http.StatusBadRequest, "%s must be %s", field.name, field.want)
		}
	}
	if p.Query == "" {
		return nil, noQuery
	}
	return &p, nil
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
