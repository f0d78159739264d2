package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

const anAccount = "this account"

func addAccount(conn *sqlite.Conn, a domain.Account) error {
	const sql = `INSERT INTO account (partner, number, person) VALUES (?1, ?2, ?3)`
	return insert(conn, "an account with this number exists", sql, a.Partner, a.Number, a.User)
}

// UserAccounts lists the accounts of a user of any partner, by number.
func (s *Store) UserAccounts(ctx context.Context, id domain.UserID) (list []domain.Account, err error) {
	const sql = `SELECT number, partner, person FROM account WHERE person = ?1 ORDER BY number`
	err = s.readAt(ctx, "list a user's accounts", func(conn *sqlite.Conn) error {
		list, err = all(conn, scanAccount, sql, id)
		if err == nil && len(list) == 0 {
			return exists(conn, aUser, `SELECT 1 FROM person WHERE id = ?1`, id)
		}
		return err
	})
	return list, err
}

// Account finds an account within the scope.
func (s *Store) Account(ctx context.Context, scope domain.Scope, number domain.AccountNumber) (a domain.Account, err error) {
	const sql = `
		SELECT number, partner, person FROM account
		WHERE number = ?1 AND partner = ?2 AND (?3 = '' OR person = ?3)`
	err = s.read(ctx, "find an account", func(conn *sqlite.Conn) error {
		if err := agreedAccount(conn, scope, number); err != nil {
			return err
		}
		a, err = one(conn, anAccount, scanAccount, sql, number, scope.Partner, scope.User)
		return err
	})
	return a, err
}

// Accounts lists the accounts of one user within the scope, by number.
func (s *Store) Accounts(ctx context.Context, scope domain.Scope, user domain.UserID) (list []domain.Account, err error) {
	const sql = `
		SELECT number, partner, person FROM account
		WHERE person = ?1 AND partner = ?2 AND (?3 = '' OR person = ?3) ORDER BY number`
	const within = `
		SELECT 1 FROM person
		WHERE id = ?1 AND partner = ?2 AND (?3 = '' OR id = ?3)`
	err = s.readAt(ctx, "list accounts", func(conn *sqlite.Conn) error {
		if scope.Application != "" {
			list, err = agreedAccounts(conn, scope, user)
			return err
		}
		list, err = all(conn, scanAccount, sql, user, scope.Partner, scope.User)
		if err == nil && len(list) == 0 {
			return exists(conn, aUser, within, user, scope.Partner, scope.User)
		}
		return err
	})
	return list, err
}

func scanAccount(row *sqlite.Stmt) (domain.Account, error) {
	return domain.Account{
		Number:  domain.AccountNumber(row.ColumnText(0)),
		Partner: domain.PartnerID(row.ColumnText(1)),
		User:    domain.UserID(row.ColumnText(2)),
	}, nil
}
