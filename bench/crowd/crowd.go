// Package crowd answers one question: what does an installation look like when
// many people use it?
//
// It copies one application and one customer of an installation's database as
// often as it is told, by SQL alone, so that a million of them take seconds. The
// copies have secrets that nobody knows.
package crowd

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Crowd is how many there are to be, beside those of the demo.
type Crowd struct{ Applications, Customers int }

// Customer is the identifier of the customer of a number from 0.
func Customer(n int) string { return fmt.Sprintf("usr_%032x", n+1) }

// Fill adds the crowd to the data folder of a demo that is not running: copies
// of the application and the customer with the given identifiers.
func Fill(ctx context.Context, data, application, customer string, c Crowd) (err error) {
	conn, err := sqlite.OpenConn(filepath.Join(data, "wattgate.db"), sqlite.OpenReadWrite|sqlite.OpenWAL)
	if err != nil {
		return fmt.Errorf("crowd: %w", err)
	}
	defer func() {
		if closed := conn.Close(); err == nil {
			err = closed
		}
	}()
	conn.SetInterrupt(ctx.Done())
	end, err := sqlitex.ImmediateTransaction(conn)
	if err != nil {
		return fmt.Errorf("crowd: %w", err)
	}
	defer end(&err)
	for _, copies := range []struct {
		table, of string
		n         int
		change    map[string]string // column -> expression over n
	}{
		{"application", application, c.Applications, map[string]string{
			"id": "printf('app_%016d', n)", "name": "'Application ' || n",
		}},
		{"person", customer, c.Customers, map[string]string{
			"id": "printf('usr_%032x', n)", "email": "''", "customer_number": "'' || n",
		}},
	} {
		if err := multiply(conn, copies.table, copies.of, copies.n, copies.change); err != nil {
			return fmt.Errorf("crowd: %s: %w", copies.table, err)
		}
	}
	err = sqlitex.Execute(conn, numbers+`
		INSERT INTO secret (id, client, digest, hint, created_at, expires_at, retired_at)
		SELECT printf('sec_%012d', n), printf('app_%016d', n), randomblob(32), 'xxxxx', 1, 0, 0 FROM number`,
		&sqlitex.ExecOptions{Args: []any{c.Applications}})
	if err != nil {
		return fmt.Errorf("crowd: secret: %w", err)
	}
	return nil
}

// numbers are those from 1 to the first parameter.
const numbers = `WITH RECURSIVE number (n) AS (SELECT 1 WHERE ?1 > 0 UNION ALL SELECT n + 1 FROM number WHERE n < ?1)`

// multiply copies a row n times, all columns but those that are changed.
func multiply(conn *sqlite.Conn, table, id string, n int, change map[string]string) error {
	var columns, values []string
	err := sqlitex.Execute(conn, "SELECT name FROM pragma_table_info(?1)", &sqlitex.ExecOptions{
		Args: []any{table},
		ResultFunc: func(row *sqlite.Stmt) error {
			name := row.ColumnText(0)
			value, ok := change[name]
			if !ok {
				value = `one."` + name + `"`
			}
			columns, values = append(columns, `"`+name+`"`), append(values, value)
			return nil
		},
	})
	if err != nil {
		return err
	}
	sql := numbers + ` INSERT INTO ` + table + ` (` + strings.Join(columns, ", ") + `)
		SELECT ` + strings.Join(values, ", ") + ` FROM number, ` + table + ` AS one WHERE one.id = ?2`
	if err := sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{Args: []any{n, id}}); err != nil {
		return err
	}
	if got := conn.Changes(); got != n {
		return fmt.Errorf("copied %s %d times, want %d", id, got, n)
	}
	return nil
}
