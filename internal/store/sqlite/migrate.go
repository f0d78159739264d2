package sqlite

import (
	"context"
	"embed"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks the file as ours: the letters Watt.
const applicationID = 0x57617474

// migrate brings the database to the newest schema, in one transaction. Many
// may start at once: one does it, the others wait and find it done. What a
// migration cannot say in SQL is a step that follows it.
func migrate(ctx context.Context, conn *sqlite.Conn, steps map[int]func(*sqlite.Conn) error) error {
	texts, err := store.Scripts(migrations)
	if err != nil {
		return err
	}
	defer conn.SetInterrupt(conn.SetInterrupt(ctx.Done()))
	have, err := version(conn, len(texts))
	if err != nil || have == len(texts) {
		return err
	}
	return transaction(conn, func() error {
		have, err := version(conn, len(texts)) // again, now that nobody else changes it
		if err != nil {
			return err
		}
		for i, text := range texts[have:] {
			if err := sqlitex.ExecScript(conn, text); err != nil {
				return fmt.Errorf("migration %d: %w", have+i+1, err)
			}
			if step := steps[have+i+1]; step != nil {
				if err := step(conn); err != nil {
					return fmt.Errorf("migration %d: %w", have+i+1, err)
				}
			}
		}
		if have == 0 {
			if err := fill(conn); err != nil {
				return err
			}
		}
		return sqlitex.ExecScript(conn,
			fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, len(texts)))
	})
}

// fill puts into a new database what every environment starts with. The roles
// are domain's to say; a copy of them in SQL would be the one that is wrong.
func fill(conn *sqlite.Conn) error {
	for _, r := range domain.DocumentedRoles() {
		if err := putRole(conn, r); err != nil {
			return err
		}
	}
	return nil
}

// ours refuses a file that migrate would refuse.
func ours(conn *sqlite.Conn) error {
	texts, err := store.Scripts(migrations)
	if err == nil {
		_, err = version(conn, len(texts))
	}
	return err
}

// version returns how many migrations the database has seen. It refuses a file
// of another program, and one that a newer program has migrated.
func version(conn *sqlite.Conn, known int) (int, error) {
	tables, err := number(conn, "SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return 0, err
	}
	id, err := number(conn, "PRAGMA application_id")
	if err != nil {
		return 0, err
	}
	have, err := number(conn, "PRAGMA user_version")
	if err != nil {
		return 0, err
	}
	if id != applicationID && (tables > 0 || id != 0) {
		return 0, &domain.Error{Kind: domain.Conflict, Public: "the database file belongs to another program"}
	}
	if have > known {
		return 0, &domain.Error{Kind: domain.Conflict, Public: fmt.Sprintf(
			"the database is newer than this program: it has version %d, this program knows %d", have, known)}
	}
	return have, nil
}

func number(conn *sqlite.Conn, sql string) (n int, err error) {
	err = sqlitex.ExecuteTransient(conn, sql, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		n = stmt.ColumnInt(0)
		return nil
	}})
	return n, err
}

func transaction(conn *sqlite.Conn, f func() error) (err error) {
	end, err := sqlitex.ImmediateTransaction(conn)
	if err != nil {
		return err
	}
	defer end(&err)
	return f()
}
