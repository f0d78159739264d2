package app

import (
	"context"
	"errors"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/registry"
	"github.com/wattgate/wattgate/internal/secret"
	"github.com/wattgate/wattgate/internal/session"
	"github.com/wattgate/wattgate/internal/throttle"
)

// loginURL is the issuer of what account users get by logging in: the URL of the
// GraphQL API, from which clients know where to go.
func loginURL(urls URLs) string { return urls.Customer + "/v1/graphql/" }

// logins issues tokens to account users. Who fails there waits on the log-in page
// too: both ask the same keeper.
func (a *App) logins(urls URLs, tokens *authn.Tokens, people *session.Keeper) *issuance.Logins {
	return &issuance.Logins{
		URL: loginURL(urls), Keys: a.Keys, People: people, Store: a.store, Directory: a.Registry, Tokens: tokens,
		Expired: func(err error) bool { return errors.Is(err, authn.ErrExpired) },
		All:     a.Registry, Denied: a.denied, Pepper: a.Registry.Pepper,
		Secrets:           secret.Maker{Environment: a.Config.environment(), Chance: a.world.Chance},
		Reauthentications: throttle.New(issuance.Reauthentication, 1<<12),
		Deaf:              a.deaf(), Now: a.world.Now, Chance: a.world.Chance,
	}
}

// Masquerade is a token for a look at a customer. It is never shown again.
type Masquerade struct {
	User    domain.UserID `json:"userId"`
	Token   string        `json:"masqueradeToken"`
	Expires time.Time     `json:"expires"`
}

// MasqueradeAs names who is looked at, by whom, and why.
type MasqueradeAs struct {
	ID     string `json:"id"`
	Staff  string `json:"staff"` // empty: the operator
	Reason string `json:"reason"`
}

// masquerade makes a token for a look at a customer.
func masquerade(ctx context.Context, a *App, in MasqueradeAs) (Masquerade, error) {
	u, err := a.user(ctx, in.ID)
	if err != nil {
		return Masquerade{}, err
	}
	who := by()
	if in.Staff != "" {
		staff, err := a.user(ctx, in.Staff)
		if err != nil {
			return Masquerade{}, err
		}
		who = registry.By{User: staff.ID, Means: domain.SupportViewer.String(), Origin: who.Origin}
	}
	text, until, err := a.Registry.Masquerade(ctx, who, u.ID, in.Reason)
	return Masquerade{User: u.ID, Token: text.Reveal(), Expires: until}, err
}
