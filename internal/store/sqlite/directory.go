package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

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
	err := s.readAt(ctx, "read the directory", func(conn *sqlite.Conn) error {
		list, err := roles(conn)
		if err != nil {
			return err
		}
		for _, r := range list {
			d.Roles[r.Name] = r.Permissions
		}
		if err := listApplications(conn, d); err != nil {
			return err
		}
		if err := listSecrets(conn, d, s.now()); err != nil {
			return err
		}
		if err := listPartners(conn, d); err != nil {
			return err
		}
		return listRevoked(conn, d)
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

func listApplications(conn *sqlite.Conn, d *domain.Directory) error {
	const sql = `
		SELECT a.id, a.partner, a.name, a.type, a.grants, a.uris, a.skip_authorization, a.reach, a.role,
			a.audiences, a.lifetime, a.auth_method, a.disabled, a.revoked_before, a.created_at, a.changed_at, a.keys, a.fapi, a.tls_subject, a.trusted_only,
			a.disabled OR p.disabled, max(a.revoked_before, p.revoked_before)
		FROM application a JOIN partner p ON p.id = a.partner`
	return sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		a, err := scanApplication(row)
		d.Applications[a.ID] = &domain.Listing{
			Application: a,
			Permissions: d.Roles[a.Role],
			Closed:      row.ColumnBool(20),
			DeadUntil:   instant(row.ColumnInt64(21)),
		}
		return err
	}})
}

func listSecrets(conn *sqlite.Conn, d *domain.Directory, now time.Time) error {
	const sql = `
		SELECT ` + secretColumns + ` FROM secret
		WHERE retired_at = 0 OR retired_at > ?1 ORDER BY created_at, rowid`
	return sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{Args: []any{micros(now)}, ResultFunc: func(row *sqlite.Stmt) error {
		s, err := scanSecret(row)
		if l := d.Applications[s.Client]; l != nil {
			l.Secrets = append(l.Secrets, s)
		}
		return err
	}})
}

func listRevoked(conn *sqlite.Conn, d *domain.Directory) error {
	const sql = `
		SELECT id, disabled, revoked_before FROM person
		WHERE disabled <> 0 OR revoked_before <> 0`
	return sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		until := instant(row.ColumnInt64(2))
		if row.ColumnBool(1) {
			until = forever
		}
		d.Revoked[domain.UserID(row.ColumnText(0))] = until
		return nil
	}})
}

func listPartners(conn *sqlite.Conn, d *domain.Directory) error {
	const sql = `
		SELECT id, disabled, revoked_before FROM partner
		WHERE disabled <> 0 OR revoked_before <> 0`
	return sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		d.Partners[domain.PartnerID(row.ColumnText(0))] = domain.PartnerStanding{Closed: row.ColumnBool(1), DeadUntil: instant(row.ColumnInt64(2))}
		return nil
	}})
}
