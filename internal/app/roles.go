package app

import (
	"context"

	"github.com/wattgate/wattgate/internal/domain"
)

func listRoles(ctx context.Context, a *App, _ struct{}) ([]RoleView, error) {
	roles, err := a.Registry.Store.Roles(ctx)
	if err != nil {
		return nil, err
	}
	checks, err := a.Registry.CheckRoles(ctx)
	return views(roles, func(r domain.Role) RoleView {
		v := RoleView{Name: r.Name, Permissions: r.Permissions.Names()}
		for _, c := range checks {
			if c.Name == r.Name {
				v.Documented, v.Missing, v.Extra = true, c.Missing, c.Extra
			}
		}
		return v
	}), err
}

func showRole(ctx context.Context, a *App, in Named) (RoleView, error) {
	list, err := listRoles(ctx, a, struct{}{})
	if err != nil {
		return RoleView{}, err
	}
	for _, r := range list {
		if string(r.Name) == in.ID {
			return r, nil
		}
	}
	return RoleView{}, &domain.Error{Kind: domain.NotFound, Public: "there is no API role " + in.ID}
}

func setRole(ctx context.Context, a *App, in RoleSet) ([]RoleView, error) {
	permissions, err := domain.ParsePermissions(in.Permissions)
	if err != nil {
		return nil, err
	}
	if err := a.Registry.SetRole(ctx, by(), domain.Role{Name: domain.RoleName(in.Name), Permissions: permissions}); err != nil {
		return nil, err
	}
	return listRoles(ctx, a, struct{}{})
}

// checkRoles is the manual's step 12 (K14), and the button that repairs it.
func checkRoles(ctx context.Context, a *App, in RoleCheckRequest) ([]RoleView, error) {
	checks, err := a.Registry.CheckRoles(ctx)
	if err != nil {
		return nil, err
	}
	for i, c := range checks {
		if c.OK() || !in.Repair {
			continue
		}
		if err := a.Registry.SetRole(ctx, by(), domain.DocumentedRoles()[i]); err != nil {
			return nil, err
		}
	}
	return listRoles(ctx, a, struct{}{})
}
