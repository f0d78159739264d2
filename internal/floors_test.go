package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/wattgate/wattgate/"

// floors says on which floor a folder is. A package imports from lower floors,
// or the folder it lives in; neighbours do not meet.
var floors = map[string]float64{
	"internal/domain": 0,
	"internal/oauth":  0,
	"web":             0, // the built pages

	"internal/assertion": 1,
	"internal/authz":     1,
	"internal/chart":     1,
	"internal/dialect":   1,
	"internal/dpop":      1,
	"internal/interval":  1,
	"internal/meterfile": 1,
	"internal/secret":    1,
	"internal/throttle":  1,
	"internal/token":     1,

	"internal/audit":     2,
	"internal/authn":     2,
	"internal/authorize": 2,
	"internal/intake":    2,
	"internal/issuance":  2,
	"internal/registry":  2,
	"internal/session":   2,
	"internal/supply":    2,
	"internal/usage":     2,
	"internal/webhook":   2,

	"internal/server":                      3,
	"internal/server/auth":                 3,
	"internal/server/customer":             3,
	"internal/server/customer/graph":       2.5, // generated; between the resolvers and what they ask
	"internal/server/support":              3,
	"internal/store":                       3,
	"internal/store/postgres":              3,
	"internal/store/postgres/postgrestest": 3,
	"internal/store/sqlite":                3,
	"internal/store/storetest":             3,

	"internal/app": 4,

	"cmd/wattgate": 5,
	"bench":        5,
	"bench/bare":   4.5,
	"bench/cost":   4.5,
	"bench/crowd":  4.5,
	"bench/load":   4.5,
	"bench/meter":  4.75, // asks bench/cost
	"internal":     5,    // the map and this test
}

// foreign lists what a folder imports from others. Everything else gets by with
// the standard library.
var foreign = map[string][]string{
	"internal/assertion":                   {"github.com/go-jose/go-jose/v4"},
	"internal/audit":                       {"golang.org/x/mod/sumdb/"},
	"internal/dpop":                        {"github.com/go-jose/go-jose/v4"},
	"internal/meterfile":                   {"github.com/klauspost/compress/zstd", "github.com/parquet-go/parquet-go"},
	"internal/secret":                      {"golang.org/x/crypto/argon2"},
	"internal/server/customer":             {"github.com/99designs/gqlgen/", "github.com/vektah/gqlparser/", "golang.org/x/sync/", "github.com/coder/websocket"},
	"internal/server/customer/graph":       {"github.com/99designs/gqlgen/", "github.com/vektah/gqlparser/"},
	"internal/server/support":              {"github.com/a-h/templ"},
	"internal/session":                     {"github.com/pquerna/otp"},
	"internal/store/postgres":              {"github.com/jackc/pgx/v5"},
	"internal/store/postgres/postgrestest": {"github.com/jackc/pgx/v5"},
	"internal/store/sqlite":                {"zombiezen.com/go/sqlite", "modernc.org/"},
	"internal/store/storetest":             {"pgregory.net/rapid"},
	"bench/crowd":                          {"zombiezen.com/go/sqlite"},
	"bench/meter":                          {"github.com/jackc/pgx/v5", "zombiezen.com/go/sqlite"},
	"internal/app":                         {"github.com/VictoriaMetrics/metrics", "go.yaml.in/yaml/v3", "golang.org/x/sync/"},
	"cmd/wattgate":                         {"github.com/spf13/", "go.yaml.in/yaml/v3", "golang.org/x/term"},
}

func TestFloors(t *testing.T) {
	seen := map[string]bool{}
	for file, imports := range sources(t) {
		folder := filepath.ToSlash(filepath.Dir(file))
		floor, listed := floors[folder]
		if !listed {
			t.Errorf("%s: the folder stands on no floor: add it to the list", folder)
			continue
		}
		seen[folder] = true
		for _, path := range imports {
			if strings.HasSuffix(file, "_test.go") {
				continue // tests may look from outside
			}
			inner, ours := strings.CutPrefix(path, module)
			if ours {
				below, known := floors[inner]
				if !known || below >= floor && !strings.HasPrefix(folder+"/", inner+"/") {
					t.Errorf("%s (floor %v) imports %s (floor %v)", file, floor, inner, below)
				}
				continue
			}
			if strings.Contains(strings.Split(path, "/")[0], ".") && !allowed(folder, path) {
				t.Errorf("%s imports %s, which is not on the list of its folder", file, path)
			}
			if floor == 2 && (path == "net/http" || path == "database/sql") {
				t.Errorf("%s imports %s: decisions know neither wire nor database", file, path)
			}
		}
	}
	for folder := range floors {
		if !seen[folder] {
			t.Errorf("%s is on the list and not in the tree", folder)
		}
	}
}

func TestPackagesAskAQuestion(t *testing.T) {
	docs := map[string]string{}
	root := moduleRoot(t)
	for file := range sources(t) {
		if strings.HasSuffix(file, "_test.go") || strings.HasSuffix(file, "_templ.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.ToSlash(filepath.Dir(file))
		if f.Doc != nil && !strings.HasPrefix(f.Doc.Text(), "Code generated") {
			docs[folder] += f.Doc.Text()
		} else {
			docs[folder] += ""
		}
	}
	for folder, doc := range docs {
		switch folder {
		case "cmd/wattgate", "bench", "internal", "internal/domain": // commands, the map, the nouns
			continue
		}
		first, _, _ := strings.Cut(strings.ReplaceAll(doc, "\n", " "), "? ")
		if !strings.HasPrefix(first, "Package ") || !strings.Contains(first, "answers one question: ") {
			t.Errorf("%s: the package's first sentence is %.80q; want the one question that it answers", folder, first)
		}
	}
}

func allowed(folder, path string) bool {
	for _, prefix := range foreign[folder] {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// sources parses the imports of every Go file itself: a test that asks the go
// command is answered from the test cache.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	root := moduleRoot(t)
	files := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || nested(path)) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		list := []string{}
		for _, spec := range f.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			list = append(list, p)
		}
		files[filepath.ToSlash(rel)] = list
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("found %d Go files only: this test looks in the wrong place", len(files))
	}
	return files
}

// nested reports whether a folder is a module of its own.
func nested(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}
