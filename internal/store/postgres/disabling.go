package postgres

import (
	"context"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// DisableUser disables a user or enables one again. Tokens for the user issued
// at or before dead, where it is not zero, die with it and never come back.
func (s *Store) DisableUser(ctx context.Context, id domain.UserID, disabled bool, dead time.Time, e domain.Entry) error {
	const sql = `UPDATE person SET disabled = $2, revoked_before = greatest(revoked_before, $3) WHERE id = $1`
	return s.change(ctx, "disable a user", func(ctx context.Context, c conn) error {
		if err := changed(ctx, c, aUser, sql, id, disabled, micros(dead)); err != nil {
			return err
		}
		return s.record(ctx, c, e)
	})
}

// DisablePartner disables a partner or enables one again. Tokens of all its
// applications issued at or before dead, where it is not zero, die with it and
// never come back.
func (s *Store) DisablePartner(ctx context.Context, id domain.PartnerID, disabled bool, dead time.Time, e domain.Entry) error {
	const sql = `UPDATE partner SET disabled = $2, revoked_before = greatest(revoked_before, $3) WHERE id = $1`
	return s.change(ctx, "disable a partner", func(ctx context.Context, c conn) error {
		if err := changed(ctx, c, aPartner, sql, id, disabled, micros(dead)); err != nil {
			return err
		}
		return s.record(ctx, c, e)
	})
}
