package app

import (
	"context"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

func views[T, V any](list []T, view func(T) V) []V {
	out := make([]V, len(list))
	for i, x := range list {
		out[i] = view(x)
	}
	return out
}

func partnerView(p domain.Partner) PartnerView {
	return PartnerView{ID: p.ID, Name: p.Name, Disabled: p.Disabled, Created: p.CreatedAt}
}

func userView(u domain.User) UserView {
	v := UserView{
		ID: u.ID, UUID: u.ID.UUID(), Partner: u.Partner, Email: u.Email, FirstName: u.FirstName, Surname: u.Surname,
		Kind: []string{}, Permissions: u.Permissions.Names(), CustomerNumber: u.CustomerNumber, Disabled: u.Disabled, Created: u.CreatedAt,
	}
	if u.Customer {
		v.Kind = append(v.Kind, "customer")
	}
	if u.Staff {
		v.Kind = append(v.Kind, "staff")
	}
	return v
}

func (a *App) appView(app domain.Application) ApplicationView {
	v := ApplicationView{
		ID: app.ID, Name: app.Name, Partner: app.Partner, Type: app.Type, Grants: app.Grants, URIs: app.URIs,
		SkipAuthorization: app.SkipAuthorization, Reach: app.Reach, Role: app.Role, Audiences: app.Audiences.Names(),
		Permissions: a.Registry.Directory().Roles[app.Role].Names(),
		Lifetime:    int(app.Lifetime / time.Second), AuthMethod: app.AuthMethod, TLSSubject: app.TLSSubject, FAPI: app.FAPI, TrustedOnly: app.TrustedOnly, Disabled: app.Disabled, Created: app.CreatedAt,
	}
	if v.URIs == nil {
		v.URIs = []string{}
	}
	return v
}

func secretView(s domain.StoredSecret, use domain.SecretUse, now time.Time) SecretView {
	v := SecretView{ID: s.ID, Hint: s.Hint, State: "current", Created: s.CreatedAt, Use: useView(use, now)}
	if !s.ExpiresAt.IsZero() {
		v.Expires = &s.ExpiresAt
	}
	if !s.RetiredAt.IsZero() {
		v.Stops, v.State = &s.RetiredAt, "stops"
		if !now.Before(s.RetiredAt) {
			v.State = "stopped"
		}
	} else if !s.Live(now) {
		v.State = "expired"
	}
	return v
}

// partner finds a partner by its identifier or its name.
func (a *App) partner(ctx context.Context, text string) (domain.PartnerID, error) {
	if text == "" {
		return "", &domain.Error{Kind: domain.Invalid, Public: "name a partner"}
	}
	list, err := a.Registry.Store.Partners(ctx)
	if err != nil {
		return "", err
	}
	for _, p := range list {
		if string(p.ID) == text || p.Name == text {
			return p.ID, nil
		}
	}
	return "", &domain.Error{Kind: domain.NotFound, Public: "there is no partner " + text}
}

// user finds a user by identifier, UUID or e-mail address.
func (a *App) user(ctx context.Context, text string) (domain.User, error) {
	if id, err := domain.ParseUserID(text); err == nil {
		return a.Registry.Store.FindUser(ctx, id)
	}
	list, err := a.Registry.Store.UsersByEmail(ctx, text)
	switch {
	case err != nil:
		return domain.User{}, err
	case len(list) == 0:
		return domain.User{}, &domain.Error{Kind: domain.NotFound, Public: "there is no user " + text}
	case len(list) > 1:
		return domain.User{}, &domain.Error{Kind: domain.Conflict, Public: "several partners have a user " + text + "; name it by its id"}
	}
	return list[0], nil
}

// application finds an application by its client_id, or by its name where that is unique.
func (a *App) application(ctx context.Context, text string) (domain.Application, error) {
	if id, err := domain.ParseClientID(text); err == nil {
		return a.Registry.Store.FindApplication(ctx, id)
	}
	list, err := a.Registry.Store.Applications(ctx)
	if err != nil {
		return domain.Application{}, err
	}
	var found []domain.Application
	for _, app := range list {
		if app.Name == text {
			found = append(found, app)
		}
	}
	switch len(found) {
	case 0:
		return domain.Application{}, &domain.Error{Kind: domain.NotFound, Public: "there is no application " + text}
	case 1:
		return found[0], nil
	}
	return domain.Application{}, &domain.Error{Kind: domain.Conflict, Public: "several partners have an application " + text + "; name it by its client_id"}
}
