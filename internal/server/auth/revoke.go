package auth

import (
	"context"
	"net/http"

	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
)

// Revoker ends tokens before their time.
type Revoker interface {
	Revoke(ctx context.Context, app *domain.Listing, raw string, from domain.Origin) error
}

// revoke answers RFC 7009. The two spellings differ in their refusals only. An
// application that cannot prove who it is gives its name and the token (§2.1):
// whoever holds a token may as well lose it.
func (h *Host) revoke(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	req, err := dialect.ReadAbout(r)
	if err != nil {
		return err
	}
	app, err := h.anyClient(r.Context(), req.Client, call)
	if err != nil {
		return err
	}
	call.Event.Client(app.ID, app.Partner)
	if err := h.Revoker.Revoke(r.Context(), app, req.Token, call.Origin); err != nil {
		return err
	}
	dialect.WriteRevoked(w)
	return nil
}
