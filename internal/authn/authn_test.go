package authn_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
	"github.com/wattgate/wattgate/internal/secret"
	"github.com/wattgate/wattgate/internal/token"
)

var now = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

// picture is a directory that stands still.
type picture domain.Directory

func (p *picture) Directory() *domain.Directory { return (*domain.Directory)(p) }

const environment = secret.Environment("wg_test_")

// clients are several applications, and the secret that all of them have.
func clients(t testing.TB) (*authn.Clients, string) {
	t.Helper()
	clear := secret.New(nil, environment).Reveal()
	pepper := secret.NewPepper([32]byte{1})
	one := func(change func(*domain.Listing)) *domain.Listing {
		l := &domain.Listing{
			Application: domain.Application{Partner: "prt_a", Type: domain.Confidential},
			Secrets:     []domain.StoredSecret{{ID: "sec_other", Digest: [32]byte{9}}, {ID: "sec_a", Digest: pepper.Digest(clear)}},
		}
		change(l)
		return l
	}
	p := picture{Applications: map[domain.ClientID]*domain.Listing{
		"app_good":     one(func(*domain.Listing) {}),
		"app_closed":   one(func(l *domain.Listing) { l.Closed = true }),
		"app_public":   one(func(l *domain.Listing) { l.Type = domain.Public }),
		"app_pinned":   one(func(l *domain.Listing) { l.AuthMethod = domain.ClientSecretBasic }),
		"app_expired":  one(func(l *domain.Listing) { l.Secrets[1].ExpiresAt = now }),
		"app_retired":  one(func(l *domain.Listing) { l.Secrets[1].RetiredAt = now }),
		"app_overlap":  one(func(l *domain.Listing) { l.Secrets[1].RetiredAt = now.Add(time.Second) }),
		"app_no_key":   one(func(l *domain.Listing) { l.Secrets = nil }),
		"app_zero_key": one(func(l *domain.Listing) { l.Secrets = []domain.StoredSecret{{}} }),
	}}
	for id, l := range p.Applications {
		l.ID = id
	}
	return &authn.Clients{Directory: &p, Pepper: pepper, Environment: environment, Now: func() time.Time { return now }}, clear
}

// TestOneAnswerForAllRefusedClients: nobody learns whether the application
// exists, and the secret stands in no error.
func TestOneAnswerForAllRefusedClients(t *testing.T) {
	c, clear := clients(t)
	var used []domain.SecretID
	c.Used = func(id domain.SecretID, _ time.Time, _ bool) { used = append(used, id) }
	post, basic := domain.ClientSecretPost, domain.ClientSecretBasic
	other := secret.New(nil, environment).Reveal()
	live := secret.New(nil, "wg_live_").Reveal()
	for name, x := range map[string]struct {
		id     string
		secret string
		method domain.AuthMethod
		ok     bool
	}{
		"a good one":                  {"app_good", clear, post, true},
		"a good one by Basic":         {"app_good", clear, basic, true},
		"pinned, and by that method":  {"app_pinned", clear, basic, true},
		"in the overlap":              {"app_overlap", clear, post, true},
		"unknown":                     {"app_nobody", clear, post, false},
		"no id":                       {"", clear, post, false},
		"a wrong secret":              {"app_good", other, post, false},
		"no secret":                   {"app_good", "", post, false},
		"a secret that is none":       {"app_good", "hunter2", post, false},
		"another environment":         {"app_good", live, post, false},
		"a secret with one more byte": {"app_good", clear + "x", post, false},
		"no method":                   {"app_good", clear, "", false},
		"disabled":                    {"app_closed", clear, post, false},
		"public":                      {"app_public", clear, post, false},
		"pinned to another method":    {"app_pinned", clear, post, false},
		"an expired secret":           {"app_expired", clear, post, false},
		"a retired secret":            {"app_retired", clear, post, false},
		"no secrets at all":           {"app_no_key", clear, post, false},
		"an empty digest":             {"app_zero_key", "", post, false},
		"unknown with an empty one":   {"app_nobody", "", post, false},
	} {
		used = nil
		app, err := c.Client(x.id, domain.NewSecret(x.secret), x.method, domain.Origin{})
		if x.ok {
			if err != nil || app == nil || string(app.ID) != x.id || len(used) != 1 || used[0] != "sec_a" {
				t.Errorf("%s: got %v, %v, used %v", name, app, err, used)
			}
			continue
		}
		e, ok := errors.AsType[*oauth.Error](err)
		if app != nil || !ok || e.Code != oauth.InvalidClient || e.Description != "the client is unknown, or its secret is not right" || len(used) != 0 {
			t.Errorf("%s: got %v, %v, used %v; want the one answer", name, app, err, used)
			continue
		}
		if x.secret != "" && strings.Contains(fmt.Sprintf("%v %+v", err, e), x.secret) {
			t.Errorf("%s: the error %v holds the secret", name, err)
		}
	}
}

// allocations counts those of one run: the least of many, because pools are
// emptied now and then, and by the race detector often.
func allocations(do func()) float64 {
	least := 1000.0
	for range 200 {
		least = min(least, testing.AllocsPerRun(1, do))
	}
	return least
}

// TestEqualWork counts what can be counted: an unknown client costs no less
// than a wrong secret.
func TestEqualWork(t *testing.T) {
	c, _ := clients(t)
	wrong := domain.NewSecret(secret.New(nil, environment).Reveal())
	cost := func(id string) float64 {
		return allocations(func() { _, _ = c.Client(id, wrong, domain.ClientSecretPost, domain.Origin{}) })
	}
	known, unknown := cost("app_good"), cost("app_nobody")
	if known != unknown {
		t.Errorf("a wrong secret costs %.0f allocations, an unknown client %.0f", known, unknown)
	}
}

// says is a reader for whom every text is one of ours.
type says struct {
	claims token.Claims
	err    error
	want   token.Expect
}

func (s *says) Verify(_ string, _ time.Time, want token.Expect) (token.Claims, error) {
	s.want = want
	return s.claims, s.err
}

const user = domain.UserID("usr_0c1a3b5e7f204a639a516f0c2d9be714")

func TestWhatATokenIsWorthNow(t *testing.T) {
	type picked = domain.Directory
	claims := token.Claims{
		Issuer: "https://auth", Subject: "app_a", ClientID: "app_a", Partner: "prt_a", Audiences: domain.AudienceSet(domain.AudienceCustomer),
		Permissions: domain.PermissionSet(domain.CanQueryProperty, domain.CanImpersonate), ID: token.NewID(now.Add(-time.Minute), nil), Expires: now.Unix() + 60,
		Scope: "openid",
	}
	acting := claims
	acting.Subject, acting.Actor, acting.SID = string(user), "app_a", "aud_1"
	listing := domain.Listing{
		Application: domain.Application{ID: "app_a", Partner: "prt_a", Reach: domain.ReachPartner, Audiences: domain.AllAudiences()},
		Permissions: domain.PermissionSet(domain.CanQueryProperty, domain.CanImpersonate, domain.CanManageCustomers),
	}
	for name, x := range map[string]struct {
		claims token.Claims
		change func(*picked, *domain.Listing)
		want   error
		holds  string
	}{
		"as it was issued":           {claims, nil, nil, "CAN_QUERY_PROPERTY CAN_IMPERSONATE"},
		"a user never impersonates":  {acting, nil, nil, "CAN_QUERY_PROPERTY"},
		"the role holds less now":    {claims, func(_ *picked, l *domain.Listing) { l.Permissions = domain.PermissionSet(domain.CanImpersonate) }, nil, "CAN_IMPERSONATE"},
		"the role holds nothing now": {claims, func(_ *picked, l *domain.Listing) { l.Permissions = 0 }, nil, ""},
		"granted no such API now":    {claims, func(_ *picked, l *domain.Listing) { l.Audiences = domain.AudienceSet(domain.AudienceAuth) }, authn.ErrAudience, ""},
		"held, but not for tokens":   {claims, func(_ *picked, l *domain.Listing) { l.Held = true }, nil, "CAN_QUERY_PROPERTY CAN_IMPERSONATE"},
		"the application is gone":    {claims, func(d *picked, _ *domain.Listing) { d.Applications = nil }, authn.ErrInvalid, ""},
		"disabled":                   {claims, func(_ *picked, l *domain.Listing) { l.Closed = true }, authn.ErrInvalid, ""},
		"disabled, while acting":     {acting, func(_ *picked, l *domain.Listing) { l.Closed = true }, authn.ErrInvalid, ""},
		"another partner's now":      {claims, func(_ *picked, l *domain.Listing) { l.Partner = "prt_b" }, authn.ErrInvalid, ""},
		"revoked later":              {claims, func(_ *picked, l *domain.Listing) { l.DeadUntil = now }, authn.ErrInvalid, ""},
		"revoked at that instant":    {claims, func(_ *picked, l *domain.Listing) { l.DeadUntil = now.Add(-time.Minute) }, authn.ErrInvalid, ""},
		"revoked just before":        {claims, func(_ *picked, l *domain.Listing) { l.DeadUntil = now.Add(-time.Minute - time.Microsecond) }, nil, "CAN_QUERY_PROPERTY CAN_IMPERSONATE"},
		"the user is revoked":        {acting, func(d *picked, _ *domain.Listing) { d.Revoked = map[domain.UserID]time.Time{user: now} }, authn.ErrInvalid, ""},
		"another user is":            {acting, func(d *picked, _ *domain.Listing) { d.Revoked = map[domain.UserID]time.Time{"usr_x": now} }, nil, "CAN_QUERY_PROPERTY"},
		"a user does not end the application's": {
			claims, func(d *picked, _ *domain.Listing) { d.Revoked = map[domain.UserID]time.Time{user: now} }, nil,
			"CAN_QUERY_PROPERTY CAN_IMPERSONATE",
		},
		"for another API":           {func() token.Claims { c := claims; c.Audiences = domain.AudienceSet(domain.AudienceAuth); return c }(), nil, authn.ErrAudience, ""},
		"a jti that tells no time":  {func() token.Claims { c := claims; c.ID = "x"; return c }(), nil, authn.ErrInvalid, ""},
		"a subject that is neither": {func() token.Claims { c := claims; c.Subject = "app_b"; return c }(), nil, authn.ErrInvalid, ""},
	} {
		l := listing
		d := domain.Directory{Applications: map[domain.ClientID]*domain.Listing{"app_a": &l}}
		if x.change != nil {
			x.change(&d, &l)
		}
		reader := &says{claims: x.claims}
		tokens := authn.Tokens{Keys: reader, Directory: (*picture)(&d), Issuer: "https://auth", Now: func() time.Time { return now }}
		got, err := tokens.Caller("a.b.c", domain.AudienceCustomer)
		if x.want != nil {
			if !errors.Is(err, x.want) || got != (domain.Caller{}) {
				t.Errorf("%s: got %+v, %v; want %v", name, got, err, x.want)
			}
			continue
		}
		if err != nil || strings.Join(got.Permissions.Names(), " ") != x.holds || got.Partner != "prt_a" || got.Client != "app_a" || got.Actor != x.claims.Actor ||
			(got.User != "") != (x.claims.Subject == string(user)) || got.Act != x.claims.SID || reader.want.Issuer != "https://auth" {
			t.Errorf("%s: got %+v, %v; want %s", name, got, err, x.holds)
		}
	}
}

// TestWhyNobodyIsKnown keeps the four reasons apart for those who may, and
// shows no cause to the others.
func TestWhyNobodyIsKnown(t *testing.T) {
	for name, x := range map[string]struct {
		raw  string
		err  error
		want error
	}{
		"no token":             {"", nil, authn.ErrNoToken},
		"expired":              {"x", token.ErrExpired, authn.ErrExpired},
		"a wrong signature":    {"x", token.ErrSignature, authn.ErrInvalid},
		"a foreign key":        {"x", token.ErrUnknownKey, authn.ErrInvalid},
		"malformed":            {"x", fmt.Errorf("%w: why", token.ErrMalformed), authn.ErrInvalid},
		"another issuer":       {"x", token.ErrIssuer, authn.ErrInvalid},
		"another type":         {"x", token.ErrType, authn.ErrInvalid},
		"from the future":      {"x", token.ErrNotYet, authn.ErrInvalid},
		"what nobody expected": {"x", errors.New("odd"), authn.ErrInvalid},
	} {
		tokens := authn.Tokens{Keys: &says{err: x.err}, Directory: &picture{}, Now: func() time.Time { return now }}
		got, err := tokens.Caller(x.raw, domain.AudienceCustomer)
		e, ok := errors.AsType[*domain.Error](err)
		if got != (domain.Caller{}) || !errors.Is(err, x.want) || !ok || e.Kind != domain.Unauthenticated || x.err != nil && strings.Contains(e.Public, x.err.Error()) {
			t.Errorf("%s: got %+v, %v; want %v", name, got, err, x.want)
		}
		for _, other := range []error{authn.ErrNoToken, authn.ErrExpired, authn.ErrInvalid, authn.ErrAudience} {
			if errors.Is(err, other) != (other == x.want) {
				t.Errorf("%s: %v is %v", name, err, other)
			}
		}
	}
}
