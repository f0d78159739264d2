package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

const (
	aUser       = "this user"
	userColumns = `id, partner, customer, staff, permissions, email, first_name, middle_name, surname,
		phone, birth_date, customer_number, disabled, revoked_before, created_at`
)

// AddUser adds a user, with the account of a customer.
func (s *Store) AddUser(ctx context.Context, u domain.User, passwordHash string, account *domain.Account, e domain.Entry) error {
	return s.change(ctx, "add a user", func(ctx context.Context, c conn) error {
		if err := addUser(ctx, c, u, passwordHash); err != nil {
			return err
		}
		if account != nil {
			if err := addAccount(ctx, c, *account); err != nil {
				return err
			}
		}
		return s.record(ctx, c, e)
	})
}

func addUser(ctx context.Context, c conn, u domain.User, passwordHash string) error {
	const sql = `
		INSERT INTO person (` + userColumns + `, password_hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`
	return insert(ctx, c, "a user with this e-mail address exists", sql,
		u.ID, optional(u.Partner), u.Customer, u.Staff, words(u.Permissions.Names()), u.Email,
		u.FirstName, u.MiddleName, u.Surname, u.Phone, u.BirthDate, u.CustomerNumber,
		u.Disabled, micros(u.RevokedBefore), micros(u.CreatedAt), passwordHash)
}

// FindUser finds a user of any partner.
func (s *Store) FindUser(ctx context.Context, id domain.UserID) (domain.User, error) {
	const sql = `SELECT ` + userColumns + ` FROM person WHERE id = $1`
	return s.user(ctx, sql, id)
}

// User finds a user of the scope's partner; with scope.User set, only that one.
func (s *Store) User(ctx context.Context, scope domain.Scope, id domain.UserID) (u domain.User, err error) {
	const sql = `
		SELECT ` + userColumns + ` FROM person
		WHERE id = $1 AND partner = $2 AND ($3 = '' OR id = $3)`
	err = s.read(ctx, "find a user", func(ctx context.Context, c conn) error {
		if err := hasAgreed(ctx, c, scope, id); err != nil {
			return err
		}
		u, err = one(ctx, c, aUser, scanUser, sql, id, scope.Partner, scope.User)
		return err
	})
	return u, err
}

func (s *Store) user(ctx context.Context, sql string, args ...any) (u domain.User, err error) {
	err = s.read(ctx, "find a user", func(ctx context.Context, c conn) error {
		u, err = one(ctx, c, aUser, scanUser, sql, args...)
		return err
	})
	return u, err
}

// UsersByEmail finds the users with an e-mail address, of any partner.
func (s *Store) UsersByEmail(ctx context.Context, email string) ([]domain.User, error) {
	const sql = `
		SELECT ` + userColumns + ` FROM person
		WHERE lower(email) = lower($1 COLLATE "C") AND email <> '' ORDER BY coalesce(partner, ''), id`
	return s.users(ctx, sql, email)
}

// Users lists the users of a partner by e-mail, platform staff for the empty
// partner; all where everyone is set.
func (s *Store) Users(ctx context.Context, partner domain.PartnerID, everyone bool) ([]domain.User, error) {
	const sql = `
		SELECT ` + userColumns + ` FROM person
		WHERE $1 OR partner IS NOT DISTINCT FROM $2 ORDER BY lower(email), id`
	return s.users(ctx, sql, everyone, optional(partner))
}

func (s *Store) users(ctx context.Context, sql string, args ...any) (list []domain.User, err error) {
	err = s.read(ctx, "list users", func(ctx context.Context, c conn) error {
		list, err = all(ctx, c, scanUser, sql, args...)
		return err
	})
	return list, err
}

// SetPassword replaces the hash of a user's password, and ends the sessions,
// families and log-ins of whoever knew the old one, with the keys that they may
// have made.
func (s *Store) SetPassword(ctx context.Context, id domain.UserID, hash string, now time.Time, e domain.Entry) (families []string, err error) {
	const sql = `UPDATE person SET password_hash = $2 WHERE id = $1`
	err = s.change(ctx, "set a password", func(ctx context.Context, c conn) error {
		if err := changed(ctx, c, aUser, sql, id, hash); err != nil {
			return err
		}
		if families, err = endAllOf(ctx, c, id, now); err != nil {
			return err
		}
		if err := forgetKeys(ctx, c, id); err != nil {
			return err
		}
		return s.record(ctx, c, e)
	})
	return families, err
}

func scanUser(row pgx.CollectableRow) (domain.User, error) {
	return scanUserAnd(row)
}

// scanUserAnd reads a user, and columns that follow.
func scanUserAnd(row pgx.CollectableRow, more ...any) (u domain.User, err error) {
	var names string
	err = row.Scan(append([]any{
		&u.ID, maybe(&u.Partner), &u.Customer, &u.Staff, &names, &u.Email, &u.FirstName, &u.MiddleName, &u.Surname,
		&u.Phone, &u.BirthDate, &u.CustomerNumber, &u.Disabled, at(&u.RevokedBefore), at(&u.CreatedAt),
	}, more...)...)
	if err != nil {
		return u, err
	}
	u.Permissions, err = domain.ParseStaffPermissions(strings.Fields(names))
	return u, stored(err)
}
