package customer

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
)

// problems is the dialect of what this host answers beside GraphQL: problem
// details (RFC 9457). The request's identifier is in its header only, so that
// what is foreign and what is unknown look the same.
type problems struct {
	metadata string // where this host describes itself (RFC 9728 §5.1)
}

// problem is an error as RFC 9457 §3.1 writes it. Its type is about:blank, so
// the title is the status's own.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// WriteError writes the status of the error's kind and its public sentence.
func (p problems) WriteError(w http.ResponseWriter, err error) {
	status, sentence := http.StatusInternalServerError, "Something went wrong on our side; it is in our log."
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind != domain.Internal {
		status, sentence = server.Status(e.Kind), e.Public
	}
	bound := dialect.WriteChallenge(w.Header(), err) // it demands a proof, and says which
	if e, ok := errors.AsType[*oauth.Error](err); ok && bound {
		status, sentence = http.StatusUnauthorized, e.Description
	}
	switch {
	case status == http.StatusUnauthorized && !bound: // RFC 6750 §3: no code where no token came
		challenge := `Bearer error="invalid_token", `
		if errors.Is(err, authn.ErrNoToken) {
			challenge = "Bearer "
		}
		w.Header().Set("WWW-Authenticate", challenge+`resource_metadata="`+p.metadata+`"`)
	case status == http.StatusTooManyRequests:
		if pause, ok := errors.AsType[*domain.Pause](err); ok {
			w.Header().Set("Retry-After", strconv.FormatInt(int64((pause.Wait+time.Second-1)/time.Second), 10))
		}
	}
	p.write(w, status, sentence)
}

// WriteMethod answers a method that the path does not know.
func (p problems) WriteMethod(w http.ResponseWriter) {
	p.write(w, http.StatusMethodNotAllowed, "This path does not know that method; the header Allow lists those it does.")
}

func (problems) write(w http.ResponseWriter, status int, sentence string) {
	body, _ := json.Marshal(problem{http.StatusText(status), status, sentence}) // texts and a number always marshal
	w.Header().Set("Cache-Control", "no-store")
	server.WriteBody(w, status, "application/problem+json", body)
}
