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
func (w *response) result(r *graphql.Response, executed bool, from *output) {
	if !executed {
		status := http.StatusOK
		if w.modern {
			status = http.StatusBadRequest
		}
		w.request(status, r.Errors...)
		return
	}
	text := from.result(r.Data) // not encoded again
	if len(r.Errors) == 0 && len(r.Extensions) == 0 {
		from.text = append(text, '}')
		w.send(http.StatusOK, from.text)
		return
	}
	var body bytes.Buffer
	body.Grow(len(text) + 1024)
	body.WriteByte('{')
	if len(r.Errors) > 0 {
		appendErrors(&body, r.Errors)
		body.WriteByte(',')
	}
	body.Write(text[1:])
	appendExtensions(&body, r.Extensions)
	body.WriteByte('}')
	w.send(http.StatusOK, body.Bytes())
}

// appendExtensions writes what an answer carries beside its data, where it does.
func appendExtensions(body *bytes.Buffer, values map[string]any) {
	if len(values) == 0 {
		return
	}
	text, err := json.Marshal(values)
	if err != nil {
		return // figures of our own: it cannot fail
	}
	body.WriteString(`,"extensions":`)
	body.Write(text)
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
	h, kind := w.Header(), mediaJSON+"; charset=utf-8"
	if w.modern {
		kind = mediaModern + "; charset=utf-8"
	}
	h.Set("Content-Type", kind)
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
	if list := h["Accept"]; len(list) == 0 || len(list) == 1 && (list[0] == mediaJSON || list[0] == "*/*") { // as most ask
		return false
	}
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
