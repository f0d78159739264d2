package authorize

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// Remember makes the first refresh token of a family, good for a lifetime
// ([RefreshLifetime], or [KrakenRefreshLifetime] where g.Lasting).
func (d *Desk) Remember(ctx context.Context, g Grant, lifetime time.Duration) (domain.Secret, error) {
	s, key := d.draw(prefixRefresh)
	now := d.now()
	err := d.Store.AddRefresh(ctx, g, key, now.Add(lifetime), now)
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind == domain.NotFound {
		return domain.Secret{}, errGrant("the family has ended meanwhile")
	}
	if err != nil {
		return domain.Secret{}, err
	}
	return s, nil
}

// Renew takes a refresh token and returns its successor (RFC 6749 §6), or itself
// if it is a lasting one: that it was made so counts, and not where it comes back.
// The refresh token of a public application always rotates (RFC 9700 §2.2.2). One
// that was used before ends its family (RFC 9700 §4.14.2): whoever of the two is
// the thief, both have to start again.
//
// check is asked, with what the token would become, before it is taken; nil: all
// is well. With its error nothing changes, or who asked for something wrong once
// would have lost what the customer has allowed. Nor does anything change where
// what is bound to a key comes without its proof, or a scope was not allowed. A
// scope narrows the Grant, and not what follows: the successor allows what its
// predecessor did.
func (d *Desk) Renew(ctx context.Context, app *domain.Listing, refresh domain.Secret, scope string, check func(Grant) error, from domain.Origin) (Grant, domain.Secret, error) {
	if err := may(app, oauth.GrantRefreshToken); err != nil {
		return Grant{}, domain.Secret{}, err
	}
	old, ok := digest(refresh.Reveal(), prefixRefresh)
	if !ok {
		return Grant{}, domain.Secret{}, errGrant("not a refresh token of ours")
	}
	now := d.now()
	g, how, err := d.Store.FindRefresh(ctx, old, app.ID, now)
	if err != nil {
		return Grant{}, domain.Secret{}, err
	}
	if g.Bound.Bound() && g.Bound != from.Proven { // whoever has the token alone ends nothing either
		return Grant{}, domain.Secret{}, errGrant("bound to a key that the request does not prove")
	}
	next := refresh
	if how == Fresh {
		if g.Scope, err = within(g, scope); err != nil {
			return Grant{}, domain.Secret{}, err
		}
		if check != nil {
			if err := check(g); err != nil {
				return Grant{}, domain.Secret{}, err
			}
		}
		scope = g.Scope
	}
	if how == Reused || how == Fresh && (!g.Lasting || app.Type == domain.Public) {
		var key Digest
		next, key = d.draw(prefixRefresh)
		g, how, err = d.Store.RotateRefresh(ctx, Rotation{
			Client: app.ID, Old: old, New: key, Now: now, Until: now.Add(RefreshLifetime),
			Reuse: d.entry("family.end", "a refresh token that was used twice", from),
		})
		if err != nil {
			return Grant{}, domain.Secret{}, err
		}
	}
	if err := d.settle(how, g, now); err != nil {
		return Grant{}, domain.Secret{}, err
	}
	g.Scope = scope
	return g, next, nil
}

// within returns the scope of a renewed token: all that was allowed where nothing
// is asked, otherwise what is asked, if that is part of it (RFC 6749 §6).
func within(g Grant, asked string) (string, error) {
	if strings.Trim(asked, " ") == "" {
		return g.Scope, nil
	}
	had := strings.Fields(g.Scope)
	for name := range strings.FieldsSeq(asked) {
		p, known := domain.PermissionOfScope(name)
		if !slices.Contains(had, name) && (!known || !g.Permissions.Has(p)) {
			return "", &oauth.Error{Code: oauth.InvalidScope, Description: "a scope that was asked for was not allowed when the customer decided"}
		}
	}
	return strings.Join(strings.Fields(asked), " "), nil
}

// EndFamily ends the family of a refresh token of an application that has proven
// who it is (RFC 7009 §2.1), before it returns. What is not its own stays, and is
// no error (RFC 7009 §2.2).
func (d *Desk) EndFamily(ctx context.Context, app *domain.Listing, refresh domain.Secret, from domain.Origin) error {
	key, ok := digest(refresh.Reveal(), prefixRefresh)
	if !ok {
		return nil
	}
	now := d.now()
	family, err := d.Store.EndFamily(ctx, key, app.ID, now, d.entry("family.end", "its own application", from))
	if err != nil {
		return err
	}
	d.deny(family, now)
	return nil
}
