package customer

import (
	"context"
	"fmt"
	"maps"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"golang.org/x/sync/semaphore"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/usage"
)

// How many tokens a document may have, by whether one knows who sends it.
// The parser stops there, before it allocates for more.
const (
	tokensKnown     = 2000
	tokensAnonymous = 1000
)

// Config is what the customer API needs.
type Config struct {
	Usage *usage.Service
	// Authenticate finds out who is asking. Its error says why nobody is known
	// to be; it goes to the field that wanted a caller, rather than to the
	// whole request.
	Authenticate func(*http.Request) (domain.Caller, error)
	// Log takes causes that the caller must not see. It may be nil.
	Log func(*http.Request, error)
}

// API answers GraphQL over HTTP: POST with JSON, and GET with ?query= for
// queries. It is a handler for every path of the API.
type API struct {
	Config
	guard     guard
	known     *executor.Executor
	anonymous *executor.Executor
	room      *semaphore.Weighted // nodes of large answers under way
}

// Nodes of answers that are small, and of all large ones under way together:
// one costs about 8 KB while it is being made.
const (
	small = 200
	room  = 3 * maxNodes
)

// New makes the API. It fails only where the schema names a permission that
// the program does not know.
func New(c Config) (*API, error) {
	schema := ownSchema()
	g, err := newGuard(schema)
	if err != nil {
		return nil, fmt.Errorf("customer: %w", err)
	}
	a := &API{Config: c, guard: g, room: semaphore.NewWeighted(room)}
	es := graph.NewExecutableSchema(graph.Config{Schema: schema, Resolvers: resolvers{c.Usage}})
	a.known = a.executor(es, tokensKnown)
	a.anonymous = a.executor(es, tokensAnonymous)
	// Suggestions tell names of the schema, which is for those who are known.
	a.anonymous.SetDisableSuggestion(true)
	return a, nil
}

// Schema returns the schema as it is served.
func (a *API) Schema() *ast.Schema { return ownSchema() }

// ownSchema is the schema without @defer: gqlgen would answer it in several
// parts, and this transport sends one.
func ownSchema() *ast.Schema {
	s := *graph.NewExecutableSchema(graph.Config{}).Schema()
	s.Directives = maps.Clone(s.Directives)
	delete(s.Directives, "defer")
	return &s
}

func (a *API) executor(es graphql.ExecutableSchema, tokens int) *executor.Executor {
	e := executor.New(es)
	e.Use(a.guard)
	e.SetParserTokenLimit(tokens)
	e.SetErrorPresenter(a.present)
	e.SetRecoverFunc(func(_ context.Context, v any) error { return panicked(v) })
	return e
}

// asker is who asks one request, or why nobody is known to.
//
// Elsewhere a caller is an argument. Here gqlgen stands between the handler
// and the resolvers, and a context is all that it hands through.
type asker struct {
	caller domain.Caller
	err    error // why there is no caller
	tell   func(error)
}

type askerKey struct{}

// askerOf returns who asks. A context without one belongs to nobody.
func askerOf(ctx context.Context) *asker {
	if who, ok := ctx.Value(askerKey{}).(*asker); ok {
		return who
	}
	return &asker{err: &domain.Error{Kind: domain.Unauthenticated}, tell: func(error) {}}
}

// ask finds out who asks this request. A token for another API than this one
// is refused here too, whatever the verifier thought of it.
func (a *API) ask(r *http.Request) *asker {
	caller, err := a.Authenticate(r)
	if err == nil {
		err = authz.Opens(caller, domain.AudienceCustomer)
	}
	return &asker{caller: caller, err: err, tell: func(err error) {
		if a.Log != nil {
			a.Log(r, err)
		}
	}}
}
