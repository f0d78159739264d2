package server

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Event is the one line that a request leaves in the log. It is filled on the
// way and written once, by [Hosts]. It never holds a secret, a token or the
// query string.
type Event struct {
	mu      sync.Mutex // of err and extra: the fields of a GraphQL answer fail side by side
	client  domain.ClientID
	partner domain.PartnerID
	user    domain.UserID
	actor   domain.ClientID
	subject domain.UserID // whom somebody asks to speak for
	err     error
	extra   []slog.Attr
	text    []byte // room for the line
}

// Caller notes who is asking.
func (e *Event) Caller(c domain.Caller) {
	e.client, e.partner, e.user, e.actor = c.Client, c.Partner, c.User, c.Actor
	if c.LooksOn() {
		e.Add(slog.String("staff", cmp.Or(string(c.Staff), "operator")))
	}
}

// Client notes the application that has proven who it is.
func (e *Event) Client(id domain.ClientID, partner domain.PartnerID) {
	e.client, e.partner = id, partner
}

// Subject notes whom somebody asks to speak for.
func (e *Event) Subject(id domain.UserID) { e.subject = id }

// Refused notes why the request, or a field of it, failed: the first reason, and
// any fault of our own instead. The text is the operator's.
func (e *Event) Refused(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil || internal(err) && !internal(e.err) {
		e.err = err
	}
}

// Refusal is a refused request as the audit log counts it.
type Refusal struct {
	Host, Path string // the path is the table's pattern
	Status     int
	Client     domain.ClientID
	Partner    domain.PartnerID
	Address    string
	Err        error // why, for the operator
}

func (e *Event) refusal(host, path string, status int, address string) Refusal {
	return Refusal{Host: host, Path: path, Status: status, Client: e.client, Partner: e.partner, Address: address, Err: e.err}
}

func internal(err error) bool {
	d, ok := errors.AsType[*domain.Error](err)
	return !ok || d.Kind == domain.Internal
}

// Add notes something else that is typed and free of secrets.
func (e *Event) Add(attrs ...slog.Attr) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.extra = append(e.extra, attrs...)
}

// line is what the server itself knows of a request.
type line struct {
	method, path, id, address string
	status                    int
	bytes                     int64
	at                        time.Time
	took                      time.Duration
}

// write writes the event. Routine requests are Info, our own faults Error.
func (e *Event) write(ctx context.Context, log *slog.Logger, lines io.Writer, l line) {
	level := slog.LevelInfo
	if l.status >= 500 {
		level = slog.LevelError
	}
	if !log.Enabled(ctx, level) {
		return
	}
	if lines != nil && level == slog.LevelInfo {
		text, ok := e.routine(e.text[:0], l)
		e.text = text
		if ok {
			_, _ = lines.Write(text) // nobody is left to tell
			return
		}
	}
	var room [16]slog.Attr
	attrs := append(room[:0],
		slog.String("method", l.method),
		slog.String("path", l.path),
		slog.Int("status", l.status),
		slog.Int64("bytes", l.bytes),
		slog.Int64("us", l.took.Microseconds()),
		slog.String("request", l.id),
		slog.String("address", l.address),
	)
	if e.client != "" {
		attrs = append(attrs, slog.String("client", string(e.client)))
	}
	if e.partner != "" {
		attrs = append(attrs, slog.String("partner", string(e.partner)))
	}
	if e.user != "" {
		attrs = append(attrs, slog.String("user", string(e.user)))
	}
	if e.actor != "" {
		attrs = append(attrs, slog.String("actor", string(e.actor)))
	}
	if e.err != nil {
		if d, ok := errors.AsType[*domain.Error](e.err); ok {
			attrs = append(attrs, slog.String("kind", d.Kind.String()))
		}
		attrs = append(attrs, slog.String("error", e.err.Error()))
	}
	if e.subject != "" {
		attrs = append(attrs, slog.String("subject", string(e.subject)))
	}
	// Past the logger, which would look for the caller's line, at half the price.
	record := slog.NewRecord(l.at, level, "request", 0)
	record.AddAttrs(append(attrs, e.extra...)...)
	_ = log.Handler().Handle(ctx, record) // nobody is left to tell
}

// reset empties the event for the next request.
func (e *Event) reset() {
	e.client, e.partner, e.user, e.actor, e.subject = "", "", "", "", ""
	e.err, e.extra = nil, e.extra[:0]
}
