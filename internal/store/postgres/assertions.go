package postgres

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// RememberJTI remembers an assertion of a client until it has expired, and
// reports whether it was used for the first time. Those that have expired are
// forgotten on the way.
func (s *Store) RememberJTI(ctx context.Context, client domain.ClientID, jti string, until time.Time) (fresh bool, err error) {
	const forget = `DELETE FROM used_assertion WHERE until < $1`
	const add = `INSERT INTO used_assertion (client, jti, until) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`
	digest := sha256.Sum256([]byte(jti))
	err = s.changeSilently(ctx, "remember an assertion", func(ctx context.Context, c conn) error {
		fresh = false
		// Kept for a while after it has expired: whoever waited here, or was
		// checked by a clock that went back, must not find it gone.
		if err := run(ctx, c, forget, micros(s.now().Add(-domain.RevocationKept))); err != nil {
			return err
		}
		if !s.now().Before(until) {
			return nil // it has expired while it waited: as good as used
		}
		tag, err := c.Exec(ctx, add, client, digest[:16], micros(until))
		fresh = err == nil && tag.RowsAffected() == 1
		return err
	})
	return fresh, err
}
