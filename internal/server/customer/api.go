package customer

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"golang.org/x/sync/semaphore"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/customer/graph"
	"github.com/wattgate/wattgate/internal/supply"
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
	// Customers are whom partners supply; nil: nobody is found or changed.
	Customers *supply.Service
	// Logins issue and end the tokens of account users; nil: nobody can log in.
	Logins Logins
	// Webhooks keeps what applications are told of; nil: nobody has any.
	Webhooks Webhooks
	// Authenticate finds out who is asking. Its error says why nobody is known
	// to be; it goes to the field that wanted a caller, rather than to the
	// whole request.
	Authenticate func(*http.Request) (domain.Caller, error)
	// Log takes causes that the caller must not see. It may be nil.
	Log func(*http.Request, error)
	// Address says where a request comes from; nil: from its connection.
	Address func(*http.Request) string
	// Limits bound one document; Points an hour of one caller's, nil: nothing does.
	Limits Limits
	Points *Points
	// Introspection says who may ask for the schema; empty: who is known.
	Introspection Introspection
	// Documents are those that applications trust; nil: there are none.
	Documents Documents
	// Docs is the address of the page of errors, which gets an error's code as its
	// fragment; empty: errors name none.
	Docs string
	// Version and Revision say what program this is.
	Version, Revision string
	Now               func() time.Time // nil: the clock of Usage
}

// API answers GraphQL over HTTP: POST with JSON, and GET with ?query= for
// queries. It is a handler for every path of the API.
type API struct {
	Config
	schema    *ast.Schema
	guard     guard
	exec      *executor.Executor
	prices    prices
	known     shelf[string, *prepared]
	persisted shelf[persisted, string]
	ledger    *ledger
	room      *semaphore.Weighted // nodes of large answers under way
	plain     bool                // gqlgen writes every answer as it would by itself
}

// Nodes of answers that are small, and of all large ones under way together:
// one costs about 8 KB while it is being made.
const (
	small = 200
	rooms = 3
)

// New makes the API. It fails only where the schema names a permission that
// the program does not know.
func New(c Config) (*API, error) {
	if c.Now == nil && c.Usage != nil {
		c.Now = c.Usage.Now
	}
	if c.Introspection == "" {
		c.Introspection = IntrospectionAuthenticated
	}
	if c.Points == nil {
		c.Points = &Points{}
	}
	c.Limits = c.Limits.filled()
	schema := ownSchema()
	g, err := newGuard(schema, c.Introspection, c.Now)
	if err != nil {
		return nil, fmt.Errorf("customer: %w", err)
	}
	a := &API{
		Config: c, schema: schema, guard: g, prices: newPrices(schema), ledger: newLedger(*c.Points, c.Now),
		room: semaphore.NewWeighted(rooms * int64(c.Limits.Nodes)),
	}
	a.known.most, a.persisted.most = knownBytes, persistedBytes
	es := graph.Executable{ExecutableSchema: graph.NewExecutableSchema(graph.Config{Schema: schema, Resolvers: resolvers{c.Usage, a}})}
	a.exec = a.executor(es)
	return a, nil
}

// Schema returns the schema as it is served.
func (a *API) Schema() *ast.Schema { return a.schema }

func (a *API) executor(es graphql.ExecutableSchema) *executor.Executor {
	e := executor.New(es)
	e.Use(a.guard)
	e.SetQueryCache(handed{})
	e.SetErrorPresenter(a.present)
	e.SetRecoverFunc(func(_ context.Context, v any) error { return panicked(v) })
	return e
}

// asker is who asks one request, or why nobody is known to.
//
// Elsewhere a caller is an argument. Here gqlgen stands between the handler
// and the resolvers, and a context is all that it hands through.
type asker struct {
	caller  domain.Caller
	err     error // why there is no caller
	address string
	tell    func(error)

	document *prepared     // what is asked
	out      *output       // where the answer comes to be; nil: in a buffer of gqlgen's
	kind     ast.Operation // whether it changes anything
	price    int           // its complexity
	points   account
	left     int // of the account
	pages    pages

	mu     sync.Mutex
	paused *domain.Pause // the longest that a field was refused for
}

// pause notes that a field was refused until later.
func (w *asker) pause(p *domain.Pause) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.paused == nil || w.paused.Wait < p.Wait {
		w.paused = p
	}
}

// waits is the error of who has to wait; nil for anybody else.
func (w *asker) waits() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.paused == nil {
		return nil
	}
	return w.paused
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
	return &asker{caller: caller, err: err, address: a.address(r), tell: func(err error) {
		if a.Log != nil {
			a.Log(r, err)
		}
	}}
}

// address returns where a request comes from.
func (a *API) address(r *http.Request) string {
	if a.Address != nil {
		return a.Address(r)
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return host
}
