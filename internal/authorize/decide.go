package authorize

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// The bounds of a decision.
const (
	maxPurpose = 200                       // characters
	maxFinest  = 366 * 24 * time.Hour      // a year's sum
	maxValid   = 10 * 366 * 24 * time.Hour // longer than anybody can mean
)

// Offered returns what the consent page shows. Who is not a customer of the
// application's partner, is staff or disabled, is [domain.Forbidden].
func (d *Desk) Offered(ctx context.Context, req Request, who domain.User) (Offer, error) {
	app, err := d.standing(req, who)
	if err != nil {
		return Offer{}, err
	}
	accounts, points, err := d.Store.CustomersPoints(ctx, domain.Scope{Partner: who.Partner, User: who.ID})
	if err != nil {
		return Offer{}, err
	}
	allowed, ok := permissions(app, req.Scope)
	if !ok { // the role was narrowed meanwhile
		return Offer{}, &domain.Error{Kind: domain.Forbidden, Public: "the application may not ask for this any more; start again there"}
	}
	return Offer{Application: app.Application, Permissions: allowed, Accounts: accounts, Points: points, Skip: skips(app, req)}, nil
}

// skips reports whether nobody is asked. What an application reads only where
// somebody agreed, somebody has to agree to. Behind a device or a public application
// may be anybody, and a link that the person follows must not answer for them (RFC
// 8628 §5.4, RFC 6749 §10.2). prompt=consent asks for the page (OpenID Connect Core
// §3.1.2.1).
func skips(app *domain.Listing, req Request) bool {
	return app.SkipAuthorization && app.Reach != domain.ReachConsented && app.Type != domain.Public &&
		req.Device == "" && !slices.Contains(strings.Fields(req.Prompt), "consent")
}

// standing finds the application of a request, for a person who may use it.
func (d *Desk) standing(req Request, who domain.User) (*domain.Listing, error) {
	app := d.Directory.Directory().Application(req.Client)
	switch {
	case app == nil || app.Closed:
		return nil, &domain.Error{Kind: domain.Forbidden, Public: "this application may not be used at the moment"}
	case app.Held:
		return nil, errHeld
	case !who.Customer || who.Staff || who.Disabled || who.Partner != app.Partner:
		return nil, errPerson
	}
	return app, nil
}

var (
	errHeld   = &domain.Error{Kind: domain.Unavailable, Public: "this application is being changed; try again"}
	errPerson = &domain.Error{Kind: domain.Forbidden, Public: "this application is for customers of its own company; log in as one of them"}
)

// Allow takes a request and makes a code of it, and a consent unless
// authorization is skipped: all of it and its entry in the audit log, or nothing.
// redirect is empty for a device.
func (d *Desk) Allow(ctx context.Context, challenge string, who domain.User, is Decision, from domain.Origin) (redirect string, err error) {
	req, key, err := d.pending(ctx, challenge)
	if err != nil {
		return "", err
	}
	offer, err := d.Offered(ctx, req, who)
	if err != nil {
		return "", err
	}
	now := d.now()
	a := Approval{
		Challenge: key, Now: now, At: from.At, Until: now.Add(CodeLifetime + domain.MaxLifetime),
		Grant: Grant{
			Family: domain.NewFamily(d.Chance), Client: req.Client, Partner: req.Partner, User: who.ID,
			Scope: req.Scope, Permissions: offer.Permissions, Audience: req.Audience, Resource: req.Resource, Nonce: req.Nonce,
			AuthTime: is.AuthTime, Offline: offline(req.Scope) && slices.Contains(offer.Application.Grants, oauth.GrantRefreshToken),
		},
		Entry: d.entry("consent.skip", "authorization is skipped for the application", from),
	}
	a.Entry.Partner, a.Entry.Client, a.Entry.User, a.Entry.Object = req.Partner, req.Client, who.ID, a.Grant.Family
	if a.FirstOnly = offer.Skip; !offer.Skip {
		c, err := d.consent(&offer, req, who, is, now)
		if err != nil {
			return "", err
		}
		a.Consent, a.Grant.Consent = &c, c.ID
		a.Entry.Action, a.Entry.By, a.Entry.Object = "consent.create", "the customer", string(c.ID)
	}
	if req.Device != "" {
		if a.Device, err = deviceOf(req); err != nil {
			return "", err
		}
		a.Until = now.Add(DeviceLifetime + domain.MaxLifetime)
		return "", d.approve(ctx, a)
	}
	code, digest := d.draw(prefixCode)
	a.Code = &Code{Digest: digest, Redirect: req.Redirect, Challenge: req.Challenge, DPoPKey: req.DPoPKey, Until: now.Add(CodeLifetime)}
	if err := d.approve(ctx, a); err != nil {
		return "", err
	}
	return d.answer(req.Redirect, req.State, "code", code.Reveal()), nil
}

// approve stores a decision, and denies the tokens of what it replaces.
func (d *Desk) approve(ctx context.Context, a Approval) error {
	ended, err := d.Store.Approve(ctx, a)
	if err != nil {
		return gone(err)
	}
	for _, family := range ended {
		d.deny(family, a.Now)
	}
	return nil
}

// consent makes a consent of a decision, which may not hold more than was offered.
func (d *Desk) consent(o *Offer, req Request, who domain.User, is Decision, now time.Time) (domain.Consent, error) {
	reads := o.Permissions.Has(domain.CanQueryProperty) || o.Permissions.Has(domain.CanViewDetailedUsage)
	chosen := make([]domain.SupplyPointRef, 0, len(is.SupplyPoints))
	for _, ref := range is.SupplyPoints {
		known := slices.ContainsFunc(o.Points, func(p OfferedPoint) bool {
			return p.SupplyPointRef == ref && (is.Account == "" || p.Account == is.Account)
		})
		if !known {
			return domain.Consent{}, invalid("a supply point that was chosen is not known")
		}
		if !slices.Contains(chosen, ref) {
			chosen = append(chosen, ref)
		}
	}
	account := is.Account == "" || slices.ContainsFunc(o.Accounts, func(a domain.Account) bool { return a.Number == is.Account })
	switch {
	case !account:
		return domain.Consent{}, invalid("the account that was chosen is not known")
	case len(chosen) == 0 && reads && len(o.Points) > 0:
		return domain.Consent{}, invalid("choose at least one supply point, or refuse")
	case is.Finest < 0 || is.Finest > maxFinest || is.Finest%time.Minute != 0:
		return domain.Consent{}, invalid("the finest resolution is a number of minutes, at most a year")
	case !is.ValidUntil.After(now) || is.ValidUntil.Sub(now) > maxValid:
		return domain.Consent{}, invalid("a consent ends after now, and within ten years")
	case utf8.RuneCountInString(is.Purpose) > maxPurpose || !clean(is.Purpose):
		return domain.Consent{}, invalid("the purpose has at most 200 characters, without line breaks")
	}
	return domain.Consent{
		ID: domain.NewConsentID(d.Chance), Application: req.Client, Partner: req.Partner, User: who.ID, Account: is.Account,
		Permissions: o.Permissions, SupplyPoints: chosen, Finest: is.Finest, HistoryFrom: is.HistoryFrom, ValidUntil: is.ValidUntil, Purpose: is.Purpose, CreatedAt: now,
	}, nil
}

// Deny takes a request and refuses it. redirect is empty for a device.
func (d *Desk) Deny(ctx context.Context, challenge string, from domain.Origin) (redirect string, err error) {
	key, ok := digest(challenge, prefixChallenge)
	if !ok {
		return "", errGone
	}
	req, err := d.Store.Decline(ctx, key, d.now(), d.entry("consent.deny", "the customer", from))
	if err != nil || req.Device != "" {
		return "", gone(err)
	}
	return d.Return(&Refused{Redirect: req.Redirect, State: req.State, Code: string(oauth.AccessDenied), Description: "the customer has refused"}), nil
}

// entry starts an entry of the audit log.
func (d *Desk) entry(action, by string, from domain.Origin) domain.Entry {
	now := d.now()
	return domain.Entry{ID: domain.NewEntryID(now, d.Chance), At: now, Action: action, By: by, RequestID: from.RequestID, Address: from.Address}
}

// now is the instant as the store keeps it.
func (d *Desk) now() time.Time { return d.Now().UTC().Truncate(time.Microsecond) }

// clean reports whether a text is UTF-8 without control characters.
func clean(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return false
		}
	}
	return true
}

func invalid(why string) error { return &domain.Error{Kind: domain.Invalid, Public: why} }
