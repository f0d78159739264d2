package registry_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

func TestDocumentsThatAreTrusted(t *testing.T) {
	w := newWorld(t)
	app, _ := w.app(t, registry.NewApplication{})
	d, err := w.AddDocument(t.Context(), by, app.ID, "{a}")
	must(t, err)
	if d.Digest != domain.DigestOf("{a}") || d.Partner != w.partner || !d.AddedAt.Equal(w.now) {
		t.Errorf("got %+v", d)
	}
	for name, c := range map[string]struct {
		id   domain.ClientID
		text string
		want domain.Kind
	}{
		"nothing":                {app.ID, "", domain.Invalid},
		"more than there may be": {app.ID, strings.Repeat("x", registry.MaxDocument+1), domain.Invalid},
		"the same again":         {app.ID, "{a}", domain.Conflict},
		"of no application":      {"app_none", "{b}", domain.NotFound},
	} {
		if _, err := w.AddDocument(t.Context(), by, c.id, c.text); err == nil || kind(err) != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	must(t, w.RemoveDocument(t.Context(), by, app.ID, d.Digest))
	if err := w.RemoveDocument(t.Context(), by, app.ID, d.Digest); err == nil || kind(err) != domain.NotFound {
		t.Errorf("what was removed, again: %v", err)
	}
	if err := w.RemoveDocument(t.Context(), by, "app_none", d.Digest); err == nil || kind(err) != domain.NotFound {
		t.Errorf("of no application: %v", err)
	}
	for _, want := range []string{"application.document.add", "application.document.remove"} {
		if !slices.Contains(w.actions(t), want) {
			t.Errorf("no %s in the audit log", want)
		}
	}
	for i := range registry.MaxDocuments {
		text := fmt.Sprintf("{a%d}", i)
		must(t, w.store.AddDocument(t.Context(), domain.Document{Client: app.ID, Partner: w.partner, Digest: domain.DigestOf(text), Text: text, AddedAt: w.now},
			domain.Entry{ID: fmt.Sprintf("aud_x%08d", i), At: w.now, Action: "test", By: "test"}))
	}
	if _, err := w.AddDocument(t.Context(), by, app.ID, "{one too many}"); err == nil || kind(err) != domain.Invalid {
		t.Errorf("one too many: %v", err)
	}
}

// It has taken effect when it returns: the next request with a token from before
// is of an application that runs nothing else.
func TestOnlyTrustedDocuments(t *testing.T) {
	w := newWorld(t)
	app, _ := w.app(t, registry.NewApplication{})
	raw := w.token(t, app.ID, "")
	for _, only := range []bool{true, false} {
		must(t, w.SetTrustedOnly(t.Context(), by, app.ID, only))
		if caller, ok := w.counts(raw); !ok || caller.TrustedOnly != only {
			t.Errorf("%+v %v, want trusted only: %v", caller, ok, only)
		}
	}
	if err := w.SetTrustedOnly(t.Context(), by, "app_none", true); err == nil || kind(err) != domain.NotFound {
		t.Errorf("of no application: %v", err)
	}
}
