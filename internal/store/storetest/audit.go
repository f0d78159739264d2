package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
)

// all returns the whole audit log.
func (w *world) all(t *testing.T) (list []domain.Entry) {
	t.Helper()
	for after := ""; ; after = list[len(list)-1].ID {
		page, err := w.Entries(t.Context(), after, 100)
		must(t, err)
		list = append(list, page...)
		if len(page) < 100 {
			return list
		}
	}
}

var audits = []promise{
	{"an entry comes back as it was recorded, with its partner", func(t *testing.T, w *world) {
		before := w.all(t)
		e := domain.Entry{
			ID: "aud_full", At: future, Action: "user.impersonate", Partner: w.alpha.partner.ID, Client: w.alpha.app.ID,
			User: w.alpha.customer.ID, Object: "o", By: "CAN_IMPERSONATE", RequestID: "r", Address: "192.0.2.1", Detail: "d",
		}
		must(t, w.Record(t.Context(), e))
		equal(t, "audit log", w.all(t), append(before, e))
		_, err := w.Entries(t.Context(), "aud_unknown", 1)
		refused(t, "entries after an unknown one", err, domain.NotFound)
	}},
	{"an entry is recorded once, and needs an identifier", func(t *testing.T, w *world) {
		e := w.entry("test.once")
		must(t, w.Record(t.Context(), e))
		refused(t, "an entry again", w.Record(t.Context(), e), domain.Conflict)
		refused(t, "an entry without an identifier", w.Record(t.Context(), domain.Entry{}), domain.Internal)
	}},
	{"many at the same time are all recorded, in the order in which they were answered", func(t *testing.T, w *world) {
		const goroutines, each = 64, 20
		before := len(w.all(t))
		w.together(t, goroutines, func(i int) error {
			for n := range each {
				e := domain.Entry{ID: fmt.Sprintf("aud_%02d_%02d", i, n), Action: "test.record"}
				if err := w.Record(t.Context(), e); err != nil {
					return err
				}
			}
			return nil
		})
		list := w.all(t)[before:]
		equal(t, "number of entries", len(list), goroutines*each)
		next := [goroutines]int{}
		for _, e := range list {
			var i, n int
			if _, err := fmt.Sscanf(e.ID, "aud_%d_%d", &i, &n); err != nil || n != next[i] {
				t.Fatalf("got the entry %s, want number %d of it (%v)", e.ID, next[i], err)
			}
			next[i]++
		}
	}},
	{"one that fails does not disturb those beside it", func(t *testing.T, w *world) {
		taken := w.entry("test.taken")
		must(t, w.Record(t.Context(), taken))
		before := len(w.all(t))
		w.together(t, 64, func(i int) error {
			if i%2 == 0 {
				return w.Record(t.Context(), w.entry("test.record"))
			}
			err := w.ChangeApplication(t.Context(), w.alpha.app.ID, func(a *domain.Application) error {
				a.Disabled = true
				return nil
			}, taken)
			if err == nil {
				return errors.New("an entry that exists was recorded")
			}
			return nil
		})
		w.unchanged(t, before+32)
	}},
	{"who has given up records nothing", func(t *testing.T, w *world) {
		before := len(w.all(t))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := w.Record(ctx, w.entry("test.cancelled"))
		refused(t, "a cancelled entry", err, domain.Unavailable)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got the error %v, want one of the context", err)
		}
		_, err = w.Entries(ctx, "", 1)
		refused(t, "a cancelled reading", err, domain.Unavailable)
		equal(t, "number of entries", len(w.all(t)), before)
	}},
}
