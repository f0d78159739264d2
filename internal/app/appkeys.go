package app

import "context"

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
