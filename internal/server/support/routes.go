// Package support answers one question: what do people see in a browser?
//
// Customers log in, decide what an application may read, and connect devices. The
// support site itself comes with its own issue; until then its addresses say so,
// and the front page says where one is. No page has a script.
package support

import (
	"context"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/throttle"
)

// Host is the support host.
type Host struct {
	AuthURL, CustomerURL, SupportURL string
	Environment                      string
	// Ready reports whether the server can do its work.
	Ready func(r *http.Request) error

	Sessions   Sessions
	Desk       Desk
	Directory  interface{ Directory() *domain.Directory }
	Partners   Partners
	WrongCodes *throttle.Limiter // of devices
	Unproven   *throttle.Limiter // of what is kept for whoever types a code that is right, with that of the auth host; nil: no limit
}

// Partners lists the partners.
type Partners interface {
	Partners(ctx context.Context) ([]domain.Partner, error)
}

// Table returns the host's table of contents.
func (h *Host) Table() *server.Host {
	plain := server.Plain()
	pages := server.Pages(stylePath)
	return &server.Host{Name: "support", Routes: []server.Route{
		{Pattern: "GET /login", Guard: server.Public, Handler: h.login, Dialect: pages},
		{Pattern: "POST /login", Guard: server.Public, Handler: h.logIn, Dialect: pages},
		{Pattern: "POST /logout", Guard: server.Public, Handler: h.logout, Dialect: pages},
		{Pattern: "GET /consent", Guard: server.Public, Handler: h.consent, Dialect: pages},
		{Pattern: "POST /consent", Guard: server.Public, Handler: h.decide, Dialect: pages},
		{Pattern: "GET /device", Guard: server.Public, Handler: h.device, Dialect: pages}, // RFC 8628 §3.3
		{Pattern: "POST /device", Guard: server.Public, Handler: h.deviceCode, Dialect: pages},
		{Pattern: "GET " + stylePath, Guard: server.Public, Handler: h.style, Dialect: plain},
		{Pattern: "GET /support", Guard: server.Public, Handler: h.later("The support site", "wattgate app create --help"), Dialect: plain},
		{Pattern: "GET /support/", Guard: server.Public, Handler: h.later("The support site", "wattgate app create --help"), Dialect: plain},
	}}
}

// Everywhere returns what every host answers: where one is, and whether all is
// well.
func (h *Host) Everywhere() *server.Host {
	plain := server.Plain()
	return &server.Host{Name: "any", Routes: []server.Route{
		{Pattern: "GET /healthz", Guard: server.Public, Handler: h.healthy, Dialect: plain},
		{Pattern: "GET /readyz", Guard: server.Public, Handler: h.ready, Dialect: plain},
	}}
}

// Front is the page at the root of a host that has no other there.
func (h *Host) Front() server.Route {
	return server.Route{Pattern: "GET /{$}", Guard: server.Public, Handler: h.front, Dialect: server.Plain()}
}

// GraphiQL is the place of the query page of the customer host.
func (h *Host) GraphiQL() []server.Route {
	plain := server.Plain()
	return []server.Route{
		{Pattern: "GET /graphiql/", Guard: server.Public, Handler: h.later("GraphiQL", "curl -d '{\"query\":\"{ __typename }\"}' -H 'Content-Type: application/json' "+h.CustomerURL+"/v1/graphql/"), Dialect: plain},
		{Pattern: "GET /graphiql", Guard: server.Public, Handler: h.moved, Dialect: plain},
	}
}

// moved sends a browser to the same page with a slash; the query string stays here.
func (h *Host) moved(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	w.Header().Set("Location", "/graphiql/")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

func (h *Host) healthy(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	server.WriteBody(w, http.StatusOK, "text/plain; charset=utf-8", []byte("ok\n"))
	return nil
}

func (h *Host) ready(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	if err := h.Ready(r); err != nil {
		return &domain.Error{Kind: domain.Unavailable, Public: "not ready", Err: err}
	}
	server.WriteBody(w, http.StatusOK, "text/plain; charset=utf-8", []byte("ready\n"))
	return nil
}

func (h *Host) later(what, instead string) server.Handler {
	return func(w http.ResponseWriter, r *http.Request, call *server.Call) error {
		return write(w, r, laterPage(what, instead))
	}
}

func (h *Host) front(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	return write(w, r, frontPage(h))
}

// write sends a page without a style sheet.
func write(w http.ResponseWriter, r *http.Request, page templ.Component) error {
	var b strings.Builder
	if err := page.Render(r.Context(), &b); err != nil {
		return err
	}
	server.WritePage(w, b.String())
	return nil
}
