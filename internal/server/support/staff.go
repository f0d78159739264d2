package support

import (
	"bytes"
	"context"
	_ "embed" // the style sheet
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/session"
)

// Officers knows which member of staff is at which browser.
type Officers interface {
	LogInStaff(ctx context.Context, email string, password, old domain.Secret, from domain.Origin) (domain.Secret, error)
	HasFactor(ctx context.Context, p session.Person) (bool, error)
	NewEnrolment(p session.Person) (session.Enrolment, error)
	SameEnrolment(p session.Person, key domain.Secret) (session.Enrolment, error)
	Enrol(ctx context.Context, p session.Person, value, key domain.Secret, code string, from domain.Origin) ([]string, domain.Secret, error)
	ProveCode(ctx context.Context, p session.Person, value domain.Secret, code string, from domain.Origin) (domain.Secret, error)
	ProvePassword(ctx context.Context, p session.Person, value, password domain.Secret, from domain.Origin) (domain.Secret, error)
}

//go:embed site.css
var siteText []byte

const sitePath = "/support/style.css"

var siteStyle = server.NewDocument("text/css; charset=utf-8", siteText, time.Hour)

func (h *Host) siteStyle(w http.ResponseWriter, r *http.Request, _ *server.Call) error {
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	siteStyle.Write(w, r)
	return nil
}

// elsewhere is an error that a browser answers by going to another page.
type elsewhere struct{ to string }

func (e *elsewhere) Error() string { return "go on at " + e.to }
func (e *elsewhere) Unwrap() error { return session.ErrNobody }

// sitePages is the dialect of the support site: who is not logged in is sent to
// the form, and a refusal is a page.
type sitePages struct{ server.Dialect }

// WriteError writes a page, or sends the browser on.
func (d sitePages) WriteError(w http.ResponseWriter, err error) {
	if e, ok := errors.AsType[*elsewhere](err); ok {
		server.SeeOther(w, e.to)
		return
	}
	d.Dialect.WriteError(w, err)
}

// officer returns the member of staff at the browser, proven in full. Everybody
// else is sent to prove who they are, and comes back to the page.
func (h *Host) officer(r *http.Request, call *server.Call) (session.Person, error) {
	p, known, err := h.person(r, call)
	if err != nil {
		return session.Person{}, err
	}
	back := "/support/"
	if r.Method == http.MethodGet {
		back = r.URL.RequestURI()
	}
	switch {
	case !known || !p.Staff:
		return session.Person{}, &elsewhere{"/support/login?to=" + url.QueryEscape(back)}
	case p.ProvenAt.IsZero():
		return session.Person{}, &elsewhere{"/support/code?to=" + url.QueryEscape(back)}
	}
	return p, nil
}

// inside returns where a form leads, which is a page of the support site.
func inside(to string) string { return below("/support/", to, "/support/") }

// below returns an address where it is that of a page of ours below a folder, and
// another one where it is not.
func below(folder, to, otherwise string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, folder) || strings.Contains(u.Path, "\\") ||
		path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/") {
		return otherwise
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).RequestURI()
}

// staffLogin shows the form for members of staff.
func (h *Host) staffLogin(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	to := inside(r.URL.Query().Get("to"))
	if p, known, err := h.person(r, call); err != nil {
		return err
	} else if known && p.Staff {
		server.SeeOther(w, to)
		return nil
	}
	return h.site(w, r, http.StatusOK, staffLoginPage(to, "", ""))
}

// staffLogIn takes the form.
func (h *Host) staffLogIn(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	to, email := inside(f.get("to")), f.get("email")
	value, err := h.Officers.LogInStaff(r.Context(), email, domain.NewSecret(f.get("password")), h.value(r), call.Origin)
	if status, sentence, told := retold(w, call, err); told {
		return h.site(w, r, status, staffLoginPage(to, email, sentence))
	}
	if err != nil {
		return err
	}
	h.keep(w, value)
	server.SeeOther(w, to)
	return nil
}

// retold turns the refusal of something typed into a status and a sentence for
// the form to show again.
func retold(w http.ResponseWriter, call *server.Call, err error) (status int, sentence string, told bool) {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || e.Kind != domain.Forbidden && e.Kind != domain.Throttled && e.Kind != domain.Invalid && e.Kind != domain.Conflict {
		return 0, "", false
	}
	call.Event.Refused(err)
	server.RetryAfter(w.Header(), err)
	return server.Status(e.Kind), e.Public, true
}

// half returns a member of staff who has logged in, proven in full or not.
func (h *Host) half(r *http.Request, call *server.Call) (session.Person, error) {
	p, known, err := h.person(r, call)
	if err == nil && (!known || !p.Staff) {
		err = &elsewhere{"/support/login"}
	}
	return p, err
}

// code asks for the code of the second factor, or has one set up.
func (h *Host) code(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	p, err := h.half(r, call)
	if err != nil {
		return err
	}
	to := inside(r.URL.Query().Get("to"))
	if !p.ProvenAt.IsZero() {
		server.SeeOther(w, to)
		return nil
	}
	has, err := h.Officers.HasFactor(r.Context(), p)
	if err != nil {
		return err
	}
	if has {
		return h.site(w, r, http.StatusOK, codePage(to, ""))
	}
	e, err := h.Officers.NewEnrolment(p)
	if err != nil {
		return err
	}
	return h.site(w, r, http.StatusOK, enrolPage(to, e, ""))
}

// proveCode takes a code.
func (h *Host) proveCode(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	p, err := h.half(r, call)
	if err != nil {
		return err
	}
	to := inside(f.get("to"))
	value, err := h.Officers.ProveCode(r.Context(), p, h.value(r), f.get("code"), call.Origin)
	if status, sentence, told := retold(w, call, err); told {
		return h.site(w, r, status, codePage(to, sentence))
	}
	if err != nil {
		return err
	}
	h.keep(w, value)
	server.SeeOther(w, to)
	return nil
}

// enrol takes the first code of a new device, and shows the recovery codes.
func (h *Host) enrol(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	p, err := h.half(r, call)
	if err != nil {
		return err
	}
	to, key := inside(f.get("to")), domain.NewSecret(f.get("key"))
	codes, value, err := h.Officers.Enrol(r.Context(), p, h.value(r), key, f.get("code"), call.Origin)
	if status, sentence, told := retold(w, call, err); told {
		e, err := h.Officers.SameEnrolment(p, key)
		if err != nil {
			return err
		}
		return h.site(w, r, status, enrolPage(to, e, sentence))
	}
	if err != nil {
		return err
	}
	h.keep(w, value)
	return h.site(w, r, http.StatusOK, recoveryPage(to, codes))
}

// staffLogout ends the session of this browser.
func (h *Host) staffLogout(w http.ResponseWriter, r *http.Request, _ *server.Call) error {
	if _, err := form(w, r); err != nil {
		return err
	}
	if err := h.Sessions.LogOut(r.Context(), h.value(r)); err != nil {
		return err
	}
	h.keep(w, domain.Secret{})
	server.SeeOther(w, "/support/login")
	return nil
}

// confirmed sees to it that the person was proven in full a short time ago,
// before something dangerous: otherwise the form brings the password or a code.
// Where it is not right, ask is true and the form is shown again, with a
// sentence.
func (h *Host) confirmed(w http.ResponseWriter, r *http.Request, call *server.Call, f fields) (ask bool, sentence string, err error) {
	if call.Person.IsFresh(call.Origin.At) {
		return false, "", nil
	}
	typed := f.get("confirm")
	if typed == "" {
		return true, "Some time has passed since you logged in. Confirm that it is you; nothing was done yet.", nil
	}
	var value domain.Secret
	has, err := h.Officers.HasFactor(r.Context(), *call.Person)
	switch {
	case err != nil:
		return false, "", err
	case has:
		value, err = h.Officers.ProveCode(r.Context(), *call.Person, h.value(r), typed, call.Origin)
	default:
		value, err = h.Officers.ProvePassword(r.Context(), *call.Person, h.value(r), domain.NewSecret(typed), call.Origin)
	}
	if _, sentence, told := retold(w, call, err); told {
		return true, sentence, nil
	}
	if err != nil {
		return false, "", err
	}
	h.keep(w, value)
	call.Person.ProvenAt = call.Origin.At // a page that is shown again does not ask again
	return false, "", nil
}

// site sends a page of the support site.
func (h *Host) site(w http.ResponseWriter, r *http.Request, status int, page templ.Component) error {
	var b bytes.Buffer
	if err := page.Render(r.Context(), &b); err != nil {
		return err
	}
	server.Page{Status: status, HTML: b.Bytes(), Styled: true, Pictures: true, Forms: "'self'"}.Write(w)
	return nil
}

// sees reports whether a member of staff sees a partner's objects: the platform's
// see all, a partner's that partner's.
func sees(p *session.Person, partner domain.PartnerID) bool {
	return p.Partner == "" || p.Partner == partner
}

// shell is what is around every page for whom.
func (h *Host) shell(call *server.Call, title, place string) shellView {
	p := call.Person
	name := strings.TrimSpace(p.FirstName + " " + p.Surname)
	if name == "" {
		name = p.Email
	}
	v := shellView{Title: title, Place: place, Name: name, Rights: strings.Join(p.Permissions.Names(), " "), Environment: h.Environment, Applications: readsApplications(p.Permissions)}
	if !p.Staff {
		v.Customer, v.Rights, v.Environment = true, p.Email, ""
	}
	return v
}

// shellView is what the frame of a page shows.
type shellView struct {
	Title, Place string // the entry of the menu where one is
	Name, Rights string
	Environment  string
	Customer     bool
	Applications bool // their pages are for whoever it is
}
