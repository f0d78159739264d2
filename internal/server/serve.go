package server

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Hosts serves several hosts on one listener. With one public origin for all
// the path decides; with an origin per host the configured names decide, and a
// foreign name gets 421 (RFC 9110 §15.5.20).
type Hosts struct {
	byName  map[string]http.Handler // nil: one origin for all
	all     http.Handler
	lost    http.Handler // paths that are nowhere
	foreign http.Handler // names that are not ours
}

// Serving is what hosts need to answer.
type Serving struct {
	Log *slog.Logger
	// Lines takes the lines of routine requests, whole, where Log writes JSON to
	// the same place; nil: they go through Log.
	Lines io.Writer
	Now   func() time.Time
	// Order returns the instant of issue of what a request brings that arrived at
	// an instant; nil: that instant.
	Order func(arrived time.Time) time.Time
	// Proxies are believed when they say whom they forward for.
	Proxies Proxies
	// CertificateHeader is the header in which they pass on the client certificate
	// of a connection that ended with them, spelled as net/http does; empty: none.
	CertificateHeader string
	// Observe is told of every answered request, for the metrics.
	Observe func(host, route string, status int, took time.Duration)
	// Refused is told of every request that was refused by its guard or handler,
	// for the audit log. It must not block.
	Refused func(Refusal)
	// Deaf reports whether this node has not heard for too long what the others
	// change; nil: there are no others.
	Deaf func() bool
	// Strict tells browsers to come by https only (RFC 6797); for hosts that
	// have it.
	Strict bool
	// Chance names requests; nil: the system's.
	Chance io.Reader
}

// OneOrigin serves the tables of all hosts under one origin.
func (s *Serving) OneOrigin(hosts ...*Host) (*Hosts, error) {
	mux, err := s.mux(hosts)
	if err != nil {
		return nil, err
	}
	return &Hosts{all: mux, lost: s.lost()}, nil
}

// ByName serves each host under its own names (host or host:port), as they
// stand in the public URLs.
func (s *Serving) ByName(hosts map[string][]*Host) (*Hosts, error) {
	h := &Hosts{
		byName: map[string]http.Handler{}, lost: s.lost(),
		foreign: &endpoint{serving: s, path: "*", dialect: misdirected{}},
	}
	for name, list := range hosts {
		mux, err := s.mux(list)
		if err != nil {
			return nil, err
		}
		h.byName[strings.ToLower(name)] = mux
	}
	return h, nil
}

// ServeHTTP answers a request.
func (h *Hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// net/http drops a Content-Length that contradicts Transfer-Encoding before
	// anybody can see it; what follows on such a connection cannot be trusted
	// (RFC 9112 §6.1), nor can HTTP/1.0 with a transfer encoding.
	if len(r.TransferEncoding) > 0 || r.ProtoMajor == 1 && r.ProtoMinor == 0 {
		w.Header().Set("Connection", "close")
	}
	handler := h.all
	if h.byName != nil {
		var ours bool
		if handler, ours = h.byName[strings.ToLower(r.Host)]; !ours {
			h.foreign.ServeHTTP(w, r)
			return
		}
	}
	if crooked(r.URL.Path) {
		handler = h.lost
	}
	handler.ServeHTTP(w, r)
}

// crooked reports whether the mux would send the path somewhere else, query
// string and all, and past the log. Clients of ours never write one.
func crooked(path string) bool {
	return path == "" || path == "*" || strings.Contains(path, "//") || strings.Contains(path, "/./") || strings.Contains(path, "/../") ||
		strings.HasSuffix(path, "/.") || strings.HasSuffix(path, "/..")
}

// lost answers for paths that are nowhere.
func (s *Serving) lost() *endpoint { return &endpoint{serving: s, path: "/", dialect: plain{}} }

// endpoint is one path with the routes of its methods.
type endpoint struct {
	serving *Serving
	path    string
	methods map[string]*bound
	allow   string
	dialect Dialect
}

// bound is a route and the host it belongs to.
type bound struct {
	host  *Host
	route Route
}

// mux gathers the routes by path, so that a method that a path does not know
// is answered in the dialect of that path.
func (s *Serving) mux(hosts []*Host) (*http.ServeMux, error) {
	paths := map[string]*endpoint{}
	for _, h := range hosts {
		for _, route := range h.Routes {
			method, path, ok := strings.Cut(route.Pattern, " ")
			if !ok || route.Handler == nil || route.Dialect == nil {
				return nil, fmt.Errorf("server: %s: route %q is not complete", h.Name, route.Pattern)
			}
			e := paths[path]
			if e == nil {
				e = &endpoint{serving: s, path: path, methods: map[string]*bound{}, dialect: route.Dialect}
				paths[path] = e
			}
			if e.methods[method] != nil {
				return nil, fmt.Errorf("server: %s: route %q stands twice", h.Name, route.Pattern)
			}
			e.methods[method] = &bound{h, route}
			if method == http.MethodGet && route.Guard.kind == everybody {
				e.methods[http.MethodHead] = &bound{h, route}
			}
		}
	}
	paths["/"] = s.lost()
	mux := http.NewServeMux()
	for path, e := range paths {
		if e.methods == nil {
			mux.Handle(path, e)
			continue
		}
		methods := []string{http.MethodOptions}
		for m := range e.methods {
			methods = append(methods, m)
		}
		slices.Sort(methods)
		e.allow = strings.Join(methods, ", ")
		mux.Handle(path, e)
	}
	return mux, nil
}

// ServeHTTP answers one request of one path and leaves one line in the log.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := e.serving
	start := s.Now()
	order := start
	if s.Order != nil {
		order = s.Order(start)
	}
	rec := recorders.Get().(*recorder)
	rec.reset(w)
	defer recorders.Put(rec)
	call := &rec.call
	call.Event.reset()
	call.Caller, call.Person, call.Certificates = domain.Caller{}, nil, nil
	call.Origin = domain.Origin{RequestID: s.requestID(&rec.random), Address: s.Proxies.Address(r), At: start, Order: order}

	h := w.Header()
	h["X-Request-Id"] = []string{call.Origin.RequestID}
	h["X-Content-Type-Options"] = nosniff
	h["Referrer-Policy"] = noReferrer
	if s.Strict {
		h["Strict-Transport-Security"] = aYear
	}

	host := e.answer(rec, r, call)

	took := s.Now().Sub(start)
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	if s.Observe != nil {
		s.Observe(host, e.path, rec.status, took)
	}
	if s.Refused != nil && call.Event.err != nil && host != "" {
		s.Refused(call.Event.refusal(host, e.path, rec.status, call.Origin.Address))
	}
	call.Event.write(r.Context(), s.Log, s.Lines, line{
		method: r.Method, path: r.URL.Path, id: call.Origin.RequestID, address: call.Origin.Address,
		status: rec.status, bytes: rec.bytes, at: start, took: took,
	})
	rec.w = nil
	if rec.aborted {
		panic(http.ErrAbortHandler)
	}
}

var (
	nosniff    = []string{"nosniff"}
	noReferrer = []string{"no-referrer"}
	aYear      = []string{"max-age=31536000"}
)

// answer runs guard and handler, and writes their refusal. It returns the name
// of the host that was asked.
func (e *endpoint) answer(rec *recorder, r *http.Request, call *Call) (host string) {
	b := e.methods[r.Method]
	if e.methods == nil {
		e.dialect.WriteError(rec, &domain.Error{Kind: domain.NotFound, Public: "there is nothing at this path"})
		return ""
	}
	if b == nil {
		rec.Header().Set("Allow", e.allow)
		if r.Method == http.MethodOptions {
			rec.WriteHeader(http.StatusNoContent)
			return ""
		}
		e.dialect.WriteMethod(rec)
		return ""
	}
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v == http.ErrAbortHandler { // the connection is cut, after the line in the log
			host, rec.aborted = b.host.Name, true
			return
		}
		call.Event.Add(slog.String("stack", string(debug.Stack())))
		e.refuse(rec, b.route, call, fmt.Errorf("panic: %v", v))
	}()
	r, err := e.serving.forwarded(r)
	if err == nil {
		if r.TLS != nil {
			call.Certificates = r.TLS.PeerCertificates
		}
		if call.Deaf = e.serving.Deaf != nil && e.serving.Deaf(); call.Deaf && b.route.writes() {
			err = ErrDeaf
		}
	}
	if err == nil {
		err = b.route.Guard.admit(b.host, r, call)
	}
	if err == nil {
		err = b.route.Handler(rec, r, call)
	}
	if err != nil {
		e.refuse(rec, b.route, call, err)
	}
	return b.host.Name
}

// ErrDeaf asks to come again, or to another node.
var ErrDeaf = &domain.Error{Kind: domain.Unavailable, Public: "this server has not heard of the others for too long; try again"}

// refuse notes and writes an error, unless an answer is on its way already.
func (e *endpoint) refuse(rec *recorder, route Route, call *Call, err error) {
	call.Event.Refused(err)
	if rec.status == 0 {
		route.Dialect.WriteError(rec, err)
	}
}

// recorder remembers the status and the size of an answer, and holds what a
// request needs, so that all of it is reused.
type recorder struct {
	w       http.ResponseWriter
	status  int
	bytes   int64
	aborted bool // whoever answers wants the connection cut
	call    Call
	random  [13]byte // room for a request's identifier
}

var recorders = sync.Pool{New: func() any { return &recorder{call: Call{Event: &Event{}}} }}

func (r *recorder) reset(w http.ResponseWriter) {
	r.w, r.status, r.bytes, r.aborted = w, 0, 0, false
}

// Header returns the answer's headers.
func (r *recorder) Header() http.Header { return r.w.Header() }

// WriteHeader sends the status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		r.status = status
	}
	r.w.WriteHeader(status)
}

// Write sends a part of the body.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.w.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap gives [http.ResponseController] the way to the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.w }

// requestID returns 13 random characters. A counter would tell everybody how
// many requests there are.
func (s *Serving) requestID(b *[13]byte) string {
	const digits = "0123456789abcdefghjkmnpqrstvwxyz"
	chance := s.Chance
	if chance == nil {
		chance = rand.Reader
	}
	if _, err := io.ReadFull(chance, b[:]); err != nil {
		panic("server: no randomness: " + err.Error())
	}
	for i := range b {
		b[i] = digits[b[i]&31]
	}
	return string(b[:])
}

// WriteBody sends a whole body with its length, so that a small answer leaves
// in one piece.
func WriteBody(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // nobody is left to tell
}
