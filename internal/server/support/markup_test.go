package support_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/session"
)

// rawOutput are the only things that become markup as they are, and the only places
// that they come from: pictures of the package chart.
var rawOutput = map[string]string{
	"string(v.Carpet)": "year.Carpet()",
	"string(v.Bars)":   "chart.Bars(bars)",
}

// TestWhatBecomesMarkup holds templ.Raw, and what else writes a page around the
// templates, to the pictures of the package chart.
func TestWhatBecomesMarkup(t *testing.T) {
	raw := regexp.MustCompile(`templ\.Raw\((.*)\)\s*$`)
	used := map[string]bool{}
	templates, err := filepath.Glob("*.templ")
	must(t, err)
	if len(templates) == 0 {
		t.Fatal("there is no template")
	}
	for _, name := range templates {
		text, err := os.ReadFile(name)
		must(t, err)
		for line := range strings.Lines(string(text)) {
			m := raw.FindStringSubmatch(line)
			if m == nil {
				if strings.Contains(line, "templ.Raw") || strings.Contains(line, "@templ.") {
					t.Errorf("%s: %s: not a line by itself", name, strings.TrimSpace(line))
				}
				continue
			}
			if rawOutput[m[1]] == "" {
				t.Errorf("%s: templ.Raw(%s) is no picture of the package chart", name, m[1])
			}
			used[m[1]] = true
		}
	}
	if len(used) != len(rawOutput) {
		t.Errorf("got %v, want %v", used, rawOutput)
	}
	// The fields are filled from the package chart and from nothing else.
	files, err := filepath.Glob("*.go")
	must(t, err)
	filled := map[string]int{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_templ.go") {
			continue
		}
		text, err := os.ReadFile(name)
		must(t, err)
		for _, word := range []string{"templ.Raw", "templ.ComponentFunc", "templ.ComponentScript", "templ.JS", "html/template"} {
			if strings.Contains(string(text), word) {
				t.Errorf("%s uses %s: pages are written by templates", name, word)
			}
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		must(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					s, ok := left.(*ast.SelectorExpr)
					if !ok || s.Sel.Name != "Carpet" && s.Sel.Name != "Bars" || len(n.Lhs) != len(n.Rhs) {
						continue
					}
					if v, ok := s.X.(*ast.Ident); !ok || v.Name != "v" || slices.Contains([]string{"timeline"}, v.Name) {
						continue
					}
					right := string(text[n.Rhs[i].Pos()-1 : n.Rhs[i].End()-1])
					if want := rawOutput["string(v."+s.Sel.Name+")"]; name == "myusage.go" && right != want {
						t.Errorf("%s: v.%s = %s, want %s", name, s.Sel.Name, right, want)
					}
					if name == "myusage.go" {
						filled[s.Sel.Name]++
					}
				}
			case *ast.KeyValueExpr:
				if k, ok := n.Key.(*ast.Ident); ok && name == "myusage.go" && (k.Name == "Carpet" || k.Name == "Bars") {
					t.Errorf("%s: %s is filled in a literal", name, k.Name)
				}
			}
			return true
		})
	}
	if filled["Carpet"] != 1 || filled["Bars"] != 1 {
		t.Errorf("the pictures are filled in %v times, want once each", filled)
	}
}

var (
	tags     = regexp.MustCompile(`<([a-z0-9]+)((?:\s+[a-z-]+(?:="[^"]*")?)*)\s*/?>`)
	attrs    = regexp.MustCompile(`([a-z-]+)(?:="([^"]*)")?`)
	heads    = regexp.MustCompile(`<h1[ >]`)
	buttons  = regexp.MustCompile(`(?s)<(button|a)[^>]*>(.*?)</(?:button|a)>`)
	anyTag   = regexp.MustCompile(`<[^>]*>`)
	inLabels = regexp.MustCompile(`(?s)<label class="(?:choice|check)">(<input[^>]*>)`)
)

// TestPagesForEverybody: what a reader of the screen and somebody without a mouse
// need, of every page and of forms that come back. WCAG 2.2: 1.3.1, 2.4.2, 2.4.6,
// 3.3.1, 3.3.2, 4.1.2.
func TestPagesForEverybody(t *testing.T) {
	s := newSite(t, true)
	alpha := s.partner(t, "Alpha")
	app := s.application(t, alpha, "Reader")
	_, err := s.registry.AddSecret(t.Context(), s.by, app.ID, 7*24*3600e9, 0)
	must(t, err)
	half := s.staff(t, "half@example.com", "", domain.OAuthManager)
	value := s.prove(t, s.staff(t, "a@example.com", "", domain.OAuthManager))
	other := s.application(t, alpha, "Other")
	link, _, err := s.registry.HandOver(t.Context(), s.by, other.ID, 0)
	must(t, err)
	s.now = s.now.Add(session.Fresh) // every form asks for a code
	half2 := s.in(t, "a@example.com")
	page := "/support/applications/" + string(app.ID)
	must(t, s.registry.SetRole(t.Context(), s.by, domain.Role{Name: domain.RoleThirdPartyViewer}))
	bad := url.Values{"name": {"Typed"}, "partner": {string(alpha)}, "role": {"METERING_INTEGRATION"}}
	with := func(key, value string) url.Values {
		f := url.Values{}
		for k, v := range bad {
			f[k] = v
		}
		f.Set(key, value)
		return f
	}
	for name, c := range map[string]struct {
		who            domain.Secret
		method, target string
		form           url.Values
		status         int
		field          string // the one that is wrong
	}{
		"the log-in":               {domain.Secret{}, "GET", "/support/login", nil, 200, ""},
		"customers' log-in":        {domain.Secret{}, "GET", "/my/login", nil, 200, ""},
		"a set-up":                 {half, "GET", "/support/code", nil, 200, ""},
		"a set-up, wrong":          {half, "POST", "/support/enrol", url.Values{"key": {strings.Repeat("A", 32)}, "code": {"1"}}, 403, ""},
		"a code":                   {half2, "GET", "/support/code", nil, 200, ""},
		"a code, wrong":            {half2, "POST", "/support/code", url.Values{"code": {"1"}}, 403, ""},
		"the list":                 {value, "GET", "/support/applications", nil, 200, ""},
		"an empty list":            {value, "GET", "/support/applications?q=x", nil, 200, ""},
		"the form":                 {value, "GET", "/support/applications/new", nil, 200, ""},
		"the form, no name":        {value, "POST", "/support/applications", with("name", ""), 403, ""},
		"the form, no partner":     {value, "POST", "/support/applications", with("partner", ""), 400, "partner"},
		"the form, a lifetime":     {value, "POST", "/support/applications", with("lifetime", "59"), 400, "lifetime"},
		"the form, an expiry":      {value, "POST", "/support/applications", with("expires", "x"), 400, "expires"},
		"the form, to be proven":   {value, "POST", "/support/applications", bad, 403, ""},
		"an application":           {value, "GET", page, nil, 200, ""},
		"an application, unproven": {value, "POST", page + "/replace", url.Values{}, 403, ""},
		"the roles":                {value, "GET", "/support/roles", nil, 200, ""},
		"a role":                   {value, "GET", "/support/roles?edit=METERING_INTEGRATION", nil, 200, ""},
		"a role, to be saved":      {value, "POST", "/support/roles/METERING_INTEGRATION", url.Values{"permission": {"CAN_QUERY_PROPERTY"}}, 200, ""},
		"a link":                   {domain.Secret{}, "GET", "/handover?link=" + link.Reveal(), nil, 200, ""},
		"a link that is over":      {domain.Secret{}, "GET", "/handover?link=x", nil, 404, ""},
		"a page that is not there": {value, "GET", "/support/applications/app_x", nil, 404, ""},
	} {
		w := s.as(c.who, c.method, c.target, c.form)
		body := w.Body.String()
		if w.Code != c.status {
			t.Errorf("%s: got %d, want %d", name, w.Code, c.status)
		}
		checkPage(t, name, body)
		if typed := c.form.Get("name"); typed != "" && !strings.Contains(body, `value="`+typed+`"`) {
			t.Errorf("%s: what was typed is lost", name)
		}
		if c.field != "" && !regexp.MustCompile(`id="`+c.field+`"[^>]* aria-invalid="true"`).MatchString(body) {
			t.Errorf("%s: the field %s is not said to be wrong", name, c.field)
		}
		if c.method == "POST" && c.status >= 400 && !strings.Contains(body, `role="alert" tabindex="-1" autofocus`) {
			t.Errorf("%s: what was wrong does not take the focus", name)
		}
	}
}

func checkPage(t *testing.T, name, body string) {
	t.Helper()
	if n := len(heads.FindAllString(body, -1)); n != 1 {
		t.Errorf("%s: %d headings of the first order, want 1", name, n)
	}
	for _, want := range []string{`lang="en"`, "<title>", "<main", "width=device-width"} {
		if !strings.Contains(body, want) {
			t.Errorf("%s: no %s", name, want)
		}
	}
	for _, no := range []string{"<script", " style=", " onclick", " onload", "javascript:"} {
		if strings.Contains(body, no) {
			t.Errorf("%s: has %s", name, no)
		}
	}
	ids, wanted, labels := map[string]bool{}, map[string]string{}, map[string]bool{}
	type input struct{ id, tag string }
	var inputs []input
	wrapped := map[string]bool{}
	for _, m := range inLabels.FindAllStringSubmatch(body, -1) {
		wrapped[m[1]] = true
	}
	for _, m := range tags.FindAllStringSubmatch(body, -1) {
		at := map[string]string{}
		for _, a := range attrs.FindAllStringSubmatch(m[2], -1) {
			at[a[1]] = a[2]
		}
		if id := at["id"]; id != "" {
			if ids[id] {
				t.Errorf("%s: the id %s stands twice", name, id)
			}
			ids[id] = true
		}
		for _, key := range []string{"aria-describedby", "aria-labelledby", "for"} {
			for _, id := range strings.Fields(at[key]) {
				wanted[id] = m[0]
				if key == "for" {
					labels[id] = true
				}
			}
		}
		switch m[1] {
		case "input", "select", "textarea":
			if at["type"] != "hidden" && at["aria-label"] == "" && !wrapped[m[0]] {
				inputs = append(inputs, input{at["id"], m[0]})
			}
		case "img", "svg":
			if at["alt"] == "" && at["aria-hidden"] != "true" && at["aria-label"] == "" {
				t.Errorf("%s: a picture says nothing: %s", name, m[0])
			}
		}
		if v, has := at["aria-invalid"]; has && v != "true" {
			t.Errorf("%s: aria-invalid=%q says nothing", name, v)
		}
	}
	for id, tag := range wanted {
		if !ids[id] {
			t.Errorf("%s: %s speaks of %s, which is not there", name, tag, id)
		}
	}
	for _, in := range inputs {
		if !labels[in.id] {
			t.Errorf("%s: no label: %s", name, in.tag)
		}
	}
	for _, m := range buttons.FindAllStringSubmatch(body, -1) {
		if strings.TrimSpace(anyTag.ReplaceAllString(m[2], "")) == "" {
			t.Errorf("%s: says nothing: %s", name, m[0])
		}
	}
}
