package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
)

// AddRefresh adds the first refresh token of a living family, and binds that to
// a key.
func (s *Store) AddRefresh(ctx context.Context, g authorize.Grant, refresh authorize.Digest, until, now time.Time) error {
	const bind = `UPDATE token_family SET jkt = $2 WHERE id = $1`
	const alive = `SELECT 1 FROM token_family f WHERE f.id = $2 AND ` + standing
	return s.changeSilently(ctx, "keep a refresh token", func(ctx context.Context, c conn) error {
		if err := sweep(ctx, c, now); err != nil {
			return err
		}
		if err := exists(ctx, c, aFamily, alive, micros(now), g.Family); err != nil {
			return err
		}
		var b pgx.Batch
		if g.Bound.Method == domain.ConfirmKey {
			b.Queue(bind, g.Family, g.Bound.Thumbprint)
		}
		return addRefresh(ctx, c, &b, g.Family, refresh, until, g.Lasting)
	})
}

// addRefresh makes the family live as long as what is made with its youngest
// refresh token at the last moment. It goes in one message with what b holds.
func addRefresh(ctx context.Context, c conn, b *pgx.Batch, family string, refresh authorize.Digest, until time.Time, lasting bool) error {
	const add = `INSERT INTO refresh_token (digest, family, until, used_at, lasting) VALUES ($1, $2, $3, 0, $4)`
	const live = `UPDATE token_family SET until = greatest(until, $2) WHERE id = $1`
	b.Queue(add, refresh[:], family, micros(until), lasting)
	b.Queue(live, family, micros(until.Add(domain.MaxLifetime)))
	return clashes("this refresh token exists", c.SendBatch(ctx, b).Close())
}

// FindRefresh looks at a refresh token of an application and changes nothing.
func (s *Store) FindRefresh(ctx context.Context, refresh authorize.Digest, client domain.ClientID, now time.Time) (g authorize.Grant, how authorize.Outcome, err error) {
	err = s.read(ctx, "find a refresh token", func(ctx context.Context, c conn) error {
		t, err := findRefresh(ctx, c, refresh, client, now)
		if err != nil || t == nil {
			return err
		}
		g, how = t.grant, t.outcome(now)
		return nil
	})
	return g, how, err
}

// findRefresh returns nil where there is none.
func findRefresh(ctx context.Context, c conn, refresh authorize.Digest, client domain.ClientID, now time.Time) (*taken, error) {
	const sql = `
		SELECT ` + grantColumns + `, r.until, r.used_at, ` + standing + `, r.lasting
		FROM refresh_token r JOIN token_family f ON f.id = r.family WHERE r.digest = $2 AND f.client = $3`
	found, err := all(ctx, c, scanRefresh, sql, micros(now), refresh[:], client)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

func scanRefresh(row pgx.CollectableRow) (t taken, err error) {
	var used time.Time
	var lasting bool
	t.grant, err = scanGrant(row, at(&t.until), at(&used), &t.stands, &lasting)
	t.used, t.grant.Lasting = !used.IsZero(), lasting
	return t, err
}

// RotateRefresh takes a refresh token and puts another in its place.
func (s *Store) RotateRefresh(ctx context.Context, r authorize.Rotation) (g authorize.Grant, how authorize.Outcome, err error) {
	const take = `UPDATE refresh_token SET used_at = $2 WHERE digest = $1`
	err = s.changeSilently(ctx, "rotate a refresh token", func(ctx context.Context, c conn) error {
		g, how = authorize.Grant{}, authorize.Unknown
		if err := sweep(ctx, c, r.Now); err != nil {
			return err
		}
		t, err := findRefresh(ctx, c, r.Old, r.Client, r.Now)
		if err != nil || t == nil {
			return err
		}
		g, how = t.grant, t.outcome(r.Now)
		switch how {
		case authorize.Reused:
			return s.endFamily(ctx, c, t.grant, r.Now, r.Reuse)
		case authorize.Fresh:
			var b pgx.Batch
			b.Queue(take, r.Old[:], micros(r.Now))
			return addRefresh(ctx, c, &b, t.grant.Family, r.New, r.Until, false)
		}
		return nil
	})
	return g, how, err
}

// EndFamily ends the family of a refresh token of an application, used or not.
func (s *Store) EndFamily(ctx context.Context, refresh authorize.Digest, client domain.ClientID, now time.Time, e domain.Entry) (family string, err error) {
	err = s.changeSilently(ctx, "end a family of tokens", func(ctx context.Context, c conn) error {
		family = ""
		t, err := findRefresh(ctx, c, refresh, client, now)
		if err != nil || t == nil {
			return err
		}
		family = t.grant.Family
		return s.endFamily(ctx, c, t.grant, now, e)
	})
	return family, err
}
