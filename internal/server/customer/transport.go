package customer

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/wattgate/wattgate/internal/dialect"
)

// ServeHTTP answers one GraphQL request, by the rules of GraphQL over HTTP:
// what was executed is 200, whatever its fields say; a document that could not
// be executed is 200 too in application/json, as clients of the Kraken dialect
// expect, and 400 in application/graphql-response+json. No cookie is read.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := &response{ResponseWriter: w, modern: accepts(r.Header)}
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v == http.ErrAbortHandler {
			panic(v)
		}
		who := &asker{tell: func(err error) {
			if a.Log != nil {
				a.Log(r, err)
			}
		}}
		ctx := context.WithValue(r.Context(), askerKey{}, who)
		out.request(http.StatusOK, presentRequest(ctx, panicked(v)))
	}()
	params, refused := read(w, r)
	if refused != nil {
		if refused.allow != "" {
			w.Header().Set("Allow", refused.allow)
		}
		out.request(refused.status, write(invalidInput, refused.sentence, nil))
		return
	}
	a.answer(out, r, params)
}

// answer executes the document and writes what comes of it.
func (a *API) answer(out *response, r *http.Request, params *graphql.RawParams) {
	who := a.ask(r)
	if dialect.WriteChallenge(out.Header(), who.err) { // a bound token without its proof: not even what is open to all
		who.tell(who.err)
		c, _ := codeOf(who.err)
		out.request(http.StatusUnauthorized, write(c, "", nil))
		return
	}
	exec, tokens := a.known, tokensKnown
	if who.err != nil {
		exec, tokens = a.anonymous, tokensAnonymous
	}
	if r.Method == http.MethodGet && changes(params, tokens) {
		out.Header().Set("Allow", http.MethodPost)
		out.request(http.StatusMethodNotAllowed, write(invalidInput, "a GET runs queries only: send a mutation by POST", nil))
		return
	}
	ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), askerKey{}, who), deadline)
	defer cancel()
	result, executed := a.execute(graphql.StartOperationTrace(ctx), exec, params)
	out.result(result, executed)
}

// deadline is how long a document may be worked on.
const deadline = 5 * time.Second

// execute runs the document; executed is false where it was refused before.
func (a *API) execute(ctx context.Context, exec *executor.Executor, params *graphql.RawParams) (*graphql.Response, bool) {
	op, errs := exec.CreateOperationContext(ctx, params)
	if errs != nil {
		return exec.DispatchError(graphql.WithOperationContext(ctx, op), errs), false
	}
	nodes, err := check(op)
	if err != nil {
		return &graphql.Response{Errors: gqlerror.List{presentRequest(ctx, err)}}, false
	}
	// What large answers take in memory together is bounded; small ones do not wait.
	if nodes > small {
		if err := a.room.Acquire(ctx, int64(nodes)); err != nil {
			return &graphql.Response{Errors: gqlerror.List{presentRequest(ctx, heavy)}}, false
		}
		defer a.room.Release(int64(nodes))
	}
	next, ctx := exec.DispatchOperation(ctx, op)
	result := next(ctx)
	if result == nil {
		panic(fmt.Sprintf("operation %q has no response", params.OperationName))
	}
	return result, true
}

// changes reports whether the operation asked for is a mutation. A document
// that does not parse is none; it is refused soon after.
func changes(params *graphql.RawParams, tokens int) bool {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: params.Query}, tokens)
	if err != nil {
		return false
	}
	op := doc.Operations.ForName(params.OperationName)
	return op != nil && op.Operation != ast.Query
}
