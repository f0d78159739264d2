package authorize

import (
	"context"

	"github.com/wattgate/wattgate/internal/domain"
)

// Consents lists consents, newest first.
func (d *Desk) Consents(ctx context.Context, f Filter) ([]domain.Consent, error) {
	return d.Store.Consents(ctx, f)
}

// EndConsent ends a consent and all its tokens, before it returns. It is one that
// by.User has given and that by.Client has, both of by.Partner; one of the two may
// be empty and stands for any. Every other consent is [domain.NotFound].
func (d *Desk) EndConsent(ctx context.Context, id domain.ConsentID, by domain.Caller, from domain.Origin) error {
	now := d.now()
	e := d.entry("consent.revoke", "its application", from)
	if by.User != "" {
		e.By, e.User = "the customer", by.User
	}
	if by.Impersonated() {
		e.By, e.Detail = "impersonation", "by "+string(by.Actor)+" in the act "+by.Act
	}
	families, err := d.Store.EndConsent(ctx, id, by, now, e)
	if err != nil {
		return err
	}
	for _, family := range families {
		d.deny(family, now)
	}
	return nil
}
