package support

import (
	"errors"
	"net/http"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/throttle"
)

// WrongUserCodes is how often a wrong user code may be typed from one address
// (RFC 8628 §5.1): a code lives ten minutes and is one of 25 billion.
var WrongUserCodes = throttle.Limit{Burst: 10, Every: 30 * time.Second, Most: 30 * time.Minute}

// device shows the form for the code that a device shows (RFC 8628 §3.3). A code
// in the address is filled in and not taken: the person compares it with the
// device's first (§3.3.1, §5.4).
func (h *Host) device(w http.ResponseWriter, r *http.Request, _ *server.Call) error {
	return askForCode(w, r, r.URL.Query().Get("user_code"), nil)
}

// deviceCode takes the form.
func (h *Host) deviceCode(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	code := f.get("user_code")
	key := h.WrongCodes.Key("", throttle.Address(call.Origin.Address))
	if h.WrongCodes.Wait(key, call.Origin.At) > 0 {
		return h.wrongCode(w, r, call, key, code, nil)
	}
	if err := h.unproven(call); err != nil {
		call.Event.Refused(err)
		return askForCode(w, r, code, err)
	}
	challenge, err := h.Desk.DevicePending(r.Context(), code)
	if e, ok := errors.AsType[*domain.Error](err); ok && (e.Kind == domain.NotFound || e.Kind == domain.Invalid) {
		return h.wrongCode(w, r, call, key, code, &domain.Error{Kind: domain.Invalid, Public: "That code is not known, or has run out. Look at your device again.", Err: err})
	}
	if err != nil {
		return err
	}
	h.keepTyped(w, challenge)
	server.SeeOther(w, question{challenge: challenge}.at("/login"))
	return nil
}

// wrongCode counts a wrong code, and shows the form again.
func (h *Host) wrongCode(w http.ResponseWriter, r *http.Request, call *server.Call, key throttle.Key, code string, why *domain.Error) error {
	if wait := h.WrongCodes.Charge(key, call.Origin.At); wait > 0 || why == nil {
		why = tooOften(h.WrongCodes, "device", wait)
	}
	call.Event.Refused(why)
	return askForCode(w, r, code, why)
}

// unproven counts a code before it is looked up: one that is right keeps something
// in the database too, each time.
func (h *Host) unproven(call *server.Call) *domain.Error {
	if h.Unproven == nil {
		return nil
	}
	if wait := h.Unproven.Charge(h.Unproven.Key("", throttle.Address(call.Origin.Address)), call.Origin.At); wait > 0 {
		return tooOften(h.Unproven, "authorize", wait)
	}
	return nil
}

func tooOften(l *throttle.Limiter, name string, wait time.Duration) *domain.Error {
	limit := l.Limit()
	return &domain.Error{
		Kind: domain.Throttled, Public: "That was tried too often. Wait before the next try.",
		Err: &domain.Pause{Limit: name, Quota: limit.Burst, Window: limit.Window(), Wait: max(wait, time.Second)},
	}
}

func askForCode(w http.ResponseWriter, r *http.Request, code string, wrong *domain.Error) error {
	status, sentence := http.StatusOK, ""
	if wrong != nil {
		status, sentence = server.Status(wrong.Kind), wrong.Public
		server.RetryAfter(w.Header(), wrong)
	}
	if len(code) > 20 {
		code = ""
	}
	return show(w, r, status, "", devicePage(code, sentence))
}
