package registry

import (
	"context"
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/assertion"
	"github.com/wattgate/wattgate/internal/domain"
)

// SetKeys replaces the public keys, or certificates, of an application that
// authenticates by them. The old ones stop in the same transaction, and so do
// the tokens they brought: it is what [Registry.ReplaceSecret] is for secrets.
func (r *Registry) SetKeys(ctx context.Context, by By, id domain.ClientID, text []byte) error {
	app, err := r.Store.FindApplication(ctx, id)
	if err != nil {
		return err
	}
	if app.AuthMethod != domain.PrivateKeyJWT && app.AuthMethod != domain.SelfSignedTLSClientAuth {
		return invalid("this application does not authenticate with keys of its own")
	}
	keys, err := assertion.ParseKeys(text)
	if err != nil {
		return err
	}
	app.Keys = text
	if err := checkMethod(app); err != nil {
		return err
	}
	if err := checkFAPI(app); err != nil {
		return err
	}
	return r.ending(ctx, only(id), func(ctx context.Context, dead time.Time) error {
		return r.Store.ChangeApplication(ctx, id, func(a *domain.Application) error {
			a.Keys, a.RevokedBefore, a.ChangedAt = text, dead, r.Now()
			return nil
		}, r.entry(by, "application.keys", string(id), app.Partner, fmt.Sprintf("number of keys %d", keys.Len())))
	})
}
