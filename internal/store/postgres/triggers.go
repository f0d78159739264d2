package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store"
)

// guardTriggers refuses a database whose triggers or rules are others than those
// of the migrations, now and from time to time before an entry is added to the
// audit log. Triggers keep the log append-only; one more could swallow entries,
// change them or undo acts. As evidence any database opens, and none is changed.
func (s *Store) guardTriggers(ctx context.Context, evidence bool) error {
	if evidence {
		return nil
	}
	texts, err := store.Scripts(migrations)
	if err != nil {
		return err
	}
	g := migratedTriggers(texts)
	g.now = s.now
	c, err := s.writers.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	have, err := all(ctx, c, scanPart, parts, g.tables)
	if err != nil {
		return err
	}
	s.tree.foreign = g
	return g.compare(have)
}

// guard is what must be there.
type guard struct {
	now    func() time.Time
	want   map[string]string // the text of each trigger by its name
	tables []string

	mu    sync.Mutex
	right time.Time // when it was there the last time
}

// asking is how often a node that records something asks again: it takes half a
// millisecond, for which all nodes wait.
const asking = time.Second

// due reports whether it is time to ask again.
func (g *guard) due() bool {
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	since := now.Sub(g.right)
	return since < 0 || since >= asking
}

// part is something that acts on its own in the database.
type part struct{ kind, name, text string }

func scanPart(row pgx.CollectableRow) (p part, err error) {
	err = row.Scan(&p.kind, &p.name, &p.text)
	return p, err
}

// parts are all that acts on its own in the schema, with what there is to know of
// it: triggers with their functions, and rules. Those of a partition are its
// table's. The last three must not be there at all: triggers of keys that are
// switched off, policies that hide rows, and views in the place of tables. Whoever
// makes the server replay another's changes switches off all that does not say
// ALWAYS.
const parts = `
	WITH ours AS MATERIALIZED (SELECT oid, relname, relkind FROM pg_class WHERE relnamespace = current_schema()::regnamespace)
	SELECT 'trigger', c.relname || '.' || t.tgname,
		concat_ws(chr(10), pg_get_triggerdef(t.oid, true), t.tgenabled, l.lanname, p.prosecdef, p.proconfig, p.prosrc)
	FROM pg_trigger t JOIN ours c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang
	WHERE NOT t.tgisinternal
		AND NOT EXISTS (SELECT 1 FROM pg_trigger of WHERE of.oid = t.tgparentid AND of.tgenabled = t.tgenabled)
	UNION ALL SELECT 'rule', c.relname || '.' || r.rulename, ''
	FROM pg_rewrite r JOIN ours c ON c.oid = r.ev_class WHERE NOT (c.relkind IN ('v', 'm') AND r.rulename = '_RETURN')
	UNION ALL SELECT 'switched-off key', c.relname || '.' || t.tgname, ''
	FROM pg_trigger t JOIN ours c ON c.oid = t.tgrelid WHERE t.tgisinternal AND t.tgenabled <> 'O'
	UNION ALL SELECT 'policy', c.relname || '.' || p.polname, ''
	FROM pg_policy p JOIN ours c ON c.oid = p.polrelid
	UNION ALL SELECT 'view', c.relname, '' FROM ours c WHERE c.relkind NOT IN ('r', 'p') AND c.relname = ANY ($1::text[])
	UNION ALL SELECT 'setting', 'session_replication_role', '' WHERE current_setting('session_replication_role') <> 'origin'`

// queue asks for the parts together with others' questions.
func (g *guard) queue(b *pgx.Batch) {
	b.Queue(parts, g.tables).Query(func(rows pgx.Rows) error {
		have, err := pgx.CollectRows(rows, scanPart)
		if err != nil {
			return err
		}
		if err := g.compare(have); err != nil { // none of a caller's business
			return unavailable(errors.New(err.Error()))
		}
		return nil
	})
}

// compare compares the parts of the database with those that must be there.
func (g *guard) compare(have []part) error {
	now := g.now()
	missing := maps.Clone(g.want)
	for _, p := range have {
		if want, ok := g.want[p.name]; !ok || p.kind != "trigger" || p.text != want {
			return tampered("the database has a %s %s that is not this program's", p.kind, domain.Quote(p.name))
		}
		delete(missing, p.name)
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		return tampered("the database lacks the trigger %s", domain.Quote(name))
	}
	g.mu.Lock()
	g.right = now
	g.mu.Unlock()
	return nil
}

func tampered(format string, args ...any) error {
	return &domain.Error{Kind: domain.Conflict, Public: fmt.Sprintf(format, args...) +
		": somebody has changed it behind the server's back; see \"A changed database\" in the operator's manual"}
}

// What of the migrations acts on its own. A trigger is written as PostgreSQL says
// it, but for the spaces; one that is not is found with the first database.
var (
	tableText    = regexp.MustCompile(`(?m)^CREATE TABLE (\w+) `)
	triggerText  = regexp.MustCompile(`(?m)^CREATE TRIGGER (\w+)\s[^;]*\sON (\w+)\s[^;]*EXECUTE FUNCTION (\w+)\(\)`)
	alwaysText   = regexp.MustCompile(`(?m)^ALTER TABLE (\w+) ENABLE ALWAYS TRIGGER (\w+);`)
	functionText = regexp.MustCompile(`(?ms)^CREATE FUNCTION (\w+)\(\) RETURNS trigger LANGUAGE plpgsql AS \$\$(.*?)\$\$;`)
)

// migratedTriggers are those of a database as the migrations leave it.
func migratedTriggers(texts []string) *guard {
	all := strings.Join(texts, "\n")
	functions, states := map[string]string{}, map[string]string{}
	for _, m := range functionText.FindAllStringSubmatch(all, -1) {
		functions[m[1]] = m[2]
	}
	for _, m := range alwaysText.FindAllStringSubmatch(all, -1) {
		states[m[1]+"."+m[2]] = "A"
	}
	g := &guard{want: map[string]string{}}
	for _, m := range triggerText.FindAllStringSubmatch(all, -1) {
		name, state := m[2]+"."+m[1], "O"
		if states[name] != "" {
			state = states[name]
		}
		g.want[name] = strings.Join([]string{strings.Join(strings.Fields(m[0]), " "), state, "plpgsql", "f", functions[m[3]]}, "\n")
	}
	for _, m := range tableText.FindAllStringSubmatch(all, -1) {
		g.tables = append(g.tables, m[1])
	}
	return g
}

// errSwallowed is for an entry that the database took without keeping it.
var errSwallowed = errors.New("the database did not keep an entry of the audit log: has somebody added a trigger?")

// kept fails where an insertion did not add exactly one row: an act whose entry
// is swallowed has not happened.
func kept(tag pgconn.CommandTag) error {
	if tag.RowsAffected() != 1 {
		return &domain.Error{Kind: domain.Internal, Err: errSwallowed}
	}
	return nil
}
