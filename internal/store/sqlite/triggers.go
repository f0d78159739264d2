package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// steps are what follows migrations and cannot be said in SQL.
func (s *Store) steps() map[int]func(*sqlite.Conn) error {
	return map[int]func(*sqlite.Conn) error{auditMigration: s.plant}
}

// guardTriggers refuses a database whose triggers or views are others than those
// of the migrations, now and whenever another connection has written to it.
// Triggers keep the audit log append-only; one more could swallow entries,
// change them or undo acts. As evidence any database opens, and none is changed.
func (s *Store) guardTriggers(ctx context.Context, conn *sqlite.Conn, evidence bool) error {
	if evidence {
		return run(conn, "PRAGMA query_only = ON")
	}
	want, err := s.migratedTriggers(ctx)
	if err != nil {
		return err
	}
	s.tree.foreign = func(conn *sqlite.Conn) error {
		if err := sameTriggers(conn, want); err != nil { // none of a caller's business
			return unavailable(errors.New(err.Error()))
		}
		return nil
	}
	return sameTriggers(conn, want)
}

// sameTriggers compares the triggers and views with those that must be there.
func sameTriggers(conn *sqlite.Conn, want map[string]string) error {
	have, err := triggers(conn)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if have[name] != want[name] {
			return tampered("the database has a trigger or a view %s that is not this program's", domain.Quote(name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, there := have[name]; !there {
			return tampered("the database lacks the trigger %s", domain.Quote(name))
		}
	}
	return nil
}

func tampered(format string, args ...any) error {
	return &domain.Error{Kind: domain.Conflict, Public: fmt.Sprintf(format, args...) +
		": somebody has changed the file behind the server's back; see \"A changed database\" in the operator's manual"}
}

// migratedTriggers are those of a fresh database, which is in memory.
func (s *Store) migratedTriggers(ctx context.Context) (want map[string]string, err error) {
	fresh, err := sqlite.OpenConn(":memory:", sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	defer func() { err = cmp.Or(err, fresh.Close()) }()
	if err := migrate(ctx, fresh, s.steps()); err != nil {
		return nil, err
	}
	return triggers(fresh)
}

// triggers returns the triggers and views of a database, by name, with all that
// there is to know of them.
func triggers(conn *sqlite.Conn) (map[string]string, error) {
	type trigger struct{ name, text string }
	list, err := all(conn, func(row *sqlite.Stmt) (trigger, error) {
		return trigger{row.ColumnText(0), row.ColumnText(1)}, nil
	}, `SELECT name, type || char(10) || tbl_name || char(10) || ifnull(sql, '') FROM sqlite_schema WHERE type IN ('trigger', 'view')`)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]string, len(list))
	for _, t := range list {
		byName[t.name] = t.text
	}
	return byName, nil
}

// errSwallowed is for an entry that the database took without keeping it.
var errSwallowed = errors.New("the database did not keep an entry of the audit log: has somebody added a trigger?")

// kept fails where an insertion did not add exactly one row: an act whose entry
// is swallowed has not happened.
func kept(conn *sqlite.Conn, err error) error {
	if err == nil && conn.Changes() != 1 {
		return &domain.Error{Kind: domain.Internal, Err: errSwallowed}
	}
	return err
}
