package customer_test

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	graphql "github.com/vektah/gqlparser/v2/ast"

	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/customer"
)

var update = flag.Bool("update", false, "write the golden files anew")

const goldenSchema = "../../../testdata/golden/schema.graphql"

// The published schema says everything that the one which is served says.
func TestThePublishedSchema(t *testing.T) {
	text := customer.SDL()
	read, err := gqlparser.LoadSchema(&graphql.Source{Input: text})
	if err != nil {
		t.Fatalf("it cannot be read: %v", err)
	}
	served := newWorld(t).api.Schema()
	described := 0
	for name, d := range served.Types {
		got := read.Types[name]
		if d.BuiltIn {
			continue
		}
		if got == nil || got.Kind != d.Kind || got.Description != d.Description || !slices.Equal(got.Interfaces, d.Interfaces) || !slices.Equal(got.Types, d.Types) {
			t.Errorf("%s: got %+v, want %+v", name, got, d)
			continue
		}
		for _, f := range d.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			g := got.Fields.ForName(f.Name)
			if g == nil || g.Description != f.Description || g.Type.String() != f.Type.String() || g.DefaultValue.String() != f.DefaultValue.String() {
				t.Errorf("%s.%s: got %+v, want %+v", name, f.Name, g, f)
				continue
			}
			described++
			for i, a := range f.Arguments {
				b := g.Arguments[i]
				if b.Name != a.Name || b.Description != a.Description || b.Type.String() != a.Type.String() || b.DefaultValue.String() != a.DefaultValue.String() {
					t.Errorf("%s.%s(%s): got %+v, want %+v", name, f.Name, a.Name, b, a)
				}
			}
			for _, directive := range f.Directives {
				if g.Directives.ForName(directive.Name) == nil {
					t.Errorf("%s.%s has lost @%s", name, f.Name, directive.Name)
				}
			}
			hasDate(t, name+"."+f.Name, f.Directives)
		}
		for _, v := range d.EnumValues {
			if g := got.EnumValues.ForName(v.Name); g == nil || g.Description != v.Description {
				t.Errorf("%s.%s: got %+v, want %+v", name, v.Name, g, v)
			}
			hasDate(t, name+"."+v.Name, v.Directives)
		}
	}
	if described < 300 {
		t.Errorf("%d fields compared, want all of the schema", described)
	}
	if *update {
		if err := os.WriteFile(goldenSchema, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err2 := os.ReadFile(goldenSchema)
	if err2 != nil {
		t.Fatal(err2)
	}
	if string(golden) != text {
		t.Errorf("the published schema has changed: read what clients will see of it, and write %s anew with -update", goldenSchema)
	}
}

// hasDate checks that what goes away says since when that is known, and what to use.
func hasDate(t *testing.T, name string, list graphql.DirectiveList) {
	d := list.ForName("deprecated")
	if d == nil {
		return
	}
	reason := d.Arguments.ForName("reason")
	if reason == nil || len(reason.Value.Raw) < 20 || reason.Value.Raw[4] != '-' || reason.Value.Raw[7] != '-' || reason.Value.Raw[10:12] != ": " {
		t.Errorf("%s is deprecated without a date and what to do: %v", name, reason)
	}
}

func TestWhatEverybodyMayRead(t *testing.T) {
	table, err := (&customer.Host{Usage: newWorld(t).usage, URL: "http://customer.test"}).Table()
	if err != nil {
		t.Fatal(err)
	}
	get := func(path, etag string) *httptest.ResponseRecorder {
		for _, route := range table.Routes {
			if route.Pattern != "GET "+path {
				continue
			}
			if route.Guard != server.Public {
				t.Errorf("%s is not for everybody", path)
			}
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Header.Set("If-None-Match", etag)
			out := httptest.NewRecorder()
			if err := route.Handler(out, r, &server.Call{}); err != nil {
				t.Fatal(err)
			}
			return out
		}
		t.Fatalf("no route %s", path)
		return nil
	}
	out := get("/v1/graphql/schema.graphql", "")
	if out.Code != http.StatusOK || out.Body.String() != customer.SDL() || out.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("the schema: %d %v %.100s", out.Code, out.Header(), out.Body)
	}
	if again := get("/v1/graphql/schema.graphql", out.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("the schema again: %d, %d bytes", again.Code, again.Body.Len())
	}
	page := get("/v1/graphql/errors", "")
	for _, number := range customer.Codes() {
		if !strings.Contains(page.Body.String(), `<dt id="`+number+`">`) {
			t.Errorf("the page of errors does not have %s", number)
		}
	}
	if policy := page.Header().Get("Content-Security-Policy"); page.Code != http.StatusOK || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("the page of errors: %d, policy %q", page.Code, policy)
	}
}

// Every code of the package is in the list of codes, once.
func TestAllCodesAreListed(t *testing.T) {
	listed := map[string]int{}
	for _, number := range customer.Codes() {
		if listed[number]++; listed[number] > 1 {
			t.Errorf("%s is listed twice", number)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			c, ok := n.(*ast.CompositeLit)
			if name, named := literalType(c); !ok || !named || name != "code" || len(c.Elts) < 2 {
				return true
			}
			number, ok := c.Elts[1].(*ast.BasicLit)
			if !ok {
				return true
			}
			text, err := strconv.Unquote(number.Value)
			if err != nil {
				t.Fatal(err)
			}
			if found++; listed[text] == 0 {
				t.Errorf("%s: the code %s is not in the list codes", file, text)
			}
			return true
		})
	}
	if found < 10 {
		t.Errorf("%d codes found in the source", found)
	}
}

func literalType(c *ast.CompositeLit) (string, bool) {
	if c == nil {
		return "", false
	}
	name, ok := c.Type.(*ast.Ident)
	if !ok {
		return "", false
	}
	return name.Name, true
}
