package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
)

const anAccount = "this account"

func addAccount(ctx context.Context, c conn, a domain.Account) error {
	const sql = `INSERT INTO account (partner, number, person) VALUES ($1, $2, $3)`
	return insert(ctx, c, "an account with this number exists", sql, a.Partner, a.Number, a.User)
}

// UserAccounts lists the accounts of a user of any partner, by number.
func (s *Store) UserAccounts(ctx context.Context, id domain.UserID) (list []domain.Account, err error) {
	const sql = `SELECT number, partner, person FROM account WHERE person = $1 ORDER BY number`
	err = s.readAt(ctx, "list a user's accounts", func(ctx context.Context, c conn) error {
		list, err = all(ctx, c, scanAccount, sql, id)
		if err == nil && len(list) == 0 {
			return exists(ctx, c, aUser, `SELECT 1 FROM person WHERE id = $1`, id)
		}
		return err
	})
	return list, err
}

// Account finds an account within the scope.
func (s *Store) Account(ctx context.Context, scope domain.Scope, number domain.AccountNumber) (a domain.Account, err error) {
	const sql = `
		SELECT number, partner, person FROM account
		WHERE number = $1 AND partner = $2 AND ($3 = '' OR person = $3)`
	err = s.read(ctx, "find an account", func(ctx context.Context, c conn) error {
		if err := agreedAccount(ctx, c, scope, number); err != nil {
			return err
		}
		a, err = one(ctx, c, anAccount, scanAccount, sql, number, scope.Partner, scope.User)
		return err
	})
	return a, err
}

// Accounts lists the accounts of one user within the scope, by number.
func (s *Store) Accounts(ctx context.Context, scope domain.Scope, user domain.UserID) (list []domain.Account, err error) {
	const sql = `
		SELECT number, partner, person FROM account
		WHERE person = $1 AND partner = $2 AND ($3 = '' OR person = $3) ORDER BY number`
	const within = `
		SELECT 1 FROM person
		WHERE id = $1 AND partner = $2 AND ($3 = '' OR id = $3)`
	err = s.readAt(ctx, "list accounts", func(ctx context.Context, c conn) error {
		if scope.Application != "" {
			list, err = agreedAccounts(ctx, c, scope, user)
			return err
		}
		list, err = all(ctx, c, scanAccount, sql, user, scope.Partner, scope.User)
		if err == nil && len(list) == 0 {
			return exists(ctx, c, aUser, within, user, scope.Partner, scope.User)
		}
		return err
	})
	return list, err
}

func scanAccount(row pgx.CollectableRow) (a domain.Account, err error) {
	err = row.Scan(&a.Number, &a.Partner, &a.User)
	return a, err
}
