package customer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
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
		out.request(http.StatusOK, a.presentRequest(ctx, panicked(v)))
	}()
	params, refused := read(w, r)
	if refused != nil {
		if refused.allow != "" {
			w.Header().Set("Allow", refused.allow)
		}
		out.request(refused.status, a.write(nil, invalidInput, refused.sentence, nil))
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
		out.request(http.StatusUnauthorized, a.write(nil, c, "", nil))
		return
	}
	who.out = a.newOutput()
	ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), askerKey{}, who), deadline)
	defer cancel()
	errs := a.prepare(ctx, who, params, r.Method == http.MethodGet)
	if errors.Is(errors.Join(errs...), errChanges) {
		out.Header().Set("Allow", http.MethodPost)
		out.request(http.StatusMethodNotAllowed, a.write(nil, invalidInput, "a GET runs queries only: send a mutation by POST", nil))
		return
	}
	if call, ok := r.Context().Value(callKey{}).(*server.Call); ok && call.Deaf && who.kind == ast.Mutation {
		errs = []error{server.ErrDeaf} // as every other route that changes something
	}
	if who.kind == ast.Subscription {
		errs = []error{&tooMuch{invalidInput, "a subscription wants a WebSocket"}}
	}
	priced := strings.EqualFold(r.Header.Get(priceHeader), "true") && who.document != nil
	if priced {
		out.Header().Set(priceHeader, strconv.Itoa(who.price))
	}
	result, executed := a.refusal(ctx, errs), false
	if len(errs) == 0 {
		result, executed = a.execute(graphql.StartOperationTrace(ctx), params)
	}
	if priced {
		result.Extensions = map[string]any{"complexity": map[string]int{"complexityValue": who.price}}
	}
	a.ledger.write(out.Header(), who)
	server.RetryAfter(out.Header(), who.waits())
	out.result(result, executed, who.out)
	who.out.free() // not where something panics: resolvers may still be under way
}

// priceHeader asks for the complexity of a document, and tells it.
const priceHeader = "X-Kraken-Query-Complexity"

// deadline is how long a document may be worked on.
const deadline = 5 * time.Second

// execute runs the document; executed is false where it was refused before.
func (a *API) execute(ctx context.Context, params *graphql.RawParams) (*graphql.Response, bool) {
	op, errs := a.exec.CreateOperationContext(ctx, params)
	if errs != nil {
		return a.exec.DispatchError(graphql.WithOperationContext(ctx, op), errs), false
	}
	who := askerOf(ctx)
	nodes, besides, err := a.Limits.check(op)
	if err == nil {
		err = a.ledger.charge(who, nodes)
	}
	if err != nil {
		return a.refusal(ctx, []error{err}), false
	}
	defer a.ledger.settle(who, nodes)
	who.pages = newPages(a.Limits.Nodes)
	// What large answers take in memory together is bounded; small ones do not wait.
	if nodes += besides; nodes > small {
		if err := a.room.Acquire(ctx, int64(nodes)); err != nil {
			return a.refusal(ctx, []error{heavy}), false
		}
		defer a.room.Release(int64(nodes))
	}
	next, ctx := a.exec.DispatchOperation(ctx, op)
	result := next(ctx)
	if result == nil {
		panic(fmt.Sprintf("operation %q has no response", params.OperationName))
	}
	return result, true
}

// refusal answers a document that is not executed.
func (a *API) refusal(ctx context.Context, errs []error) *graphql.Response {
	result := &graphql.Response{}
	for _, err := range errs {
		if pause, ok := errors.AsType[*domain.Pause](err); ok {
			askerOf(ctx).pause(pause)
		}
		result.Errors = append(result.Errors, a.presentRequest(ctx, err))
	}
	return result
}
