package support

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/session"
)

// Desk holds what applications ask of people, and takes their answers.
type Desk interface {
	Pending(ctx context.Context, challenge string) (authorize.Request, error)
	Offered(ctx context.Context, req authorize.Request, who domain.User) (authorize.Offer, error)
	Allow(ctx context.Context, challenge string, who domain.User, is authorize.Decision, from domain.Origin) (string, error)
	Deny(ctx context.Context, challenge string, from domain.Origin) (string, error)
	Return(r *authorize.Refused) string
	DevicePending(ctx context.Context, userCode string) (string, error)
}

// question is what waits for a person under a challenge.
type question struct {
	challenge string
	authorize.Request
}

// pending finds the question of a page. What is over, and what never was, look
// alike.
func (h *Host) pending(ctx context.Context, challenge string) (question, error) {
	req, err := h.Desk.Pending(ctx, challenge)
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		err = &domain.Error{Kind: domain.NotFound, Public: "This request is over. Go back to where you came from and begin again.", Err: err}
	}
	return question{challenge, req}, err
}

// at is a page of the question.
func (q question) at(path string) string {
	return path + "?challenge=" + url.QueryEscape(q.challenge)
}

// answers reports whether the person may answer the question as they are: a
// customer of the partner, who has logged in recently enough (OpenID Connect Core
// §3.1.2.1, prompt and max_age). Who logged in for this question always has.
func (q question) answers(p session.Person, now time.Time) bool {
	if !p.Customer || p.Staff || p.Partner != q.Partner {
		return false
	}
	if !p.AuthTime.Before(q.At) {
		return true
	}
	if q.prompts("login") || q.prompts("select_account") {
		return false
	}
	if q.MaxAge == "" {
		return true
	}
	seconds, err := strconv.ParseInt(q.MaxAge, 10, 64)
	return err == nil && int64(now.Sub(p.AuthTime)/time.Second) <= seconds
}

func (q question) prompts(what string) bool { return slices.Contains(strings.Fields(q.Prompt), what) }

// silent sends the person back where nothing may be shown (prompt=none).
func (h *Host) silent(w http.ResponseWriter, call *server.Call, q question, code oauth.Code, why string) error {
	refused := &authorize.Refused{Redirect: q.Redirect, State: q.State, Code: string(code), Description: why}
	to := h.Desk.Return(refused)
	if to == "" {
		return &domain.Error{Kind: domain.Invalid, Public: why}
	}
	call.Event.Refused(&domain.Error{Kind: domain.Invalid, Err: refused})
	server.SeeOther(w, to)
	return nil
}

// login shows the form, or goes on where the right person is logged in already.
func (h *Host) login(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	query := r.URL.Query()
	q, err := h.pending(r.Context(), query.Get("challenge"))
	if err != nil {
		return err
	}
	if !h.typed(r, q) {
		server.SeeOther(w, devicePath)
		return nil
	}
	p, known, err := h.person(r, call)
	if err != nil {
		return err
	}
	switch {
	case known && q.answers(p, call.Origin.At) && !query.Has("other"):
		server.SeeOther(w, q.at("/consent"))
		return nil
	case q.prompts("none"):
		return h.silent(w, call, q, oauth.LoginRequired, "nobody is logged in, or not recently enough")
	}
	return h.askToLogIn(w, r, q, "", nil)
}

// askToLogIn shows the form, with what was wrong with the last one.
func (h *Host) askToLogIn(w http.ResponseWriter, r *http.Request, q question, email string, wrong error) error {
	status, sentence := http.StatusOK, ""
	if wrong != nil {
		e, _ := errors.AsType[*domain.Error](wrong)
		status, sentence = server.Status(e.Kind), e.Public
		server.RetryAfter(w.Header(), wrong)
	}
	return show(w, r, status, q.Redirect, loginPage(loginView{
		Application: h.name(q.Client), Challenge: q.challenge, Email: email, Wrong: sentence, Device: q.Device != "",
	}))
}

// loginView is what the form shows.
type loginView struct {
	Application, Challenge, Email, Wrong string
	Device                               bool
}

// logIn takes the form.
func (h *Host) logIn(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	q, err := h.pending(r.Context(), f.get("challenge"))
	if err != nil {
		return err
	}
	if !h.typed(r, q) {
		server.SeeOther(w, devicePath)
		return nil
	}
	if q.prompts("none") {
		return h.silent(w, call, q, oauth.LoginRequired, "nobody is logged in, or not recently enough")
	}
	email := f.get("email")
	value, err := h.Sessions.LogIn(r.Context(), q.Partner, email, domain.NewSecret(f.get("password")), h.value(r), call.Origin)
	if e, ok := errors.AsType[*domain.Error](err); ok && (e.Kind == domain.Forbidden || e.Kind == domain.Throttled) {
		call.Event.Refused(err)
		return h.askToLogIn(w, r, q, email, err)
	}
	if err != nil {
		return err
	}
	h.keep(w, value)
	server.SeeOther(w, q.at("/consent"))
	return nil
}

// name is what the application is called.
func (h *Host) name(id domain.ClientID) string {
	if app := h.Directory.Directory().Application(id); app != nil {
		return app.Name
	}
	return string(id)
}
