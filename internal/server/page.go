package server

import (
	"errors"
	"html"
	"net/http"
	"strconv"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// Page is an HTML page for people, which no cache keeps and no frame shows.
type Page struct {
	Status int
	HTML   []byte
	// Styled says that it has a style sheet of its own origin.
	Styled bool
	// Pictures says that it has pictures that stand in the page itself.
	Pictures bool
	// Forms are the sources that its forms may lead to, in the words of
	// Content-Security-Policy; empty: it has no forms.
	Forms string
}

// Write sends the page. There is no script on it, and nothing from outside.
func (p Page) Write(w http.ResponseWriter) {
	policy := "default-src 'none'; "
	if p.Styled {
		policy += "style-src 'self'; "
	}
	if p.Pictures {
		policy += "img-src data:; "
	}
	forms := p.Forms
	if forms == "" {
		forms = "'none'"
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policy+"frame-ancestors 'none'; base-uri 'none'; form-action "+forms)
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	h.Set("X-Frame-Options", "DENY") // for browsers from before frame-ancestors
	WriteBody(w, p.Status, "text/html; charset=utf-8", p.HTML)
}

// SeeOther sends a browser on (RFC 9110 §15.4.4): whatever it sent here, the
// next request is a GET (RFC 9700 §4.12).
func SeeOther(w http.ResponseWriter, location string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Location", location)
	w.WriteHeader(http.StatusSeeOther)
}

// RetryAfter says how long to wait where the error is a [domain.Pause], in whole
// seconds rounded up (RFC 9110 §10.2.3).
func RetryAfter(h http.Header, err error) {
	if pause, ok := errors.AsType[*domain.Pause](err); ok {
		h.Set("Retry-After", strconv.FormatInt(int64((pause.Wait+time.Second-1)/time.Second), 10))
	}
}

// pages is the dialect of pages: a page that says what is wrong.
type pages struct{ style string }

// Pages returns that dialect; style is the address of its style sheet, if any.
func Pages(style string) Dialect { return pages{style: style} }

// WriteError writes a page with the public sentence.
func (p pages) WriteError(w http.ResponseWriter, err error) {
	status, sentence := http.StatusInternalServerError, "Something went wrong on our side."
	if d, ok := errors.AsType[*domain.Error](err); ok && d.Kind != domain.Internal {
		status, sentence = Status(d.Kind), d.Public
		RetryAfter(w.Header(), err)
	}
	p.write(w, status, sentence)
}

// WriteMethod writes a page.
func (p pages) WriteMethod(w http.ResponseWriter) {
	p.write(w, http.StatusMethodNotAllowed, "This page cannot be asked in that way.")
}

func (p pages) write(w http.ResponseWriter, status int, sentence string) {
	link := ""
	if p.style != "" {
		link = `<link rel="stylesheet" href="` + html.EscapeString(p.style) + `">` + "\n"
	}
	Page{Status: status, Styled: p.style != "", HTML: []byte(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>This did not work</title>
` + link + `<main>
<h1>This did not work</h1>
<p>` + html.EscapeString(sentence) + `
</main>
</html>
`)}.Write(w)
}
