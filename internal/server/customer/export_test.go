package customer

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// ReadPage reads the parameters of a page of consents.
var ReadPage = readPage

// ISODuration writes a length of time.
var ISODuration = isoDuration

// Refuses asks a guard made from the schema whether it refuses a field to the
// asker of the context.
func Refuses(ctx context.Context, schema *ast.Schema, object, field string) (error, error) {
	g, err := newGuard(schema)
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
