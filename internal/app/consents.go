package app

import (
	"context"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
)

// ConsentList filters consents; both together give what the user has given to
// the application, neither gives all.
type ConsentList struct {
	App  string `json:"app"`
	User string `json:"user"`
}

// ConsentView is a consent.
type ConsentView struct {
	ID           domain.ConsentID     `json:"id"`
	Application  domain.ClientID      `json:"application"`
	Partner      domain.PartnerID     `json:"partner"`
	User         domain.UserID        `json:"user"`
	Account      domain.AccountNumber `json:"account,omitempty"` // none: all of the user's
	Permissions  []string             `json:"permissions"`       // as scopes
	SupplyPoints []string             `json:"supplyPoints"`      // MARKET:identifier
	Finest       int64                `json:"finest"`            // seconds; 0: as measured
	HistoryFrom  domain.Date          `json:"historyFrom"`
	ValidUntil   time.Time            `json:"validUntil"`
	Purpose      string               `json:"purpose"`
	Status       domain.ConsentStatus `json:"status"`
	Created      time.Time            `json:"created"`
	Revoked      *time.Time           `json:"revoked,omitempty"`
}

// consentsAtOnce is how many consents are read from the store at once, and
// consentsShown how many are shown: whoever has more looks at one application or
// user.
const (
	consentsAtOnce = 100
	consentsShown  = 10_000
)

func listConsents(ctx context.Context, a *App, in ConsentList) ([]ConsentView, error) {
	var f authorize.Filter
	if in.App != "" {
		app, err := a.application(ctx, in.App)
		if err != nil {
			return nil, err
		}
		f.Application = app.ID
	}
	if in.User != "" {
		u, err := a.user(ctx, in.User)
		if err != nil {
			return nil, err
		}
		f.User = u.ID
	}
	out := []ConsentView{}
	for f.Limit = consentsAtOnce; ; {
		list, err := a.somebodysConsents(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			out = append(out, a.consentView(c))
		}
		if len(list) < f.Limit || len(out) >= consentsShown {
			return out, nil
		}
		f.After = list[len(list)-1].ID
	}
}

// somebodysConsents lists consents, of everybody without application and user.
func (a *App) somebodysConsents(ctx context.Context, f authorize.Filter) ([]domain.Consent, error) {
	if f.Application == "" && f.User == "" {
		return a.store.NewestConsents(ctx, f.After, f.Limit)
	}
	return a.store.Consents(ctx, f)
}

// revokeConsent ends a consent in its person's name. One that has ended already
// stays as it is.
func revokeConsent(ctx context.Context, a *App, in Named) (ConsentView, error) {
	id, err := domain.ParseConsentID(in.ID)
	if err != nil {
		return ConsentView{}, err
	}
	c, err := a.store.FindConsent(ctx, id)
	if err != nil {
		return ConsentView{}, err
	}
	now, from := a.world.Now(), by()
	families, err := a.store.EndConsent(ctx, id, domain.Caller{Partner: c.Partner, User: c.User}, now, domain.Entry{
		ID: domain.NewEntryID(now, a.world.Chance), At: now, Action: "consent.revoke",
		By: from.Means, Address: from.Origin.Address, Detail: "given by " + string(c.User),
	})
	if err != nil {
		return ConsentView{}, err
	}
	for _, family := range families {
		a.denied.Add(domain.RevokeFamily(family, now), now)
	}
	c, err = a.store.FindConsent(ctx, id)
	return a.consentView(c), err
}

func (a *App) consentView(c domain.Consent) ConsentView {
	v := ConsentView{
		ID: c.ID, Application: c.Application, Partner: c.Partner, User: c.User, Account: c.Account, Permissions: c.Permissions.Scopes(), SupplyPoints: []string{},
		Finest: int64(c.Finest / time.Second), HistoryFrom: c.HistoryFrom, ValidUntil: c.ValidUntil, Purpose: c.Purpose,
		Status: c.Status(a.world.Now()), Created: c.CreatedAt,
	}
	for _, p := range c.SupplyPoints {
		v.SupplyPoints = append(v.SupplyPoints, string(p.Market)+":"+p.Identifier)
	}
	if !c.RevokedAt.IsZero() {
		v.Revoked = &c.RevokedAt
	}
	return v
}
