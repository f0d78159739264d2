package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
)

// AddRefresh adds the first refresh token of a living family, and binds that to
// a key.
func (s *Store) AddRefresh(ctx context.Context, g authorize.Grant, refresh authorize.Digest, until, now time.Time) error {
	const bind = `UPDATE token_family SET jkt = ?2 WHERE id = ?1`
	const alive = `SELECT 1 FROM token_family f WHERE f.id = ?2 AND ` + standing
	return s.change(ctx, "keep a refresh token", func(conn *sqlite.Conn) error {
		if err := sweep(conn, now); err != nil {
			return err
		}
		if err := exists(conn, aFamily, alive, micros(now), g.Family); err != nil {
			return err
		}
		if g.Bound.Method == domain.ConfirmKey {
			if err := run(conn, bind, g.Family, g.Bound.Thumbprint); err != nil {
				return err
			}
		}
		return addRefresh(conn, g.Family, refresh, until, g.Lasting)
	})
}

// addRefresh makes the family live as long as what is made with its youngest
// refresh token at the last moment.
func addRefresh(conn *sqlite.Conn, family string, refresh authorize.Digest, until time.Time, lasting bool) error {
	const add = `INSERT INTO refresh_token (digest, family, until, used_at, lasting) VALUES (?1, ?2, ?3, 0, ?4)`
	const live = `UPDATE token_family SET until = max(until, ?2) WHERE id = ?1`
	if err := insert(conn, "this refresh token exists", add, refresh[:], family, micros(until), lasting); err != nil {
		return err
	}
	return run(conn, live, family, micros(until.Add(domain.MaxLifetime)))
}

// FindRefresh looks at a refresh token of an application and changes nothing.
func (s *Store) FindRefresh(ctx context.Context, refresh authorize.Digest, client domain.ClientID, now time.Time) (g authorize.Grant, how authorize.Outcome, err error) {
	err = s.read(ctx, "find a refresh token", func(conn *sqlite.Conn) error {
		t, err := findRefresh(conn, refresh, client, now)
		if err != nil || t == nil {
			return err
		}
		g, how = t.grant, t.outcome(now)
		return nil
	})
	return g, how, err
}

// findRefresh returns nil where there is none.
func findRefresh(conn *sqlite.Conn, refresh authorize.Digest, client domain.ClientID, now time.Time) (*taken, error) {
	const sql = `
		SELECT ` + grantColumns + `, r.until, r.used_at, ` + standing + `, r.lasting
		FROM refresh_token r JOIN token_family f ON f.id = r.family WHERE r.digest = ?2 AND f.client = ?3`
	found, err := all(conn, scanRefresh, sql, micros(now), refresh[:], client)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

func scanRefresh(row *sqlite.Stmt) (t taken, err error) {
	t.grant, err = scanGrant(row)
	t.until, t.used, t.stands = instant(row.ColumnInt64(grantWidth)), row.ColumnInt64(grantWidth+1) != 0, row.ColumnBool(grantWidth+2)
	t.grant.Lasting = row.ColumnBool(grantWidth + 3)
	return t, err
}

// RotateRefresh takes a refresh token and puts another in its place.
func (s *Store) RotateRefresh(ctx context.Context, r authorize.Rotation) (g authorize.Grant, how authorize.Outcome, err error) {
	const take = `UPDATE refresh_token SET used_at = ?2 WHERE digest = ?1`
	err = s.change(ctx, "rotate a refresh token", func(conn *sqlite.Conn) error {
		g, how = authorize.Grant{}, authorize.Unknown
		if err := sweep(conn, r.Now); err != nil {
			return err
		}
		t, err := findRefresh(conn, r.Old, r.Client, r.Now)
		if err != nil || t == nil {
			return err
		}
		g, how = t.grant, t.outcome(r.Now)
		switch how {
		case authorize.Reused:
			return s.endFamily(conn, t.grant, r.Now, r.Reuse)
		case authorize.Fresh:
			if err := run(conn, take, r.Old[:], micros(r.Now)); err != nil {
				return err
			}
			return addRefresh(conn, t.grant.Family, r.New, r.Until, false)
		}
		return nil
	})
	return g, how, err
}

// EndFamily ends the family of a refresh token of an application, used or not.
func (s *Store) EndFamily(ctx context.Context, refresh authorize.Digest, client domain.ClientID, now time.Time, e domain.Entry) (family string, err error) {
	err = s.change(ctx, "end a family of tokens", func(conn *sqlite.Conn) error {
		family = ""
		t, err := findRefresh(conn, refresh, client, now)
		if err != nil || t == nil {
			return err
		}
		family = t.grant.Family
		return s.endFamily(conn, t.grant, now, e)
	})
	return family, err
}
