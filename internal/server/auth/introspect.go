package auth

import (
	"net/http"

	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
)

// Introspector says what an application may know of a token.
type Introspector interface {
	Introspect(raw string, app domain.ClientID) (oauth.Introspection, bool, error)
}

// Statements signs what is no token (RFC 9701).
type Statements interface {
	SignStatement(typ string, claims []byte) (string, error)
	Algorithms() []string
}

// introspect answers RFC 7662, signed where that is asked for (RFC 9701). Nobody
// asks without proving who they are
// (RFC 7662 §2.1): tokens could be tried out here otherwise.
func (h *Host) introspect(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	req, err := dialect.ReadAbout(r)
	if err != nil {
		return err
	}
	app, err := h.client(r.Context(), req.Client, call)
	if err != nil {
		return err
	}
	call.Event.Client(app.ID, app.Partner)
	said, active, err := h.Introspector.Introspect(req.Token, app.ID)
	if err != nil {
		return err
	}
	if h.Statements != nil && dialect.WantsStatement(r) {
		signed, err := h.Statements.SignStatement(dialect.StatementType, dialect.Statement(h.URL, app.ID, call.Origin.At.Unix(), said, active))
		if err != nil {
			return err
		}
		dialect.WriteStatement(w, signed)
		return nil
	}
	if !active {
		dialect.WriteInactive(w)
		return nil
	}
	dialect.WriteIntrospection(w, said)
	return nil
}
