package support

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/audit"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/session"
)

// Registry changes applications and roles, and knows which there are.
type Registry interface {
	Directory() *domain.Directory
	AddApplication(ctx context.Context, by registry.By, n registry.NewApplication) (domain.Application, domain.Secret, error)
	SetDisabled(ctx context.Context, by registry.By, id domain.ClientID, disabled bool) error
	AddSecret(ctx context.Context, by registry.By, id domain.ClientID, overlap, expires time.Duration) (domain.Secret, error)
	ReplaceSecret(ctx context.Context, by registry.By, id domain.ClientID, expires time.Duration) (domain.Secret, error)
	RetireSecret(ctx context.Context, by registry.By, id domain.ClientID, which domain.SecretID) error
	HandOver(ctx context.Context, by registry.By, id domain.ClientID, overlap time.Duration) (domain.Secret, time.Time, error)
	WaitingHandover(ctx context.Context, link domain.Secret) (domain.Application, error)
	OpenHandover(ctx context.Context, link domain.Secret, from domain.Origin) (domain.Application, domain.Secret, error)
	CheckRoles(ctx context.Context) ([]registry.RoleCheck, error)
	SetRole(ctx context.Context, by registry.By, role domain.Role) error
	Flush(ctx context.Context) error
}

// Shelf reads what is kept.
type Shelf interface {
	Partners(ctx context.Context) ([]domain.Partner, error)
	FindApplication(ctx context.Context, id domain.ClientID) (domain.Application, error)
	Secrets(ctx context.Context, id domain.ClientID) ([]domain.StoredSecret, error)
	SecretUses(ctx context.Context, id domain.ClientID) (map[domain.SecretID]domain.SecretUse, error)
	Handovers(ctx context.Context, id domain.ClientID) ([]domain.Handover, error)
	OwnUse(ctx context.Context, id domain.ClientID) (domain.SecretUse, error)
	Roles(ctx context.Context) ([]domain.Role, error)
	FindUser(ctx context.Context, id domain.UserID) (domain.User, error)
	AuditLeaves(ctx context.Context, f audit.Filter) ([]audit.Leaf, error)
}

// perPage is how many applications a page lists.
const perPage = 50

// soon is how long before its end a secret is said to run out.
const soon = 30 * 24 * time.Hour

// by says who makes a change on the support site, and by which permission.
func by(call *server.Call) registry.By {
	return registry.By{User: call.Person.ID, Means: domain.OAuthManager.String(), Origin: call.Origin}
}

// applicationRow is one line of the list.
type applicationRow struct {
	ID            domain.ClientID
	Name, Partner string
	Role          domain.RoleName
	Secret        string // what there is to say of its secrets
	Tone          string // of that: "", good, warn or bad
	Hours         []int64
	LastUsed      time.Time
	Disabled      bool
}

// listView is the page of applications.
type listView struct {
	shellView
	Query     string
	Disabled  bool // those are listed
	RunOut    bool // those whose secrets run out are listed
	Rows      []applicationRow
	Total     int
	Active    int
	Off       int
	Ending    int // have a secret that runs out soon, or none that lives
	First     int // the number of the first one on the page
	Previous  string
	Next      string
	MayChange bool
	Now       time.Time
}

// applications lists those that the member of staff sees.
func (h *Host) applications(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	names, err := h.partnerNames(r.Context())
	if err != nil {
		return err
	}
	q := r.URL.Query()
	now := call.Origin.At
	v := listView{
		shellView: h.shell(call, "Applications", "applications"), Query: strings.TrimSpace(q.Get("q")), Disabled: q.Get("state") == "disabled",
		RunOut: q.Get("state") == "ending", MayChange: call.Person.Permissions.Has(domain.OAuthManager), Now: now,
	}
	var found []*domain.Listing
	for _, app := range h.Registry.Directory().Applications {
		if !sees(call.Person, app.Partner) {
			continue
		}
		ending := !app.Disabled && isEnding(app, now)
		switch {
		case app.Disabled:
			v.Off++
		default:
			v.Active++
		}
		if ending {
			v.Ending++
		}
		if app.Disabled == v.Disabled && (!v.RunOut || ending) && matches(app, names[app.Partner], v.Query) {
			found = append(found, app)
		}
	}
	found = byName(found)
	v.Total = len(found)
	from, _ := strconv.Atoi(q.Get("from")) // what is no number is the beginning
	from = max(0, min(from, (len(found)-1)/perPage*perPage))
	page := func(from int) string {
		q.Set("from", strconv.Itoa(from))
		return "/support/applications?" + q.Encode()
	}
	v.First = from + 1
	if from > 0 {
		v.Previous = page(max(0, from-perPage))
	}
	if from+perPage < len(found) {
		v.Next = page(from + perPage)
	}
	found = found[from:min(from+perPage, len(found))]
	if err := h.Registry.Flush(r.Context()); err != nil {
		return err
	}
	for _, app := range found {
		row, err := h.row(r.Context(), app, names[app.Partner], now)
		if err != nil {
			return err
		}
		v.Rows = append(v.Rows, row)
	}
	return h.site(w, r, http.StatusOK, applicationsPage(v))
}

// byName sorts applications by their names, whatever the case of the letters; each
// name is folded once.
func byName(list []*domain.Listing) []*domain.Listing {
	type named struct {
		name string
		app  *domain.Listing
	}
	folded := make([]named, len(list))
	for i, app := range list {
		folded[i] = named{strings.ToLower(app.Name), app}
	}
	slices.SortFunc(folded, func(a, b named) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(string(a.app.ID), string(b.app.ID)))
	})
	for i, x := range folded {
		list[i] = x.app
	}
	return list
}

// matches reports whether an application is what somebody looks for.
func matches(app *domain.Listing, partner, query string) bool {
	if query == "" {
		return true
	}
	query = strings.ToLower(query)
	return strings.Contains(strings.ToLower(app.Name), query) || strings.Contains(strings.ToLower(string(app.ID)), query) ||
		strings.Contains(strings.ToLower(partner), query)
}

// ends returns when the last of an application's secrets stops; zero: never. One
// without a live secret has stopped already.
func ends(list []domain.StoredSecret, now time.Time) (end time.Time, live int) {
	for _, s := range list {
		if !s.Live(now) {
			continue
		}
		live++
		stop := s.ExpiresAt
		if !s.RetiredAt.IsZero() && (stop.IsZero() || s.RetiredAt.Before(stop)) {
			stop = s.RetiredAt
		}
		if live == 1 || !end.IsZero() && (stop.IsZero() || stop.After(end)) {
			end = stop
		}
	}
	return end, live
}

// hasSecrets reports whether an application proves itself by secrets.
func hasSecrets(a *domain.Application) bool {
	return a.Type == domain.Confidential && a.AuthMethod.Secret()
}

func isEnding(app *domain.Listing, now time.Time) bool {
	if !hasSecrets(&app.Application) {
		return false
	}
	end, live := ends(app.Secrets, now)
	return live == 0 || !end.IsZero() && end.Before(now.Add(soon))
}

func (h *Host) row(ctx context.Context, app *domain.Listing, partner string, now time.Time) (applicationRow, error) {
	row := applicationRow{ID: app.ID, Name: app.Name, Partner: partner, Role: app.Role, Disabled: app.Disabled}
	use, err := h.use(ctx, &app.Application)
	if err != nil {
		return row, err
	}
	row.LastUsed, row.Hours = use.LastUsed, hourly(use, now)
	row.Secret, row.Tone = secretWords(app, now)
	return row, nil
}

// secretWords says what there is to say of an application's secrets.
func secretWords(app *domain.Listing, now time.Time) (words, tone string) {
	switch {
	case app.Type == domain.Public:
		return "none: public client", ""
	case !app.AuthMethod.Secret():
		return "own key or certificate", ""
	}
	end, live := ends(app.Secrets, now)
	switch {
	case live == 0:
		return "ran out", "bad"
	case !end.IsZero() && end.Before(now.Add(soon)):
		return "stops " + day(end), "warn"
	case live == 1:
		return "1 live", "good"
	}
	return strconv.Itoa(live) + " live, overlap", "good"
}

// use is how often an application has proven who it is.
func (h *Host) use(ctx context.Context, app *domain.Application) (domain.SecretUse, error) {
	if app.Type == domain.Public {
		return domain.SecretUse{}, nil
	}
	if !app.AuthMethod.Secret() {
		return h.Shelf.OwnUse(ctx, app.ID)
	}
	uses, err := h.Shelf.SecretUses(ctx, app.ID)
	var sum domain.SecretUse
	for _, use := range uses {
		sum.Tokens += use.Tokens
		if use.LastUsed.After(sum.LastUsed) {
			sum.LastUsed = use.LastUsed
		}
		sum.Hours = append(sum.Hours, use.Hours...)
	}
	return sum, err
}

// hourly returns the tokens of each of the last [domain.UseHours] hours.
func hourly(use domain.SecretUse, now time.Time) []int64 {
	list := make([]int64, domain.UseHours)
	for _, hour := range use.Hours {
		if at := domain.HourOf(now) - hour.Hour; at >= 0 && at < domain.UseHours {
			list[domain.UseHours-1-at] += hour.Tokens
		}
	}
	return list
}

// total adds up tokens.
func total(hours []int64) (sum int64) {
	for _, n := range hours {
		sum += n
	}
	return sum
}

// lastDay adds up the tokens of the last 24 hours.
func lastDay(hours []int64) int64 { return total(hours[len(hours)-24:]) }

// partnerNames are the names of all partners.
func (h *Host) partnerNames(ctx context.Context) (map[domain.PartnerID]string, error) {
	list, err := h.Shelf.Partners(ctx)
	names := map[domain.PartnerID]string{}
	for _, p := range list {
		names[p.ID] = p.Name
	}
	return names, err
}

// seenApplication finds an application that the member of staff sees; another
// partner's is not found, like one that does not exist.
func (h *Host) seenApplication(ctx context.Context, p *session.Person, text string) (domain.Application, error) {
	missing := &domain.Error{Kind: domain.NotFound, Public: "There is no such application."}
	id, err := domain.ParseClientID(text)
	if err != nil {
		return domain.Application{}, missing
	}
	app, err := h.Shelf.FindApplication(ctx, id)
	if e, ok := asKind(err); ok && e == domain.NotFound || err == nil && !sees(p, app.Partner) {
		return domain.Application{}, missing
	}
	return app, err
}

// pathOf is the page of an application.
func pathOf(id domain.ClientID) string { return "/support/applications/" + url.PathEscape(string(id)) }
