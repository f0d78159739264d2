package storetest

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
)

// digest is one of a text that is unlike those of others.
func digest(text string) authorize.Digest { return sha256.Sum256([]byte(text)) }

// asked is a request of a house's application with everything in it.
func (h house) asked() authorize.Request {
	return authorize.Request{
		Client: h.app.ID, Partner: h.partner.ID, Redirect: "https://example.com/a b", Scope: "openid offline",
		Audience: []string{"customer"}, Resource: []string{"https://api.example.com"}, State: "a\"b", Nonce: "n",
		Prompt: "login", MaxAge: "60", Challenge: "c", At: past,
	}
}

// begin keeps a request under a name.
func (w *world) begin(t *testing.T, h house, name string) authorize.Digest {
	t.Helper()
	must(t, w.KeepRequest(t.Context(), authorize.KindChallenge, digest(name), h.asked(), past.Add(time.Minute), past))
	return digest(name)
}

// approval is that of a house's customer, for a code of the same name.
func (w *world) approval(h house, name string) authorize.Approval {
	c := domain.Consent{
		ID: domain.ConsentID("con_" + name), Application: h.app.ID, Partner: h.partner.ID, User: h.customer.ID, Account: h.account.Number,
		Permissions:  domain.CustomerPermissions,
		SupplyPoints: []domain.SupplyPointRef{{Market: h.point.Market, Identifier: h.point.Identifier}},
		Finest:       time.Hour, HistoryFrom: firstDay, ValidUntil: past.Add(365 * 24 * time.Hour), Purpose: "advice", CreatedAt: past,
	}
	return authorize.Approval{
		Challenge: digest(name), Consent: &c, Now: past, Until: past.Add(time.Hour), Entry: w.entry("consent.create"),
		Grant: authorize.Grant{
			Family: "fam_" + name, Client: h.app.ID, Partner: h.partner.ID, User: h.customer.ID, Consent: c.ID, Scope: "openid offline",
			Permissions: domain.CustomerPermissions, Audience: []string{"customer"}, Resource: []string{"https://api.example.com"},
			Nonce: "n", AuthTime: past, Offline: true,
		},
		Code: &authorize.Code{Digest: digest("code " + name), Redirect: "https://example.com/a b", Challenge: "c", Until: past.Add(time.Minute), DPoPKey: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
	}
}

// decide stores a decision, whatever it replaces.
func (w *world) decide(t *testing.T, a authorize.Approval) error {
	t.Helper()
	_, err := w.Approve(t.Context(), a)
	return err
}

// allow makes a code of a name.
func (w *world) allow(t *testing.T, h house, name string) authorize.Approval {
	t.Helper()
	w.begin(t, h, name)
	a := w.approval(h, name)
	must(t, w.decide(t, a))
	return a
}

// remember adds the first refresh token of a name to its family.
func (w *world) remember(t *testing.T, name string) authorize.Digest {
	t.Helper()
	must(t, w.AddRefresh(t.Context(), authorize.Grant{Family: "fam_" + name}, digest("refresh "+name), past.Add(24*time.Hour), past))
	return digest("refresh " + name)
}

// rotation is the next of a chain of refresh tokens.
func (w *world) rotation(h house, old, next authorize.Digest, now time.Time) authorize.Rotation {
	return authorize.Rotation{Client: h.app.ID, Old: old, New: next, Now: now, Until: now.Add(24 * time.Hour), Reuse: w.entry("family.end")}
}

// denied reports whether a family's tokens are refused on all nodes.
func (w *world) denied(t *testing.T, family string) bool {
	t.Helper()
	want := domain.DigestTokenID(family)
	return slices.ContainsFunc(w.revoked(t), func(r domain.Revocation) bool { return r.Token == want })
}

var authorizations = []promise{
	{"what waits for one application is not another's to take", func(t *testing.T, w *world) {
		must(t, w.KeepRequest(t.Context(), authorize.KindPushed, digest("a"), w.alpha.asked(), future, past))
		_, foreign := w.TakeRequest(t.Context(), authorize.KindPushed, digest("a"), w.beta.app.ID, past)
		_, unknown := w.TakeRequest(t.Context(), authorize.KindPushed, digest("b"), w.beta.app.ID, past)
		alike(t, "a request", foreign, unknown)
		_, other := w.TakeRequest(t.Context(), authorize.KindChallenge, digest("a"), w.alpha.app.ID, past)
		alike(t, "a request of another kind", other, unknown)
		got, err := w.TakeRequest(t.Context(), authorize.KindPushed, digest("a"), w.alpha.app.ID, past)
		must(t, err)
		equal(t, "request", got, w.alpha.asked())
	}},
	{"another partner's customer allows nothing, and a code or token counts for its application only", func(t *testing.T, w *world) {
		w.begin(t, w.alpha, "a")
		foreign, unknown := w.approval(w.alpha, "a"), w.approval(w.alpha, "a")
		foreign.Grant.User, unknown.Grant.User = w.beta.customer.ID, unknownUser
		foreign.Consent, unknown.Consent = nil, nil
		alike(t, "a customer", w.decide(t, foreign), w.decide(t, unknown))
		points := w.approval(w.alpha, "a")
		points.Consent.SupplyPoints = append(points.Consent.SupplyPoints, domain.SupplyPointRef{Market: w.beta.point.Market, Identifier: w.beta.point.Identifier})
		refused(t, "another partner's supply point", w.decide(t, points), domain.NotFound)
		must(t, w.decide(t, w.approval(w.alpha, "a")))
		r := w.remember(t, "a")
		g, how, err := w.FindRefresh(t.Context(), r, w.beta.app.ID, past)
		must(t, err)
		equal(t, "another application's refresh token", fmt.Sprint(g.User, how), fmt.Sprint("", authorize.Unknown))
		_, how, err = w.RotateRefresh(t.Context(), w.rotation(w.beta, r, digest("next"), past))
		must(t, err)
		equal(t, "another application's rotation", how, authorize.Unknown)
		family, err := w.EndFamily(t.Context(), r, w.beta.app.ID, past, w.entry("family.end"))
		must(t, err)
		equal(t, "what another application ended", family, "")
		_, how, err = w.RotateRefresh(t.Context(), w.rotation(w.alpha, r, digest("next"), past))
		must(t, err)
		equal(t, "its own rotation", how, authorize.Fresh)
	}},
	{"a consent is its person's and its application's, and nobody else's", func(t *testing.T, w *world) {
		a := w.allow(t, w.alpha, "a")
		for name, by := range map[string]domain.Caller{
			"another partner's customer":         {Partner: w.beta.partner.ID, User: w.beta.customer.ID},
			"another partner's application":      {Partner: w.beta.partner.ID, Client: w.beta.app.ID},
			"the customer under another partner": {Partner: w.beta.partner.ID, User: w.alpha.customer.ID},
			"a neighbour with the application":   {Partner: w.alpha.partner.ID, User: unknownUser, Client: w.alpha.app.ID},
			"nobody":                             {Partner: w.alpha.partner.ID},
		} {
			_, foreign := w.EndConsent(t.Context(), a.Consent.ID, by, past, w.entry("consent.revoke"))
			_, unknown := w.EndConsent(t.Context(), "con_unknown", by, past, w.entry("consent.revoke"))
			alike(t, "a consent, for "+name, foreign, unknown)
		}
		for name, f := range map[string]authorize.Filter{
			"another application's": {Application: w.beta.app.ID}, "another person's": {User: w.beta.customer.ID}, "nobody's": {},
			"one's with another application": {User: w.alpha.customer.ID, Application: w.beta.app.ID},
		} {
			got, err := w.Consents(t.Context(), f)
			must(t, err)
			equal(t, name+" consents", len(got), 0)
		}
		for _, f := range []authorize.Filter{
			{Application: w.alpha.app.ID}, {User: w.alpha.customer.ID}, {Application: w.alpha.app.ID, User: w.alpha.customer.ID},
		} {
			got, err := w.Consents(t.Context(), f)
			must(t, err)
			equal(t, "consents", got, []domain.Consent{*a.Consent})
		}
	}},
	{"a request is found until its time is over, and taken once", func(t *testing.T, w *world) {
		key := w.begin(t, w.alpha, "a")
		last := past.Add(time.Minute - time.Microsecond)
		got, err := w.FindRequest(t.Context(), authorize.KindChallenge, key, last)
		must(t, err)
		equal(t, "request", got, w.alpha.asked())
		_, err = w.FindRequest(t.Context(), authorize.KindChallenge, key, past.Add(time.Minute))
		refused(t, "what is over", err, domain.NotFound)
		var taken atomic.Int32
		w.together(t, 16, func(int) error {
			_, err := w.TakeRequest(t.Context(), authorize.KindChallenge, key, w.alpha.app.ID, last)
			if err == nil {
				taken.Add(1)
			}
			return nil
		})
		equal(t, "how many took it", taken.Load(), int32(1))
	}},
	{"a decision is stored with its entry, or not at all", func(t *testing.T, w *world) {
		w.begin(t, w.alpha, "a")
		before := w.all(t)
		taken := w.entry("test.taken")
		must(t, w.Record(t.Context(), taken))
		a := w.approval(w.alpha, "a")
		entry := a.Entry
		a.Entry = taken
		refused(t, "a decision with an entry that exists", w.decide(t, a), domain.Conflict)
		_, _, how, err := w.ConsumeCode(t.Context(), a.Code.Digest, past, w.entry("family.end"))
		must(t, err)
		equal(t, "its code", how, authorize.Unknown)
		a.Entry = entry
		must(t, w.decide(t, a))
		equal(t, "audit log", w.all(t), append(before, taken, entry))
		refused(t, "a second decision", w.decide(t, a), domain.NotFound)
	}},
	{"where nobody was asked, the first time leaves an entry", func(t *testing.T, w *world) {
		for i, want := range []int{1, 1, 1} {
			name := fmt.Sprint(i)
			w.begin(t, w.alpha, name)
			a := w.approval(w.alpha, name)
			a.Consent, a.Grant.Consent, a.FirstOnly, a.Entry.Action = nil, "", true, "consent.skip"
			must(t, w.decide(t, a))
			got := 0
			for _, e := range w.all(t) {
				if e.Action == "consent.skip" {
					got++
				}
			}
			equal(t, "entries after code "+name, got, want)
		}
	}},
	{"who is disabled or staff, or whose partner is disabled, allows nothing", func(t *testing.T, w *world) {
		staff := domain.User{
			ID: "usr_" + domain.UserID(fmt.Sprintf("%032d", 7)), Partner: w.alpha.partner.ID, Customer: true, Staff: true,
			Email: "both@example.com", FirstName: "A", Surname: "B", CreatedAt: past,
		}
		must(t, w.AddUser(t.Context(), staff, "hash", nil, w.entry("user.create")))
		w.begin(t, w.alpha, "a")
		a := w.approval(w.alpha, "a")
		a.Consent, a.Grant.Consent, a.Grant.User = nil, "", staff.ID
		refused(t, "staff", w.decide(t, a), domain.NotFound)
		must(t, w.DisableUser(t.Context(), w.alpha.customer.ID, true, past, w.entry("user.disable")))
		refused(t, "a disabled user", w.decide(t, w.approval(w.alpha, "a")), domain.NotFound)
		must(t, w.DisableUser(t.Context(), w.alpha.customer.ID, false, time.Time{}, w.entry("user.enable")))
		must(t, w.DisablePartner(t.Context(), w.alpha.partner.ID, true, past, w.entry("partner.disable")))
		refused(t, "a disabled partner's", w.decide(t, w.approval(w.alpha, "a")), domain.NotFound)
	}},
	{"a disabled application is allowed nothing", func(t *testing.T, w *world) {
		w.begin(t, w.alpha, "a")
		must(t, w.ChangeApplication(t.Context(), w.alpha.app.ID, func(a *domain.Application) error { a.Disabled = true; return nil }, w.entry("application.change")))
		refused(t, "a decision", w.decide(t, w.approval(w.alpha, "a")), domain.NotFound)
		list, err := w.Consents(t.Context(), authorize.Filter{Application: w.alpha.app.ID})
		must(t, err)
		equal(t, "consents", len(list), 0)
	}},
	{"a decision takes the place of the earlier ones of the same person for the same application", func(t *testing.T, w *world) {
		foreign := w.allow(t, w.beta, "foreign")
		first := w.allow(t, w.alpha, "a")
		refresh := w.remember(t, "a")
		w.begin(t, w.alpha, "b")
		second := w.approval(w.alpha, "b")
		ended, err := w.Approve(t.Context(), second)
		must(t, err)
		equal(t, "families that ended", ended, []string{first.Grant.Family})
		equal(t, "denied", fmt.Sprint(w.denied(t, first.Grant.Family), w.denied(t, second.Grant.Family), w.denied(t, foreign.Grant.Family)), "true false false")
		_, how, err := w.FindRefresh(t.Context(), refresh, w.alpha.app.ID, past)
		must(t, err)
		equal(t, "the old refresh token", how, authorize.Dead)
		for id, want := range map[domain.ConsentID]domain.ConsentStatus{
			first.Consent.ID: domain.ConsentRevoked, second.Consent.ID: domain.ConsentActive, foreign.Consent.ID: domain.ConsentActive,
		} {
			c, err := w.FindConsent(t.Context(), id)
			must(t, err)
			equal(t, "status of "+string(id), c.Status(past), want)
		}
		list := w.all(t)
		equal(t, "what the entry says", list[len(list)-1].Detail, "replaced "+string(first.Consent.ID))
		_, _, how, err = w.ConsumeCode(t.Context(), second.Code.Digest, past, w.entry("family.end"))
		must(t, err)
		equal(t, "the new code", how, authorize.Fresh)
	}},
	{"who refuses takes the request with an entry", func(t *testing.T, w *world) {
		key := w.begin(t, w.alpha, "a")
		e := w.entry("consent.deny")
		got, err := w.Decline(t.Context(), key, past, e)
		must(t, err)
		equal(t, "request", got, w.alpha.asked())
		e.Partner, e.Client, e.Object = w.alpha.partner.ID, w.alpha.app.ID, string(w.alpha.app.ID)
		list := w.all(t)
		equal(t, "entry", list[len(list)-1], e)
		_, err = w.Decline(t.Context(), key, past, w.entry("consent.deny"))
		refused(t, "a second refusal", err, domain.NotFound)
	}},
}
