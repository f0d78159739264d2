// Package support answers one question: what do people see in a browser?
//
// Customers log in, decide what an application may read, and connect devices. On
// the support site staff decide who may read a meter: they create applications,
// whose secret is shown once, and attach permissions to roles. The front page says
// where one is. No page has a script.
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
	Officers   Officers          // who are at browsers
	Registry   Registry
	Shelf      Shelf
	Usage      Usage
	Consents   Consents
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
	site := sitePages{server.Pages(sitePath)}
	reads := server.Staff(domain.OAuthManager, domain.APIEngineer)
	books := server.Staff(domain.OAuthManager, domain.APIEngineer, domain.SupportViewer)
	changes := server.StaffChange(domain.OAuthManager, domain.APIEngineer)
	const app = "/support/applications/{id}"
	return &server.Host{Name: "support", Person: h.officer, Customer: h.resident, Routes: []server.Route{
		{Pattern: "GET /login", Guard: server.Public, Handler: h.login, Dialect: pages},
		{Pattern: "POST /login", Guard: server.Public, Handler: h.logIn, Dialect: pages},
		{Pattern: "POST /logout", Guard: server.Public, Handler: h.logout, Dialect: pages},
		{Pattern: "GET /consent", Guard: server.Public, Handler: h.consent, Dialect: pages},
		{Pattern: "POST /consent", Guard: server.Public, Handler: h.decide, Dialect: pages},
		{Pattern: "GET /device", Guard: server.Public, Handler: h.device, Dialect: pages}, // RFC 8628 §3.3
		{Pattern: "POST /device", Guard: server.Public, Handler: h.deviceCode, Dialect: pages},
		{Pattern: "GET " + stylePath, Guard: server.Public, Handler: h.style, Dialect: plain},

		{Pattern: "GET /support", Guard: server.Public, Handler: h.supportHome, Dialect: site},
		{Pattern: "GET /support/{$}", Guard: server.Public, Handler: h.supportHome, Dialect: site},
		{Pattern: "GET " + sitePath, Guard: server.Public, Handler: h.siteStyle, Dialect: plain},
		{Pattern: "GET /support/login", Guard: server.Public, Handler: h.staffLogin, Dialect: site},
		{Pattern: "POST /support/login", Guard: server.Public, Handler: h.staffLogIn, Dialect: site},
		{Pattern: "GET /support/code", Guard: server.Public, Handler: h.code, Dialect: site},
		{Pattern: "POST /support/code", Guard: server.Public, Handler: h.proveCode, Dialect: site},
		{Pattern: "POST /support/enrol", Guard: server.Public, Handler: h.enrol, Dialect: site},
		{Pattern: "POST /support/logout", Guard: server.Public, Handler: h.staffLogout, Dialect: site},
		{Pattern: "GET /support/applications", Guard: reads, Handler: h.applications, Dialect: site},
		{Pattern: "POST /support/applications", Guard: changes, Handler: h.createApplication, Dialect: site},
		{Pattern: "GET /support/applications/new", Guard: changes, Handler: h.newApplication, Dialect: site},
		{Pattern: "POST /support/applications/preview", Guard: changes, Handler: h.preview, Dialect: site},
		{Pattern: "GET " + app, Guard: reads, Handler: h.application, Dialect: site},
		{Pattern: "POST " + app + "/secrets", Guard: changes, Handler: h.addSecret, Dialect: site},
		{Pattern: "POST " + app + "/replace", Guard: changes, Handler: h.replaceSecret, Dialect: site},
		{Pattern: "POST " + app + "/handover", Guard: changes, Handler: h.handOver, Dialect: site},
		{Pattern: "POST " + app + "/retire", Guard: changes, Handler: h.retireSecret, Dialect: site},
		{Pattern: "POST " + app + "/disable", Guard: changes, Handler: h.setDisabled(true), Dialect: site},
		{Pattern: "POST " + app + "/enable", Guard: changes, Handler: h.setDisabled(false), Dialect: site},
		{Pattern: "GET " + handoverPath, Guard: server.Public, Handler: h.handover, Dialect: site},
		{Pattern: "POST " + handoverPath, Guard: server.Public, Handler: h.openHandover, Dialect: site},
		{Pattern: "GET /support/audit", Guard: books, Handler: h.auditLog, Dialect: site},
		{Pattern: "GET /support/audit.csv", Guard: books, Handler: h.auditFile, Dialect: site},
		{Pattern: "GET /my/{$}", Guard: server.Public, Handler: h.goTo("/my/usage"), Dialect: site},
		{Pattern: "GET /my", Guard: server.Public, Handler: h.goTo("/my/usage"), Dialect: site},
		{Pattern: "GET /my/login", Guard: server.Public, Handler: h.myLogin, Dialect: site},
		{Pattern: "POST /my/login", Guard: server.Public, Handler: h.myLogIn, Dialect: site},
		{Pattern: "POST /my/logout", Guard: server.Public, Handler: h.myLogout, Dialect: site},
		{Pattern: "GET /my/usage", Guard: server.Customer, Handler: h.myUsage, Dialect: site},
		{Pattern: "GET /my/usage/days", Guard: server.Customer, Handler: h.myDays, Dialect: site},
		{Pattern: "GET /my/access", Guard: server.Customer, Handler: h.access, Dialect: site},
		{Pattern: "POST /my/access/stop", Guard: server.Customer, Handler: h.stopConsent, Dialect: site},
		{Pattern: "GET /support/roles", Guard: reads, Handler: h.roles, Dialect: site},
		{Pattern: "POST /support/roles/{name}", Guard: changes, Handler: h.setRole, Dialect: site},
		{Pattern: "POST /support/roles/{name}/repair", Guard: changes, Handler: h.repairRole, Dialect: site},
	}}
}

// supportHome sends members of staff to the first page that is for them.
func (h *Host) supportHome(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	p, known, err := h.person(r, call)
	if err != nil {
		return err
	}
	to := "/support/applications"
	if known && p.Staff && !readsApplications(p.Permissions) {
		to = "/support/audit"
	}
	server.SeeOther(w, to)
	return nil
}

// readsApplications reports whether the pages of applications and roles are for
// somebody.
func readsApplications(s domain.StaffPermissions) bool {
	return s.Has(domain.OAuthManager) || s.Has(domain.APIEngineer)
}

// goTo sends a browser to another page.
func (h *Host) goTo(path string) server.Handler {
	return func(w http.ResponseWriter, _ *http.Request, _ *server.Call) error {
		server.SeeOther(w, path)
		return nil
	}
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
