package registry

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// RoleCheck says how a documented role differs from what the documents say (K14).
type RoleCheck struct {
	Name    domain.RoleName
	Missing []string // permissions that the documents attach to it
	Extra   []string // permissions that they do not
}

// OK reports whether the role is exactly as documented.
func (c RoleCheck) OK() bool { return len(c.Missing)+len(c.Extra) == 0 }

// CheckRoles holds the documented roles against the environment's: the manual's
// step 12 as a machine does it.
func (r *Registry) CheckRoles(ctx context.Context) ([]RoleCheck, error) {
	roles, err := r.Store.Roles(ctx)
	if err != nil {
		return nil, err
	}
	var list []RoleCheck
	for _, want := range domain.DocumentedRoles() {
		var have domain.Permissions
		for _, role := range roles {
			if role.Name == want.Name {
				have = role.Permissions
			}
		}
		list = append(list, RoleCheck{
			Name:    want.Name,
			Missing: (want.Permissions &^ have).Names(),
			Extra:   (have &^ want.Permissions).Names(),
		})
	}
	return list, nil
}

// SetRole attaches exactly these permissions to a role, which is created where
// it does not exist. Where that takes a permission away, the tokens of every
// application with the role end.
func (r *Registry) SetRole(ctx context.Context, by By, role domain.Role) error {
	if role.Name == "" || len(role.Name) > 100 || strings.Trim(string(role.Name), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return invalid("the name of a role has capital letters, digits and _ only")
	}
	if role.Name == domain.RoleThirdPartyViewer && role.Permissions&^domain.DocumentedRoles()[0].Permissions != 0 {
		return invalid("%s never holds more than %s", role.Name, strings.Join(domain.DocumentedRoles()[0].Permissions.Names(), " and "))
	}
	roles, err := r.Store.Roles(ctx)
	if err != nil {
		return err
	}
	narrower := slices.ContainsFunc(roles, func(old domain.Role) bool {
		return old.Name == role.Name && old.Permissions&^role.Permissions != 0
	})
	entry := r.entry(by, "role.set", string(role.Name), "", strings.Join(role.Permissions.Names(), " "))
	return r.ending(ctx, func(a *domain.Listing) bool { return narrower && a.Role == role.Name }, func(ctx context.Context, dead time.Time) error {
		if !narrower {
			dead = time.Time{}
		}
		return r.Store.SetRole(ctx, role, dead, entry)
	})
}
