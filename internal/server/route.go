// Package server answers one question: how does a host answer?
//
// A host is a table of routes. Every route names its guard as data, and the
// guard is asked before the handler; a route whose guard was forgotten admits
// nobody.
package server

import (
	"crypto/x509"
	"net/http"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/session"
)

// Handler decodes, asks and encodes. It returns its error and writes only
// success; who is asking is an argument.
type Handler func(w http.ResponseWriter, r *http.Request, call *Call) error

// Call is what the server knows of a request before the handler runs.
type Call struct {
	Caller domain.Caller   // the zero Caller behind a Public guard
	Person *session.Person // at the browser, behind a guard for staff
	Origin domain.Origin
	Event  *Event
	// Deaf says that this node has not heard of the others for too long: whoever is
	// known to it may have lost what they had, and changes nothing here.
	Deaf bool
	// Certificates are the client's of the TLS connection, its own first; mostly
	// there are none. The client has proven to hold the first one's key, and
	// nothing else has been checked.
	Certificates []*x509.Certificate
}

// Dialect writes refusals in the words that a route's clients understand.
type Dialect interface {
	// WriteError translates an error into a status, headers and a body.
	WriteError(w http.ResponseWriter, err error)
	// WriteMethod answers a method that the path does not know; Allow is set.
	WriteMethod(w http.ResponseWriter)
}

// Route is one line of a host's table of contents.
type Route struct {
	// Pattern is a method, a space and a path as in [http.ServeMux]. A GET
	// route answers HEAD only behind a guard that lets everybody in.
	Pattern string
	Guard   Guard
	Handler Handler
	Dialect Dialect
	// Metadata is the member of the authorization server's metadata whose value
	// is this route's URL, for example revocation_endpoint (RFC 8414 §2). Empty:
	// the metadata does not list it.
	Metadata string
	// Writes says of a GET route that it makes something that lasts, and Stale of
	// any other that it may be answered by a node that has not heard of the others
	// for too long: others write, and are refused there.
	Writes, Stale bool
}

// writes reports whether only a node may answer that knows what the others do.
func (r Route) writes() bool {
	method, _, _ := strings.Cut(r.Pattern, " ")
	return r.Writes || method != http.MethodGet && !r.Stale
}

// Host is a table of contents and how its callers prove who they are.
type Host struct {
	Name   string // auth, customer or support
	Routes []Route
	// Authenticate finds out who is asking and demands that the token is for
	// the given audience. Hosts without guarded routes leave it nil.
	Authenticate func(r *http.Request, audience domain.Audience) (domain.Caller, error)
	// Person finds out which member of staff is at the browser, proven in full.
	// Hosts without routes for staff leave it nil.
	Person func(r *http.Request, call *Call) (session.Person, error)
	// Customer finds out which customer is at the browser, for pages of their own.
	Customer func(r *http.Request, call *Call) (session.Person, error)
}

// Guard says who may pass. The zero Guard admits nobody.
type Guard struct {
	kind     guardKind
	need     domain.Permission
	audience domain.Audience
	readers  domain.StaffPermissions // who learns that the page exists
	changers domain.StaffPermissions // who may do what the route does
}

type guardKind uint8

const (
	nobody guardKind = iota
	everybody
	permission
	fields
	bearer
	staff
	customer
)

// Public lets everybody in.
var Public = Guard{kind: everybody}

// Fields lets everybody in to a handler that guards each field by itself, as
// the GraphQL API does: its refusals are answers, not statuses.
var Fields = Guard{kind: fields}

// Permission lets in a caller whose token is for the audience and holds the
// permission.
func Permission(need domain.Permission, audience domain.Audience) Guard {
	return Guard{kind: permission, need: need, audience: audience}
}

// Token lets in whoever holds a token for the audience, whatever it allows; the
// handler says what that opens.
func Token(audience domain.Audience) Guard { return Guard{kind: bearer, audience: audience} }

// Staff lets in members of staff who hold one of the permissions. To others the
// page does not exist.
func Staff(any ...domain.StaffPermission) Guard {
	set := domain.StaffPermissionSet(any...)
	return Guard{kind: staff, readers: set, changers: set}
}

// StaffChange lets in members of staff who hold the permission. Those who hold one
// of the others may read the page, and are told that they may not change it.
func StaffChange(need domain.StaffPermission, readers ...domain.StaffPermission) Guard {
	set := domain.StaffPermissionSet(need)
	return Guard{kind: staff, readers: set | domain.StaffPermissionSet(readers...), changers: set}
}

// Customer lets in customers, to what is their own.
var Customer = Guard{kind: customer}

// Admits reports whether anybody at all can pass, for the test of the tables.
func (g Guard) Admits() bool { return g.kind != nobody }

// String describes the guard for the table of routes.
func (g Guard) String() string {
	switch g.kind {
	case nobody:
		return "nobody"
	case everybody:
		return "public"
	case permission:
		return g.need.String() + " for " + g.audience.String()
	case fields:
		return "each field"
	case bearer:
		return "a token for " + g.audience.String()
	case customer:
		return "a customer, to their own"
	case staff:
		return strings.Join(g.changers.Names(), " or ")
	}
	return "unknown"
}

// admit asks the guard. It fills in the caller where the guard wants one.
func (g Guard) admit(h *Host, r *http.Request, call *Call) error {
	switch g.kind {
	case everybody, fields:
		return nil
	case permission, bearer:
		caller, err := h.Authenticate(r, g.audience)
		if err != nil {
			return err
		}
		call.Caller = caller
		call.Event.Caller(caller)
		if g.kind == permission && !caller.Permissions.Has(g.need) {
			return &domain.Error{Kind: domain.Forbidden, Public: "this token does not hold " + g.need.String()}
		}
		return nil
	case staff:
		return g.admitStaff(h, r, call)
	case customer:
		person, err := h.Customer(r, call)
		if err == nil {
			call.Person = &person
		}
		return err
	case nobody:
	}
	return &domain.Error{Kind: domain.Forbidden, Public: "nobody may do this"}
}

func (g Guard) admitStaff(h *Host, r *http.Request, call *Call) error {
	person, err := h.Person(r, call)
	if err != nil {
		return err
	}
	switch {
	case person.Permissions&g.readers == 0:
		return &domain.Error{Kind: domain.NotFound, Public: "There is no such page."}
	case person.Permissions&g.changers == 0:
		return &domain.Error{Kind: domain.Forbidden, Public: "You may read this page. Changing anything here needs " +
			strings.Join(g.changers.Names(), " or ") + ": ask somebody who holds it."}
	}
	call.Person = &person
	return nil
}
