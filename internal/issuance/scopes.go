package issuance

import (
	"slices"

	"github.com/wattgate/wattgate/internal/domain"
)

// idleScopes are those that everybody may ask for and that narrow nothing. They
// are echoed; client credentials bring neither an ID token nor a refresh token.
var idleScopes = []string{"openid", "offline", "offline_access"}

func idle(scope string) bool { return slices.Contains(idleScopes, scope) }

// Scopes returns every scope that may be asked for: those of the permissions,
// then those that narrow nothing.
func Scopes() []string {
	var list []string
	for _, p := range domain.AllPermissions().List() {
		list = append(list, p.Scope())
	}
	return append(list, idleScopes...)
}
