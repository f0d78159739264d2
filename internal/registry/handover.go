package registry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// HandoverLife is how long a link waits for the developer.
const HandoverLife = 24 * time.Hour

// linkLength is that of 256 random bits in base64url.
const linkLength = 43

// errSpent is the one answer to a link that was opened, has run out or never was.
var errSpent = &domain.Error{Kind: domain.NotFound, Public: "This link was opened before, or has run out. Ask for a new one."}

// HandOver makes a link under which a new secret of an application appears, once:
// whoever makes the link never sees the secret (E9). With an overlap the old
// secrets go on for so long after that, without one they stop.
func (r *Registry) HandOver(ctx context.Context, by By, id domain.ClientID, overlap time.Duration) (link domain.Secret, until time.Time, err error) {
	app, err := r.Store.FindApplication(ctx, id)
	if err != nil {
		return link, until, err
	}
	if app.Type != domain.Confidential || !app.AuthMethod.Secret() {
		return link, until, invalid("this application has no secret that could be handed over")
	}
	if overlap < 0 || overlap > maxExpiry {
		return link, until, invalid("the overlap is at most ten years")
	}
	if app.Disabled {
		return link, until, &domain.Error{Kind: domain.Conflict, Public: "the application is disabled; enable it first"}
	}
	var raw [32]byte
	chance := r.Chance
	if chance == nil {
		chance = rand.Reader
	}
	if _, err := io.ReadFull(chance, raw[:]); err != nil {
		return link, until, err
	}
	text := base64.RawURLEncoding.EncodeToString(raw[:])
	h := domain.Handover{Digest: sha256.Sum256([]byte(text)), Client: id, Overlap: overlap, MadeAt: r.Now(), Until: r.Now().Add(HandoverLife)}
	err = r.Store.AddHandover(ctx, h, r.entry(by, "secret.handover", string(id), app.Partner, "a link until "+h.Until.UTC().Format(time.RFC3339)))
	return domain.NewSecret(text), h.Until, err
}

// WaitingHandover finds the application of a link that can still be opened. It
// opens nothing. A link is for the next secret: one that was made since, by whoever,
// makes it void, so that replacing a secret ends what somebody may have got hold of.
func (r *Registry) WaitingHandover(ctx context.Context, link domain.Secret) (domain.Application, error) {
	if len(link.Reveal()) != linkLength {
		return domain.Application{}, errSpent
	}
	h, err := r.Store.FindHandover(ctx, sha256.Sum256([]byte(link.Reveal())))
	if err == nil && !h.Waits(r.Now()) {
		err = errSpent
	}
	if err != nil {
		return domain.Application{}, spent(err)
	}
	app, err := r.Store.FindApplication(ctx, h.Client)
	if err != nil {
		return domain.Application{}, err
	}
	secrets, err := r.Store.Secrets(ctx, app.ID)
	if err != nil {
		return domain.Application{}, err
	}
	switch {
	case h.Void(secrets):
		return domain.Application{}, errSpent
	case app.Disabled:
		return domain.Application{}, &domain.Error{Kind: domain.Conflict, Public: "The application is disabled. Once it is enabled again, the link works until it runs out."}
	case h.Overlap > 0 && live(secrets, r.Now()) >= maxLive: // before the link is spent for nothing
		return domain.Application{}, &domain.Error{Kind: domain.Conflict, Public: "The application has two live secrets already. Once one of them is retired, the link works until it runs out."}
	}
	return app, nil
}

// OpenHandover spends a link and makes the secret. The link is spent first: of
// two who open it at once, one gets a secret.
func (r *Registry) OpenHandover(ctx context.Context, link domain.Secret, from domain.Origin) (domain.Application, domain.Secret, error) {
	app, err := r.WaitingHandover(ctx, link)
	if err != nil {
		return domain.Application{}, domain.Secret{}, err
	}
	by := By{Means: "one-time link", Origin: from}
	h, err := r.Store.OpenHandover(ctx, sha256.Sum256([]byte(link.Reveal())), r.Now(), r.entry(by, "secret.handover.open", string(app.ID), app.Partner, ""))
	if err != nil {
		return domain.Application{}, domain.Secret{}, spent(err)
	}
	var secret domain.Secret
	if h.Overlap > 0 {
		secret, err = r.AddSecret(ctx, by, app.ID, h.Overlap, 0)
	} else {
		secret, err = r.ReplaceSecret(ctx, by, app.ID, 0)
	}
	return app, secret, err
}

func spent(err error) error {
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		return errSpent
	}
	return err
}
