package sqlite

import (
	"context"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

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
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)`
	return s.change(ctx, "add an application", func(conn *sqlite.Conn) error {
		if err := insert(conn, applicationClash, sql, applicationValues(a)...); err != nil {
			return err
		}
		if first != nil {
			if err := addSecret(conn, a.ID, *first); err != nil {
				return err
			}
		}
		return s.record(conn, e)
	})
}

// FindApplication finds an application of any partner.
func (s *Store) FindApplication(ctx context.Context, id domain.ClientID) (a domain.Application, err error) {
	err = s.read(ctx, "find an application", func(conn *sqlite.Conn) error {
		a, err = application(conn, id)
		return err
	})
	return a, err
}

func application(conn *sqlite.Conn, id domain.ClientID) (domain.Application, error) {
	const sql = `SELECT ` + applicationColumns + ` FROM application WHERE id = ?1`
	return one(conn, anApplication, scanApplication, sql, id)
}

// Applications lists all applications by name.
func (s *Store) Applications(ctx context.Context) (list []domain.Application, err error) {
	const sql = `SELECT ` + applicationColumns + ` FROM application ORDER BY name, id`
	err = s.read(ctx, "list the applications", func(conn *sqlite.Conn) error {
		list, err = all(conn, scanApplication, sql)
		return err
	})
	return list, err
}

// ChangeApplication stores what change makes of an application.
func (s *Store) ChangeApplication(ctx context.Context, id domain.ClientID, change func(*domain.Application) error, e domain.Entry) error {
	return s.change(ctx, "change an application", func(conn *sqlite.Conn) error {
		a, err := application(conn, id)
		if err != nil {
			return err
		}
		was := a
		if err := change(&a); err != nil {
			return callers(err)
		}
		if err := putApplication(conn, was, a); err != nil {
			return err
		}
		return s.record(conn, e)
	})
}

// putApplication stores a changed application. What it is and whose it is
// cannot change.
func putApplication(conn *sqlite.Conn, was, a domain.Application) error {
	const sql = `
		UPDATE application SET
			name = ?3, type = ?4, grants = ?5, uris = ?6, skip_authorization = ?7, reach = ?8, role = ?9,
			audiences = ?10, lifetime = ?11, auth_method = ?12, disabled = ?13, revoked_before = max(revoked_before, ?14), -- never back, whatever the clock does
			created_at = ?15, changed_at = ?16, keys = ?17, fapi = ?18, tls_subject = ?19, trusted_only = ?20
		WHERE id = ?1 AND partner = ?2`
	if a.ID != was.ID || a.Partner != was.Partner {
		return &domain.Error{Kind: domain.Invalid, Public: "an application keeps its identifier and its partner"}
	}
	if err := insert(conn, applicationClash, sql, applicationValues(a)...); err != nil || was.Disabled || !a.Disabled {
		return err
	}
	// Its access tokens die by revoked_before; with this nothing renews them
	// when it is enabled again.
	for _, sql := range []string{
		`UPDATE token_family SET ended_at = ?2 WHERE client = ?1 AND ended_at = 0`,
		`UPDATE login SET ended_at = ?2 WHERE client = ?1 AND ended_at = 0`,
	} {
		if err := run(conn, sql, a.ID, micros(a.ChangedAt)); err != nil {
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

func scanApplication(row *sqlite.Stmt) (domain.Application, error) {
	grants, err := parseList(row.ColumnText(4))
	if err != nil {
		return domain.Application{}, err
	}
	uris, err := parseList(row.ColumnText(5))
	if err != nil {
		return domain.Application{}, err
	}
	var keys []byte
	if text := row.ColumnText(16); text != "" {
		keys = []byte(text)
	}
	audiences, err := domain.ParseAudiences(strings.Fields(row.ColumnText(9)))
	return domain.Application{
		ID:                domain.ClientID(row.ColumnText(0)),
		Partner:           domain.PartnerID(row.ColumnText(1)),
		Name:              row.ColumnText(2),
		Type:              domain.ClientType(row.ColumnText(3)),
		Grants:            grants,
		URIs:              uris,
		SkipAuthorization: row.ColumnBool(6),
		Reach:             domain.Reach(row.ColumnText(7)),
		Role:              domain.RoleName(row.ColumnText(8)),
		Audiences:         audiences,
		Lifetime:          time.Duration(row.ColumnInt64(10)) * time.Microsecond,
		AuthMethod:        domain.AuthMethod(row.ColumnText(11)),
		Disabled:          row.ColumnBool(12),
		RevokedBefore:     instant(row.ColumnInt64(13)),
		CreatedAt:         instant(row.ColumnInt64(14)),
		ChangedAt:         instant(row.ColumnInt64(15)),
		Keys:              keys,
		FAPI:              row.ColumnBool(17),
		TLSSubject:        row.ColumnText(18),
		TrustedOnly:       row.ColumnBool(19),
	}, stored(err)
}
