package customer

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
)

// Consents is who keeps what customers have allowed.
type Consents interface {
	// Consents lists consents, newest first.
	Consents(ctx context.Context, f authorize.Filter) ([]domain.Consent, error)
	// EndConsent ends a consent and all its tokens: one that by.User has given and
	// that by.Client has, of which one may be empty. Every other is
	// [domain.NotFound].
	EndConsent(ctx context.Context, id domain.ConsentID, by domain.Caller, from domain.Origin) error
}

// consentRoutes are the doors to what a customer has allowed. Whose token it is
// decides what it shows, so that no permission is asked besides.
func (h *Host) consentRoutes() []server.Route {
	if h.Consents == nil {
		return nil
	}
	guard, dialect := server.Token(domain.AudienceCustomer), problems{h.URL + "/.well-known/oauth-protected-resource"}
	return []server.Route{
		{Pattern: "GET /v1/consents", Guard: guard, Handler: h.listConsents, Dialect: dialect},
		{Pattern: "DELETE /v1/consents/{id}", Guard: guard, Handler: h.endConsent, Dialect: dialect},
	}
}

// listConsents answers with one page of the caller's consents.
func (h *Host) listConsents(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	filter, err := readPage(r.URL.RawQuery)
	if err != nil {
		return err
	}
	limit := filter.Limit
	filter.Application, filter.User = whose(call.Caller)
	filter.Limit++ // one more tells whether there is a next page
	list, err := h.Consents.Consents(r.Context(), filter)
	if err != nil {
		return err
	}
	page := consentPage{Consents: []consentShown{}}
	if len(list) > limit {
		list = list[:limit]
		page.Next = &list[limit-1].ID
	}
	for _, c := range list {
		page.Consents = append(page.Consents, showConsent(c, call.Origin.At))
	}
	body, err := json.Marshal(page)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	server.WriteBody(w, http.StatusOK, "application/json", body)
	return nil
}

// endConsent ends a consent. One that has ended already stays so.
func (h *Host) endConsent(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	if r.URL.RawQuery != "" {
		return &domain.Error{Kind: domain.Invalid, Public: "this takes no parameters"}
	}
	id, err := domain.ParseConsentID(r.PathValue("id"))
	if err != nil { // what cannot be an identifier names nothing either
		return noConsent(err)
	}
	by := call.Caller
	if by.LooksOn() {
		return &domain.Error{Kind: domain.Forbidden, Public: "who looks on as a customer changes nothing"}
	}
	by.Client, by.User = whose(by)
	if err := h.Consents.EndConsent(r.Context(), id, by, call.Origin); err != nil {
		if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
			return noConsent(err)
		}
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// noConsent is the answer for a consent that is somebody else's and for one that
// nobody has.
func noConsent(cause error) error {
	return &domain.Error{Kind: domain.NotFound, Public: "there is no such consent", Err: cause}
}

// whose returns whose consents a token stands for. That of an application is
// for the application's. That of a user is for what the user has given to the
// token's application. Only the partner's own application, for which nobody is
// asked, handles all of the user's, where the user is there and the token may see
// personal data: what other applications may read is that too. So do account users
// who have logged in by themselves, without an application.
func whose(caller domain.Caller) (domain.ClientID, domain.UserID) {
	if caller.User != "" && caller.Own && !caller.Impersonated() && caller.Reach == domain.ReachPartner && caller.Permissions.Has(domain.CanViewPersonalData) {
		return "", caller.User
	}
	return caller.Client, caller.User
}
