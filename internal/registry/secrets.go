package registry

import (
	"context"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/secret"
)

// maxLive is how many secrets of an application may be live at once: the old
// one and the new one while clients change over.
const maxLive = 2

// maxExpiry is the longest time that anybody can mean.
const maxExpiry = 10 * 366 * 24 * time.Hour

// newSecret makes a secret and what is kept of it.
func (r *Registry) newSecret(client domain.ClientID, expires time.Duration) (domain.Secret, domain.StoredSecret) {
	clear := secret.New(r.Chance, r.Environment)
	text := clear.Reveal()
	stored := domain.StoredSecret{
		ID: domain.NewSecretID(r.Chance), Client: client, Digest: r.Pepper.Digest(text),
		Hint: text[len(text)-5:], CreatedAt: r.Now(),
	}
	if expires == 0 {
		expires = DefaultExpiry
	}
	if expires > 0 {
		stored.ExpiresAt = r.Now().Add(expires)
	}
	return clear, stored
}

// AddSecret gives an application a second secret. The old one stops when the
// overlap is over.
func (r *Registry) AddSecret(ctx context.Context, by By, id domain.ClientID, overlap, expires time.Duration) (domain.Secret, error) {
	if overlap > maxExpiry {
		return domain.Secret{}, invalid("the overlap is at most ten years")
	}
	if overlap <= 0 {
		return domain.Secret{}, invalid("the overlap says how long the old secret still works, and must be longer than nothing")
	}
	return r.changeSecrets(ctx, by, id, "secret.add", expires, nobody, func(app *domain.Application, old []domain.StoredSecret, _ time.Time) error {
		if live(old, r.Now()) >= maxLive {
			return &domain.Error{Kind: domain.Conflict, Public: "the application has two live secrets already; retire one first"}
		}
		retire(old, r.Now(), r.Now().Add(overlap))
		return nil
	})
}

// ReplaceSecret gives an application a new secret; the old ones stop in the
// same transaction (K6), and so do the tokens they brought.
func (r *Registry) ReplaceSecret(ctx context.Context, by By, id domain.ClientID, expires time.Duration) (domain.Secret, error) {
	return r.changeSecrets(ctx, by, id, "secret.replace", expires, only(id), func(app *domain.Application, old []domain.StoredSecret, dead time.Time) error {
		retire(old, r.Now(), r.Now().Add(-r.Lead)) // by every node's clock: dead is ahead of it
		app.RevokedBefore = dead
		return nil
	})
}

// changeSecrets stores a new secret beside what change makes of the old ones.
func (r *Registry) changeSecrets(ctx context.Context, by By, id domain.ClientID, action string, expires time.Duration, held func(*domain.Listing) bool,
	change func(_ *domain.Application, _ []domain.StoredSecret, dead time.Time) error,
) (domain.Secret, error) {
	app, err := r.Store.FindApplication(ctx, id)
	if err != nil {
		return domain.Secret{}, err
	}
	if app.Type != domain.Confidential {
		return domain.Secret{}, invalid("a public client has no secret")
	}
	if !app.AuthMethod.Secret() {
		return domain.Secret{}, invalid("this application authenticates with its own key or certificate and has no secret")
	}
	if expires > maxExpiry {
		return domain.Secret{}, invalid("a secret expires after at most ten years, or never")
	}
	clear, stored := r.newSecret(id, expires)
	err = r.ending(ctx, held, func(ctx context.Context, dead time.Time) error {
		return r.Store.ChangeSecrets(ctx, id, func(app *domain.Application, old []domain.StoredSecret) ([]domain.StoredSecret, error) {
			if err := change(app, old, dead); err != nil {
				return nil, err
			}
			app.ChangedAt = r.Now()
			return append(old, stored), nil
		}, r.entry(by, action, string(id), app.Partner, "new secret …"+stored.Hint))
	})
	if err != nil {
		return domain.Secret{}, err
	}
	return clear, nil
}

// RetireSecret stops one secret now. The last live one cannot be retired: an
// application that is to get no tokens is disabled instead.
func (r *Registry) RetireSecret(ctx context.Context, by By, id domain.ClientID, which domain.SecretID) error {
	app, err := r.Store.FindApplication(ctx, id)
	if err != nil {
		return err
	}
	return r.ending(ctx, only(id), func(ctx context.Context, _ time.Time) error {
		now := r.Now()
		return r.Store.ChangeSecrets(ctx, id, func(app *domain.Application, list []domain.StoredSecret) ([]domain.StoredSecret, error) {
			i := slices.IndexFunc(list, func(s domain.StoredSecret) bool { return s.ID == which })
			switch {
			case i < 0:
				return nil, &domain.Error{Kind: domain.NotFound, Public: "the application has no such secret"}
			case !list[i].Live(now):
				return nil, &domain.Error{Kind: domain.Conflict, Public: "that secret has stopped already"}
			case live(list, now) == 1:
				return nil, &domain.Error{Kind: domain.Conflict, Public: "this is the last live secret; disable the application instead"}
			}
			list[i].RetiredAt, app.ChangedAt = now.Add(-r.Lead), now // by every node's clock
			return list, nil
		}, r.entry(by, "secret.retire", string(id), app.Partner, string(which)))
	})
}

// live counts the secrets that open anything now.
func live(list []domain.StoredSecret, now time.Time) int {
	n := 0
	for _, s := range list {
		if s.Live(now) {
			n++
		}
	}
	return n
}

// retire ends every live secret at the instant, unless it ends earlier.
func retire(list []domain.StoredSecret, now, at time.Time) {
	for i := range list {
		if list[i].Live(now) && (list[i].RetiredAt.IsZero() || at.Before(list[i].RetiredAt)) {
			list[i].RetiredAt = at
		}
	}
}
