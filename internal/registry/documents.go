package registry

import (
	"context"

	"github.com/wattgate/wattgate/internal/domain"
)

// The bounds of what an application may trust.
const (
	MaxDocument  = 64 << 10 // bytes of one
	MaxDocuments = 1_000
)

// AddDocument adds a GraphQL document that an application trusts: it can send
// the digest for the text. That it is one is the caller's to check.
func (r *Registry) AddDocument(ctx context.Context, by By, id domain.ClientID, text string) (domain.Document, error) {
	app, err := r.Store.FindApplication(ctx, id)
	if err != nil {
		return domain.Document{}, err
	}
	if text == "" || len(text) > MaxDocument {
		return domain.Document{}, invalid("a document has 1 to %d bytes", MaxDocument)
	}
	list, err := r.Store.Documents(ctx, app.Partner, id)
	if err != nil {
		return domain.Document{}, err
	}
	if len(list) >= MaxDocuments {
		return domain.Document{}, invalid("an application trusts at most %d documents: remove some first", MaxDocuments)
	}
	d := domain.Document{Client: id, Partner: app.Partner, Digest: domain.DigestOf(text), Text: text, AddedAt: r.Now()}
	return d, r.Store.AddDocument(ctx, d, r.entry(by, "application.document.add", string(id), app.Partner, "hash "+d.Digest.String()))
}

// RemoveDocument removes a document: from then on it is like any other.
func (r *Registry) RemoveDocument(ctx context.Context, by By, id domain.ClientID, digest domain.Digest) error {
	app, err := r.Store.FindApplication(ctx, id)
	if err != nil {
		return err
	}
	return r.Store.RemoveDocument(ctx, app.Partner, id, digest, r.entry(by, "application.document.remove", string(id), app.Partner, "hash "+digest.String()))
}

// SetTrustedOnly says whether an application runs nothing but the documents that
// it trusts.
func (r *Registry) SetTrustedOnly(ctx context.Context, by By, id domain.ClientID, only bool) error {
	app, err := r.Store.FindApplication(ctx, id)
	if err != nil {
		return err
	}
	detail := "any document"
	if only {
		detail = "trusted documents only"
	}
	err = r.Store.ChangeApplication(ctx, id, func(a *domain.Application) error {
		a.TrustedOnly, a.ChangedAt = only, r.Now()
		return nil
	}, r.entry(by, "application.documents", string(id), app.Partner, detail))
	if err != nil {
		return err
	}
	return r.Refresh(ctx)
}
