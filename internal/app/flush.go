package app

import (
	"context"
	"errors"
)

// flush stores what is counted and remembered off the path of requests.
func (a *App) flush(ctx context.Context) error {
	err := a.Registry.Flush(ctx)
	if a.Registry.Stale() {
		err = errors.Join(err, a.Registry.Refresh(ctx))
	}
	if a.Clients == nil {
		return err
	}
	return errors.Join(err, a.Clients.Throttle.Flush(ctx, a.world.Now()))
}
