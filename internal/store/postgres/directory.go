package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

// forever is when the tokens of a disabled user work again.
var forever = time.Unix(1<<40, 0).UTC()

// Directory reads everything that the token path needs, in one transaction.
func (s *Store) Directory(ctx context.Context) (*domain.Directory, error) {
	d := &domain.Directory{
		Applications: map[domain.ClientID]*domain.Listing{},
		Revoked:      map[domain.UserID]time.Time{},
		Partners:     map[domain.PartnerID]domain.PartnerStanding{},
		Roles:        map[domain.RoleName]domain.Permissions{},
	}
	err := s.readNews(ctx, "read the directory", atOnce(func(ctx context.Context, c conn) error {
		list, err := roles(ctx, c)
		if err != nil {
			return err
		}
		for _, r := range list {
			d.Roles[r.Name] = r.Permissions
		}
		if err := listApplications(ctx, c, d); err != nil {
			return err
		}
		if err := listSecrets(ctx, c, d, s.now()); err != nil {
			return err
		}
		if err := listPartners(ctx, c, d); err != nil {
			return err
		}
		return listRevoked(ctx, c, d)
	}))
	if err != nil {
		return nil, err
	}
	return d, nil
}

func listApplications(ctx context.Context, c conn, d *domain.Directory) error {
	const sql = `
		SELECT a.id, a.partner, a.name, a.type, a.grants, a.uris, a.skip_authorization, a.reach, a.role,
			a.audiences, a.lifetime, a.auth_method, a.disabled, a.revoked_before, a.created_at, a.changed_at, a.keys, a.fapi, a.tls_subject, a.trusted_only,
			a.disabled OR p.disabled, greatest(a.revoked_before, p.revoked_before)
		FROM application a JOIN partner p ON p.id = a.partner`
	list, err := all(ctx, c, func(row pgx.CollectableRow) (l *domain.Listing, err error) {
		l = &domain.Listing{}
		l.Application, err = scanApplicationAnd(row, &l.Closed, at(&l.DeadUntil))
		return l, err
	}, sql)
	for _, l := range list {
		l.Permissions = d.Roles[l.Role]
		d.Applications[l.ID] = l
	}
	return err
}

func listSecrets(ctx context.Context, c conn, d *domain.Directory, now time.Time) error {
	const sql = `
		SELECT ` + secretColumns + ` FROM secret
		WHERE retired_at = 0 OR retired_at > $1 ORDER BY created_at, n`
	list, err := all(ctx, c, scanSecret, sql, micros(now))
	for _, s := range list {
		if l := d.Applications[s.Client]; l != nil {
			l.Secrets = append(l.Secrets, s)
		}
	}
	return err
}

func listRevoked(ctx context.Context, c conn, d *domain.Directory) error {
	const sql = `
		SELECT id, disabled, revoked_before FROM person
		WHERE disabled OR revoked_before <> 0`
	_, err := all(ctx, c, func(row pgx.CollectableRow) (id domain.UserID, err error) {
		var disabled bool
		var until time.Time
		if err := row.Scan(&id, &disabled, at(&until)); err != nil {
			return id, err
		}
		if disabled {
			until = forever
		}
		d.Revoked[id] = until
		return id, nil
	}, sql)
	return err
}

func listPartners(ctx context.Context, c conn, d *domain.Directory) error {
	const sql = `
		SELECT id, disabled, revoked_before FROM partner
		WHERE disabled OR revoked_before <> 0`
	_, err := all(ctx, c, func(row pgx.CollectableRow) (id domain.PartnerID, err error) {
		var p domain.PartnerStanding
		if err := row.Scan(&id, &p.Closed, at(&p.DeadUntil)); err != nil {
			return id, err
		}
		d.Partners[id] = p
		return id, nil
	}, sql)
	return err
}
