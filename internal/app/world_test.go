package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/app"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// noon is when everything in these tests happens, unless the clock is moved.
var noon = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

// clock is a clock that stands still until it is moved.
type clock struct{ micros atomic.Int64 }

func (c *clock) now() time.Time        { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) move(by time.Duration) { c.micros.Add(by.Microseconds()) }

// chance is the same at every run.
type chance struct {
	mu     sync.Mutex
	source *rand.ChaCha8
}

func (c *chance) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.source.Read(b)
}

func newChance(seed byte) *chance { return &chance{source: rand.NewChaCha8([32]byte{seed})} }

// world is a demo that serves on a free port, and what the tests add to it.
type world struct {
	*app.App
	demo  *app.Demo
	urls  app.URLs
	data  string // its folder
	addr  string
	clock *clock
	log   *bytes.Buffer // complete after close
	end   func()
}

// open opens an installation whose clock stands at noon, with settings as names
// and values in turn.
func open(t testing.TB, seed byte, c *clock, log io.Writer, settings ...string) *app.App {
	t.Helper()
	flags := map[string]string{"data": filepath.Join(t.TempDir(), "data"), "listen": "127.0.0.1:0"}
	for pair := range slices.Chunk(settings, 2) {
		flags[pair[0]] = pair[1]
	}
	config, err := app.Load(app.Sources{
		Flags:       flags,
		Environment: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.Open(t.Context(), config, app.World{Now: c.now, Chance: newChance(seed), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// newWorld starts a demo.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{clock: &clock{}, log: &bytes.Buffer{}}
	w.clock.micros.Store(noon.UnixMicro())
	w.App = open(t, 1, w.clock, w.log)
	w.data = w.Config.Data
	var err error
	if w.demo, err = w.OpenDemo(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan app.URLs, 1), make(chan error, 1)
	go func() {
		done <- w.Serve(ctx, func(u app.URLs) error { ready <- u; return nil })
	}()
	w.end = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-done, w.Close(context.Background())); err != nil {
			t.Error("the end of the server:", err)
		}
	})
	t.Cleanup(w.end)
	select {
	case w.urls = <-ready:
	case err := <-done:
		done <- err
		t.Fatal("the server did not start: ", err)
	}
	u, err := url.Parse(w.urls.Auth)
	if err != nil {
		t.Fatal(err)
	}
	w.addr = u.Host
	return w
}

// application adds an application of the demo's first partner.
func (w *world) application(t testing.TB, n registry.NewApplication) (domain.ClientID, string) {
	t.Helper()
	n.Partner = w.demo.Partner
	a, secret, err := w.Registry.AddApplication(t.Context(), registry.By{Means: "test"}, n)
	if err != nil {
		t.Fatal(err)
	}
	return a.ID, secret.Reveal()
}

// change changes an application in ways that no form of today offers.
func (w *world) change(t testing.TB, id domain.ClientID, change func(*domain.Application)) {
	t.Helper()
	err := w.Registry.Store.ChangeApplication(t.Context(), id, func(a *domain.Application) error {
		change(a)
		return nil
	}, domain.Entry{ID: domain.NewEntryID(w.clock.now(), nil), At: w.clock.now(), Action: "test"})
	if err := errors.Join(err, w.Registry.Refresh(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// user adds a user of the demo's first partner.
func (w *world) user(t testing.TB, u domain.User) domain.UserID {
	t.Helper()
	u.Partner, u.FirstName, u.Surname = w.demo.Partner, "Test", "Person"
	u, _, err := w.Registry.AddUser(t.Context(), registry.By{Means: "test"}, u, registry.Password{})
	if err != nil {
		t.Fatal(err)
	}
	return u.ID
}

// answer is a whole answer.
type answer struct {
	status int
	proto  string
	header http.Header
	body   string
}

// ask sends the bytes of a request and reads the answer.
func (w *world) ask(t testing.TB, request string) answer {
	t.Helper()
	return w.converse(t, request, func(c net.Conn) { _, _ = io.WriteString(c, request) })
}

// converse lets send write a request while the answer is read.
func (w *world) converse(t testing.TB, request string, send func(net.Conn)) answer {
	t.Helper()
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(8 * time.Second)); err != nil { // shorter than the server's own patience
		t.Fatal(err)
	}
	go send(c)
	method, _, _ := strings.Cut(request, " ")
	r, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%.200q: no answer: %v", request, err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("%.200q: half an answer: %v", request, err)
	}
	return answer{r.StatusCode, r.Proto + " " + r.Status, r.Header, string(body)}
}

// token asks a token endpoint and returns the token.
func (w *world) token(t testing.TB, path, form string) string {
	t.Helper()
	a := w.ask(t, post(path, urlencoded, form))
	return access(t, a)
}

func access(t testing.TB, a answer) string {
	t.Helper()
	var body struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(a.body), &body); err != nil || a.status != 200 || body.Token == "" {
		t.Fatalf("got %d %s, want a token", a.status, a.body)
	}
	return body.Token
}

const (
	urlencoded = "application/x-www-form-urlencoded"
	boundary   = "------------------------d74496d66958873e" // curl's look
	multipart  = "multipart/form-data; boundary=" + boundary
	jsonType   = "application/json"
)

// post returns the bytes of a POST.
func post(path, contentType, body string, headers ...string) string {
	headers = append(headers, "Content-Type: "+contentType, fmt.Sprintf("Content-Length: %d", len(body)))
	return request("POST", path, headers...) + body
}

// request returns the bytes of a request without a body. The name of the host
// is one that the server does not know: it must not matter.
func request(method, path string, headers ...string) string {
	head := method + " " + path + " HTTP/1.1\r\nHost: wattgate.test\r\n"
	for _, h := range headers {
		head += h + "\r\n"
	}
	return head + "\r\n"
}

// form writes name, value, name, value… as an urlencoded body, in this order.
func form(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(pairs[i]) + "=" + url.QueryEscape(pairs[i+1]))
	}
	return b.String()
}

// parts writes name, value, name, value… as curl --form does.
func parts(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", boundary, pairs[i], pairs[i+1])
	}
	return b.String() + "--" + boundary + "--\r\n"
}

// credentials are the form fields of an application.
func credentials(id domain.ClientID, secret string) []string {
	return []string{"client_id", string(id), "client_secret", secret}
}

// with joins lists of form fields.
func with(lists ...[]string) []string {
	var all []string
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// grant is the form field that names the one grant there is.
var grant = []string{"grant_type", "client_credentials"}

// basic is the header of HTTP Basic.
func basic(id domain.ClientID, secret string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(string(id)+":"+secret))
}

// query is a GraphQL request as JSON.
func query(text string) string {
	b, err := json.Marshal(map[string]string{"query": text})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// graphQL returns the bytes of a GraphQL request with a raw token.
func graphQL(token, text string) string {
	return post("/v1/graphql/", jsonType, query(text), "Authorization: "+token)
}
