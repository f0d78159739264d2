package postgres

import (
	"context"

	"github.com/wattgate/wattgate/internal/domain"
)

// RecordIn adds an entry within a transaction, the writer's or one beside it.
func (s *Store) RecordIn(ctx context.Context, c Conn, e domain.Entry) error {
	return s.record(ctx, c, e)
}
