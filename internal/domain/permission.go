package domain

import (
	"fmt"
	"math/bits"
)

// Permission is one thing that an API role may allow an application, or that a
// customer may do with what is their own. Staff permissions are another set
// and another type: the two never mix.
type Permission uint8

// The API permissions.
const (
	CanQueryProperty Permission = iota
	CanViewDetailedUsage
	CanViewPersonalData
	CanImpersonate
	CanManageCustomers
	CanSubmitMeasurements
	CanManageWebhooks
	permissions // how many there are
)

var permissionNames = [permissions]struct{ name, scope string }{
	CanQueryProperty:      {"CAN_QUERY_PROPERTY", "query:property"},
	CanViewDetailedUsage:  {"CAN_VIEW_DETAILED_USAGE", "view:detailed-usage"},
	CanViewPersonalData:   {"CAN_VIEW_PERSONAL_DATA", "query:user-details"},
	CanImpersonate:        {"CAN_IMPERSONATE", "impersonate:customer"},
	CanManageCustomers:    {"CAN_MANAGE_CUSTOMERS", "manage:customers"},
	CanSubmitMeasurements: {"CAN_SUBMIT_MEASUREMENTS", "submit:measurements"},
	CanManageWebhooks:     {"CAN_MANAGE_WEBHOOKS", "manage:webhooks"},
}

// String returns the permission's name, for example CAN_QUERY_PROPERTY.
func (p Permission) String() string { return permissionNames[p].name }

// Scope returns the OAuth scope that narrows a token to this permission, for
// example query:property.
func (p Permission) Scope() string { return permissionNames[p].scope }

// ParsePermission reads a permission's name.
func ParsePermission(name string) (Permission, error) {
	for p, n := range permissionNames {
		if n.name == name {
			return Permission(p), nil
		}
	}
	return 0, &Error{Kind: Invalid, Public: fmt.Sprintf("%s is not an API permission", Quote(name))}
}

// PermissionOfScope finds the permission that a scope names.
func PermissionOfScope(scope string) (Permission, bool) {
	for p, n := range permissionNames {
		if n.scope == scope {
			return Permission(p), true
		}
	}
	return 0, false
}

// Permissions is a set of permissions.
type Permissions uint32

// PermissionSet returns the set of the given permissions.
func PermissionSet(list ...Permission) Permissions {
	var s Permissions
	for _, p := range list {
		s |= 1 << p
	}
	return s
}

// AllPermissions returns the set of all API permissions.
func AllPermissions() Permissions { return 1<<permissions - 1 }

// Has reports whether p is in the set.
func (s Permissions) Has(p Permission) bool { return s&(1<<p) != 0 }

// And returns what both sets hold.
func (s Permissions) And(t Permissions) Permissions { return s & t }

// Len returns how many permissions the set holds.
func (s Permissions) Len() int { return bits.OnesCount32(uint32(s)) }

// List returns the permissions in the order of their declaration.
func (s Permissions) List() []Permission {
	list := make([]Permission, 0, s.Len())
	for p := range permissions {
		if s.Has(p) {
			list = append(list, p)
		}
	}
	return list
}

// Names returns the permissions' names in the order of their declaration.
func (s Permissions) Names() []string {
	names := make([]string, 0, s.Len())
	for _, p := range s.List() {
		names = append(names, p.String())
	}
	return names
}

// Scopes returns the permissions' scopes in the order of their declaration.
func (s Permissions) Scopes() []string {
	scopes := make([]string, 0, s.Len())
	for _, p := range s.List() {
		scopes = append(scopes, p.Scope())
	}
	return scopes
}

// ParsePermissions reads a list of names into a set.
func ParsePermissions(names []string) (Permissions, error) {
	var s Permissions
	for _, name := range names {
		p, err := ParsePermission(name)
		if err != nil {
			return 0, err
		}
		s |= 1 << p
	}
	return s, nil
}

// CustomerPermissions is what every customer may do with what is their own.
var CustomerPermissions = PermissionSet(CanQueryProperty, CanViewDetailedUsage, CanViewPersonalData)

// StaffPermission is one thing that a member of staff may do on the support
// site. No token of an API ever holds one.
type StaffPermission uint8

// The staff permissions.
const (
	// OAuthManager creates and changes applications, roles and secrets.
	OAuthManager StaffPermission = iota
	// APIEngineer reads all of that, and changes nothing.
	APIEngineer
	// SupportViewer finds users and supply points, reads the audit log, acts as a customer.
	SupportViewer
	staffPermissions // how many there are
)

var staffPermissionNames = [staffPermissions]string{"OAUTH_MANAGER", "API_ENGINEER", "SUPPORT_VIEWER"}

// String returns the permission's name, for example OAUTH_MANAGER.
func (p StaffPermission) String() string { return staffPermissionNames[p] }

// StaffPermissions is a set of staff permissions.
type StaffPermissions uint8

// StaffPermissionSet returns the set of the given permissions.
func StaffPermissionSet(list ...StaffPermission) StaffPermissions {
	var s StaffPermissions
	for _, p := range list {
		s |= 1 << p
	}
	return s
}

// Has reports whether p is in the set.
func (s StaffPermissions) Has(p StaffPermission) bool { return s&(1<<p) != 0 }

// Names returns the permissions' names in the order of their declaration.
func (s StaffPermissions) Names() []string {
	names := []string{}
	for p := range staffPermissions {
		if s.Has(p) {
			names = append(names, p.String())
		}
	}
	return names
}

// ParseStaffPermissions reads a list of names into a set.
func ParseStaffPermissions(names []string) (StaffPermissions, error) {
	var s StaffPermissions
next:
	for _, name := range names {
		for p := range staffPermissions {
			if p.String() == name {
				s |= 1 << p
				continue next
			}
		}
		return 0, &Error{Kind: Invalid, Public: fmt.Sprintf("%s is not a staff permission", Quote(name))}
	}
	return s, nil
}

// Audience is one API that a token may open (RFC 9068 §3). Each API demands its own.
type Audience uint8

// The audiences.
const (
	// AudienceAuth opens impersonation and token exchange.
	AudienceAuth Audience = iota
	// AudienceCustomer opens the customer GraphQL API.
	AudienceCustomer
	// AudienceMeasurements opens REST intake and export.
	AudienceMeasurements
	audiences // how many there are
)

var audienceNames = [audiences]string{"auth", "customer", "measurements"}

// String returns the audience's name as it stands in aud.
func (a Audience) String() string { return audienceNames[a] }

// ParseAudience reads an audience's name.
func ParseAudience(name string) (Audience, error) {
	for a, n := range audienceNames {
		if n == name {
			return Audience(a), nil
		}
	}
	return 0, &Error{Kind: Invalid, Public: fmt.Sprintf("%s is not an audience", Quote(name))}
}

// Audiences is a set of audiences.
type Audiences uint8

// AudienceSet returns the set of the given audiences.
func AudienceSet(list ...Audience) Audiences {
	var s Audiences
	for _, a := range list {
		s |= 1 << a
	}
	return s
}

// AllAudiences returns the set of all audiences.
func AllAudiences() Audiences { return 1<<audiences - 1 }

// Has reports whether a is in the set.
func (s Audiences) Has(a Audience) bool { return s&(1<<a) != 0 }

// Without returns the set less a.
func (s Audiences) Without(a Audience) Audiences { return s &^ (1 << a) }

// Names returns the audiences' names in the order of their declaration.
func (s Audiences) Names() []string {
	names := []string{}
	for a := range audiences {
		if s.Has(a) {
			names = append(names, a.String())
		}
	}
	return names
}

// ParseAudiences reads a list of names into a set.
func ParseAudiences(names []string) (Audiences, error) {
	var s Audiences
	for _, name := range names {
		a, err := ParseAudience(name)
		if err != nil {
			return 0, err
		}
		s |= 1 << a
	}
	return s, nil
}
