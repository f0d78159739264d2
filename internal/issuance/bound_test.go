package issuance_test

import (
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/issuance"
	"github.com/wattgate/wattgate/internal/oauth"
)

// TestEveryGrantBinds: whatever the grant, its token is bound to what the request
// has proven; an impersonation's to what its own token is bound to.
func TestEveryGrantBinds(t *testing.T) {
	key := domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}
	certificate := domain.Confirmation{Method: domain.ConfirmCertificate, Thumbprint: key.Thumbprint}
	app := &domain.Listing{
		Application: domain.Application{
			ID: "app_a", Partner: "prt_a", Grants: []string{oauth.GrantClientCredentials, oauth.GrantTokenExchange},
			Lifetime: domain.ImpersonatorLifetime, Audiences: domain.AllAudiences(), Reach: domain.ReachPartner,
		},
		Permissions: domain.AllPermissions(),
	}
	for name, bound := range map[string]domain.Confirmation{"a key": key, "a certificate": certificate, "nothing": {}} {
		caller := domain.Caller{
			Partner: "prt_a", Client: "app_a", Permissions: domain.AllPermissions(), Audiences: domain.AllAudiences(), Reach: domain.ReachPartner, Bound: bound,
		}
		from := domain.Origin{At: now, Proven: bound}
		for grant, ask := range map[string]func(*desk) (oauth.Token, error){
			"client credentials": func(d *desk) (oauth.Token, error) {
				return d.ClientCredentials(app, issuance.Request{From: from})
			},
			"impersonation": func(d *desk) (oauth.Token, error) {
				return d.Impersonate(t.Context(), caller, customer, domain.Origin{At: now})
			},
			"exchange": func(d *desk) (oauth.Token, error) {
				d.Actors = holders{"t": caller}
				return d.Exchange(t.Context(), app, issuance.Exchange{Request: issuance.Request{From: from}, User: customer, Actor: "t"})
			},
			"a user's": func(d *desk) (oauth.Token, error) {
				return d.ForUser(t.Context(), app, issuance.UserGrant{User: customer, Family: "fam_a", Permissions: domain.AllPermissions()}, from)
			},
		} {
			d := newDesk()
			got, err := ask(d)
			scheme := "Bearer "
			if bound.Method == domain.ConfirmKey {
				scheme = "DPoP "
			}
			if err != nil || len(d.signed) != 1 || d.signed[0].Bound != bound || got.DPoP != (bound == key) || got.Bearer != scheme+"signed" || got.Access != "signed" {
				t.Errorf("%s, %s: got %+v, %v and the claims %+v", grant, name, got, err, d.signed)
			}
		}
	}
}

// TestFAPIImpersonationIsShort: no token of such an application lives longer than
// ten minutes.
func TestFAPIImpersonationIsShort(t *testing.T) {
	for fapi, want := range map[bool]int64{false: 3600, true: 600} {
		caller := domain.Caller{
			Partner: "prt_a", Client: "app_a", Permissions: domain.AllPermissions(), Audiences: domain.AllAudiences(), Reach: domain.ReachPartner, FAPI: fapi,
		}
		d := newDesk()
		got, err := d.Impersonate(t.Context(), caller, customer, domain.Origin{At: now})
		if err != nil || got.Lifetime != want || d.signed[0].Expires-d.signed[0].IssuedAt != want {
			t.Errorf("FAPI %v: got %+v, %v, want %d s", fapi, got, err, want)
		}
	}
}
