package registry

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// NewApplication is what somebody fills in to create an application. The zero
// values are the form's preselected ones.
type NewApplication struct {
	Name              string
	Partner           domain.PartnerID
	Type              domain.ClientType // Confidential
	Grants            []string          // client_credentials; and token exchange with CAN_IMPERSONATE
	URIs              []string
	SkipAuthorization bool
	Reach             domain.Reach // partner
	Role              domain.RoleName
	Audiences         domain.Audiences // customer; and auth with CAN_IMPERSONATE; measurements with CAN_SUBMIT_MEASUREMENTS
	Lifetime          time.Duration    // 300 s with CAN_IMPERSONATE, otherwise 3,600 s
	AuthMethod        domain.AuthMethod
	Keys              []byte // a JSON Web Key Set makes the method private_key_jwt, and there is no secret
	TLSSubject        string // of its client certificate, with tls_client_auth, and there is no secret
	FAPI              bool
	SecretExpires     time.Duration // 0: twelve months; negative: never
}

// DefaultExpiry is how long a secret opens anything where nobody says otherwise.
const DefaultExpiry = 365 * 24 * time.Hour

// AddApplication creates an application with its first secret, which is
// returned here and can never be shown again (K6).
func (r *Registry) AddApplication(ctx context.Context, by By, n NewApplication) (domain.Application, domain.Secret, error) {
	app, err := r.complete(ctx, n)
	if err != nil {
		return domain.Application{}, domain.Secret{}, err
	}
	var first *domain.StoredSecret
	var clear domain.Secret
	if app.Type == domain.Confidential && app.AuthMethod.Secret() {
		var stored domain.StoredSecret
		clear, stored = r.newSecret(app.ID, n.SecretExpires)
		first = &stored
	}
	detail := "name " + app.Name + ", role " + string(app.Role) + ", reach " + string(app.Reach)
	if err := r.Store.AddApplication(ctx, app, first, r.entry(by, "application.create", string(app.ID), app.Partner, detail)); err != nil {
		return domain.Application{}, domain.Secret{}, err
	}
	return app, clear, r.Refresh(ctx)
}

// complete fills in what was left out and refuses what cannot be.
func (r *Registry) complete(ctx context.Context, n NewApplication) (domain.Application, error) {
	now := r.Now()
	app := domain.Application{
		ID: domain.NewClientID(r.Chance), Name: strings.TrimSpace(n.Name), Partner: n.Partner, Type: n.Type, Grants: n.Grants,
		URIs: n.URIs, SkipAuthorization: n.SkipAuthorization, Reach: n.Reach, Role: n.Role, Audiences: n.Audiences,
		Lifetime: n.Lifetime, AuthMethod: n.AuthMethod, Keys: n.Keys, TLSSubject: strings.TrimSpace(n.TLSSubject), FAPI: n.FAPI, CreatedAt: now, ChangedAt: now,
	}
	permissions, err := r.permissions(ctx, n.Role)
	if err != nil {
		return app, err
	}
	if len(app.Keys) > 0 && app.AuthMethod == "" {
		app.AuthMethod = domain.PrivateKeyJWT
	}
	if app.TLSSubject != "" && app.AuthMethod == "" {
		app.AuthMethod = domain.TLSClientAuth
	}
	if app.Type == "" {
		app.Type = domain.Confidential
	}
	if len(app.Grants) == 0 && app.Type == domain.Confidential {
		app.Grants = []string{oauth.GrantClientCredentials}
		if permissions.Has(domain.CanImpersonate) {
			app.Grants = append(app.Grants, oauth.GrantTokenExchange)
		}
	}
	if app.Reach == "" {
		app.Reach = domain.ReachPartner
	}
	if app.Audiences == 0 {
		app.Audiences = defaultAudiences(permissions)
	}
	if permissions.Has(domain.CanImpersonate) {
		app.Audiences |= domain.AudienceSet(domain.AudienceAuth)
	}
	if app.Lifetime == 0 {
		app.Lifetime = domain.DefaultLifetime
		if permissions.Has(domain.CanImpersonate) {
			app.Lifetime = domain.ImpersonatorLifetime
		}
		if app.FAPI {
			app.Lifetime = min(app.Lifetime, domain.MaxFAPILifetime)
		}
	}
	return app, check(app, n.SecretExpires)
}

// defaultAudiences are the APIs that a role has any use for.
func defaultAudiences(p domain.Permissions) domain.Audiences {
	var a domain.Audiences
	if p&^domain.PermissionSet(domain.CanSubmitMeasurements, domain.CanImpersonate) != 0 {
		a |= domain.AudienceSet(domain.AudienceCustomer)
	}
	if p.Has(domain.CanViewDetailedUsage) || p.Has(domain.CanSubmitMeasurements) {
		a |= domain.AudienceSet(domain.AudienceMeasurements)
	}
	return a
}

// check refuses an application that cannot be.
func check(a domain.Application, expires time.Duration) error {
	switch {
	case a.Name == "" || len(a.Name) > 200:
		return invalid("the name must have 1 to 200 characters")
	case !readable(a.Name):
		return invalid("the name must stand on one line, without characters that control how text is shown")
	case a.Partner == "":
		return invalid("an application belongs to a partner: name one")
	case a.Type != domain.Confidential && a.Type != domain.Public:
		return invalid("the client type is %s or %s", domain.Confidential, domain.Public)
	case a.Reach != domain.ReachPartner && a.Reach != domain.ReachConsented:
		return invalid("the reach is %s or %s", domain.ReachPartner, domain.ReachConsented)
	case a.Lifetime < domain.MinLifetime || a.Lifetime > domain.MaxLifetime || a.Lifetime%time.Second != 0:
		return invalid("the lifetime of a token is 60 to 3600 whole seconds")
	case expires > maxExpiry:
		return invalid("a secret expires after at most ten years, or never")
	}
	if err := checkMethod(a); err != nil {
		return err
	}
	if err := checkFAPI(a); err != nil {
		return err
	}
	return checkGrants(a)
}

// readable reports whether a name shows what it holds: no control characters, and
// none that turn the direction of what follows (Unicode UAX #9 §2).
func readable(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsControl(r) || r >= '\u2028' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
	})
}

// permissions finds what a role holds.
func (r *Registry) permissions(ctx context.Context, name domain.RoleName) (domain.Permissions, error) {
	roles, err := r.Store.Roles(ctx)
	if err != nil {
		return 0, err
	}
	for _, role := range roles {
		if role.Name == name {
			return role.Permissions, nil
		}
	}
	return 0, invalid("there is no API role %q", name)
}

// only is about one application.
func only(id domain.ClientID) func(*domain.Listing) bool {
	return func(a *domain.Listing) bool { return a.ID == id }
}

// nobody is about no application: nothing ends.
func nobody(*domain.Listing) bool { return false }

// SetDisabled disables an application, which ends all its tokens and those
// that it made for users, or enables it again for tokens from now on.
func (r *Registry) SetDisabled(ctx context.Context, by By, id domain.ClientID, disabled bool) error {
	app, err := r.Store.FindApplication(ctx, id)
	if err != nil {
		return err
	}
	action := "application.enable"
	if disabled {
		action = "application.disable"
	}
	return r.ending(ctx, only(id), func(ctx context.Context, dead time.Time) error {
		return r.Store.ChangeApplication(ctx, id, func(a *domain.Application) error {
			a.Disabled, a.ChangedAt = disabled, r.Now()
			if disabled {
				a.RevokedBefore = dead
			}
			return nil
		}, r.entry(by, action, string(id), app.Partner, ""))
	})
}
