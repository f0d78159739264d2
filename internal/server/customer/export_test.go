package customer

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/wattgate/wattgate/internal/server/customer/graph"
)

// ReadPage reads the parameters of a page of consents.
var ReadPage = readPage

// ISODuration writes a length of time.
var ISODuration = isoDuration

// Codes lists the numbers of all errors.
func Codes() []string {
	numbers := make([]string, 0, len(codes))
	for _, c := range codes {
		numbers = append(numbers, c.number)
	}
	return numbers
}

// Refuses asks a guard made from the schema whether it refuses a field to the
// asker of the context.
func Refuses(ctx context.Context, schema *ast.Schema, object, field string) (error, error) {
	g, err := newGuard(schema, IntrospectionAuthenticated, time.Now)
	if err != nil {
		return nil, err
	}
	return g.check(ctx, &graphql.FieldContext{Object: object, Field: graphql.CollectedField{Field: &ast.Field{Name: field}}}), nil
}

// ReadExport reads what a request wants exported: the supply point, the format
// and how the file is called.
func ReadExport(file, query string) (point, format, name string, err error) {
	asked, err := readExport(file, query)
	if err != nil {
		return "", "", "", err
	}
	return string(asked.market) + ":" + asked.identifier, string(asked.format), asked.fileName(), nil
}

// Plain makes an API that lets gqlgen write everything, for comparison.
func Plain(c Config) (*API, error) {
	a, err := New(c)
	if err == nil {
		a.plain = true
		a.exec = a.executor(graph.NewExecutableSchema(graph.Config{Schema: a.schema, Resolvers: resolvers{c.Usage, a}}))
	}
	return a, err
}

// Compiles reports whether all pages of measurements in a document are written
// by a plan, for whoever may have their fields.
func Compiles(a *API, text string, variables map[string]any) (compiled bool, err error) {
	doc, err := parse(text, tokensKnown)
	if err != nil {
		return false, err
	}
	if _, errs := a.validate(doc, true); errs != nil {
		return false, errors.Join(errs...)
	}
	op := &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0], Variables: variables}
	compiled = true
	var walk func(ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				if s.Name == "measurements" {
					compiled = compiled && !compile(op, a.guard, s.SelectionSet).plain
				} else {
					walk(s.SelectionSet)
				}
			case *ast.InlineFragment:
				walk(s.SelectionSet)
			case *ast.FragmentSpread:
				walk(s.Definition.SelectionSet)
			}
		}
	}
	walk(op.Operation.SelectionSet)
	return compiled, nil
}

// AppendValue writes a Decimal.
var AppendValue = appendValue

// NewClock returns what writes instants as a zone shows them.
func NewClock(zone *time.Location) func(int64) []byte {
	var c clock
	c.in(zone)
	return func(at int64) []byte { return c.append(nil, at) }
}

// Decode reads the body of a request.
func Decode(body []byte) (query, name string, variables map[string]any, err error) {
	p, refused := decode(body)
	if refused != nil {
		return "", "", nil, errors.New(refused.sentence)
	}
	return p.Query, p.OperationName, p.Variables, nil
}

// Interrupted answers a request that ends when its measurements have been read,
// and returns the answer that nobody hears.
func Interrupted(a *API, r *http.Request, end func()) (string, error) {
	config := a.Config
	config.Log = nil // what fails here is meant to
	b, err := New(config)
	if err != nil {
		return "", err
	}
	b.exec.AroundFields(func(ctx context.Context, next graphql.Resolver) (any, error) {
		value, err := next(ctx)
		if graphql.GetFieldContext(ctx).Field.Name == "measurements" {
			end()
		}
		return value, err
	})
	out := httptest.NewRecorder()
	b.ServeHTTP(out, r)
	return out.Body.String(), nil
}
