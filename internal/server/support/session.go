package support

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/session"
)

// Sessions knows who is at which browser.
type Sessions interface {
	LogInAnywhere(ctx context.Context, email string, password, old domain.Secret, from domain.Origin) (domain.Secret, error)
	LogIn(ctx context.Context, partner domain.PartnerID, email string, password, old domain.Secret, from domain.Origin) (domain.Secret, error)
	Person(ctx context.Context, value domain.Secret) (session.Person, error)
	LogOut(ctx context.Context, value domain.Secret) error
}

// cookie is the name of the session's cookie. Over https its prefix has browsers
// see to it that no other host, and nobody on the network, has set it (RFC 6265bis
// §4.1.3.2); on loopback http there is no such thing.
func (h *Host) cookie() string {
	if h.https() {
		return "__Host-wattgate"
	}
	return "wattgate"
}

func (h *Host) https() bool { return strings.HasPrefix(h.SupportURL, "https://") }

// value returns what the browser sent as its session. Two cookies of the name are
// as good as none: one of them was put there by somebody else.
func (h *Host) value(r *http.Request) domain.Secret {
	cookies := r.CookiesNamed(h.cookie())
	if len(cookies) != 1 {
		return domain.Secret{}
	}
	return domain.NewSecret(cookies[0].Value)
}

// person returns who is at the browser. Nobody is no error.
func (h *Host) person(r *http.Request, call *server.Call) (session.Person, bool, error) {
	p, err := h.Sessions.Person(r.Context(), h.value(r))
	if errors.Is(err, session.ErrNobody) {
		return session.Person{}, false, nil
	}
	if err != nil {
		return session.Person{}, false, err
	}
	call.Event.Caller(domain.Caller{Partner: p.Partner, User: p.ID})
	return p, true, nil
}

// keep puts the value of a session into the browser, until that is closed; the
// session's own bounds are the server's to see to. An empty value takes it away.
func (h *Host) keep(w http.ResponseWriter, value domain.Secret) {
	c := &http.Cookie{
		Name: h.cookie(), Value: value.Reveal(), Path: "/", Secure: h.https(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if value.Empty() {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// logout ends the session of this browser.
func (h *Host) logout(w http.ResponseWriter, r *http.Request, _ *server.Call) error {
	if _, err := form(w, r); err != nil {
		return err
	}
	if err := h.Sessions.LogOut(r.Context(), h.value(r)); err != nil {
		return err
	}
	h.keep(w, domain.Secret{})
	server.SeeOther(w, h.SupportURL+"/")
	return nil
}

// maxForm bounds a form: a consent for hundreds of supply points fits.
const maxForm = 64 << 10

// origins refuses forms that another site's page has sent (Sec-Fetch-Site,
// Origin); the cookie's SameSite is the second wall.
var origins = http.NewCrossOriginProtection()

// form reads a form that one of our own pages has sent, each field of which
// stands in its body.
func form(w http.ResponseWriter, r *http.Request) (fields, error) {
	if err := origins.Check(r); err != nil {
		return nil, &domain.Error{Kind: domain.Forbidden, Public: "This form was sent by another site. Nothing was done.", Err: err}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, &domain.Error{Kind: domain.Invalid, Public: "This form cannot be read.", Err: err}
	}
	return fields(r.PostForm), nil
}

// fields are those of a form.
type fields map[string][]string

// get returns a field that stands once; otherwise nothing.
func (f fields) get(name string) string {
	if len(f[name]) != 1 { // of no fields too
		return ""
	}
	return f[name][0]
}
