package app

import (
	"context"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// AppKeys is the argument of app.keys.set.
type AppKeys struct {
	ID   string `json:"id"`
	Keys string `json:"jwks"` // a JSON Web Key Set
}

// setAppKeys replaces an application's own keys.
func setAppKeys(ctx context.Context, a *App, in AppKeys) (ApplicationView, error) {
	app, err := a.application(ctx, in.ID)
	if err != nil {
		return ApplicationView{}, err
	}
	if err := a.Registry.SetKeys(ctx, by(), app.ID, []byte(in.Keys)); err != nil {
		return ApplicationView{}, err
	}
	return showApp(ctx, a, Named{string(app.ID)})
}

// OwnUse is how often an application came with a key or certificate of its own.
type OwnUse struct {
	LastUsed *time.Time `json:"lastUsed,omitempty"`
	Tokens   int64      `json:"tokens"`
}

// ownUse returns that of an application that does; others have it by secret.
func (a *App) ownUse(ctx context.Context, app domain.Application) (*OwnUse, error) {
	if app.AuthMethod.Secret() {
		return nil, nil
	}
	if err := a.Registry.Flush(ctx); err != nil {
		return nil, err
	}
	use, err := a.Registry.Store.OwnUse(ctx, app.ID)
	if err != nil {
		return nil, err
	}
	own := &OwnUse{Tokens: use.Tokens}
	if !use.LastUsed.IsZero() {
		own.LastUsed = &use.LastUsed
	}
	return own, nil
}
