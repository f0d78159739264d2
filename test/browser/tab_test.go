package browser

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/wattgate/wattgate/test/demo"
)

// How long one browser, one test and one thing that a page does may take.
const (
	whole    = 10 * time.Minute
	test     = 90 * time.Second
	patience = 30 * time.Second
)

func TestMain(m *testing.M) {
	code := demo.Main(m)
	closeBrowser()
	os.Exit(code)
}

// closeBrowser ends the browser, if one was started.
var closeBrowser = func() {}

// browser is the one browser of all tests; each has a profile of its own in it.
var browser = sync.OnceValues(func() (context.Context, error) {
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && program == "" {
			program = path
		}
	}
	if program == "" {
		return nil, nil
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(program), chromedp.WindowSize(1280, 860), chromedp.Flag("lang", "en-GB"), chromedp.Flag("disable-dev-shm-usage", true))
	if os.Geteuid() == 0 { // chromium has no sandbox for root
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(context.Background(), whole)
	allocator, end := chromedp.NewExecAllocator(ctx, options...)
	first, closeFirst := chromedp.NewContext(allocator)
	closeBrowser = func() {
		closeFirst()
		end()
		cancel()
	}
	return first, chromedp.Run(first)
})

// missing is said where something is not on this machine: a skip with a sentence,
// and a failure where nothing may be skipped.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing, and with CI=true nothing is skipped", what)
	}
	t.Skipf("%s is missing", what)
}

// tab is a page that somebody looks at, and what the browser says of it.
type tab struct {
	*testing.T
	ctx context.Context

	mu       sync.Mutex
	messages []string // of the console, of the browser, and of its audits
	asked    []string // all addresses
}

// open opens a tab without cookies or storage.
func open(t *testing.T) *tab {
	t.Helper()
	parent, err := browser()
	if err != nil {
		t.Fatal(err)
	}
	if parent == nil {
		missing(t, "chromium")
	}
	ctx, end := chromedp.NewContext(parent, chromedp.WithTargetID(window(t, parent)))
	t.Cleanup(end)
	ctx, cancel := context.WithTimeout(ctx, test)
	t.Cleanup(cancel)
	p := &tab{T: t, ctx: ctx}
	chromedp.ListenTarget(ctx, p.hear)
	if err := chromedp.Run(ctx); err != nil { // the tab lives as long as the context of its first run
		t.Fatal(err)
	}
	p.do(log.Enable(), audits.Enable(), network.Enable(), runtime.Enable(), light)
	return p
}

// window opens a window of a profile of its own: a tab of a new profile has none
// to be in.
func window(t *testing.T, parent context.Context) target.ID {
	t.Helper()
	ctx := cdp.WithExecutor(parent, chromedp.FromContext(parent).Browser)
	profile, err := target.CreateBrowserContext().WithDisposeOnDetach(true).Do(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := target.DisposeBrowserContext(profile).Do(ctx); err != nil {
			t.Error(err)
		}
	})
	id, err := target.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).Do(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

var (
	light = emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "light"}})
	dark  = emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}})
)

func (p *tab) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		p.messages = append(p.messages, fmt.Sprintf("%s, %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *runtime.EventConsoleAPICalled:
		var words []string
		for _, a := range e.Args {
			words = append(words, string(a.Value)+a.Description)
		}
		p.messages = append(p.messages, fmt.Sprintf("console.%s: %s", e.Type, strings.Join(words, " ")))
	case *runtime.EventExceptionThrown:
		p.messages = append(p.messages, "thrown: "+e.ExceptionDetails.Error())
	case *audits.EventIssueAdded:
		if d := e.Issue.Details.ContentSecurityPolicyIssueDetails; d != nil {
			p.messages = append(p.messages, fmt.Sprintf("policy: %s refused %s", d.ViolatedDirective, d.BlockedURL))
		}
	case *network.EventRequestWillBeSent:
		p.asked = append(p.asked, e.Request.URL)
	}
}

// quiet demands that the browser had nothing to say, and asked one origin only.
func (p *tab) quiet(origin string) {
	p.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.messages {
		p.Errorf("the browser says: %s", m)
	}
	for _, address := range p.asked {
		if u, err := url.Parse(address); err != nil || u.Scheme != "data" && u.Scheme+"://"+u.Host != origin {
			p.Errorf("the page asked %.100s, which is not of %s", address, origin)
		}
	}
	if len(p.asked) == 0 {
		p.Error("the page asked nothing: this test looks in the wrong place")
	}
}

func (p *tab) do(actions ...chromedp.Action) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		p.picture("failed")
		p.Fatal(err)
	}
}

// eval returns what an expression is on the page. It is the debugger that asks,
// which no policy of the page forbids.
func eval[T any](p *tab, expression string) T {
	p.Helper()
	var value T
	p.do(chromedp.Evaluate(expression, &value, func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }))
	return value
}

// until waits for an expression to be true.
func (p *tab) until(what, expression string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for {
		var yes bool
		err := chromedp.Run(ctx, chromedp.Evaluate("Boolean("+expression+")", &yes))
		if err == nil && yes {
			return
		}
		select {
		case <-ctx.Done():
			p.picture("failed")
			p.Fatalf("waited %v for %s (%v)", patience, what, err)
		case <-tick.C:
		}
	}
}

// button clicks the button with that text or label.
func (p *tab) button(name string) {
	p.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll("button, [role=tab], a")].filter((b) => b.offsetParent !== null && !b.disabled && ((b.innerText ?? "").trim() === %[1]q || b.getAttribute("aria-label") === %[1]q)).at(-1)`, name)
	p.until("the button "+name, find)
	p.click(find)
}

// click presses the mouse in the middle of what an expression finds.
func (p *tab) click(find string) {
	p.Helper()
	at := eval[[]float64](p, `(() => { const e = `+find+`; e.scrollIntoView({block: "nearest"}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`)
	p.do(chromedp.MouseClickXY(at[0], at[1]))
}

// enter types into the field of a form that has that label.
func (p *tab) enter(label, text string) {
	p.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll("dialog[open] label")].find((l) => l.innerText.trim().startsWith(%q))?.control`, label)
	p.until("the field "+label, find)
	p.click(find)
	p.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(input.ModifierCtrl)), input.InsertText(text))
}

// The four editors of GraphiQL.
const (
	queryEditor    = `document.querySelector(".graphiql-query-editor .CodeMirror")`
	toolEditor     = `document.querySelector(".graphiql-editor-tool .graphiql-editor:not(.hidden) .CodeMirror")` // variables or headers: what is open
	responseEditor = `document.querySelector(".result-window .CodeMirror")`
)

// fill replaces what is in an editor, as pasting does.
func (p *tab) fill(editor, text string) {
	p.Helper()
	p.click(editor + `.querySelector(".CodeMirror-lines")`)
	p.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(input.ModifierCtrl)), chromedp.KeyEvent(kb.Delete), input.InsertText(text))
	if got := p.text(editor); got != text {
		p.Fatalf("the editor has %q, want %q", got, text)
	}
}

// text is what is in an editor.
func (p *tab) text(editor string) string {
	p.Helper()
	return eval[string](p, editor+".CodeMirror.getValue()")
}

// run runs the query of the tab and returns the answer.
func (p *tab) run() string {
	p.Helper()
	p.until("the page at rest", `!document.querySelector(".graphiql-response .graphiql-spinner")`)
	p.button("Execute query (Ctrl-Enter)")
	p.until("an answer", `!document.querySelector(".graphiql-response .graphiql-spinner") && `+responseEditor+`.CodeMirror.getValue() !== ""`)
	return p.text(responseEditor)
}

// nowhere demands that texts are in no storage that outlives the page.
func (p *tab) nowhere(texts ...string) {
	p.Helper()
	kept := eval[string](p, `JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])`)
	databases := eval[int](p, `indexedDB.databases().then((list) => list.length)`)
	for _, text := range texts {
		if strings.Contains(kept, text) {
			p.Errorf("the browser keeps %.12s…: %s", text, kept)
		}
	}
	if databases != 0 {
		p.Errorf("the page has %d databases", databases)
	}
}

// picture keeps a picture of the page for people to look at, in out/.
func (p *tab) picture(name string) {
	p.Helper()
	var shot []byte
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, chromedp.CaptureScreenshot(&shot)); err != nil {
		p.Logf("no picture %s: %v", name, err)
		return
	}
	err := os.MkdirAll("out", 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join("out", strings.ReplaceAll(p.Name(), "/", "-")+"-"+name+".png"), shot, 0o644)
	}
	if err != nil {
		p.Error(err)
	}
}

// expected takes what the browser had to say, once, off the list.
func (p *tab) expected(part string) {
	p.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.messages, func(m string) bool { return strings.Contains(m, part) })
	if i < 0 {
		p.Errorf("the browser did not say %q", part)
		return
	}
	p.messages = slices.Delete(p.messages, i, i+1)
}
