package sqlite

import (
	"context"
	"crypto/sha256"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// RememberJTI remembers an assertion of a client until it has expired, and
// reports whether it was used for the first time. Those that have expired are
// forgotten on the way.
func (s *Store) RememberJTI(ctx context.Context, client domain.ClientID, jti string, until time.Time) (fresh bool, err error) {
	const forget = `DELETE FROM used_assertion WHERE until < ?1`
	const add = `INSERT INTO used_assertion (client, jti, until) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`
	digest := sha256.Sum256([]byte(jti))
	err = s.change(ctx, "remember an assertion", func(conn *sqlite.Conn) error {
		// Kept for a while after it has expired: whoever waited here, or was
		// checked by a clock that went back, must not find it gone.
		if err := run(conn, forget, micros(s.now().Add(-domain.RevocationKept))); err != nil {
			return err
		}
		if !s.now().Before(until) {
			return nil // it has expired while it waited: as good as used
		}
		if err := run(conn, add, client, digest[:16], micros(until)); err != nil {
			return err
		}
		fresh = conn.Changes() == 1
		return nil
	})
	return fresh, err
}
