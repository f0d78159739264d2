package authz_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/authz"
	"github.com/wattgate/wattgate/internal/domain"
)

var now = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

const none = domain.Kind(255) // no error

func kindOf(err error) domain.Kind {
	if err == nil {
		return none
	}
	if e, ok := errors.AsType[*domain.Error](err); ok {
		return e.Kind
	}
	return domain.Internal
}

func TestCheck(t *testing.T) {
	usage := domain.PermissionSet(domain.CanViewDetailedUsage)
	cases := map[string]struct {
		caller domain.Caller
		permit authz.Permit
		want   domain.Kind
	}{
		"who holds the permission may": {
			domain.Caller{Partner: "prt_a", Permissions: usage},
			authz.Permit{Need: domain.CanViewDetailedUsage},
			none,
		},
		"who holds another permission may not": {
			domain.Caller{Partner: "prt_a", Permissions: usage},
			authz.Permit{Need: domain.CanViewPersonalData},
			domain.Forbidden,
		},
		"who holds nothing may not": {
			domain.Caller{Partner: "prt_a"},
			authz.Permit{Need: domain.CanQueryProperty},
			domain.Forbidden,
		},
		"the zero caller may nothing": {
			domain.Caller{}, authz.Permit{}, domain.Forbidden,
		},
		"a caller without a partner may nothing, whatever it holds": {
			domain.Caller{Permissions: domain.AllPermissions()},
			authz.Permit{Need: domain.CanViewDetailedUsage},
			domain.Forbidden,
		},
		"one's own partner's object may be touched": {
			domain.Caller{Partner: "prt_a", Permissions: usage},
			authz.Permit{Need: domain.CanViewDetailedUsage, Of: "prt_a"},
			none,
		},
		"another partner's object is not found": {
			domain.Caller{Partner: "prt_a", Permissions: usage},
			authz.Permit{Need: domain.CanViewDetailedUsage, Of: "prt_b"},
			domain.NotFound,
		},
		"another partner's object is not found rather than forbidden": {
			domain.Caller{Partner: "prt_a"},
			authz.Permit{Need: domain.CanViewDetailedUsage, Of: "prt_b"},
			domain.NotFound,
		},
		"a partner token has no user": {
			domain.Caller{Partner: "prt_a", Client: "app_a", Permissions: domain.AllPermissions()},
			authz.Permit{Need: domain.CanViewPersonalData, User: true},
			domain.Forbidden,
		},
		"a user token has one": {
			domain.Caller{Partner: "prt_a", User: "usr_1", Permissions: domain.CustomerPermissions},
			authz.Permit{Need: domain.CanViewPersonalData, User: true},
			none,
		},
	}
	for name, c := range cases {
		if got := kindOf(authz.Check(c.caller, c.permit)); got != c.want {
			t.Errorf("%s: Check(%+v, %+v): kind %v, want %v", name, c.caller, c.permit, got, c.want)
		}
	}
}

func TestOpens(t *testing.T) {
	for _, granted := range []domain.Audience{domain.AudienceAuth, domain.AudienceCustomer, domain.AudienceMeasurements} {
		caller := domain.Caller{Partner: "prt_a", Audiences: domain.AudienceSet(granted)}
		for _, api := range []domain.Audience{domain.AudienceAuth, domain.AudienceCustomer, domain.AudienceMeasurements} {
			want := domain.Forbidden
			if api == granted {
				want = none
			}
			if got := kindOf(authz.Opens(caller, api)); got != want {
				t.Errorf("Opens(token for %s, %s): kind %v, want %v", granted, api, got, want)
			}
		}
	}
}

func TestScope(t *testing.T) {
	cases := map[string]struct {
		caller domain.Caller
		want   domain.Scope
	}{
		"a partner token sees its partner": {
			domain.Caller{Partner: "prt_a", Reach: domain.ReachPartner},
			domain.Scope{Partner: "prt_a"},
		},
		"a user token sees its user only": {
			domain.Caller{Partner: "prt_a", User: "usr_1", Reach: domain.ReachPartner},
			domain.Scope{Partner: "prt_a", User: "usr_1"},
		},
		"a user token needs no reach": {
			domain.Caller{Partner: "prt_a", User: "usr_1"},
			domain.Scope{Partner: "prt_a", User: "usr_1"},
		},
		"an application that reaches who agreed sees what was agreed to": {
			domain.Caller{Partner: "prt_a", Client: "app_a", Reach: domain.ReachConsented},
			domain.Scope{Partner: "prt_a", Application: "app_a", At: now, Need: domain.CanViewDetailedUsage},
		},
		"it sees no more of a user with the user's token": {
			domain.Caller{Partner: "prt_a", Client: "app_a", User: "usr_1", Reach: domain.ReachConsented},
			domain.Scope{Partner: "prt_a", User: "usr_1", Application: "app_a", At: now, Need: domain.CanViewDetailedUsage},
		},
		"consents are given to an application, and to nobody else": {
			domain.Caller{Partner: "prt_a", User: "usr_1", Reach: domain.ReachConsented}, domain.Scope{},
		},
		"an application of unknown reach sees nothing": {
			domain.Caller{Partner: "prt_a", Reach: "everything"}, domain.Scope{},
		},
		"an application without reach sees nothing": {
			domain.Caller{Partner: "prt_a"}, domain.Scope{},
		},
		"a caller without a partner sees nothing": {
			domain.Caller{User: "usr_1", Reach: domain.ReachPartner}, domain.Scope{},
		},
	}
	for name, c := range cases {
		if got := authz.Scope(c.caller, domain.CanViewDetailedUsage, now); got != c.want {
			t.Errorf("%s: Scope(%+v) = %+v, want %+v", name, c.caller, got, c.want)
		}
	}
	agreed := domain.Caller{Partner: "prt_a", Client: "app_a", Reach: domain.ReachConsented}
	if got := authz.Scope(agreed, domain.CanViewDetailedUsage, time.Time{}); got != (domain.Scope{}) {
		t.Errorf("Scope(%+v) at no time = %+v, want one that sees nothing", agreed, got)
	}
}

func TestCombineNeverRaises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		application := domain.Permissions(rapid.Uint32().Draw(t, "application"))
		customer := domain.Permissions(rapid.Uint32().Draw(t, "customer"))
		got := authz.Combine(application, customer)
		for p := range domain.Permission(32) {
			want := application.Has(p) && customer.Has(p)
			if got.Has(p) != want {
				t.Fatalf("Combine(%b, %b) = %b: permission %d is %v, want %v", application, customer, got, p, got.Has(p), want)
			}
		}
	})
}

func TestScopeNeverLeavesThePartner(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		caller := domain.Caller{
			Partner: rapid.SampledFrom([]domain.PartnerID{"", "prt_a", "prt_b"}).Draw(t, "partner"),
			Client:  rapid.SampledFrom([]domain.ClientID{"", "app_a", "app_b"}).Draw(t, "client"),
			User:    rapid.SampledFrom([]domain.UserID{"", "usr_1", "usr_2"}).Draw(t, "user"),
			Reach:   rapid.SampledFrom([]domain.Reach{"", domain.ReachPartner, domain.ReachConsented}).Draw(t, "reach"),
		}
		got := authz.Scope(caller, domain.CanViewDetailedUsage, now)
		if got != (domain.Scope{}) && (got.Partner != caller.Partner || got.User != caller.User) {
			t.Fatalf("Scope(%+v) = %+v: wider than the caller", caller, got)
		}
		if consented := caller.Reach == domain.ReachConsented; got != (domain.Scope{}) && consented != (got.Application != "" && !got.At.IsZero()) {
			t.Fatalf("Scope(%+v) = %+v: consents count for who reaches only those, and for nobody else", caller, got)
		}
	})
}
