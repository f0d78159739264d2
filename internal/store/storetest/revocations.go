package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// revocation is one of a token that is unlike those of other names.
func revocation(name string, until time.Time) domain.Revocation {
	return domain.Revocation{Token: domain.DigestTokenID(name), Until: until}
}

// revoked returns all revocations.
func (w *world) revoked(t *testing.T) []domain.Revocation {
	t.Helper()
	list, _, err := w.Revocations(t.Context(), 0)
	must(t, err)
	return list
}

var revocations = []promise{
	{"a revocation belongs to one token, whoever's, and comes with its entry", func(t *testing.T, w *world) {
		before := w.all(t)
		a, b := revocation("alpha", future), revocation("beta", future)
		first, second := w.entry("token.revoke"), w.entry("token.revoke")
		first.Partner, second.Partner = w.alpha.partner.ID, w.beta.partner.ID
		must(t, w.RevokeToken(t.Context(), a, past, first))
		equal(t, "revoked", w.revoked(t), []domain.Revocation{a})
		must(t, w.RevokeToken(t.Context(), b, past, second))
		equal(t, "revoked", w.revoked(t), []domain.Revocation{a, b})
		equal(t, "audit log", w.all(t), append(before, first, second))
	}},
	{"one whose entry cannot be written has not happened", func(t *testing.T, w *world) {
		taken := w.entry("test.taken")
		must(t, w.Record(t.Context(), taken))
		refused(t, "a revocation with an entry that exists", w.RevokeToken(t.Context(), revocation("a", future), past, taken), domain.Conflict)
		equal(t, "revoked", len(w.revoked(t)), 0)
	}},
	{"a token that is revoked again stays as it is, without another entry", func(t *testing.T, w *world) {
		r := revocation("a", future)
		must(t, w.RevokeToken(t.Context(), r, past, w.entry("token.revoke")))
		before := len(w.all(t))
		must(t, w.RevokeToken(t.Context(), r, past, w.entry("token.revoke")))
		equal(t, "revoked", w.revoked(t), []domain.Revocation{r})
		equal(t, "number of entries", len(w.all(t)), before)
	}},
	{"who has read to a place is told what follows it, and nothing twice", func(t *testing.T, w *world) {
		_, place, err := w.Revocations(t.Context(), 0)
		must(t, err)
		for i := range 5 {
			r := revocation(fmt.Sprint(i), future)
			must(t, w.RevokeToken(t.Context(), r, past, w.entry("token.revoke")))
			list, next, err := w.Revocations(t.Context(), place)
			must(t, err)
			equal(t, "news", list, []domain.Revocation{r})
			if next <= place {
				t.Fatalf("the place after %d is %d", place, next)
			}
			place = next
			list, next, err = w.Revocations(t.Context(), place)
			must(t, err)
			equal(t, "news when there are none", len(list), 0)
			equal(t, "place", next, place)
		}
	}},
	{"what is over is forgotten, and its place is never given again", func(t *testing.T, w *world) {
		old := revocation("old", past)
		must(t, w.RevokeToken(t.Context(), old, past, w.entry("token.revoke")))
		equal(t, "revoked up to the instant itself", w.revoked(t), []domain.Revocation{old})
		_, place, err := w.Revocations(t.Context(), 0)
		must(t, err)
		young := revocation("young", future)
		must(t, w.RevokeToken(t.Context(), young, past.Add(time.Microsecond), w.entry("token.revoke")))
		equal(t, "revoked afterwards", w.revoked(t), []domain.Revocation{young})
		list, _, err := w.Revocations(t.Context(), place)
		must(t, err)
		equal(t, "news", list, []domain.Revocation{young})
	}},
	{"many at the same time are all kept", func(t *testing.T, w *world) {
		const goroutines, each = 32, 10
		w.together(t, goroutines, func(i int) error {
			for n := range each {
				e := domain.Entry{ID: fmt.Sprintf("aud_%02d_%02d", i, n), Action: "token.revoke"}
				if err := w.RevokeToken(t.Context(), revocation(e.ID, future), past, e); err != nil {
					return err
				}
			}
			return nil
		})
		equal(t, "number of revocations", len(w.revoked(t)), goroutines*each)
	}},
	{"a closed engine revokes nothing", func(t *testing.T, w *world) {
		must(t, w.Close())
		refused(t, "a revocation", w.RevokeToken(t.Context(), revocation("a", future), past, w.entry("token.revoke")), domain.Unavailable)
		_, _, err := w.Revocations(t.Context(), 0)
		refused(t, "a reading", err, domain.Unavailable)
	}},
}
