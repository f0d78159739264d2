package support

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/registry"
	"github.com/wattgate/wattgate/internal/server"
)

// newView is the form of a new application, filled in as it was sent last.
type newView struct {
	shellView
	Partners  []option
	Roles     []option
	Name      string
	Type      domain.ClientType
	Grant     string
	URIs      string
	Reach     domain.Reach
	Skip      bool
	Audiences []option
	Expires   []option
	Lifetime  string
	Preview   roleView
	Wrong     string
	Field     string // the one that is wrong
	Confirm   confirmView
	Link      bool // the secret is handed over by a link
}

type option struct {
	Value, Label string
	Chosen       bool
}

// confirmView asks for the password or a code before something dangerous.
type confirmView struct {
	Ask    bool
	Factor bool // a code is asked for, otherwise the password
	Wrong  string
}

func (h *Host) confirm(ctx context.Context, call *server.Call, wrong string) (confirmView, error) {
	v := confirmView{Ask: !call.Person.IsFresh(call.Origin.At), Wrong: wrong}
	var err error
	if v.Ask {
		v.Factor, err = h.Officers.HasFactor(ctx, *call.Person)
	}
	return v, err
}

// grantWords are the values of the field Authorization grant type.
var grantWords = []struct{ value, label, hint string }{
	{oauth.GrantClientCredentials, "Client credentials", "With its own secret. For servers and scheduled jobs."},
	{oauth.GrantAuthorizationCode, "Authorization code", "A customer signs in and agrees, with PKCE. For apps that customers use themselves."},
	{oauth.GrantDeviceCode, "Device code", "For devices without a browser: the customer agrees on another one."},
}

// expiries are how long a secret may live.
var expiries = []struct {
	value, label string
	span         time.Duration
}{
	{"12m", "in 12 months", 0},
	{"90d", "in 90 days", 90 * 24 * time.Hour},
	{"never", "never (not advised)", -1},
}

// newApplication shows the form.
func (h *Host) newApplication(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	f := fields{}
	if role := r.URL.Query().Get("role"); role != "" {
		f["role"] = []string{role}
	}
	return h.showNew(w, r, call, http.StatusOK, f, "", "")
}

// preview shows what the role that is chosen can do; nothing is created.
func (h *Host) preview(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	return h.showNew(w, r, call, http.StatusOK, f, "", "")
}

// createApplication takes the form, and shows the secret: now and never again.
func (h *Host) createApplication(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	n, field, err := filledIn(f)
	if err == nil && !sees(call.Person, n.Partner) {
		field, err = "partner", &domain.Error{Kind: domain.Invalid, Public: "Choose the partner whose customers it is about."}
	}
	if _, sentence, told := retold(w, call, err); told {
		return h.showNew(w, r, call, http.StatusBadRequest, f, field, sentence)
	}
	ask, sentence, err := h.confirmed(w, r, call, f)
	if err != nil {
		return err
	}
	if ask {
		return h.showNew(w, r, call, http.StatusForbidden, f, "confirm", sentence)
	}
	app, secret, err := h.Registry.AddApplication(r.Context(), by(call), n)
	if status, sentence, told := retold(w, call, err); told {
		if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.Conflict {
			field, sentence = "name", "The partner has an application of this name. If you have created it just now, its secret was shown already: open it and add a second secret, or choose another name."
		}
		return h.showNew(w, r, call, status, f, field, sentence)
	}
	if err != nil {
		return err
	}
	if f.get("deliver") == "link" && !secret.Empty() { // nobody sees the first secret; opening the link replaces it
		return h.showLink(w, r, call, app, 0)
	}
	return h.showSecret(w, r, call, app, secret, app.Name+" is ready")
}

// filledIn reads the form. The error names a field that cannot be read; what the
// registry refuses is its own to say.
func filledIn(f fields) (n registry.NewApplication, field string, err error) {
	n = registry.NewApplication{
		Name: f.get("name"), Partner: domain.PartnerID(f.get("partner")), Type: domain.ClientType(f.get("type")),
		URIs: strings.Fields(f.get("uris")), SkipAuthorization: f.get("skip") != "", Reach: domain.Reach(f.get("reach")), Role: domain.RoleName(f.get("role")),
	}
	if n.Partner == "" {
		return n, "partner", wrongly("Choose the partner whose customers it is about.")
	}
	switch grant := f.get("grant"); {
	case grant == "" || grant == oauth.GrantClientCredentials && n.Type != domain.Public: // with what the role adds
	case slices.ContainsFunc(grantWords, func(x struct{ value, label, hint string }) bool { return x.value == grant }):
		n.Grants = []string{grant, oauth.GrantRefreshToken}
		if grant == oauth.GrantClientCredentials {
			n.Grants = n.Grants[:1]
		}
	default:
		return n, "grant", wrongly("Choose how it gets its tokens.")
	}
	if n.Audiences, err = domain.ParseAudiences(f["audience"]); err != nil {
		return n, "audience", wrongly("One of the APIs does not exist.")
	}
	if text := f.get("lifetime"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 60 || seconds > 3600 {
			return n, "lifetime", wrongly("The lifetime of a token is 60 to 3600 seconds.")
		}
		n.Lifetime = time.Duration(seconds) * time.Second
	}
	for _, x := range expiries {
		if x.value == cmp.Or(f.get("expires"), expiries[0].value) {
			n.SecretExpires = x.span
			return n, "", nil
		}
	}
	return n, "expires", wrongly("Choose when the first secret runs out.")
}

func (h *Host) showNew(w http.ResponseWriter, r *http.Request, call *server.Call, status int, f fields, field, sentence string) error {
	v := newView{
		shellView: h.shell(call, "New application", "applications"), Name: f.get("name"), Type: domain.ClientType(cmp.Or(f.get("type"), string(domain.Confidential))),
		Grant: cmp.Or(f.get("grant"), oauth.GrantClientCredentials), URIs: f.get("uris"), Reach: domain.Reach(cmp.Or(f.get("reach"), string(domain.ReachPartner))),
		Skip: f.get("skip") != "", Link: f.get("deliver") == "link", Lifetime: f.get("lifetime"), Wrong: sentence, Field: field,
	}
	role := domain.RoleName(cmp.Or(f.get("role"), string(domain.RoleThirdPartyViewer)))
	partners, err := h.Shelf.Partners(r.Context())
	if err != nil {
		return err
	}
	for _, p := range partners {
		if sees(call.Person, p.ID) && !p.Disabled {
			v.Partners = append(v.Partners, option{string(p.ID), p.Name, f.get("partner") == string(p.ID)})
		}
	}
	roles, err := h.Shelf.Roles(r.Context())
	if err != nil {
		return err
	}
	for _, x := range roles {
		v.Roles = append(v.Roles, option{string(x.Name), string(x.Name), x.Name == role})
		if x.Name == role {
			v.Preview = plainly(x)
		}
	}
	for _, name := range domain.AllAudiences().Names() {
		v.Audiences = append(v.Audiences, option{name, audienceWords[name], slices.Contains(f["audience"], name)})
	}
	for _, x := range expiries {
		label := x.label
		if x.span >= 0 {
			label += ", on " + day(call.Origin.At.Add(cmp.Or(x.span, registry.DefaultExpiry)))
		}
		v.Expires = append(v.Expires, option{x.value, label, f.get("expires") == x.value})
	}
	wrong := ""
	if field == "confirm" {
		wrong = sentence
	}
	if v.Confirm, err = h.confirm(r.Context(), call, wrong); err != nil {
		return err
	}
	return h.site(w, r, status, newApplicationPage(v))
}

var audienceWords = map[string]string{
	"auth":         "auth: acting as customers",
	"customer":     "customer: the customer API (GraphQL)",
	"measurements": "measurements: files in and out (REST)",
}

// createdView is the one page on which a secret stands.
type createdView struct {
	shellView
	Headline string
	App      domain.Application
	Secret   string
	Stops    string
	Example  string
	Check    registry.RoleCheck
	Checked  bool // the role is one of those that the documents describe
	Holds    []string
}

// stops says when the secret runs out, as the end of a sentence.
func (v createdView) stops() string {
	if v.Stops == "" {
		return ""
	}
	return ", runs out on " + v.Stops
}

// showSecret shows a new secret. No cache keeps the page, and no address leads to
// it: a reload sends the form again, which is refused.
func (h *Host) showSecret(w http.ResponseWriter, r *http.Request, call *server.Call, app domain.Application, secret domain.Secret, headline string) error {
	v := createdView{shellView: h.shell(call, headline, "applications"), Headline: headline, App: app, Secret: secret.Reveal(), Holds: h.Registry.Directory().Roles[app.Role].Names()}
	if v.Secret != "" {
		list, err := h.Shelf.Secrets(r.Context(), app.ID)
		if err != nil {
			return err
		}
		for _, s := range list {
			if strings.HasSuffix(v.Secret, s.Hint) && !s.ExpiresAt.IsZero() {
				v.Stops = day(s.ExpiresAt)
			}
		}
		v.Example = h.example(app)
	}
	checks, err := h.Registry.CheckRoles(r.Context())
	if err != nil {
		return err
	}
	for _, c := range checks {
		if c.Name == app.Role {
			v.Check, v.Checked = c, true
		}
	}
	return h.site(w, r, http.StatusOK, createdPage(v))
}

// example is how an application gets its first token; empty: not by itself.
func (h *Host) example(app domain.Application) string {
	if !slices.Contains(app.Grants, oauth.GrantClientCredentials) {
		return ""
	}
	return "curl " + h.AuthURL + "/token/ \\\n  --data-urlencode grant_type=client_credentials \\\n  --data-urlencode client_id=" + string(app.ID) +
		" \\\n  --data-urlencode client_secret=\"$WATTGATE_CLIENT_SECRET\""
}

// asKind returns the kind of an error of ours.
func asKind(err error) (domain.Kind, bool) {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok {
		return domain.Internal, false
	}
	return e.Kind, true
}

// day is a date for people.
func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

// minute is an instant for people, with its zone.
func minute(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// linkTo adds a query to a path.
func linkTo(path, key, value string) string { return path + "?" + url.Values{key: {value}}.Encode() }
