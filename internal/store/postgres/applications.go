package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

const (
	anApplication      = "this application"
	applicationClash   = "an application with this name exists"
	applicationColumns = `id, partner, name, type, grants, uris, skip_authorization, reach, role, audiences,
		lifetime, auth_method, disabled, revoked_before, created_at, changed_at, keys, fapi, tls_subject, trusted_only`
)

// AddApplication adds an application with its first secret, if it has one.
func (s *Store) AddApplication(ctx context.Context, a domain.Application, first *domain.StoredSecret, e domain.Entry) error {
	const sql = `
		INSERT INTO application (` + applicationColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`
	return s.change(ctx, "add an application", func(ctx context.Context, c conn) error {
		if err := insert(ctx, c, applicationClash, sql, applicationValues(a)...); err != nil {
			return err
		}
		if first != nil {
			if err := addSecret(ctx, c, a.ID, *first); err != nil {
				return err
			}
		}
		return s.record(ctx, c, e)
	})
}

// FindApplication finds an application of any partner.
func (s *Store) FindApplication(ctx context.Context, id domain.ClientID) (a domain.Application, err error) {
	err = s.read(ctx, "find an application", func(ctx context.Context, c conn) error {
		a, err = application(ctx, c, id)
		return err
	})
	return a, err
}

func application(ctx context.Context, c conn, id domain.ClientID) (domain.Application, error) {
	const sql = `SELECT ` + applicationColumns + ` FROM application WHERE id = $1`
	return one(ctx, c, anApplication, scanApplication, sql, id)
}

// Applications lists all applications by name.
func (s *Store) Applications(ctx context.Context) (list []domain.Application, err error) {
	const sql = `SELECT ` + applicationColumns + ` FROM application ORDER BY name, id`
	err = s.read(ctx, "list the applications", func(ctx context.Context, c conn) error {
		list, err = all(ctx, c, scanApplication, sql)
		return err
	})
	return list, err
}

// ChangeApplication stores what change makes of an application.
func (s *Store) ChangeApplication(ctx context.Context, id domain.ClientID, change func(*domain.Application) error, e domain.Entry) error {
	return s.change(ctx, "change an application", func(ctx context.Context, c conn) error {
		a, err := application(ctx, c, id)
		if err != nil {
			return err
		}
		was := a
		if err := change(&a); err != nil {
			return callers(err)
		}
		if err := putApplication(ctx, c, was, a); err != nil {
			return err
		}
		return s.record(ctx, c, e)
	})
}

// putApplication stores a changed application. What it is and whose it is
// cannot change.
func putApplication(ctx context.Context, c conn, was, a domain.Application) error {
	const sql = `
		UPDATE application SET
			name = $3, type = $4, grants = $5, uris = $6, skip_authorization = $7, reach = $8, role = $9,
			audiences = $10, lifetime = $11, auth_method = $12, disabled = $13, revoked_before = greatest(revoked_before, $14), -- never back, whatever the clock does
			created_at = $15, changed_at = $16, keys = $17, fapi = $18, tls_subject = $19, trusted_only = $20
		WHERE id = $1 AND partner = $2`
	if a.ID != was.ID || a.Partner != was.Partner {
		return &domain.Error{Kind: domain.Invalid, Public: "an application keeps its identifier and its partner"}
	}
	if err := insert(ctx, c, applicationClash, sql, applicationValues(a)...); err != nil || was.Disabled || !a.Disabled {
		return err
	}
	// Its access tokens die by revoked_before; with this nothing renews them
	// when it is enabled again.
	for _, sql := range []string{
		`UPDATE token_family SET ended_at = $2 WHERE client = $1 AND ended_at = 0`,
		`UPDATE login SET ended_at = $2 WHERE client = $1 AND ended_at = 0`,
	} {
		if err := run(ctx, c, sql, a.ID, micros(a.ChangedAt)); err != nil {
			return err
		}
	}
	return nil
}

func applicationValues(a domain.Application) []any {
	return []any{
		a.ID, a.Partner, a.Name, a.Type, list(a.Grants), list(a.URIs), a.SkipAuthorization, a.Reach, a.Role,
		words(a.Audiences.Names()), a.Lifetime.Microseconds(), a.AuthMethod, a.Disabled, micros(a.RevokedBefore),
		micros(a.CreatedAt), micros(a.ChangedAt), string(a.Keys), a.FAPI, a.TLSSubject, a.TrustedOnly,
	}
}

func scanApplication(row pgx.CollectableRow) (domain.Application, error) {
	return scanApplicationAnd(row)
}

// scanApplicationAnd reads an application, and columns that follow.
func scanApplicationAnd(row pgx.CollectableRow, more ...any) (a domain.Application, err error) {
	var grants, uris, audiences, keys string
	err = row.Scan(append([]any{
		&a.ID, &a.Partner, &a.Name, &a.Type, &grants, &uris, &a.SkipAuthorization, &a.Reach, &a.Role, &audiences,
		span(&a.Lifetime), &a.AuthMethod, &a.Disabled, at(&a.RevokedBefore), at(&a.CreatedAt), at(&a.ChangedAt),
		&keys, &a.FAPI, &a.TLSSubject, &a.TrustedOnly,
	}, more...)...)
	if err != nil {
		return a, err
	}
	if a.Grants, err = parseList(grants); err != nil {
		return a, err
	}
	if a.URIs, err = parseList(uris); err != nil {
		return a, err
	}
	if keys != "" {
		a.Keys = []byte(keys)
	}
	a.Audiences, err = domain.ParseAudiences(strings.Fields(audiences))
	return a, stored(err)
}
