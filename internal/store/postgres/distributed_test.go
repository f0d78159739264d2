package postgres_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

// spreadTables are those that Citus distributes by channel.
var spreadTables = []string{"extent", "hot", "seal", "history", "register_read"}

var (
	ofSpreadTable = regexp.MustCompile(`(?i)\b(FROM|JOIN|INTO|UPDATE)\s+(` + strings.Join(spreadTables, "|") + `)\b`)
	namesChannel  = regexp.MustCompile(`(?i)\bch\s*(=|IN\b)|\(ch\b|, ch\b|SELECT ch\b|GROUP BY h\.ch`)
	locksRows     = regexp.MustCompile(`(?i)FOR\s+(NO\s+KEY\s+)?(UPDATE|SHARE|KEY\s+SHARE)`)
)

// texts returns the string constants of the folder's program.
func texts(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				found[set.Position(lit.Pos()).String()] = text
			}
			return true
		})
	}
	return found
}

// TestStatementsCanBeDistributed: what touches measurements names its channel,
// and nothing locks rows of several workers (the rules of Citus).
func TestStatementsCanBeDistributed(t *testing.T) {
	seen := 0
	for place, sql := range texts(t) {
		if !ofSpreadTable.MatchString(sql) {
			continue
		}
		seen++
		if !namesChannel.MatchString(sql) {
			t.Errorf("%s: the statement names no channel:\n%s", place, sql)
		}
		if locksRows.MatchString(sql) && !strings.Contains(sql, "ch = $") {
			t.Errorf("%s: the statement locks rows of several channels:\n%s", place, sql)
		}
	}
	if seen < 12 {
		t.Errorf("got %d statements about measurements, want those of the whole folder", seen)
	}
	for sentence, sql := range map[string]string{
		"no channel": "DELETE FROM hot WHERE day < $1",
		"a lock":     "SELECT 1 FROM extent WHERE ch = ANY ($1) FOR UPDATE",
	} {
		if ofSpreadTable.MatchString(sql) && namesChannel.MatchString(sql) && (!locksRows.MatchString(sql) || strings.Contains(sql, "ch = $")) {
			t.Errorf("%s would not be found", sentence)
		}
	}
}

// TestKeysHoldTheChannel: a unique key of a distributed table that does not hold
// its column could not be checked at one worker.
func TestKeysHoldTheChannel(t *testing.T) {
	s := open(t, "", options())
	for _, table := range spreadTables {
		keys, err := s.Values(t.Context(), `SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indisunique AND indrelid = '`+table+`'::regclass`)
		if err != nil {
			t.Fatal(err)
		}
		if len(keys) == 0 {
			t.Errorf("%s has no unique key", table)
		}
		for _, key := range keys {
			_, columns, _ := strings.Cut(key, "USING btree (")
			if !slices.Contains(strings.Split(strings.TrimSuffix(columns, ")"), ", "), "ch") {
				t.Errorf("%s: the key %s does not hold ch", table, key)
			}
		}
		refers, err := s.Values(t.Context(), `SELECT conname::text FROM pg_constraint WHERE contype = 'f' AND conrelid = '`+table+`'::regclass`)
		if err != nil || len(refers) > 0 {
			t.Errorf("%s refers to other tables by %v (%v), want none", table, refers, err)
		}
	}
}

// TestDistributeWithoutCitus: a server without the extension says so, and nothing
// is changed.
func TestDistributeWithoutCitus(t *testing.T) {
	url := postgrestest.URL(t)
	s := open(t, url, options())
	available, err := s.Values(t.Context(), `SELECT name::text FROM pg_available_extensions WHERE name = 'citus'`)
	if err != nil {
		t.Fatal(err)
	}
	if len(available) > 0 {
		return // TestDistributed is for such a server
	}
	_, err = s.Distribute(t.Context())
	kind(t, "distributing without Citus", err, domain.Conflict)
	st, err := postgres.Inspect(t.Context(), url)
	if err != nil || st.Distributed || st.Version != st.Known || st.Bytes == 0 {
		t.Errorf("got the state %+v (%v), want the newest version, not distributed", st, err)
	}
}
