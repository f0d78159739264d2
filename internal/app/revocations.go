package app

import (
	"context"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/issuance"
)

// openRevocations reads which tokens are revoked. Where one process has the
// database, all that is revoked from now on is revoked here: the feed is polled
// once, and nobody has to ask for its age.
func (a *App) openRevocations(ctx context.Context) error {
	a.denied = &authn.DenyList{}
	a.Registry.Denied = a.denied
	a.nodes.feed = &authn.Feed{Source: a.store, List: a.denied, Now: a.world.Now}
	return a.nodes.feed.Poll(ctx)
}

// revoker ends tokens one by one, and families of them by their refresh tokens.
func (a *App) revoker(urls URLs, families issuance.Families) *issuance.Revoker {
	return &issuance.Revoker{
		URL: urls.Auth, Login: loginURL(urls), Keys: a.Keys, Store: a.store, Denied: a.denied, Families: families, Now: a.world.Now, Chance: a.world.Chance,
	}
}

// sweepEvery is how often the memory of revoked tokens is given back whose time
// is over.
const sweepEvery = time.Minute

// sweepDenied gives that memory back, until ctx ends.
func (a *App) sweepDenied(ctx context.Context) error {
	return a.every(ctx, sweepEvery, "forget revocations", func(context.Context) error {
		a.denied.Sweep(a.world.Now())
		return nil
	})
}
