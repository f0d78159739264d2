package graph

import (
	"bytes"
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Executable is the schema with a shorter way for queries: gqlgen's own makes a
// table of all inputs, for directives that we do not have, and a channel for what
// is answered later, each time anew.
type Executable struct{ graphql.ExecutableSchema }

// Exec prepares an operation, and returns what answers it once.
func (e Executable) Exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	schema, ok := e.ExecutableSchema.(*executableSchema)
	if !ok || op.Operation.Operation != ast.Query {
		return e.ExecutableSchema.Exec(ctx)
	}
	ec := executionContext{OperationContext: op, executableSchema: schema}
	done := false
	return func(ctx context.Context) *graphql.Response {
		if done {
			return nil
		}
		done = true
		var text bytes.Buffer
		ec._Query(ctx, op.Operation.SelectionSet).MarshalGQL(&text)
		return &graphql.Response{Data: text.Bytes()}
	}
}
