package support

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/session"
)

// words say what each permission of a customer's means, in the customer's terms.
var words = map[domain.Permission]string{
	domain.CanQueryProperty:     "See which homes and supply points you have",
	domain.CanViewDetailedUsage: "Read how much energy you use and feed in, interval by interval",
	domain.CanViewPersonalData:  "See your name, your e-mail address and the addresses of your homes",
}

// offline says what a refresh token means.
const offline = "Go on doing so while you are away, until you stop it"

// resolutions are how finely one may let somebody read.
var resolutions = []struct {
	Value, Label string
	span         time.Duration
}{
	{"measured", "As it is measured", 0},
	{"15m", "Quarter-hours and coarser", 15 * time.Minute},
	{"30m", "Half-hours and coarser", 30 * time.Minute},
	{"1h", "Hours and coarser", time.Hour},
	{"24h", "Days and coarser", 24 * time.Hour},
}

// How far back and how long from now the form proposes, in days.
const (
	proposedHistory = 365
	proposedTerm    = 365
)

// purpose is what the consent is for, as the page says it and the record keeps it.
func purpose(app string) string { return "So that " + app + " can do for you what you use it for." }

// decider finds the question of a page and who answers it. Where nobody who may
// is logged in, it has sent the browser to log in, or to type a device's code where
// it was not typed in this browser, and done is true.
func (h *Host) decider(w http.ResponseWriter, r *http.Request, call *server.Call, challenge string) (q question, p session.Person, done bool, err error) {
	q, err = h.pending(r.Context(), challenge)
	if err != nil {
		return q, p, false, err
	}
	if !h.typed(r, q) {
		server.SeeOther(w, devicePath)
		return q, p, true, nil
	}
	p, known, err := h.person(r, call)
	if err != nil {
		return q, p, false, err
	}
	if !known || !q.answers(p, call.Origin.At) {
		server.SeeOther(w, q.at("/login"))
		return q, p, true, nil
	}
	return q, p, false, nil
}

// consent shows what an application asks for. Where there is nothing to ask it
// goes on at once.
func (h *Host) consent(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	q, p, done, err := h.decider(w, r, call, r.URL.Query().Get("challenge"))
	if err != nil || done {
		return err
	}
	offer, err := h.Desk.Offered(r.Context(), q.Request, p.User)
	if err != nil {
		return err
	}
	switch {
	case offer.Skip && r.Method == http.MethodHead: // who only looks gets no code
		w.WriteHeader(http.StatusOK)
		return nil
	case offer.Skip && ahead(r): // the person may never follow the link
		return &domain.Error{Kind: domain.Forbidden, Public: "This page is not for fetching ahead."}
	case offer.Skip:
		to, err := h.Desk.Allow(r.Context(), q.challenge, p.User, authorize.Decision{AuthTime: p.AuthTime}, call.Origin)
		return h.decided(w, r, to, true, err)
	case q.prompts("none"):
		return h.silent(w, call, q, oauth.ConsentRequired, "the person has to be asked")
	}
	return h.ask(w, r, call, q, p, offer, nil, nil)
}

// ahead reports whether the browser fetches a page before anybody asked for it
// (Sec-Purpose; Purpose of older ones). Another site's page can have it do so.
func ahead(r *http.Request) bool {
	purposes := append(r.Header.Values("Sec-Purpose"), r.Header.Values("Purpose")...)
	return strings.Contains(strings.ToLower(strings.Join(purposes, ",")), "prefetch")
}

// decide takes the answer.
func (h *Host) decide(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	q, p, done, err := h.decider(w, r, call, f.get("challenge"))
	if err != nil || done {
		return err
	}
	if f.get("person") != string(p.ID) { // somebody else has logged in since the page was shown
		server.SeeOther(w, q.at("/consent"))
		return nil
	}
	switch f.get("decision") {
	case "deny":
		to, err := h.Desk.Deny(r.Context(), q.challenge, call.Origin)
		return h.decided(w, r, to, false, err)
	case "allow":
	default:
		return &domain.Error{Kind: domain.Invalid, Public: "Choose one of the two: allow, or refuse."}
	}
	offer, err := h.Desk.Offered(r.Context(), q.Request, p.User)
	if err != nil {
		return err
	}
	decision, err := decision(f, offer, call.Origin.At)
	if err == nil {
		decision.AuthTime = p.AuthTime
		var to string
		if to, err = h.Desk.Allow(r.Context(), q.challenge, p.User, decision, call.Origin); err == nil {
			return h.decided(w, r, to, true, nil)
		}
	}
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.Invalid {
		call.Event.Refused(err)
		return h.ask(w, r, call, q, p, offer, f, err)
	}
	return err
}

// decided sends the person back to the application; a device's person has
// nowhere to go back to.
func (h *Host) decided(w http.ResponseWriter, r *http.Request, to string, allowed bool, err error) error {
	if err != nil {
		return err
	}
	if to != "" {
		server.SeeOther(w, to)
		return nil
	}
	title := "You have refused"
	if allowed {
		title = "You have allowed it"
	}
	return show(w, r, http.StatusOK, "", donePage(title))
}

// decision reads what a person allows. Only what was offered can be chosen.
func decision(f fields, offer authorize.Offer, now time.Time) (authorize.Decision, error) {
	d := authorize.Decision{Purpose: purpose(offer.Application.Name)}
	for _, point := range offer.Points {
		if slices.Contains(f["supply_point"], pointName(point.SupplyPointRef)) {
			d.SupplyPoints = append(d.SupplyPoints, point.SupplyPointRef)
		}
	}
	if len(d.SupplyPoints) == 0 && len(offer.Points) > 0 {
		return d, wrongly("Choose at least one supply point, or refuse.")
	}
	if len(d.SupplyPoints) != len(f["supply_point"]) {
		return d, wrongly("One of the supply points is not yours any more, or was chosen twice. Look again.")
	}
	i := slices.IndexFunc(resolutions, func(x struct {
		Value, Label string
		span         time.Duration
	},
	) bool {
		return x.Value == f.get("finest")
	})
	if i < 0 {
		return d, wrongly("Choose how finely it may be read.")
	}
	d.Finest = resolutions[i].span
	var err error
	if d.HistoryFrom, err = domain.ParseDate(f.get("history_from")); err != nil {
		return d, wrongly("The first day that may be read is not a day.")
	}
	until, err := domain.ParseDate(f.get("valid_until"))
	if err != nil {
		return d, wrongly("The last day of your consent is not a day.")
	}
	year, month, day := (until + 1).Civil() // that day included
	d.ValidUntil = time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	if !d.ValidUntil.After(now) {
		return d, wrongly("The last day of your consent is over already.")
	}
	return d, nil
}

func wrongly(sentence string) error { return &domain.Error{Kind: domain.Invalid, Public: sentence} }

// pointName names a supply point in a form: its market and identifier.
func pointName(p domain.SupplyPointRef) string { return string(p.Market) + ":" + p.Identifier }

// ask shows the page, filled in as it was sent the last time.
func (h *Host) ask(w http.ResponseWriter, r *http.Request, call *server.Call, q question, p session.Person, offer authorize.Offer, sent fields, wrong error) error {
	today := domain.DateOf(call.Origin.At)
	status, sentence := http.StatusOK, ""
	if wrong != nil {
		e, _ := errors.AsType[*domain.Error](wrong)
		status, sentence = server.Status(e.Kind), e.Public
	}
	var points, finest []choice
	for _, x := range offer.Points { // ticked is what the person ticks, unless there is nothing to choose
		value := pointName(x.SupplyPointRef)
		points = append(points, choice{
			Value: value, Label: cmp.Or(strings.Join(x.Address, ", "), x.Label), Note: value, Chosen: sent == nil && len(offer.Points) == 1 || slices.Contains(sent["supply_point"], value),
		})
	}
	for i, x := range resolutions {
		finest = append(finest, choice{Value: x.Value, Label: x.Label, Chosen: sent == nil && i == 0 || sent.get("finest") == x.Value})
	}
	var may []choice
	for _, x := range offer.Permissions.List() {
		if words[x] != "" {
			may = append(may, choice{Label: words[x], Note: x.Scope()})
		}
	}
	for _, scope := range []string{"offline_access", "offline"} {
		if slices.Contains(strings.Fields(q.Scope), scope) {
			may = append(may, choice{Label: offline, Note: scope})
			break
		}
	}
	partner, err := h.partner(r.Context(), offer.Application.Partner)
	if err != nil {
		return err
	}
	return show(w, r, status, q.Redirect, consentPage(consentView{
		Application: offer.Application.Name, Partner: partner,
		Challenge: q.challenge, Person: string(p.ID), Email: p.Email, Other: q.at("/login") + "&other", Wrong: sentence, Device: q.Device != "",
		May: may, Points: points, Finest: finest, Purpose: purpose(offer.Application.Name), Returns: returns(q.Redirect),
		From: cmp.Or(sent.get("history_from"), (today - proposedHistory).String()), Until: cmp.Or(sent.get("valid_until"), (today + proposedTerm).String()),
		Today: today.String(),
	}))
}

// consentView is what the page of a consent shows.
type consentView struct {
	Application, Partner     string
	Challenge, Person, Email string
	Other                    string // where somebody else logs in
	Wrong                    string
	Device                   bool
	May, Points, Finest      []choice
	Purpose                  string
	Returns                  string // where the person will be afterwards
	From, Until, Today       string
}

// choice is one line of a list on it.
type choice struct {
	Value, Label, Note string
	Chosen             bool
}
