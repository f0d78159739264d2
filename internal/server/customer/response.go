package customer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The two media types of an answer (GraphQL over HTTP §4.1).
const (
	mediaJSON   = "application/json"
	mediaModern = "application/graphql-response+json"
)

// response writes one answer.
type response struct {
	http.ResponseWriter
	modern bool // in the newer of the two media types
}

// wireError is an error as it is written, in the documented order of its keys.
type wireError struct {
	Message    string              `json:"message"`
	Locations  []gqlerror.Location `json:"locations,omitempty"`
	Path       ast.Path            `json:"path,omitempty"`
	Extensions any                 `json:"extensions"`
}

// result writes what came of a document; executed is false where it was
// refused before, and the answer then has no data.
func (w *response) result(r *graphql.Response, executed bool) {
	if !executed {
		status := http.StatusOK
		if w.modern {
			status = http.StatusBadRequest
		}
		w.request(status, r.Errors...)
		return
	}
	var body bytes.Buffer
	body.Grow(len(r.Data) + 64)
	body.WriteByte('{')
	if len(r.Errors) > 0 {
		appendErrors(&body, r.Errors)
		body.WriteByte(',')
	}
	body.WriteString(`"data":`)
	if len(r.Data) == 0 {
		body.WriteString("null")
	}
	body.Write(r.Data) // not encoded again
	body.WriteByte('}')
	w.send(http.StatusOK, body.Bytes())
}

// request writes an answer to a request that was not executed.
func (w *response) request(status int, errs ...*gqlerror.Error) {
	var body bytes.Buffer
	body.WriteByte('{')
	appendErrors(&body, errs)
	body.WriteByte('}')
	w.send(status, body.Bytes())
}

func (w *response) send(status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", mediaJSON+"; charset=utf-8")
	if w.modern {
		h.Set("Content-Type", mediaModern+"; charset=utf-8")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// appendErrors writes "errors":[…] in the order of the document: fields are
// resolved side by side, and the same request must give the same bytes.
func appendErrors(body *bytes.Buffer, errs gqlerror.List) {
	errs = slices.Clone(errs)
	slices.SortStableFunc(errs, func(a, b *gqlerror.Error) int {
		x, y := firstOf(a), firstOf(b)
		return cmp.Or(cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column),
			strings.Compare(a.Path.String(), b.Path.String()))
	})
	list := make([]wireError, 0, len(errs))
	for _, e := range errs {
		list = append(list, wireError{e.Message, e.Locations, e.Path, e.Extensions[extension]})
	}
	body.WriteString(`"errors":`)
	enc := json.NewEncoder(body)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(list)          // texts and numbers: it cannot fail
	body.Truncate(body.Len() - 1) // the line feed
}

func firstOf(e *gqlerror.Error) gqlerror.Location {
	if len(e.Locations) == 0 {
		return gqlerror.Location{}
	}
	return e.Locations[0]
}

// accepts reports whether the request prefers the newer media type: it names
// it, and wants it no less than the older one.
func accepts(h http.Header) bool {
	modern, plain := -1.0, -1.0
	for part := range strings.SplitSeq(strings.Join(h.Values("Accept"), ","), ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if text, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		switch kind {
		case mediaModern:
			modern = q
		case mediaJSON:
			plain = q
		}
	}
	return modern > 0 && modern >= plain
}
