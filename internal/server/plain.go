package server

import (
	"errors"
	"net/http"

	"github.com/wattgate/wattgate/internal/domain"
)

// plain is the dialect of what belongs to no API: a sentence.
type plain struct{}

// Plain returns that dialect, for pages.
func Plain() Dialect { return plain{} }

// WriteError writes the public sentence.
func (plain) WriteError(w http.ResponseWriter, err error) {
	status, sentence := http.StatusInternalServerError, "something went wrong on our side"
	if d, ok := errors.AsType[*domain.Error](err); ok && d.Kind != domain.Internal {
		status, sentence = Status(d.Kind), d.Public
	}
	WriteBody(w, status, "text/plain; charset=utf-8", []byte(sentence+"\n"))
}

// WriteMethod writes a sentence.
func (plain) WriteMethod(w http.ResponseWriter) {
	WriteBody(w, http.StatusMethodNotAllowed, "text/plain; charset=utf-8", []byte("this path does not know that method\n"))
}

// misdirected answers for a host name that is not ours (RFC 9110 §15.5.20).
type misdirected struct{ plain }

// WriteError writes a sentence.
func (misdirected) WriteError(w http.ResponseWriter, _ error) {
	WriteBody(w, http.StatusMisdirectedRequest, "text/plain; charset=utf-8", []byte("this server does not answer for that host name\n"))
}

// Status returns the HTTP status of a kind (RFC 9110 §15).
func Status(k domain.Kind) int {
	switch k {
	case domain.Invalid:
		return http.StatusBadRequest
	case domain.Unauthenticated:
		return http.StatusUnauthorized
	case domain.Forbidden:
		return http.StatusForbidden
	case domain.NotFound:
		return http.StatusNotFound
	case domain.Conflict:
		return http.StatusConflict
	case domain.Unavailable:
		return http.StatusServiceUnavailable
	case domain.Throttled:
		return http.StatusTooManyRequests
	case domain.Internal:
	}
	return http.StatusInternalServerError
}

// WritePage sends a page that has no scripts, styles, frames or anything from
// outside, and is kept by no cache.
func WritePage(w http.ResponseWriter, html string) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	w.Header().Set("Cache-Control", "no-store")
	WriteBody(w, http.StatusOK, "text/html; charset=utf-8", []byte(html))
}
