package support

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/audit"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
)

// maxEvents is how many events a page shows.
const maxEvents = 10

// secretRow is one secret of an application: never its text, nor its digest.
type secretRow struct {
	ID       domain.SecretID
	Hint     string
	State    string
	Tone     string
	Added    time.Time
	Day      int64 // tokens in 24 hours
	LastUsed time.Time
	Live     bool
	MayStop  bool // another one lives
	Safe     bool // to retire: it stops by itself, and nobody has used it for a day
}

// eventRow is one line of the audit log.
type eventRow struct {
	At   time.Time
	Who  string
	What string
}

// applicationView is the page of an application.
type applicationView struct {
	shellView
	App       domain.Application
	Partner   string
	Secrets   []secretRow
	Timeline  timeline
	Seen      string // the live secrets, so that a form of a page that is out of date does nothing
	Live      int
	HasSecret bool
	Day       int64
	Hour      int64
	LastUsed  time.Time
	Role      roleView
	Events    []eventRow
	Links     []domain.Handover
	kept      []domain.StoredSecret
	MayChange bool
	Confirm   confirmView
	Wrong     string
	Now       time.Time
}

// application shows an application.
func (h *Host) application(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	app, err := h.seenApplication(r.Context(), call.Person, r.PathValue("id"))
	if err != nil {
		return err
	}
	return h.showApplication(w, r, call, app, http.StatusOK, "")
}

func (h *Host) showApplication(w http.ResponseWriter, r *http.Request, call *server.Call, app domain.Application, status int, wrong string) error {
	now := call.Origin.At
	v := applicationView{
		shellView: h.shell(call, app.Name, "applications"), App: app, HasSecret: hasSecrets(&app), Wrong: wrong, Now: now,
		MayChange: call.Person.Permissions.Has(domain.OAuthManager), Role: plainly(domain.Role{Name: app.Role, Permissions: h.Registry.Directory().Roles[app.Role]}),
	}
	names, err := h.partnerNames(r.Context())
	if err != nil {
		return err
	}
	v.Partner = names[app.Partner]
	if err := h.Registry.Flush(r.Context()); err != nil {
		return err
	}
	secrets, err := h.Shelf.Secrets(r.Context(), app.ID)
	if err != nil {
		return err
	}
	uses, err := h.Shelf.SecretUses(r.Context(), app.ID)
	if err != nil {
		return err
	}
	v.Secrets, v.Live, v.Seen = rows(secrets, uses, now)
	v.Timeline, v.kept = timelineOf(secrets, now), secrets
	use, err := h.use(r.Context(), &app)
	if err != nil {
		return err
	}
	hours := hourly(use, now)
	v.Day, v.Hour, v.LastUsed = lastDay(hours), hours[len(hours)-1], use.LastUsed
	if v.Events, err = h.events(r.Context(), audit.Filter{Client: app.ID, Newest: true, Limit: maxEvents}); err != nil {
		return err
	}
	if v.Links, err = h.Shelf.Handovers(r.Context(), app.ID); err != nil {
		return err
	}
	if v.Confirm, err = h.confirm(r.Context(), call, ""); err != nil {
		return err
	}
	return h.site(w, r, status, applicationPage(v))
}

// rows shows secrets, the newest first.
func rows(secrets []domain.StoredSecret, uses map[domain.SecretID]domain.SecretUse, now time.Time) (list []secretRow, live int, seen string) {
	var ids []string
	for _, s := range secrets {
		if s.Live(now) {
			live++
			ids = append(ids, string(s.ID))
		}
	}
	slices.Sort(ids)
	for _, s := range secrets {
		use := uses[s.ID]
		row := secretRow{ID: s.ID, Hint: s.Hint, Added: s.CreatedAt, Day: lastDay(hourly(use, now)), LastUsed: use.LastUsed, Live: s.Live(now)}
		row.State, row.Tone = stateOf(s, now)
		row.MayStop = row.Live && live > 1
		row.Safe = row.MayStop && !s.RetiredAt.IsZero() && row.Day == 0
		list = append(list, row)
	}
	slices.SortStableFunc(list, func(a, b secretRow) int { return b.Added.Compare(a.Added) })
	return list, live, strings.Join(ids, " ")
}

// stateOf says of a secret what it is worth.
func stateOf(s domain.StoredSecret, now time.Time) (words, tone string) {
	switch {
	case s.Live(now) && !s.RetiredAt.IsZero():
		return "Stops " + minute(s.RetiredAt), "warn"
	case s.Live(now) && !s.ExpiresAt.IsZero() && s.ExpiresAt.Before(now.Add(soon)):
		return "Runs out " + minute(s.ExpiresAt), "warn"
	case s.Live(now):
		return "Current", "good"
	case !s.RetiredAt.IsZero() && !now.Before(s.RetiredAt):
		return "Stopped " + minute(s.RetiredAt), ""
	}
	return "Ran out " + minute(s.ExpiresAt), ""
}

// events reads what happened, the latest first.
func (h *Host) events(ctx context.Context, f audit.Filter) ([]eventRow, error) {
	leaves, err := h.Shelf.AuditLeaves(ctx, f)
	if err != nil {
		return nil, err
	}
	names := map[domain.UserID]string{}
	var list []eventRow
	for _, leaf := range slices.Backward(leaves) {
		e := leaf.Entry
		who := e.By
		switch {
		case e.User != "":
			if names[e.User] == "" {
				names[e.User] = string(e.User)
				if u, err := h.Shelf.FindUser(ctx, e.User); err == nil && u.Staff {
					names[e.User] = cmp.Or(strings.TrimSpace(u.FirstName+" "+u.Surname), string(e.User))
				}
			}
			who = names[e.User]
		case e.Client != "":
			who = string(e.Client)
		}
		list = append(list, eventRow{At: e.At, Who: who, What: strings.TrimSpace(e.Action + " " + e.Detail)})
	}
	return list, nil
}

// change runs one of the dangerous acts on an application: the person is proven
// first, and the page must not be out of date.
func (h *Host) change(w http.ResponseWriter, r *http.Request, call *server.Call, act func(f fields, app domain.Application) error) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	app, err := h.seenApplication(r.Context(), call.Person, r.PathValue("id"))
	if err != nil {
		return err
	}
	ask, sentence, err := h.confirmed(w, r, call, f)
	if err != nil {
		return err
	}
	if ask {
		return h.showApplication(w, r, call, app, http.StatusForbidden, sentence)
	}
	if h.outOfDate(r.Context(), f, app, call.Origin.At) {
		return h.showApplication(w, r, call, app, http.StatusConflict, "The secrets of this application have changed since the page was opened, so nothing was done. If you have made a secret just now, it was shown already: it cannot be shown again.")
	}
	err = act(f, app)
	if status, sentence, told := retold(w, call, err); told {
		return h.showApplication(w, r, call, app, status, sentence)
	}
	return err
}

// outOfDate reports whether the live secrets are others than those of the page
// from which the form comes: a reload, or somebody else, was there before.
func (h *Host) outOfDate(ctx context.Context, f fields, app domain.Application, now time.Time) bool {
	if _, given := f["seen"]; !given {
		return false
	}
	secrets, err := h.Shelf.Secrets(ctx, app.ID)
	if err != nil {
		return true
	}
	_, _, seen := rows(secrets, nil, now)
	return seen != f.get("seen")
}

// overlaps are how long the old secret goes on when a second one is added.
var overlaps = []struct {
	value, label string
	span         time.Duration
}{
	{"1d", "1 day", 24 * time.Hour}, {"7d", "7 days", 7 * 24 * time.Hour}, {"30d", "30 days", 30 * 24 * time.Hour}, {"90d", "90 days", 90 * 24 * time.Hour},
}

// addSecret adds a second secret, and shows it.
func (h *Host) addSecret(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	return h.change(w, r, call, func(f fields, app domain.Application) error {
		for _, x := range overlaps {
			if x.value != f.get("overlap") {
				continue
			}
			secret, err := h.Registry.AddSecret(r.Context(), by(call), app.ID, x.span, 0)
			if err != nil {
				return err
			}
			return h.showSecret(w, r, call, app, secret, "A second secret for "+app.Name)
		}
		return wrongly("Choose how long the old secret goes on working.")
	})
}

// replaceSecret replaces all secrets now (K6), and shows the new one.
func (h *Host) replaceSecret(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	return h.change(w, r, call, func(_ fields, app domain.Application) error {
		secret, err := h.Registry.ReplaceSecret(r.Context(), by(call), app.ID, 0)
		if err != nil {
			return err
		}
		return h.showSecret(w, r, call, app, secret, "The new secret of "+app.Name)
	})
}

// retireSecret stops one secret now.
func (h *Host) retireSecret(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	return h.change(w, r, call, func(f fields, app domain.Application) error {
		which, err := domain.ParseSecretID(f.get("secret"))
		if err != nil {
			return wrongly("The application has no such secret.")
		}
		if err := h.Registry.RetireSecret(r.Context(), by(call), app.ID, which); err != nil {
			return err
		}
		server.SeeOther(w, pathOf(app.ID))
		return nil
	})
}

// setDisabled disables an application, or enables it again.
func (h *Host) setDisabled(disabled bool) server.Handler {
	return func(w http.ResponseWriter, r *http.Request, call *server.Call) error {
		return h.change(w, r, call, func(_ fields, app domain.Application) error {
			if err := h.Registry.SetDisabled(r.Context(), by(call), app.ID, disabled); err != nil {
				return err
			}
			server.SeeOther(w, pathOf(app.ID))
			return nil
		})
	}
}

// timeline shows when the live secrets begin and stop, as a picture.
type timeline struct {
	Bars     []timebar
	Today    int
	From, To string
	Text     string // the same in words
}

type timebar struct {
	X, Y, Width int
	Hint, Label string
	Old         bool
	LabelX      int
	Anchor      string
	Inside      bool // the label stands on the bar
}

// The picture's measures.
const (
	timelineWidth = 720
	barHeight     = 20
	barStep       = 28
)

// timelineOf draws the live secrets from a week ago to some time after the first
// of them stops.
func timelineOf(secrets []domain.StoredSecret, now time.Time) timeline {
	begin, end := now.Add(-7*24*time.Hour), now.Add(7*24*time.Hour)
	var live []domain.StoredSecret
	for _, s := range secrets {
		if s.Live(now) {
			live = append(live, s)
			if !s.RetiredAt.IsZero() && s.RetiredAt.Add(24*time.Hour).After(end) {
				end = s.RetiredAt.Add(24 * time.Hour)
			}
		}
	}
	at := func(t time.Time) int {
		share := float64(t.Sub(begin)) / float64(end.Sub(begin)) // of a picture, where it need not be exact
		return max(0, min(int(share*timelineWidth), timelineWidth))
	}
	v := timeline{Today: at(now), From: begin.UTC().Format("2 Jan"), To: end.UTC().Format("2 Jan")}
	var words []string
	for i, s := range live {
		stop, label := end, ""
		if x := stops(s); !x.IsZero() && x.Before(end) {
			stop, label = x, "stops "+x.UTC().Format("2 Jan, 15:04")
		}
		bar := timebar{X: at(s.CreatedAt), Y: 10 + i*barStep, Width: max(2, at(stop)-at(s.CreatedAt)), Hint: "…" + s.Hint, Label: label, Old: !s.RetiredAt.IsZero()}
		bar.LabelX, bar.Anchor = bar.X+bar.Width+8, "start"
		if bar.LabelX > timelineWidth-150 {
			bar.LabelX, bar.Anchor, bar.Inside = bar.X+bar.Width-8, "end", true
		}
		v.Bars = append(v.Bars, bar)
		sentence := "Secret …" + s.Hint + " works since " + minute(s.CreatedAt)
		if x := stops(s); !x.IsZero() {
			sentence += " until " + minute(x)
		}
		words = append(words, sentence+".")
	}
	v.Text = strings.Join(words, " ")
	return v
}

func (t timeline) height() int { return len(t.Bars)*barStep + 34 }

// stops is when a secret stops by itself; zero: never.
func stops(s domain.StoredSecret) time.Time {
	if !s.RetiredAt.IsZero() && (s.ExpiresAt.IsZero() || s.RetiredAt.Before(s.ExpiresAt)) {
		return s.RetiredAt
	}
	return s.ExpiresAt
}

// count is a number for people.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
