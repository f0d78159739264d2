package registry_test

import (
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// handed is an application that has a secret, a second old.
func (w *world) handed(t *testing.T, name string) domain.ClientID {
	t.Helper()
	app, _, err := w.AddApplication(t.Context(), by, registry.NewApplication{Name: name, Partner: w.partner, Role: domain.RoleThirdPartyViewer})
	must(t, err)
	w.now = w.now.Add(time.Second)
	return app.ID
}

func (w *world) link(t *testing.T, id domain.ClientID, overlap time.Duration) domain.Secret {
	t.Helper()
	link, _, err := w.HandOver(t.Context(), by, id, overlap)
	must(t, err)
	w.now = w.now.Add(time.Second)
	return link
}

func kindOf(err error) domain.Kind {
	if e, ok := err.(*domain.Error); ok {
		return e.Kind
	}
	return domain.Internal
}

// TestOneOpensALink: of many who open it at once, one gets a secret.
func TestOneOpensALink(t *testing.T) {
	for name, overlap := range map[string]time.Duration{"which replaces": 0, "with an overlap": time.Hour} {
		w := newWorld(t)
		id := w.handed(t, "Reader")
		link := w.link(t, id, overlap)
		const n = 8
		type answer struct {
			secret domain.Secret
			err    error
		}
		answers := make(chan answer, n)
		for range n {
			go func() {
				_, secret, err := w.OpenHandover(t.Context(), link, domain.Origin{})
				answers <- answer{secret, err}
			}()
		}
		got := 0
		for range n {
			a := <-answers
			if a.err == nil && !a.secret.Empty() {
				got++
			} else if k := kindOf(a.err); k != domain.NotFound && k != domain.Conflict || !a.secret.Empty() {
				t.Errorf("%s: got %v, want a secret or nothing", name, a.err)
			}
		}
		secrets, err := w.store.Secrets(t.Context(), id)
		must(t, err)
		if got != 1 || len(secrets) != 2 {
			t.Errorf("%s: %d got a secret, and there are %d, want 1 and 2", name, got, len(secrets))
		}
	}
}

// TestALinkIsForTheNextSecret: what was done since makes it void, or has it wait;
// a link is never spent without a secret.
func TestALinkIsForTheNextSecret(t *testing.T) {
	for name, c := range map[string]struct {
		overlap time.Duration
		since   func(w *world, id domain.ClientID) error
		want    domain.Kind
		undo    func(w *world, id domain.ClientID) error // after which it works; nil: never again
	}{
		"the secret was replaced": {0, func(w *world, id domain.ClientID) error {
			_, err := w.ReplaceSecret(t.Context(), by, id, 0)
			return err
		}, domain.NotFound, nil},
		"a second one was added": {time.Hour, func(w *world, id domain.ClientID) error {
			_, err := w.AddSecret(t.Context(), by, id, time.Hour, 0)
			return err
		}, domain.NotFound, nil},
		"another link was opened": {0, func(w *world, id domain.ClientID) error {
			_, _, err := w.OpenHandover(t.Context(), w.link(t, id, 0), domain.Origin{})
			return err
		}, domain.NotFound, nil},
		"a day has passed": {0, func(w *world, _ domain.ClientID) error {
			w.now = w.now.Add(registry.HandoverLife)
			return nil
		}, domain.NotFound, nil},
		"the application is disabled": {0, func(w *world, id domain.ClientID) error {
			return w.SetDisabled(t.Context(), by, id, true)
		}, domain.Conflict, func(w *world, id domain.ClientID) error {
			return w.SetDisabled(t.Context(), by, id, false)
		}},
	} {
		w := newWorld(t)
		id := w.handed(t, "Reader")
		link := w.link(t, id, c.overlap)
		must(t, c.since(w, id))
		count := func() int {
			secrets, err := w.store.Secrets(t.Context(), id)
			must(t, err)
			return len(secrets)
		}
		had := count()
		_, looked := w.WaitingHandover(t.Context(), link)
		_, secret, err := w.OpenHandover(t.Context(), link, domain.Origin{})
		if kindOf(err) != c.want || kindOf(looked) != c.want || !secret.Empty() || count() != had {
			t.Errorf("%s: got %v and %v, and %d secrets, want %v and %d", name, looked, err, count(), c.want, had)
		}
		if c.undo == nil {
			continue
		}
		must(t, c.undo(w, id))
		if _, secret, err := w.OpenHandover(t.Context(), link, domain.Origin{}); err != nil || secret.Empty() {
			t.Errorf("%s, and is not any more: got %v, want a secret", name, err)
		}
	}

	// With two live secrets there is no room for a third; the link goes on waiting.
	w := newWorld(t)
	id := w.handed(t, "Reader")
	_, err := w.AddSecret(t.Context(), by, id, time.Hour, 0)
	must(t, err)
	w.now = w.now.Add(time.Second)
	link := w.link(t, id, time.Hour)
	if _, _, err := w.OpenHandover(t.Context(), link, domain.Origin{}); kindOf(err) != domain.Conflict {
		t.Errorf("two live secrets: got %v, want to be told", err)
	}
	w.now = w.now.Add(time.Hour) // the older one has stopped
	if _, secret, err := w.OpenHandover(t.Context(), link, domain.Origin{}); err != nil || secret.Empty() {
		t.Errorf("one live secret: got %v, want a second one", err)
	}
}

// TestNamesThatAreReadable: letters of every script are a name, and what changes
// how other text is shown is not.
func TestNamesThatAreReadable(t *testing.T) {
	w := newWorld(t)
	for name, ok := range map[string]bool{
		"קורא מונים": true, "Müller & Söhne <b>": true, "日本": true, "a\tb": false, "a\nb": false, "a\x00b": false, "a\u202eb": false,
		"a\u2067b": false, "a\u2029b": false, "a\u0085b": false, "a\xffb": false,
	} {
		_, _, err := w.AddApplication(t.Context(), by, registry.NewApplication{Name: name, Partner: w.partner, Role: domain.RoleThirdPartyViewer})
		_, partner := w.AddPartner(t.Context(), by, name)
		if (err == nil) != ok || (partner == nil) != ok || !ok && (kindOf(err) != domain.Invalid || kindOf(partner) != domain.Invalid) {
			t.Errorf("%q: got %v and %v, want a name: %t", name, err, partner, ok)
		}
	}
}
