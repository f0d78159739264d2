package app

import (
	"cmp"
	"context"
	"math"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

func createApp(ctx context.Context, a *App, in AppCreate) (Issued, error) {
	n := registry.NewApplication{
		Name: in.Name, Type: domain.ClientType(in.Type), Grants: in.Grants, URIs: in.URIs, SkipAuthorization: in.SkipAuthorization,
		Reach: domain.Reach(in.Reach), Role: domain.RoleName(in.Role), Lifetime: span(int64(in.Lifetime)),
		AuthMethod: domain.AuthMethod(in.AuthMethod), Keys: []byte(in.Keys), TLSSubject: in.TLSSubject, FAPI: in.FAPI, SecretExpires: span(in.Expires),
	}
	var err error
	if n.Partner, err = a.partner(ctx, in.Partner); err != nil {
		return Issued{}, err
	}
	if n.Audiences, err = domain.ParseAudiences(in.Audiences); err != nil {
		return Issued{}, err
	}
	if a.Keys != nil { // beside a live server, whose settings are known
		if err := a.Config.checkBound(n); err != nil {
			return Issued{}, err
		}
	}
	app, secret, err := a.Registry.AddApplication(ctx, by(), n)
	if err != nil {
		return Issued{}, err
	}
	return Issued{a.appView(app), secret.Reveal()}, nil
}

func listApps(ctx context.Context, a *App, _ struct{}) ([]ApplicationView, error) {
	list, err := a.Registry.Store.Applications(ctx)
	return views(list, a.appView), err
}

func showApp(ctx context.Context, a *App, in Named) (ApplicationView, error) {
	app, err := a.application(ctx, in.ID)
	if err != nil {
		return ApplicationView{}, err
	}
	v := a.appView(app)
	v.Use, err = a.used(ctx, app)
	return v, err
}

func disableApp(disabled bool) func(context.Context, *App, Named) (ApplicationView, error) {
	return func(ctx context.Context, a *App, in Named) (ApplicationView, error) {
		app, err := a.application(ctx, in.ID)
		if err != nil {
			return ApplicationView{}, err
		}
		if err := a.Registry.SetDisabled(ctx, by(), app.ID, disabled); err != nil {
			return ApplicationView{}, err
		}
		return showApp(ctx, a, in)
	}
}

func addSecret(ctx context.Context, a *App, in SecretChange) (Issued, error) {
	return a.issueSecret(ctx, in, func(id domain.ClientID) (domain.Secret, error) {
		return a.Registry.AddSecret(ctx, by(), id, span(in.Overlap), span(in.Expires))
	})
}

func replaceSecret(ctx context.Context, a *App, in SecretChange) (Issued, error) {
	return a.issueSecret(ctx, in, func(id domain.ClientID) (domain.Secret, error) {
		return a.Registry.ReplaceSecret(ctx, by(), id, span(in.Expires))
	})
}

// handOverSecret makes a link under which the developer sees a new secret, once.
// Links lead to the support site, so a server must be there, or its address known.
func handOverSecret(ctx context.Context, a *App, in SecretChange) (HandoverView, error) {
	app, err := a.application(ctx, in.ID)
	if err != nil {
		return HandoverView{}, err
	}
	site := strings.TrimSuffix(cmp.Or(a.Config.SupportURL, a.Config.AuthURL), "/")
	if at := a.site.Load(); at != nil {
		site = *at
	}
	if site == "" {
		return HandoverView{}, &domain.Error{Kind: domain.Conflict, Public: "no server is running on this folder, and public-support-url is not set: nobody could open the link"}
	}
	link, until, err := a.Registry.HandOver(ctx, by(), app.ID, span(in.Overlap))
	if err != nil {
		return HandoverView{}, err
	}
	return HandoverView{ID: app.ID, Link: site + "/handover?link=" + link.Reveal(), Until: until}, nil
}

func (a *App) issueSecret(ctx context.Context, in SecretChange, issue func(domain.ClientID) (domain.Secret, error)) (Issued, error) {
	app, err := a.application(ctx, in.ID)
	if err != nil {
		return Issued{}, err
	}
	secret, err := issue(app.ID)
	if err != nil {
		return Issued{}, err
	}
	return Issued{a.appView(app), secret.Reveal()}, nil
}

func retireSecret(ctx context.Context, a *App, in SecretChange) ([]SecretView, error) {
	app, err := a.application(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	which, err := domain.ParseSecretID(in.Secret)
	if err != nil {
		return nil, err
	}
	if err := a.Registry.RetireSecret(ctx, by(), app.ID, which); err != nil {
		return nil, err
	}
	return listSecrets(ctx, a, Named{in.ID})
}

func listSecrets(ctx context.Context, a *App, in Named) ([]SecretView, error) {
	app, err := a.application(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := a.Registry.Flush(ctx); err != nil {
		return nil, err
	}
	secrets, err := a.Registry.Store.Secrets(ctx, app.ID)
	if err != nil {
		return nil, err
	}
	uses, err := a.Registry.Store.SecretUses(ctx, app.ID)
	if err != nil {
		return nil, err
	}
	now := a.world.Now()
	return views(secrets, func(s domain.StoredSecret) SecretView { return secretView(s, uses[s.ID], now) }), nil
}

// span turns seconds into a span of time. What is beyond any sense stays beyond
// it, instead of turning over: the registry refuses it.
func span(seconds int64) time.Duration {
	const most = int64(math.MaxInt64 / time.Second)
	return time.Duration(max(-1, min(seconds, most))) * time.Second
}
