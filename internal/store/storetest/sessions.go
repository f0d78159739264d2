package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/session"
)

var sessions = []promise{
	{"a customer is found by e-mail within one partner only", func(t *testing.T, w *world) {
		for _, h := range []house{w.alpha, w.beta} {
			u, hash, err := w.CustomerPassword(t.Context(), h.partner.ID, "PERSON"+h.customer.Email[len("Person"):])
			must(t, err)
			equal(t, "customer", u, h.customer)
			equal(t, "hash", hash, "hash")
		}
		_, _, err := w.CustomerPassword(t.Context(), w.alpha.partner.ID, w.beta.customer.Email)
		refused(t, "another partner's customer", err, domain.NotFound)
		_, _, err = w.CustomerPassword(t.Context(), "", w.alpha.customer.Email)
		refused(t, "nobody's customer", err, domain.NotFound)
	}},
	{"a session is found by its digest, and ends with the next log-in", func(t *testing.T, w *world) {
		first := w.session(t, w.alpha, 1, session.Digest{})
		got, u, err := w.FindSession(t.Context(), first.Digest)
		must(t, err)
		equal(t, "session", got, first)
		equal(t, "person", u, w.alpha.customer)
		second := w.session(t, w.alpha, 2, first.Digest)
		_, _, err = w.FindSession(t.Context(), first.Digest)
		refused(t, "the session before", err, domain.NotFound)
		must(t, w.SeeSession(t.Context(), second.Digest, future.Add(1)))
		must(t, w.SeeSession(t.Context(), second.Digest, past))
		got, _, err = w.FindSession(t.Context(), second.Digest)
		must(t, err)
		equal(t, "seen at", got.SeenAt, second.SeenAt)
		for range 2 { // the second has nothing to end
			must(t, w.EndSession(t.Context(), second.Digest))
		}
		_, _, err = w.FindSession(t.Context(), second.Digest)
		refused(t, "the ended session", err, domain.NotFound)
	}},
	{"sessions end with their person, the partner and the password", func(t *testing.T, w *world) {
		one, other := w.session(t, w.alpha, 1, session.Digest{}), w.session(t, w.beta, 2, session.Digest{})
		w.password(t, w.alpha.customer.ID, "new", past)
		_, _, err := w.FindSession(t.Context(), one.Digest)
		refused(t, "a session of before the new password", err, domain.NotFound)
		must(t, w.DisablePartner(t.Context(), w.beta.partner.ID, true, past, w.entry("partner.disable")))
		_, _, err = w.FindSession(t.Context(), other.Digest)
		refused(t, "a session of a disabled partner's customer", err, domain.NotFound)
		_, _, err = w.CustomerPassword(t.Context(), w.beta.partner.ID, w.beta.customer.Email)
		refused(t, "a disabled partner's customer", err, domain.NotFound)
		must(t, w.DisablePartner(t.Context(), w.beta.partner.ID, true, future, w.entry("partner.disable")))
		must(t, w.DisablePartner(t.Context(), w.beta.partner.ID, false, time.Time{}, w.entry("partner.enable")))
		_, _, err = w.FindSession(t.Context(), other.Digest)
		refused(t, "a session from before the partner was disabled", err, domain.NotFound)
		one = w.session(t, w.alpha, 3, session.Digest{})
		must(t, w.DisableUser(t.Context(), w.alpha.customer.ID, true, past, w.entry("user.disable")))
		_, _, err = w.FindSession(t.Context(), one.Digest)
		refused(t, "a session of a disabled user", err, domain.NotFound)
		_, _, err = w.CustomerPassword(t.Context(), w.alpha.partner.ID, w.alpha.customer.Email)
		refused(t, "a disabled user", err, domain.NotFound)
	}},
	{"old sessions are forgotten on the way", func(t *testing.T, w *world) {
		old := session.Session{Digest: session.Digest{9}, User: w.alpha.customer.ID, AuthTime: past, SeenAt: past}
		must(t, w.AddSession(t.Context(), old, "hash", session.Digest{}, past, w.entry("user.login")))
		w.session(t, w.alpha, 1, session.Digest{})
		_, _, err := w.FindSession(t.Context(), old.Digest)
		refused(t, "an old session", err, domain.NotFound)
	}},
	{"a session of nobody is refused, and nothing is recorded", func(t *testing.T, w *world) {
		before, err := w.Entries(t.Context(), "", 1000)
		must(t, err)
		add := func(what string, id domain.UserID, hash string) {
			s := session.Session{Digest: session.Digest{1}, User: id, AuthTime: future, SeenAt: future}
			err := w.AddSession(t.Context(), s, hash, session.Digest{}, past, w.entry("user.login"))
			refused(t, what, err, domain.NotFound)
		}
		add("a session of nobody", "usr_none", "hash")
		add("a session by a password that is not the person's any more", w.alpha.customer.ID, "old")
		after, err := w.Entries(t.Context(), "", 1000)
		must(t, err)
		equal(t, "entries", len(after), len(before))
		must(t, w.DisablePartner(t.Context(), w.beta.partner.ID, true, past, w.entry("partner.disable")))
		add("a session of a disabled partner's customer", w.beta.customer.ID, "hash")
		must(t, w.DisableUser(t.Context(), w.alpha.customer.ID, true, past, w.entry("user.disable")))
		add("a session of a disabled customer", w.alpha.customer.ID, "hash")
	}},
	{"a refused session leaves the one that the browser had", func(t *testing.T, w *world) {
		first := w.session(t, w.alpha, 1, session.Digest{})
		s := session.Session{Digest: session.Digest{2}, User: w.alpha.customer.ID, AuthTime: future, SeenAt: future}
		refused(t, "another password's", w.AddSession(t.Context(), s, "old", first.Digest, past, w.entry("user.login")), domain.NotFound)
		_, _, err := w.FindSession(t.Context(), first.Digest)
		must(t, err)
	}},
	{"a new password ends all families of the person, and nobody else's", func(t *testing.T, w *world) {
		for _, name := range []string{"code", "living", "ended"} {
			w.begin(t, w.alpha, name)
			a := w.approval(w.alpha, name) // without a consent, which would replace the one before
			a.Consent, a.Grant.Consent = nil, ""
			must(t, w.decide(t, a))
		}
		living := w.remember(t, "living")
		_, err := w.EndFamily(t.Context(), w.remember(t, "ended"), w.alpha.app.ID, past, w.entry("family.end"))
		must(t, err)
		w.allow(t, w.beta, "other")
		other := w.remember(t, "other")
		equal(t, "families", w.password(t, w.alpha.customer.ID, "new", past), []string{"fam_code", "fam_living"})
		_, how, err := w.FindRefresh(t.Context(), living, w.alpha.app.ID, past)
		must(t, err)
		equal(t, "the refresh token", how, authorize.Dead)
		_, _, how, err = w.ConsumeCode(t.Context(), digest("code code"), past, w.entry("family.end"))
		must(t, err)
		equal(t, "the code", how, authorize.Dead)
		_, how, err = w.FindRefresh(t.Context(), other, w.beta.app.ID, past)
		must(t, err)
		equal(t, "another person's refresh token", how, authorize.Fresh)
		for family, want := range map[string]bool{"fam_code": true, "fam_living": true, "fam_other": false} {
			equal(t, family+" is refused", w.denied(t, family), want)
		}
		equal(t, "families, the second time", len(w.password(t, w.alpha.customer.ID, "newer", past)), 0)
	}},
}

// password sets one, and returns the families that ended with the old one.
func (w *world) password(t *testing.T, id domain.UserID, hash string, now time.Time) []string {
	t.Helper()
	families, err := w.SetPassword(t.Context(), id, hash, now, w.entry("user.password"))
	must(t, err)
	slices.Sort(families)
	return families
}

// session logs the customer in.
func (w *world) session(t *testing.T, h house, digit byte, old session.Digest) session.Session {
	t.Helper()
	s := session.Session{Digest: session.Digest{digit}, User: h.customer.ID, AuthTime: future, SeenAt: future}
	_, hash, err := w.CustomerPassword(t.Context(), h.partner.ID, h.customer.Email)
	must(t, err)
	must(t, w.AddSession(t.Context(), s, hash, old, past.Add(1000), w.entry("user.login")))
	return s
}
