package storetest

import (
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// listed returns what the directory says of a house's application and customer.
func (w *world) listed(t *testing.T, h house) (closed bool, dead, user time.Time) {
	t.Helper()
	d, err := w.Directory(t.Context())
	must(t, err)
	l := d.Application(h.app.ID)
	return l.Closed, l.DeadUntil, d.Revoked[h.customer.ID]
}

var disablings = []promise{
	{"a partner's end is its own, and comes with its entry", func(t *testing.T, w *world) {
		before, e := w.all(t), w.entry("partner.disable")
		must(t, w.DisablePartner(t.Context(), w.alpha.partner.ID, true, past, e))
		closed, dead, _ := w.listed(t, w.alpha)
		equal(t, "the partner's application closed, its tokens dead until", []any{closed, dead}, []any{true, past})
		closed, dead, _ = w.listed(t, w.beta)
		equal(t, "another partner's", []any{closed, dead}, []any{false, time.Time{}})
		equal(t, "audit log", w.all(t), append(before, e))
		_, err := w.ImpersonableCustomer(t.Context(), w.alpha.partner.ID, w.alpha.customer.ID)
		refused(t, "to act as a customer of it", err, domain.NotFound)
		_, err = w.ImpersonableCustomer(t.Context(), w.beta.partner.ID, w.beta.customer.ID)
		must(t, err)
	}},
	{"a user's end is their own, and comes with its entry", func(t *testing.T, w *world) {
		before, e := w.all(t), w.entry("user.disable")
		must(t, w.DisableUser(t.Context(), w.alpha.customer.ID, true, past, e))
		closed, _, user := w.listed(t, w.alpha)
		if closed || !user.After(future) {
			t.Errorf("the application is closed: %v, and tokens for the user are dead until %v, want for ever", closed, user)
		}
		_, _, user = w.listed(t, w.beta)
		equal(t, "another's", user, time.Time{})
		equal(t, "audit log", w.all(t), append(before, e))
		_, err := w.ImpersonableCustomer(t.Context(), w.alpha.partner.ID, w.alpha.customer.ID)
		refused(t, "to act as them", err, domain.NotFound)
	}},
	{"who is enabled again has what was dead, dead", func(t *testing.T, w *world) {
		must(t, w.DisablePartner(t.Context(), w.alpha.partner.ID, true, past, w.entry("partner.disable")))
		must(t, w.DisableUser(t.Context(), w.alpha.customer.ID, true, past, w.entry("user.disable")))
		must(t, w.DisablePartner(t.Context(), w.alpha.partner.ID, false, time.Time{}, w.entry("partner.enable")))
		must(t, w.DisableUser(t.Context(), w.alpha.customer.ID, false, time.Time{}, w.entry("user.enable")))
		closed, dead, user := w.listed(t, w.alpha)
		equal(t, "closed, tokens dead until, those of the user until", []any{closed, dead, user}, []any{false, past, past})
		_, err := w.ImpersonableCustomer(t.Context(), w.alpha.partner.ID, w.alpha.customer.ID)
		must(t, err)
	}},
	{"an end never goes back", func(t *testing.T, w *world) {
		for _, dead := range []time.Time{future, past} {
			must(t, w.DisablePartner(t.Context(), w.alpha.partner.ID, true, dead, w.entry("partner.disable")))
			must(t, w.DisableUser(t.Context(), w.alpha.customer.ID, true, dead, w.entry("user.disable")))
		}
		must(t, w.DisableUser(t.Context(), w.alpha.customer.ID, false, time.Time{}, w.entry("user.enable")))
		_, dead, user := w.listed(t, w.alpha)
		equal(t, "tokens dead until, those of the user until", []any{dead, user}, []any{future, future})
	}},
	{"whom nobody knows cannot be disabled, and leaves no entry", func(t *testing.T, w *world) {
		before := w.all(t)
		refused(t, "an unknown partner", w.DisablePartner(t.Context(), "prt_unknown", true, past, w.entry("partner.disable")), domain.NotFound)
		refused(t, "an unknown user", w.DisableUser(t.Context(), "usr_unknown", true, past, w.entry("user.disable")), domain.NotFound)
		equal(t, "audit log", w.all(t), before)
	}},
	{"one whose entry cannot be written has not happened", func(t *testing.T, w *world) {
		taken := w.entry("test.taken")
		must(t, w.Record(t.Context(), taken))
		refused(t, "a partner", w.DisablePartner(t.Context(), w.alpha.partner.ID, true, past, taken), domain.Conflict)
		refused(t, "a user", w.DisableUser(t.Context(), w.alpha.customer.ID, true, past, taken), domain.Conflict)
		closed, dead, user := w.listed(t, w.alpha)
		equal(t, "closed, tokens dead until, those of the user until", []any{closed, dead, user}, []any{false, time.Time{}, time.Time{}})
	}},
}
