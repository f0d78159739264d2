package storetest

import (
	"testing"

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
		must(t, w.SetPassword(t.Context(), w.alpha.customer.ID, "new", w.entry("user.password")))
		_, _, err := w.FindSession(t.Context(), one.Digest)
		refused(t, "a session of before the new password", err, domain.NotFound)
		must(t, w.DisablePartner(t.Context(), w.beta.partner.ID, true, past, w.entry("partner.disable")))
		_, _, err = w.FindSession(t.Context(), other.Digest)
		refused(t, "a session of a disabled partner's customer", err, domain.NotFound)
		_, _, err = w.CustomerPassword(t.Context(), w.beta.partner.ID, w.beta.customer.Email)
		refused(t, "a disabled partner's customer", err, domain.NotFound)
		one = w.session(t, w.alpha, 3, session.Digest{})
		must(t, w.DisableUser(t.Context(), w.alpha.customer.ID, true, past, w.entry("user.disable")))
		_, _, err = w.FindSession(t.Context(), one.Digest)
		refused(t, "a session of a disabled user", err, domain.NotFound)
		_, _, err = w.CustomerPassword(t.Context(), w.alpha.partner.ID, w.alpha.customer.Email)
		refused(t, "a disabled user", err, domain.NotFound)
	}},
	{"old sessions are forgotten on the way", func(t *testing.T, w *world) {
		old := session.Session{Digest: session.Digest{9}, User: w.alpha.customer.ID, AuthTime: past, SeenAt: past}
		must(t, w.AddSession(t.Context(), old, session.Digest{}, past, w.entry("user.login")))
		w.session(t, w.alpha, 1, session.Digest{})
		_, _, err := w.FindSession(t.Context(), old.Digest)
		refused(t, "an old session", err, domain.NotFound)
	}},
	{"a session of nobody is refused, and nothing is recorded", func(t *testing.T, w *world) {
		before, err := w.Entries(t.Context(), "", 1000)
		must(t, err)
		s := session.Session{Digest: session.Digest{1}, User: "usr_none", AuthTime: past, SeenAt: past}
		err = w.AddSession(t.Context(), s, session.Digest{}, past, w.entry("user.login"))
		refused(t, "a session of nobody", err, domain.NotFound)
		after, err := w.Entries(t.Context(), "", 1000)
		must(t, err)
		equal(t, "entries", len(after), len(before))
	}},
}

// session logs the customer in.
func (w *world) session(t *testing.T, h house, digit byte, old session.Digest) session.Session {
	t.Helper()
	s := session.Session{Digest: session.Digest{digit}, User: h.customer.ID, AuthTime: future, SeenAt: future}
	must(t, w.AddSession(t.Context(), s, old, past.Add(1000), w.entry("user.login")))
	return s
}
