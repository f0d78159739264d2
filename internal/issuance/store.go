package issuance

import (
	"context"

	"github.com/wattgate/wattgate/internal/domain"
)

// CustomerFinder finds who may be impersonated: a customer of the partner who
// is not also staff, and is not disabled. Everybody else is [domain.NotFound],
// decided in the query's predicate and not after it.
type CustomerFinder interface {
	ImpersonableCustomer(ctx context.Context, partner domain.PartnerID, id domain.UserID) (domain.User, error)
}

// Journal takes the audit entry of an act. It is durable when what Recording
// returns has returned without an error.
type Journal interface {
	Recording(ctx context.Context, e domain.Entry) (durable func() error)
}
