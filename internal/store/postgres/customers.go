package postgres

import (
	"context"

	"github.com/wattgate/wattgate/internal/domain"
)

// ImpersonableCustomer finds a customer of the partner who is not also staff;
// neither of the two is disabled. Only the identifiers and the kind are told.
//
// The server is asked each time. A copy in this node's memory would be older than
// what another node has committed, and who was disabled there must not pass here.
func (s *Store) ImpersonableCustomer(ctx context.Context, partner domain.PartnerID, id domain.UserID) (domain.User, error) {
	const sql = `
		SELECT 1 FROM person
		WHERE customer AND NOT staff AND NOT disabled AND id = $1 AND partner = $2
			AND EXISTS (SELECT 1 FROM partner WHERE partner.id = person.partner AND NOT partner.disabled)`
	err := s.read(ctx, "find a customer", func(ctx context.Context, c conn) error {
		return exists(ctx, c, aUser, sql, id, partner)
	})
	if err != nil {
		return domain.User{}, err
	}
	return domain.User{ID: id, Partner: partner, Customer: true}, nil
}
