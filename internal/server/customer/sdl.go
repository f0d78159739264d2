package customer

import (
	"html"
	"net/http"
	"strings"

	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/wattgate/wattgate/internal/server"
)

// SDL returns the schema as it is published, with all that its descriptions say
// of permissions, prices and errors.
func SDL() string {
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(ownSchema())
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// errorsPath is the page of all errors, to which each error leads.
const errorsPath = "/v1/graphql/errors"

// published returns the routes of what is there for everybody to read: the
// schema, whoever may ask for it by introspection, and the page of errors.
func (h *Host) published() []server.Route {
	document := func(d server.Document) server.Handler {
		return func(w http.ResponseWriter, r *http.Request, _ *server.Call) error {
			d.Write(w, r)
			return nil
		}
	}
	sdl := server.NewDocument("text/plain; charset=utf-8", []byte(SDL()), h.MaxAge)
	return []server.Route{
		{Pattern: "GET /v1/graphql/schema.graphql", Guard: server.Public, Handler: document(sdl), Dialect: server.Plain()},
		{Pattern: "GET " + errorsPath, Guard: server.Public, Handler: errorsPage, Dialect: server.Plain()},
	}
}

// errorsPage answers a person who followed the link of an error.
func errorsPage(w http.ResponseWriter, _ *http.Request, _ *server.Call) error {
	var b strings.Builder
	b.WriteString("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Errors of the GraphQL API</title>\n<h1>Errors of the GraphQL API</h1>\n<dl>\n")
	for _, c := range codes {
		id := html.EscapeString(c.number)
		b.WriteString("<dt id=\"" + id + "\"><strong>" + id + "</strong> " + html.EscapeString(c.kind) + "</dt>\n<dd>" + html.EscapeString(strings.TrimSpace(c.message+" "+c.description)) + "</dd>\n")
	}
	b.WriteString("</dl>\n</html>\n")
	server.Page{Status: http.StatusOK, HTML: []byte(b.String())}.Write(w)
	return nil
}
