package postgres

import (
	"context"
	"embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// program marks a schema as ours.
const program = "wattgate"

// migrationLock is the advisory lock (the letters WattM) of those who migrate.
const migrationLock = 0x576174744d

// migrate brings the database to the newest schema, in one transaction. Many
// may start at once: one does it, the others wait and find it done. As evidence
// a database is only looked at.
func (s *Store) migrate(ctx context.Context, evidence bool) error {
	texts, err := store.Scripts(migrations)
	if err != nil {
		return err
	}
	c, err := s.writers.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	have, err := version(ctx, c, len(texts))
	switch {
	case err != nil || have == len(texts):
		return err
	case evidence:
		return &domain.Error{Kind: domain.Conflict, Public: fmt.Sprintf(
			"the database has version %d, and this program reads version %d", have, len(texts))}
	}
	// Whoever has waited must see what those before have done.
	return pgx.BeginTxFunc(ctx, c, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error { return upgrade(ctx, tx, texts) })
}

func upgrade(ctx context.Context, tx pgx.Tx, texts []string) error {
	// Whoever waits here waits for the other starters, however long they take.
	if err := run(ctx, tx, fmt.Sprintf("SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(%d)", migrationLock)); err != nil {
		return err
	}
	have, err := version(ctx, tx, len(texts)) // again, now that nobody else changes it
	if err != nil || have == len(texts) {
		return err
	}
	for i, text := range texts[have:] {
		// Several statements at once go by the simple protocol.
		if _, err := tx.Conn().PgConn().Exec(ctx, text).ReadAll(); err != nil {
			return fmt.Errorf("migration %d: %w", have+i+1, err)
		}
	}
	if have == 0 {
		if err := fill(ctx, tx); err != nil {
			return err
		}
	}
	return changed(ctx, tx, "the version of the schema", `UPDATE schema_version SET version = $1 WHERE program = $2`, len(texts), program)
}

// fill puts into a new database what every environment starts with. The roles
// are domain's to say; a copy of them in SQL would be the one that is wrong.
func fill(ctx context.Context, c conn) error {
	for _, r := range domain.DocumentedRoles() {
		if err := putRole(ctx, c, r); err != nil {
			return err
		}
	}
	return nil
}

// version returns how many migrations the schema has seen. It refuses one of
// another program, and one that a newer program has migrated. Tables that belong
// to extensions do not count.
func version(ctx context.Context, c conn, known int) (int, error) {
	const tables = `
		SELECT count(*) FROM pg_class c
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
			AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`
	const marks = `
		SELECT count(*) FROM pg_attribute
		WHERE attrelid = to_regclass(quote_ident(current_schema()) || '.schema_version') AND attname IN ('program', 'version') AND NOT attisdropped`
	n, err := one(ctx, c, "the schema", scanNumber, tables)
	if err != nil || n == 0 {
		return 0, err
	}
	if n, err = one(ctx, c, "the schema", scanNumber, marks); err != nil {
		return 0, err
	}
	if n != 2 {
		return 0, foreign()
	}
	list, err := all(ctx, c, scanNumber, `SELECT version FROM schema_version WHERE program = $1`, program)
	switch {
	case err != nil:
		return 0, err
	case len(list) != 1:
		return 0, foreign()
	case list[0] > int64(known):
		return 0, &domain.Error{Kind: domain.Conflict, Public: fmt.Sprintf(
			"the database is newer than this program: it has version %d, this program knows %d", list[0], known)}
	}
	return int(list[0]), nil
}

func foreign() error {
	return &domain.Error{Kind: domain.Conflict, Public: "the database belongs to another program: it has tables that are not ours"}
}
