package postgres

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

// zones remembers which channels there are, and in which zone their days begin:
// a channel never goes, nor does it change its zone.
type zones struct {
	mu   sync.RWMutex
	byCh map[domain.ChannelID]string
}

// maxZones bounds what is remembered; beyond it, it begins again.
const maxZones = 1 << 20

// of returns the zone of a channel.
func (z *zones) of(ctx context.Context, c conn, ch domain.ChannelID) (string, error) {
	z.mu.RLock()
	zone, ok := z.byCh[ch]
	z.mu.RUnlock()
	if ok {
		return zone, nil
	}
	return one(ctx, c, "this channel", pgx.RowTo[string], `SELECT tz FROM channel WHERE ch = $1`, int64(ch))
}

// read makes sure that the channels are remembered. One that does not exist is
// not found.
func (z *zones) read(ctx context.Context, c conn, channels []int64) error {
	const sql = `SELECT ch, tz FROM channel WHERE ch = ANY ($1)`
	var asked []int64
	z.mu.RLock()
	for _, ch := range channels {
		if _, ok := z.byCh[domain.ChannelID(ch)]; !ok {
			asked = append(asked, ch)
		}
	}
	z.mu.RUnlock()
	if len(asked) == 0 {
		return nil
	}
	type zoned struct {
		Ch   domain.ChannelID
		Zone string
	}
	list, err := all(ctx, c, pgx.RowToStructByPos[zoned], sql, asked)
	if err != nil {
		return err
	}
	if len(list) < len(asked) {
		return notFound("this channel")
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.byCh == nil || len(z.byCh)+len(list) > maxZones {
		z.byCh = make(map[domain.ChannelID]string, len(channels))
	}
	for _, c := range list {
		z.byCh[c.Ch] = c.Zone
	}
	return nil
}
