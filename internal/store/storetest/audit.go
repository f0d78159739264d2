package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/audit"
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
	{"the log is a tree, also after changes side by side that failed", func(t *testing.T, w *world) {
		taken := w.entry("test.taken")
		must(t, w.Record(t.Context(), taken))
		w.together(t, 64, func(i int) error {
			if i%3 != 0 {
				return w.Record(t.Context(), w.entry("test.record"))
			}
			if w.Record(t.Context(), taken) == nil {
				return errors.New("an entry that exists was recorded")
			}
			return nil
		})
		last, err := audit.Next(t.Context(), w, audit.Checkpoint{}, past)
		must(t, err)
		equal(t, "size of the tree", last.Size, int64(len(w.all(t))))
		must(t, w.Record(t.Context(), w.entry("test.later")))
		_, err = audit.Next(t.Context(), w, last, past)
		must(t, err)
		r, err := audit.Verify(t.Context(), w, []audit.Checkpoint{last})
		must(t, err)
		equal(t, "verification", []any{len(r.Faults), r.Size, r.Vouched, r.Checkpoints}, []any{0, last.Size + 1, last.Size, 1})
		_, err = w.AuditHashes(t.Context(), []int64{1 << 40})
		refused(t, "a hash that is not there", err, domain.Internal)
	}},
	{"entries are found by each of their properties, in the order of recording", func(t *testing.T, w *world) {
		start, err := w.AuditSize(t.Context())
		must(t, err)
		for i, e := range []domain.Entry{
			{Action: "test.a", Partner: "prt_x", Client: "app_x", At: past},
			{Action: "test.b", User: "usr_x", Address: "1", At: past.Add(time.Second)},
			{Action: "test.b", Object: "app_x", At: past.Add(2 * time.Second)},
			{Action: "other", Object: "usr_x", At: past.Add(3 * time.Second)},
		} {
			e.ID = fmt.Sprintf("aud_found_%d", i)
			must(t, w.Record(t.Context(), e))
		}
		for name, c := range map[string]struct {
			filter audit.Filter
			want   []int64
		}{
			"all":                   {audit.Filter{}, []int64{0, 1, 2, 3}},
			"the first":             {audit.Filter{Limit: 2}, []int64{0, 1}},
			"the newest":            {audit.Filter{Limit: 2, Newest: true}, []int64{2, 3}},
			"from a number":         {audit.Filter{First: start + 3}, []int64{3}},
			"an action":             {audit.Filter{Action: "test.b"}, []int64{1, 2}},
			"actions":               {audit.Filter{Action: "test.*"}, []int64{0, 1, 2}},
			"a partner":             {audit.Filter{Partner: "prt_x"}, []int64{0}},
			"an application":        {audit.Filter{Client: "app_x"}, []int64{0, 2}},
			"a user":                {audit.Filter{User: "usr_x"}, []int64{1, 3}},
			"an object":             {audit.Filter{Object: "usr_x"}, []int64{3}},
			"a partner's address":   {audit.Filter{Address: "1"}, []int64{1}},
			"since":                 {audit.Filter{From: past.Add(2 * time.Second)}, []int64{2, 3}},
			"until":                 {audit.Filter{From: past, To: past.Add(time.Second), Action: "test.*"}, []int64{0}},
			"nobody":                {audit.Filter{Partner: "prt_x", User: "usr_x"}, []int64{}},
			"a quote is no pattern": {audit.Filter{Action: "' OR ''='"}, []int64{}},
		} {
			f := c.filter
			f.First = max(f.First, start)
			if f.Limit == 0 {
				f.Limit = 100
			}
			leaves, err := w.AuditLeaves(t.Context(), f)
			must(t, err)
			got := []int64{}
			for _, l := range leaves {
				got = append(got, l.Number-start)
			}
			equal(t, name, got, c.want)
		}
	}},
}
