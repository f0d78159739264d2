package customer

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/supply"
	"github.com/wattgate/wattgate/internal/usage"
)

// Tokens finds out who holds an access token.
type Tokens interface {
	Present(p *domain.Presentation, audience domain.Audience) (domain.Caller, error)
	// Held asks anew about a token that was presented before, with what it was
	// bound to then.
	Held(token string, audience domain.Audience, proven domain.Confirmation) (domain.Caller, error)
}

// Host is the customer host.
type Host struct {
	Usage  *usage.Service
	Tokens Tokens
	// Customers are whom partners supply; nil: nobody is found or changed.
	Customers *supply.Service
	// Logins issue and end the tokens of account users; nil: nobody can log in.
	Logins Logins
	// Consents keeps what customers have allowed; nil: nobody can ask.
	Consents Consents
	// Intake takes readings; nil: nobody can submit any. A batch, which has at most
	// MaxBatch bytes (0: 256 MiB), comes into a file in the folder Spool, as slowly
	// as Machine, the clock of the connections, allows.
	Intake   Intake
	Spool    string
	MaxBatch int64
	Machine  func() time.Time
	// Front answers a browser at the root.
	Front server.Handler
	// Sockets are the connections of subscriptions, and Webhooks keeps the web hooks
	// of applications; nil: there are none.
	Sockets  *Sockets
	Webhooks Webhooks
	// Limits bound one GraphQL document, and Points what a caller asks in an hour.
	Limits        Limits
	Points        *Points
	Introspection Introspection
	// Documents are those that applications trust; nil: there are none.
	Documents         Documents
	Version, Revision string // of this program
	// Web has the built query page and its files; nil or empty: there is none.
	Web         fs.FS
	Environment string // staging or production, for people to see
	// URL and AuthURL are the public addresses of this host and of the one that
	// gives out its tokens, without a slash at the end.
	URL, AuthURL string
	MaxAge       time.Duration // how long the metadata may be kept
	// Certificates says that TLS clients are asked for a certificate, to which
	// tokens may be bound.
	Certificates bool
	api          *API
}

// Table returns the host's table of contents. Every field of the GraphQL API
// has a guard of its own, so the routes have none.
func (h *Host) Table() (*server.Host, error) {
	var err error
	h.api, err = New(Config{
		Usage: h.Usage, Customers: h.Customers, Logins: h.Logins, Webhooks: h.Webhooks, Authenticate: h.authenticate, Log: note, Address: address,
		Limits: h.Limits, Points: h.Points, Introspection: h.Introspection, Documents: h.Documents,
		Docs: h.URL + errorsPath, Version: h.Version, Revision: h.Revision,
	})
	if err != nil {
		return nil, err
	}
	table := &server.Host{Name: "customer"}
	for _, path := range []string{"/{$}", "/graphql", "/v1/graphql/{$}", "/v1/graphql"} { // E25, K21
		get := h.query
		if path == "/{$}" {
			get = h.root
		}
		table.Routes = append(table.Routes,
			server.Route{Pattern: "POST " + path, Guard: server.Fields, Handler: h.graphQL, Dialect: refusals{}, Stale: true},
			server.Route{Pattern: "GET " + path, Guard: server.Fields, Handler: get, Dialect: refusals{}},
		)
	}
	table.Authenticate = h.caller
	table.Routes = append(table.Routes, h.consentRoutes()...)
	table.Routes = append(table.Routes, h.submitRoutes()...)
	table.Routes = append(table.Routes, h.exportRoutes()...)
	page, err := h.queryPage()
	if err != nil {
		return nil, err
	}
	table.Routes = append(table.Routes, page.routes()...)
	table.Routes = append(table.Routes, h.published()...)
	described, err := h.metadata()
	table.Routes = append(table.Routes, described...)
	return table, err
}

// callKey carries the call to what gqlgen calls back, which knows only the
// request. It is for the line in the log.
type callKey struct{}

// graphQL answers one GraphQL request.
func (h *Host) graphQL(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	h.api.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callKey{}, call)))
	return nil
}

// query answers a GraphQL query by GET; a browser is shown the query page, and a
// WebSocket is for subscriptions.
func (h *Host) query(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	if upgrades(r) {
		return h.socket(w, r, call)
	}
	if !r.URL.Query().Has("query") && strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, "/graphiql/", http.StatusSeeOther)
		return nil
	}
	return h.graphQL(w, r, call)
}

// root is the same at the root, where a browser is shown where it is.
func (h *Host) root(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	if upgrades(r) {
		return h.socket(w, r, call)
	}
	if !r.URL.Query().Has("query") {
		return h.Front(w, r, call)
	}
	return h.graphQL(w, r, call)
}

// authenticate reads who is asking from the Authorization header (K19).
func (h *Host) authenticate(r *http.Request) (domain.Caller, error) {
	caller, err := h.caller(r, domain.AudienceCustomer)
	if err != nil {
		return domain.Caller{}, err
	}
	if call, ok := r.Context().Value(callKey{}).(*server.Call); ok {
		call.Event.Caller(caller)
	}
	return caller, nil
}

// caller returns who holds the request's token, which is for the audience.
func (h *Host) caller(r *http.Request, audience domain.Audience) (domain.Caller, error) {
	presented, err := dialect.Presented(r, h.URL)
	if err != nil { // it cannot be a token of ours
		return domain.Caller{}, &domain.Error{Kind: domain.Unauthenticated, Public: authn.ErrInvalid.Public, Err: err}
	}
	return h.Tokens.Present(&presented, audience)
}

// address is where a request comes from, as the server has found out.
func address(r *http.Request) string {
	if call, ok := r.Context().Value(callKey{}).(*server.Call); ok {
		return call.Origin.Address
	}
	return ""
}

// note puts a cause into the request's line in the log.
func note(r *http.Request, err error) {
	if call, ok := r.Context().Value(callKey{}).(*server.Call); ok {
		call.Event.Refused(err)
	}
}

// refusals answers what never reaches GraphQL, in JSON all the same: clients
// take an answer that is none for a bad token.
type refusals struct{}

// WriteError writes one GraphQL error.
func (refusals) WriteError(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if e, ok := errors.AsType[*domain.Error](err); ok {
		status = server.Status(e.Kind)
	}
	if dialect.WriteChallenge(w.Header(), err) {
		status = http.StatusUnauthorized
	}
	c, _ := codeOf(err)
	w.Header().Set("Cache-Control", "no-store")
	server.WriteBody(w, status, "application/json", []byte(`{"errors":[{"message":"`+c.message+`","extensions":{"errorType":"`+c.kind+`","errorCode":"`+c.number+`"}}]}`))
}

// WriteMethod answers a method that is neither GET nor POST.
func (refusals) WriteMethod(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	server.WriteBody(w, http.StatusMethodNotAllowed, "application/json", []byte(`{"errors":[{"message":"Send a query by POST, or by GET with ?query=.","extensions":{"errorType":"VALIDATION","errorCode":"KT-CT-1605"}}]}`))
}
