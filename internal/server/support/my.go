package support

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/wattgate/wattgate/internal/audit"
	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/session"
	"github.com/wattgate/wattgate/internal/usage"
)

// Usage answers customers' questions about what is their own.
type Usage interface {
	AccountSupplyPoints(ctx context.Context, caller domain.Caller, number domain.AccountNumber) ([]domain.SupplyPoint, error)
	Export(ctx context.Context, caller domain.Caller, market domain.Market, identifier string, q usage.ExportQuery) (*usage.Export, error)
}

// Consents keeps what customers have allowed.
type Consents interface {
	Consents(ctx context.Context, f authorize.Filter) ([]domain.Consent, error)
	EndConsent(ctx context.Context, id domain.ConsentID, by domain.Caller, from domain.Origin) error
}

// resident returns the customer at the browser. Everybody else is sent to log in,
// and comes back to the page.
func (h *Host) resident(r *http.Request, call *server.Call) (session.Person, error) {
	p, known, err := h.person(r, call)
	if err != nil {
		return session.Person{}, err
	}
	if !known || !p.Customer || p.Staff {
		back := "/my/usage"
		if r.Method == http.MethodGet {
			back = r.URL.RequestURI()
		}
		return session.Person{}, &elsewhere{linkTo("/my/login", "to", back)}
	}
	return p, nil
}

// self is the customer as the rooms below know callers: somebody who may read what
// is their own, and nothing else.
func self(p *session.Person) domain.Caller {
	return domain.Caller{Partner: p.Partner, User: p.ID, Permissions: domain.CustomerPermissions, Audiences: domain.AudienceSet(domain.AudienceCustomer)}
}

// mine returns where a form of the customer's pages leads.
func mine(to string) string { return below("/my/", to, "/my/usage") }

// myLogin shows the form for customers.
func (h *Host) myLogin(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	to := mine(r.URL.Query().Get("to"))
	if p, known, err := h.person(r, call); err != nil {
		return err
	} else if known && p.Customer && !p.Staff {
		server.SeeOther(w, to)
		return nil
	}
	return h.site(w, r, http.StatusOK, myLoginPage(to, "", ""))
}

// myLogIn takes the form.
func (h *Host) myLogIn(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	to, email := mine(f.get("to")), f.get("email")
	value, err := h.Sessions.LogInAnywhere(r.Context(), email, domain.NewSecret(f.get("password")), h.value(r), call.Origin)
	if status, sentence, told := retold(w, call, err); told {
		return h.site(w, r, status, myLoginPage(to, email, sentence))
	}
	if err != nil {
		return err
	}
	h.keep(w, value)
	server.SeeOther(w, to)
	return nil
}

// myLogout ends the session of this browser.
func (h *Host) myLogout(w http.ResponseWriter, r *http.Request, _ *server.Call) error {
	if _, err := form(w, r); err != nil {
		return err
	}
	if err := h.Sessions.LogOut(r.Context(), h.value(r)); err != nil {
		return err
	}
	h.keep(w, domain.Secret{})
	server.SeeOther(w, "/my/login")
	return nil
}

// partyRow is somebody who may read, or could.
type partyRow struct {
	ID          domain.ConsentID
	Name        string
	Points      []string
	Finest      string
	From, Until string
	Agreed      time.Time
	Purpose     string
	Status      domain.ConsentStatus
	Ended       time.Time
	Soon        bool // it ends within 30 days
}

// lookRow is one time that somebody has acted as the customer.
type lookRow struct {
	At   time.Time
	Who  string
	What string
}

// accessView is the page of who can read, and who has looked.
type accessView struct {
	shellView
	Active []partyRow
	Over   []partyRow
	Own    []string // the partner's applications that read without being asked
	Looks  []lookRow
	Wrong  string
}

// maxLooks is how many times the page lists that somebody has acted as the customer.
const maxLooks = 50

// access says who can read the customer's meter, and who has looked.
func (h *Host) access(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	return h.showAccess(w, r, call, http.StatusOK, "")
}

func (h *Host) showAccess(w http.ResponseWriter, r *http.Request, call *server.Call, status int, wrong string) error {
	v := accessView{shellView: h.shell(call, "Who can read my data", "access"), Wrong: wrong}
	list, err := h.Consents.Consents(r.Context(), authorize.Filter{User: call.Person.ID, Limit: 1000})
	if err != nil {
		return err
	}
	directory := h.Registry.Directory()
	for _, c := range list {
		row := party(c, h.name(c.Application), call.Origin.At)
		if row.Status == domain.ConsentActive {
			v.Active = append(v.Active, row)
		} else {
			v.Over = append(v.Over, row)
		}
	}
	for _, app := range directory.Applications {
		if app.Partner == call.Person.Partner && app.Reach == domain.ReachPartner && !app.Closed && app.Permissions.Has(domain.CanViewDetailedUsage) {
			v.Own = append(v.Own, app.Name)
		}
	}
	slices.Sort(v.Own)
	for _, action := range []string{"user.impersonate", "user.masquerade"} {
		leaves, err := h.Shelf.AuditLeaves(r.Context(), audit.Filter{Action: action, Object: string(call.Person.ID), Newest: true, Limit: maxLooks})
		if err != nil {
			return err
		}
		for _, leaf := range leaves {
			look := lookRow{At: leaf.Entry.At, Who: h.name(leaf.Entry.Client), What: "acted as you"}
			if leaf.Entry.Client == "" {
				look.Who, look.What = "Customer service", "looked at your pages as you do: "+leaf.Entry.Detail
			}
			v.Looks = append(v.Looks, look)
		}
	}
	slices.SortStableFunc(v.Looks, func(a, b lookRow) int { return b.At.Compare(a.At) })
	return h.site(w, r, status, accessPage(v))
}

// party says in words what a consent allows.
func party(c domain.Consent, name string, now time.Time) partyRow {
	row := partyRow{
		ID: c.ID, Name: name, From: c.HistoryFrom.String(), Until: day(c.ValidUntil), Agreed: c.CreatedAt, Purpose: c.Purpose, Status: c.Status(now), Ended: c.RevokedAt,
		Soon: c.ValidUntil.Before(now.Add(soon)),
	}
	for _, x := range resolutions {
		if x.span == c.Finest {
			row.Finest = x.Label
		}
	}
	if row.Finest == "" {
		row.Finest = strconv.Itoa(int(c.Finest/time.Minute)) + " minutes and coarser"
	}
	for _, p := range c.SupplyPoints {
		row.Points = append(row.Points, pointName(p))
	}
	return row
}

// stopConsent ends a consent, and every token that it brought.
func (h *Host) stopConsent(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	id, err := domain.ParseConsentID(f.get("consent"))
	if err == nil {
		err = h.Consents.EndConsent(r.Context(), id, domain.Caller{Partner: call.Person.Partner, User: call.Person.ID}, call.Origin)
	}
	if kind, ok := asKind(err); ok && (kind == domain.NotFound || kind == domain.Invalid) {
		call.Event.Refused(err)
		return h.showAccess(w, r, call, http.StatusNotFound, "There is no such consent of yours. Look again at who can read.")
	}
	if err != nil {
		return err
	}
	server.SeeOther(w, "/my/access")
	return nil
}
