package storetest

import (
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
)

var documents = []promise{
	{"a document is nobody else's: not another partner's, nor another application's", func(t *testing.T, w *world) {
		d := domain.Document{Client: w.alpha.app.ID, Partner: w.alpha.partner.ID, Text: "{a}", Digest: domain.DigestOf("{a}"), AddedAt: past}
		must(t, w.AddDocument(t.Context(), d, w.entry("application.document.add")))
		for sentence, of := range map[string]struct {
			partner domain.PartnerID
			client  domain.ClientID
		}{
			"of the other partner's application":              {w.beta.partner.ID, w.beta.app.ID},
			"of the other partner and this application":       {w.beta.partner.ID, w.alpha.app.ID},
			"of this partner and the other one's application": {w.alpha.partner.ID, w.beta.app.ID},
		} {
			_, err := w.TrustedDocument(t.Context(), of.partner, of.client, d.Digest)
			refused(t, "finding one "+sentence, err, domain.NotFound)
			err = w.RemoveDocument(t.Context(), of.partner, of.client, d.Digest, w.entry("application.document.remove"))
			refused(t, "removing one "+sentence, err, domain.NotFound)
			list, err := w.Documents(t.Context(), of.partner, of.client)
			must(t, err)
			equal(t, "documents "+sentence, list, []domain.Document{})
		}
		foreign := d
		foreign.Partner = w.beta.partner.ID
		refused(t, "adding one to another partner's application", w.AddDocument(t.Context(), foreign, w.entry("application.document.add")), domain.NotFound)
		text, err := w.TrustedDocument(t.Context(), w.alpha.partner.ID, w.alpha.app.ID, d.Digest)
		must(t, err)
		equal(t, "the text", text, d.Text)
	}},
	{"documents come back as they were added, oldest first, and go away", func(t *testing.T, w *world) {
		add := func(text string, h house) domain.Document {
			d := domain.Document{Client: h.app.ID, Partner: h.partner.ID, Text: text, Digest: domain.DigestOf(text), AddedAt: past}
			if text == "{late}" {
				d.AddedAt = future
			}
			must(t, w.AddDocument(t.Context(), d, w.entry("application.document.add")))
			return d
		}
		late, early, other := add("{late}", w.alpha), add("{early}", w.alpha), add("{late}", w.beta)
		list, err := w.Documents(t.Context(), w.alpha.partner.ID, w.alpha.app.ID)
		must(t, err)
		equal(t, "documents", list, []domain.Document{early, late})
		before := len(w.all(t))
		refused(t, "the same again", w.AddDocument(t.Context(), late, w.entry("application.document.add")), domain.Conflict)
		equal(t, "entries after a refusal", len(w.all(t)), before)
		must(t, w.RemoveDocument(t.Context(), late.Partner, late.Client, late.Digest, w.entry("application.document.remove")))
		refused(t, "removing it again", w.RemoveDocument(t.Context(), late.Partner, late.Client, late.Digest, w.entry("application.document.remove")), domain.NotFound)
		_, err = w.TrustedDocument(t.Context(), late.Partner, late.Client, late.Digest)
		refused(t, "what was removed", err, domain.NotFound)
		text, err := w.TrustedDocument(t.Context(), other.Partner, other.Client, other.Digest)
		must(t, err)
		equal(t, "the other partner's", text, "{late}")
	}},
	{"whether only trusted documents run is kept, and in the directory", func(t *testing.T, w *world) {
		must(t, w.ChangeApplication(t.Context(), w.alpha.app.ID, func(a *domain.Application) error {
			a.TrustedOnly = true
			return nil
		}, w.entry("application.documents")))
		d, err := w.Directory(t.Context())
		must(t, err)
		equal(t, "of the one that was changed", d.Applications[w.alpha.app.ID].TrustedOnly, true)
		equal(t, "of the other", d.Applications[w.beta.app.ID].TrustedOnly, false)
	}},
}
