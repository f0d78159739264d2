package app

import (
	"context"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/auth"
	"github.com/wattgate/wattgate/internal/token"
)

// KeyRotate is the argument of keys.rotate.
type KeyRotate struct {
	Now bool `json:"now"` // the emergency
}

// KeyView is a signing key. Instants that do not apply are left out.
type KeyView struct {
	ID           string     `json:"kid"`
	Algorithm    string     `json:"algorithm"`
	State        string     `json:"state"` // published, active, retired, removed
	Created      time.Time  `json:"created"`
	ActiveSince  *time.Time `json:"activeSince,omitempty"`  // when it began to sign
	SignsFrom    *time.Time `json:"signsFrom,omitempty"`    // when a published one will
	RemovedAfter *time.Time `json:"removedAfter,omitempty"` // when a retired one will be gone, or a removed one went
}

func keyView(k token.StoredKey) KeyView {
	v := KeyView{ID: k.ID, Algorithm: string(k.Algorithm), State: k.State, Created: k.CreatedAt}
	switch {
	case k.State == token.Published:
		v.SignsFrom = &k.ActiveFrom
	case k.State != token.Removed || k.ActiveFrom.Before(k.RemovedAt): // otherwise it never signed
		v.ActiveSince = &k.ActiveFrom
	}
	if !k.RemovedAt.IsZero() {
		v.RemovedAfter = &k.RemovedAt
	}
	return v
}

// listKeys shows all keys. Beside a live server what is due is done first, so
// that the list is true now; without one nothing is changed.
func listKeys(ctx context.Context, a *App, _ struct{}) ([]KeyView, error) {
	if a.Keys != nil {
		if err := a.stepKeysOnce(ctx); err != nil {
			return nil, err
		}
	}
	list, err := a.store.SigningKeys(ctx)
	return views(list, keyView), err
}

// rotateKeys publishes a new key, or in an emergency lets one sign at once.
func rotateKeys(ctx context.Context, a *App, in KeyRotate) ([]KeyView, error) {
	ring := a.Keys
	if ring == nil {
		var err error
		if ring, err = a.ringWithoutServer(ctx); err != nil {
			return nil, err
		}
	}
	rotate := ring.Rotate
	if in.Now {
		rotate = ring.RotateNow
	}
	changes, err := rotate(ctx, domain.Entry{By: by().Means, Address: by().Origin.Address})
	if err != nil {
		return nil, err
	}
	a.logKeys(changes)
	list, err := a.store.SigningKeys(ctx)
	return views(list, keyView), err
}

// ringWithoutServer opens the keys for one command. A command that was not told
// the algorithm must not change it: it goes on with that of the newest key.
func (a *App) ringWithoutServer(ctx context.Context) (*token.Ring, error) {
	settings := a.ringSettings()
	if a.Config.Origins["token-alg"] == "default" {
		list, err := a.store.SigningKeys(ctx)
		if err != nil {
			return nil, err
		}
		for _, k := range list {
			if k.State == token.Active || k.State == token.Published {
				settings.Policy.Algorithm = k.Algorithm
			}
		}
	}
	return token.OpenRing(ctx, settings)
}

// openKeys opens the signing keys, and makes one the first time.
func (a *App) openKeys(ctx context.Context) error {
	ring, err := token.OpenRing(ctx, a.ringSettings())
	if err != nil {
		return err
	}
	a.Keys = ring
	return nil
}

func (a *App) ringSettings() token.Settings {
	c := a.Config
	return token.Settings{
		Store: a.store, Cipher: a.sealer, Now: a.world.Now, Chance: a.world.Chance,
		Policy: token.Policy{
			Algorithm: token.Algorithm(c.TokenAlg),
			Rotation:  c.span("key-rotation"), Publish: c.span("key-publish"), MaxAge: c.span("jwks-max-age"),
			SwitchAtOnce: a.isDemo, // nobody else verifies a demo's tokens
		},
	}
}

// statements signs what is no token; nobody does before the keys are open.
func (a *App) statements() auth.Statements {
	if a.Keys == nil {
		return nil
	}
	return a.Keys
}

// keysEvery is how soon what is due is done. Asking costs nothing: the ring
// knows its keys by heart.
const keysEvery = time.Second

// stepKeys does what is due with the keys, until ctx ends.
func (a *App) stepKeys(ctx context.Context) error {
	return a.every(ctx, keysEvery, "rotate the signing keys", a.stepKeysOnce)
}

func (a *App) stepKeysOnce(ctx context.Context) error {
	changes, err := a.Keys.Step(ctx, domain.Entry{By: "schedule", Address: "local"})
	a.logKeys(changes)
	return err
}

func (a *App) logKeys(changes []token.Change) {
	for _, c := range changes {
		a.log.Info(c.Action, "kid", c.Key.ID, "algorithm", string(c.Key.Algorithm))
	}
}
