package app_test

import (
	"encoding/base64"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// must is what a section demands: a request, and what is to come of it. The
// tables of these files are named by section, so that whoever reads the RFC
// finds the case, and the other way round.
type must struct {
	ask    string
	status int
	body   string            // what the body matches
	lacks  string            // what it does not; empty: nothing
	header map[string]string // what headers match; "" where there must be none
}

// section is how the name of a case begins.
var section = regexp.MustCompile(`^RFC [0-9]{4} §[0-9]+(\.[0-9]+)*(, (RFC [0-9]{4} )?§[0-9]+(\.[0-9]+)*)*: `)

// demand goes through a table.
func (w *world) demand(t *testing.T, table map[string]must) {
	t.Helper()
	for name, c := range table {
		if !section.MatchString(name) {
			t.Errorf("%q names no section", name)
		}
		a := w.ask(t, c.ask)
		if a.status != c.status || !regexp.MustCompile(c.body).MatchString(a.body) {
			t.Errorf("%s: got %d %s\nwant %d %s\nfor %.300q", name, a.status, a.body, c.status, c.body, c.ask)
		}
		if c.lacks != "" && regexp.MustCompile(c.lacks).MatchString(a.body) {
			t.Errorf("%s: got %s, which must not hold %s", name, a.body, c.lacks)
		}
		for header, want := range c.header {
			lines := a.header.Values(header)
			got := strings.Join(lines, " | ")
			if want == "" && len(lines) > 0 || want != "" && !regexp.MustCompile(want).MatchString(got) {
				t.Errorf("%s: %s: got %q, want %q", name, header, got, want)
			}
		}
	}
}

// opened returns what a JWT says, without a look at its signature.
func opened(t *testing.T, jwt string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("%.80q is no JWT", jwt)
	}
	for i, into := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

// TestEveryRFCHasNamedCases: of each RFC whose endpoints there are, some case of
// some table is named by its section.
func TestEveryRFCHasNamedCases(t *testing.T) {
	named := map[string]int{}
	begins := regexp.MustCompile(`^RFC ([0-9]{4}) §`)
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			pair, ok := n.(*ast.KeyValueExpr) // a name and its case
			if !ok {
				return true
			}
			if text, ok := pair.Key.(*ast.BasicLit); ok && text.Kind == token.STRING {
				name, err := strconv.Unquote(text.Value)
				if m := begins.FindStringSubmatch(name); err == nil && m != nil {
					named[m[1]]++
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for number, title := range map[string]string{
		"6749": "the framework", "6750": "bearer tokens", "7009": "revocation", "7523": "assertions", "7636": "PKCE",
		"7662": "introspection", "8252": "native applications", "8414": "metadata", "8628": "devices", "8693": "token exchange",
		"8705": "client certificates", "8707": "resource", "9068": "access tokens", "9101": "request objects", "9126": "pushed requests",
		"9207": "iss in answers", "9440": "forwarded certificates", "9449": "DPoP", "9700": "best practice", "9701": "signed introspection",
		"9728": "what APIs say of themselves",
	} {
		if named[number] == 0 {
			t.Errorf("RFC %s (%s): no case of any table is named by its section", number, title)
		}
	}
}

// encode writes a part of a JWT.
func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
