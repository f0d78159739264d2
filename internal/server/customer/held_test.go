package customer_test

import "github.com/wattgate/wattgate/internal/domain"

// Held asks about a token that was presented before.
func (v *village) Held(token string, audience domain.Audience, _ domain.Confirmation) (domain.Caller, error) {
	return v.Present(&domain.Presentation{Token: token}, audience)
}

// Held asks about a token that was presented before.
func (o *office) Held(token string, audience domain.Audience, _ domain.Confirmation) (domain.Caller, error) {
	return o.Present(&domain.Presentation{Token: token}, audience)
}
