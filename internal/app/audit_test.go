package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wattgate/wattgate/internal/app"
	"github.com/wattgate/wattgate/internal/domain"
)

// audit runs a verb of the audit log through the admin socket.
func audit[Out any](t *testing.T, w *world, verb string, in any) (out Out) {
	t.Helper()
	admin, err := app.Dial(w.Config, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.Do(t.Context(), verb, in, &out); err != nil {
		t.Errorf("%s %+v: %v", verb, in, err)
	}
	return out
}

// TestRefusalsAreCounted: many refusals are one entry each kind, with the
// application where there is one and never with what somebody typed.
func TestRefusalsAreCounted(t *testing.T) {
	w := newWorld(t)
	const guesses = 25
	var all sync.WaitGroup
	for i := range guesses {
		all.Go(func() {
			form := fmt.Sprintf("grant_type=client_credentials&client_id=%s&client_secret=guess%d", w.demo.PartnerClientID, i)
			w.ask(t, post("/oauth2/token", urlencoded, form))
			form = fmt.Sprintf("grant_type=client_credentials&client_id=typed-secret-%d&client_secret=x", i)
			w.ask(t, post("/token/", urlencoded, form))
		})
	}
	all.Wait()
	list := audit[[]app.AuditEntryView](t, w, "audit.list", app.AuditList{Action: "token.refused"})
	counts := map[domain.ClientID]int{}
	for _, e := range list {
		n := 1
		if _, times, ok := strings.Cut(e.Detail, ", "); ok && times != "once" {
			if _, err := fmt.Sscanf(times, "%d times", &n); err != nil {
				t.Errorf("the detail is %q: %v", e.Detail, err)
			}
		}
		counts[e.Client] += n
		if strings.Contains(fmt.Sprintf("%+v", e), "typed") || strings.Contains(fmt.Sprintf("%+v", e), "127.0.0.1") || !strings.HasPrefix(e.Address, "ip_") {
			t.Errorf("the log says what it should not: %+v", e)
		}
		if e.Client != "" && e.Partner != w.demo.Partner {
			t.Errorf("%+v: want the partner %s", e, w.demo.Partner)
		}
	}
	// Also when whoever guesses has been slowed down: whom it is about is known.
	if mine := counts[w.demo.PartnerClientID]; mine != guesses || counts[""] != guesses || len(list) > 15 {
		t.Errorf("got %v in %d entries, want %d for the application, as many others, in few", counts, len(list), guesses)
	}
	if again := audit[[]app.AuditEntryView](t, w, "audit.list", app.AuditList{Action: "token.refused", Address: "::ffff:127.0.0.1", User: w.demo.CustomerEmail}); len(again) > 0 {
		t.Errorf("refusals of a customer: got %+v, want none", again)
	}
}

// TestTheEndVouchesForEverything: what a process adds is under a checkpoint when
// it is gone, and looking at the log signs nothing.
func TestTheEndVouchesForEverything(t *testing.T) {
	w := newWorld(t)
	w.end()
	path := filepath.Join(w.data, "audit.checkpoint")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := app.Dial(w.Config, func() (*app.App, error) {
		return app.Open(t.Context(), w.Config, app.World{Now: w.clock.now})
	})
	if err != nil {
		t.Fatal(err)
	}
	var r app.AuditReport
	if err := admin.Do(t.Context(), "audit.verify", app.AuditVerify{Checkpoints: string(before)}, &r); err != nil {
		t.Fatal(err)
	}
	if err := admin.Close(); err != nil {
		t.Fatal(err)
	}
	if r.Entries == 0 || r.Vouched != r.Entries || len(r.Faults) > 0 || r.Checkpoints != 2 || r.Unreadable > 0 {
		t.Errorf("got %+v, want a whole log, vouched for twice", r)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("looking at the log changed the checkpoint from %q to %q (%v)", before, after, err)
	}
}
