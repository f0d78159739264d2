package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
)

// makeRoom forgets the oldest requests of a device, so that there is room for one
// more, and returns the device, or nil for a request of none.
func makeRoom(ctx context.Context, c conn, r authorize.Request) ([]byte, error) {
	const sql = `
		DELETE FROM authorization_request WHERE digest IN (
			SELECT digest FROM authorization_request WHERE device = $1 ORDER BY until DESC OFFSET $2)`
	key, ok := authorize.ParseDigest(r.Device)
	if !ok {
		return nil, nil
	}
	return key[:], run(ctx, c, sql, key[:], authorize.DeviceChallenges-1)
}

// sweep forgets what is over, in portions: every change pays for a little more
// than it adds. What is used or over is kept for a while, so that a clock that
// was wrong and is set back brings nothing to life again; but not what is taken
// by deleting it. All of it is one message. The order makes the server use the
// index: it expects to find some that are over anywhere, and mostly there are none.
func sweep(ctx context.Context, c conn, now time.Time) error {
	const over = `DELETE FROM authorization_request WHERE digest IN (SELECT digest FROM authorization_request WHERE until <= $1 ORDER BY until LIMIT 16)`
	var b pgx.Batch
	b.Queue(over, micros(now))
	for _, sql := range []string{
		`DELETE FROM device_code WHERE digest IN (SELECT digest FROM device_code WHERE until < $1 ORDER BY until LIMIT 16)`,
		`DELETE FROM refresh_token WHERE digest IN (SELECT digest FROM refresh_token WHERE until < $1 ORDER BY until LIMIT 16)`,
		`DELETE FROM token_family WHERE id IN (SELECT id FROM token_family WHERE until < $1 ORDER BY until LIMIT 4)`,
	} {
		b.Queue(sql, micros(now.Add(-domain.RevocationKept)))
	}
	return c.SendBatch(ctx, &b).Close()
}
