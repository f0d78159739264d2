package app

import (
	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/session"
)

// desk takes what applications ask of customers, and the customers' answers.
func (a *App) desk(urls URLs, issuer *issuance.Issuer) *authorize.Desk {
	return &authorize.Desk{
		Store: a.store, Directory: a.Registry, Denied: a.denied, Targets: issuer.Targets, Issuer: urls.Auth, Now: a.world.Now, Chance: a.world.Chance,
	}
}

// sessions knows who is logged in at which browser.
func (a *App) sessions() *session.Keeper {
	return &session.Keeper{
		Store: a.store, Passwords: a.Registry.Passwords, Failures: session.NewFailures(), Now: a.world.Now, Chance: a.world.Chance,
		SecondFactor: !a.isDemo, Sealer: a.factors, Name: "Wattgate",
	}
}
