package browser

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/wattgate/wattgate/test/demo"
)

// graphiql opens the query page of a demo, and waits until one can type.
func graphiql(t *testing.T, s *demo.Server) *tab {
	t.Helper()
	p := open(t)
	p.do(chromedp.Navigate(s.Env["WATTGATE_GRAPHIQL_URL"]))
	if title := eval[string](p, "document.title"); strings.Contains(title, "not in this program") {
		missing(t, "GraphiQL (make web build puts it into the program)")
	}
	p.ready()
	return p
}

// ready waits until one can type.
func (p *tab) ready() {
	p.Helper()
	p.until("the page", toolEditor+"?.CodeMirror && "+queryEditor+"?.CodeMirror")
}

// open opens a tab of GraphiQL, and waits until its query is understood.
func (p *tab) open(name string) {
	p.Helper()
	p.button(name)
	p.until("the query "+name, fmt.Sprintf("%s.CodeMirror.operationName === %q", queryEditor, name))
}

// thirdParty fetches a token of the demo's third party.
func thirdParty(t *testing.T, s *demo.Server) string {
	t.Helper()
	answer, err := http.PostForm(s.Env["WATTGATE_AUTH_URL"]+"/token/", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {s.Env["THIRD_PARTY_CLIENT_ID"]}, "client_secret": {s.Env["THIRD_PARTY_CLIENT_SECRET"]},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var said struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil || said.AccessToken == "" {
		t.Fatalf("no token: %s, %v", answer.Status, err)
	}
	return said.AccessToken
}

const noToken = `{
  "Authorization": ""
}`

// K20: the token goes into the headers tab of GraphiQL, in the manual's own words,
// and the manual's query shows the readings. Nobody has to reload the page.
func TestTokenInTheHeadersTab(t *testing.T) {
	t.Parallel()
	s := demo.Start(t)
	p := graphiql(t, s)
	if got := eval[string](p, `document.querySelector(".graphiql-editor-tools button.active").innerText`); got != "Headers" {
		t.Errorf("the tab %q is open, want Headers", got)
	}
	if got := p.text(toolEditor); got != noToken {
		t.Errorf("the headers tab has %q, want %q", got, noToken)
	}
	p.picture("empty")
	if answer := p.run(); !strings.Contains(answer, "KT-CT-1112") {
		t.Errorf("without a token the answer is %.300s, want KT-CT-1112: an empty header is none", answer)
	}

	token := thirdParty(t, s)
	p.fill(toolEditor, `{ "Authorization": "`+token+`" }`)
	p.button("Show Documentation Explorer")
	p.until("the schema", `[...document.querySelectorAll(".graphiql-doc-explorer a")].some((a) => a.innerText === "Query")`)
	p.button("Variables")
	p.fill(toolEditor, `{"id": "`+s.Env["PROPERTY_ID"]+`"}`)
	answer := p.run()
	if n := strings.Count(answer, `"startAt"`); n != 48 || strings.Contains(answer, `"errors"`) {
		t.Errorf("the answer has %d half-hours, want 48: %.500s", n, answer)
	}
	p.until("who holds the token", fmt.Sprintf(`document.querySelector(".holder").innerText.startsWith(%q)`, s.Env["THIRD_PARTY_CLIENT_ID"]+" until "))
	p.picture("readings")

	// Tabs and history are written half a second later; those of another tab too.
	p.button("Add tab")
	p.until("a tab more", `document.querySelectorAll(".graphiql-tabs .graphiql-tab").length === 3`)
	p.button("Show History")
	p.until("the history", `document.querySelector(".graphiql-history")`)
	p.nowhere(token, s.Env["PROPERTY_ID"])
	p.do(chromedp.Reload())
	p.ready()
	if got := p.text(toolEditor); got != noToken {
		t.Errorf("after a reload the headers tab has %q, want %q", got, noToken)
	}
	p.nowhere(token, s.Env["PROPERTY_ID"])
	if got := eval[string](p, "document.documentElement.outerHTML"); strings.Contains(got, token) {
		t.Error("the token is still on the page after a reload")
	}
	p.quiet(s.Env["WATTGATE_CUSTOMER_URL"])
}

// The button asks for what an application has, and its token is in the headers tab.
func TestTokenOfAnApplication(t *testing.T) {
	t.Parallel()
	s := demo.Start(t)
	p := graphiql(t, s)
	p.button("Get a token")
	p.picture("dialog")
	p.enter("Client ID", s.Env["PARTNER_CLIENT_ID"])
	p.enter("Client secret", "wg_test_wrong")
	p.button("Get the token")
	p.until("the refusal", `document.querySelector("dialog[open] [role=alert]")?.innerText.startsWith("These credentials are not accepted.")`)
	p.picture("refused")

	p.enter("Client secret", s.Env["PARTNER_CLIENT_SECRET"])
	p.enter("Customer to act for", s.Env["CUSTOMER_USER_ID"])
	p.button("Get the token")
	p.until("the end of the dialog", `!document.querySelector("dialog[open]")`)
	p.until("who holds the token", fmt.Sprintf(`document.querySelector(".holder").innerText.includes(%q)`, s.Env["PARTNER_CLIENT_ID"]))
	if got := p.text(toolEditor); !strings.HasPrefix(got, "{\n  \"Authorization\": \"eyJ") {
		t.Errorf("the headers tab has %.40q, want a token", got)
	}
	// The other tab has the partner manual's query, and takes the same token.
	p.open("me")
	if answer := p.run(); !strings.Contains(answer, `"firstName"`) || strings.Contains(answer, `"errors"`) {
		t.Errorf("me answered %s", answer)
	}
	p.picture("me")
	p.nowhere(s.Env["PARTNER_CLIENT_SECRET"], s.Env["PARTNER_CLIENT_ID"], s.Env["CUSTOMER_USER_ID"], "eyJ")
	p.button("Get a token")
	p.until("the dialog", `document.querySelector("dialog[open] input[name=secret]")`)
	if got := eval[string](p, `[...document.querySelectorAll("dialog input:not([type=radio])")].map((i) => i.value).join("")`); got != "" {
		t.Errorf("the dialog still has %q", got)
	}
	// The refusal of the wrong secret is a 401, which the browser reports by itself.
	p.expected("the server responded with a status of 401")
	p.quiet(s.Env["WATTGATE_CUSTOMER_URL"])
}

// The same for a customer, with e-mail address and password.
func TestTokenOfACustomer(t *testing.T) {
	t.Parallel()
	s := demo.Start(t)
	p := graphiql(t, s)
	p.button("Get a token")
	p.click(`document.querySelector("dialog[open] input[value=customer]")`)
	p.enter("E-mail address", s.Env["CUSTOMER_EMAIL"])
	p.enter("Password", "not the password")
	p.picture("dialog")
	p.button("Get the token")
	p.until("the refusal", `document.querySelector("dialog[open] [role=alert]")?.innerText.startsWith("This e-mail address and password are not accepted.")`)
	p.enter("Password", s.Env["CUSTOMER_PASSWORD"])
	p.button("Get the token")
	p.until("the end of the dialog", `!document.querySelector("dialog[open]")`)
	p.open("me")
	if answer := p.run(); !strings.Contains(answer, `"firstName"`) || strings.Contains(answer, `"errors"`) {
		t.Errorf("me answered %s", answer)
	}
	p.nowhere(s.Env["CUSTOMER_PASSWORD"], s.Env["CUSTOMER_EMAIL"], "eyJ")
	p.quiet(s.Env["WATTGATE_CUSTOMER_URL"])
}

// What the page is made of works under its policy: the documentation with the
// permission and the price of each field, the explorer, examples and settings.
func TestUnderItsPolicy(t *testing.T) {
	t.Parallel()
	s := demo.Start(t)
	p := graphiql(t, s)
	p.fill(toolEditor, `{"Authorization": "Bearer `+thirdParty(t, s)+`"}`)
	p.button("Show Documentation Explorer")
	docs := func(name string) {
		t.Helper()
		find := fmt.Sprintf(`[...document.querySelectorAll(".graphiql-doc-explorer a")].find((a) => a.innerText === %q)`, name)
		p.until(name+" in the documentation", find)
		p.click(find)
	}
	docs("Query")
	docs("property")
	p.until("what the field demands", `/Permission: CAN_QUERY_PROPERTY/.test(document.querySelector(".graphiql-doc-explorer").innerText)`)
	docs("PropertyType")
	docs("measurements")
	p.until("what the field demands", `/Permission: CAN_VIEW_DETAILED_USAGE/.test(document.querySelector(".graphiql-doc-explorer").innerText)`)
	p.until("what the field costs", `/Complexity: [1-9]/.test(document.querySelector(".graphiql-doc-explorer").innerText)`)
	p.picture("documentation")

	p.button("Show GraphiQL Explorer")
	p.until("the explorer", `document.querySelector(".graphiql-explorer-root")?.innerText.includes("property")`)
	p.picture("explorer")
	p.button("Hide GraphiQL Explorer") // of lists in arguments it says in the console that it does not know them
	names := []string{"usage", "me", "account", "days", "changes", "follow"}
	if got := eval[int](p, `document.querySelectorAll("#examples button").length`); got != len(names) {
		t.Errorf("there are %d examples, want %q", got, names)
	}
	for i, name := range names {
		p.button("Examples")
		if i == 0 {
			p.picture("examples")
		}
		p.click(fmt.Sprintf(`document.querySelectorAll("#examples button")[%d]`, i))
		p.until("a tab more", fmt.Sprintf(`document.querySelectorAll(".graphiql-tabs .graphiql-tab").length === %d`, 3+i))
		p.until("its query", fmt.Sprintf("%s.CodeMirror.operationName === %q", queryEditor, name))
		p.until("the token in it", tokenIsThere)
		p.until("no mistake in it", `!document.querySelector(".graphiql-query-editor .CodeMirror-lint-mark-error")`)
	}
	p.button("Open settings dialog")
	p.until("the settings", `document.querySelector(".graphiql-dialog")`)
	p.button("Dark")
	p.until("the dark theme", `document.body.classList.contains("graphiql-dark")`)
	p.picture("settings")
	p.button("Close dialog")
	p.button("Open short keys dialog")
	p.until("the keys", `document.querySelector(".graphiql-dialog")`)
	p.button("Close dialog")
	p.until("the end of the dialog", `!document.querySelector(".graphiql-dialog")`)
	p.click(queryEditor + `.querySelector(".CodeMirror-lines")`)
	p.do(chromedp.KeyEvent("\r"), chromedp.KeyEvent("m"))
	p.until("what fits", `document.querySelector(".CodeMirror-hints")`)
	if far := eval[float64](p, `Math.abs(document.querySelector(".CodeMirror-hints").getBoundingClientRect().x - document.querySelector(".graphiql-query-editor .CodeMirror-cursor").getBoundingClientRect().x)`); far > 40 {
		t.Errorf("what fits is shown %v away from where one types", far)
	}
	p.picture("dark")
	p.quiet(s.Env["WATTGATE_CUSTOMER_URL"])
}

// A subscription shows what arrives while one looks at it, until it is stopped.
func TestSubscription(t *testing.T) {
	t.Parallel()
	s := demo.Start(t)
	token := thirdParty(t, s)
	p := graphiql(t, s)
	p.fill(toolEditor, `{"Authorization": "`+token+`"}`)
	p.button("Examples")
	p.click(`[...document.querySelectorAll("#examples button")].at(-1)`)
	p.until("its query", queryEditor+`.CodeMirror.operationName === "follow"`)
	p.button("Variables")
	p.fill(toolEditor, `{"id": "`+s.Env["PROPERTY_ID"]+`"}`)
	p.button("Execute query (Ctrl-Enter)")
	p.until("the button that stops it", `document.querySelector("button[aria-label='Stop query (Ctrl-Enter)']")`)

	// Whoever follows is told of what comes after the first answer on the way, which
	// nobody sees: so it is corrected until it is seen.
	day := time.Now().AddDate(0, 0, -3).Format(time.DateOnly)
	file := correction(t, s, token, day)
	for n := 0; !eval[bool](p, responseEditor+`.CodeMirror.getValue().includes(`+strconv.Quote(day)+`)`); n++ {
		if n > 100 {
			t.Fatalf("nothing was told: %s", p.text(responseEditor))
		}
		file(n)
	}
	p.picture("told")
	p.button("Stop query (Ctrl-Enter)")
	p.until("the end of it", `document.querySelector("button[aria-label='Execute query (Ctrl-Enter)']")`)
	p.quiet(s.Env["WATTGATE_CUSTOMER_URL"])
}

// correction returns what imports a day of the demo's household with another value
// for its first half-hour.
func correction(t *testing.T, s *demo.Server, token, day string) func(n int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.Env["WATTGATE_CUSTOMER_URL"]+"/v1/measurements/"+s.Env["SUPPLY_POINT_ID"]+".csv?from="+day+"&to="+day, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines, err := csv.NewReader(answer.Body).ReadAll()
	if err != nil || len(lines) < 47 || lines[0][6] != "value" {
		t.Fatalf("the export of %s: %s, %d lines, %v", day, answer.Status, len(lines), err)
	}
	path := filepath.Join(t.TempDir(), "correction.csv")
	return func(n int) {
		t.Helper()
		lines[1][6] = fmt.Sprintf("9.%03d", n)
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		if err := errors.Join(w.WriteAll(lines), os.WriteFile(path, b.Bytes(), 0o600)); err != nil {
			t.Fatal(err)
		}
		s.Run(t, "import", path)
	}
}

// tokenIsThere says that the headers tab has a token.
const tokenIsThere = `/"Authorization": "(Bearer )?eyJ/.test(` + toolEditor + `.CodeMirror.getValue())`

// With a URL per host the token endpoint answers no script of the page, and the
// dialog says how to ask it instead. The page tries nothing of the kind.
func TestTokenFromAnotherHost(t *testing.T) {
	t.Parallel()
	s := demo.Start(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	auth, customer := fmt.Sprintf("http://127.0.0.1:%d", port), fmt.Sprintf("http://localhost:%d", port)
	// Unlike the demo, an installation shows its schema to whoever has a token.
	s.Serve(t, "--listen", fmt.Sprintf("127.0.0.1:%d", port), "--public-auth-url", auth, "--public-customer-url", customer)
	s.Env["WATTGATE_GRAPHIQL_URL"] = customer + "/graphiql/"
	p := graphiql(t, s)
	p.button("Show Documentation Explorer")
	p.until("no schema", `document.querySelector(".graphiql-doc-explorer").innerText.includes("No GraphQL schema available")`)
	p.button("Headers") // it is open; a token that is not good changes nothing
	p.fill(toolEditor, `{"Authorization": "not a token"}`)
	p.until("the refusal", `document.querySelector(".graphiql-doc-explorer").innerText.includes("Error fetching schema")`)
	p.until("what is said of it", `document.querySelector(".holder").innerText === "The token is none of ours."`)
	p.button("Get a token")
	p.until("how to ask", fmt.Sprintf(`document.querySelector("dialog[open] pre")?.innerText.includes(%q)`, auth+"/token/"))
	p.picture("dialog")
	p.enter("Access token", thirdParty(t, s))
	p.button("Use the token")
	p.until("the schema", `[...document.querySelectorAll(".graphiql-doc-explorer a")].some((a) => a.innerText === "Query")`)
	p.button("Variables")
	p.fill(toolEditor, `{"id": "`+s.Env["PROPERTY_ID"]+`"}`)
	if answer := p.run(); strings.Count(answer, `"startAt"`) != 48 {
		t.Errorf("the answer is %.500s, want 48 half-hours", answer)
	}
	p.quiet(customer)
}

// What is ours on the page follows the rules of WCAG 2.2 that a program can check,
// in both themes and on a narrow screen. GraphiQL's own parts are not looked at.
func TestAccessible(t *testing.T) {
	t.Parallel()
	rules, err := os.ReadFile("../../web/node_modules/axe-core/axe.min.js")
	if err != nil {
		missing(t, "axe-core (make web installs it)")
	}
	s := demo.Start(t)
	p := graphiql(t, s)
	p.do(chromedp.Evaluate(string(rules)+";0", nil))
	look := func(view string) {
		t.Helper()
		found := eval[[]string](p, `axe.run({include: [[".bar"], [".foot"], [".token"], ["#examples"]]}, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
			.then((r) => r.passes.length < 10 ? ["hardly anything was looked at"] : r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.html + " " + n.failureSummary)))`)
		for _, f := range found {
			t.Errorf("%s: %s", view, f)
		}
		p.picture(strings.ReplaceAll(view, " ", "-"))
	}
	for _, theme := range []string{"light", "dark"} {
		p.do(map[string]chromedp.Action{"light": light, "dark": dark}[theme])
		for _, width := range []int64{1280, 390} {
			name := fmt.Sprintf("%s %d", theme, width)
			p.do(chromedp.EmulateViewport(width, 860))
			look(name)
			p.button("Examples")
			p.until("the examples", `document.querySelector("#examples").matches(":popover-open")`)
			look(name + " examples")
			p.do(chromedp.KeyEvent(kb.Escape))
			p.button("Get a token")
			p.enter("Client ID", "app_nobody")
			p.enter("Client secret", "wg_test_nothing")
			p.button("Get the token")
			p.until("the refusal", `document.querySelector("dialog[open] [role=alert]")`)
			look(name + " application")
			p.click(`document.querySelector("dialog[open] input[value=customer]")`)
			p.until("the other fields", `document.querySelector("dialog[open] input[name=password]")`)
			look(name + " customer")
			if wide := eval[int](p, `document.documentElement.scrollWidth`); int64(wide) > width {
				t.Errorf("%s: the page is %d wide", name, wide)
			}
			p.do(chromedp.KeyEvent(kb.Escape))
			p.until("the end of the dialog", `!document.querySelector("dialog[open]")`)
			if got := eval[string](p, `document.activeElement.innerText`); got != "Get a token" {
				t.Errorf("%s: after the dialog the focus is on %q, want the button that opened it", name, got)
			}
		}
	}
}
